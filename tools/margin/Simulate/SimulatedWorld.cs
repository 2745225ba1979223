// A network in memory under a clock that the test moves: every datagram may be dropped, doubled, delayed, cut or damaged, as a seed says.
// The agents on it run in one thread, so a run is the same each time it is given the same seed.

using System.Buffers.Binary;
using MarginEngine.Aeron;

namespace MarginEngine.Tool.Simulate;

internal sealed class SimulatedTime : INanoClock
{
    public long Now { get; set; } = 1_000_000_000;

    public long NanoTime() => Now;
}

/// <summary>Chances in percent for each datagram and receiver; times in nanoseconds.</summary>
internal sealed record Faults
{
    public static readonly Faults None = new();

    public int Drop { get; init; }
    public int Duplicate { get; init; }
    public int Delay { get; init; }
    public long LongestDelayNanos { get; init; } = 2_000_000;

    /// <summary>Comes after what is sent next.</summary>
    public int Reorder { get; init; }
    public int Truncate { get; init; }

    /// <summary>Damage that a receiver can see. UDP's checksum catches the rest before it gets here.</summary>
    public int Corrupt { get; init; }

    public static Faults Mixed(Random random, int worst) => new()
    {
        Drop = random.Next(worst + 1),
        Duplicate = random.Next(worst + 1),
        Delay = random.Next(worst + 1),
        LongestDelayNanos = random.NextInt64(1, 5_000_000),
        Reorder = random.Next(worst + 1),
        Truncate = random.Next(worst + 1),
        Corrupt = random.Next(worst + 1),
    };
}

internal sealed class SimulatedWorld(int seed)
{
    private readonly List<SimulatedSocket> _sockets = [];
    private readonly PriorityQueue<(SimulatedSocket To, byte[] Data, Ipv4Endpoint From), (long Time, long Order)> _inFlight = new();
    private readonly Random _random = new(seed);
    private (SimulatedSocket To, Ipv4Endpoint From, byte[] Data, long Delay)? _held;
    private long _order;
    private ushort _nextPort = 50_000;

    public SimulatedTime Clock { get; } = new();

    public Faults Faults { get; set; } = Faults.None;

    /// <summary>Time from one end to the other when nothing goes wrong.</summary>
    public long FlightNanos { get; set; } = 5_000;

    /// <summary>Sees every datagram as it is sent, before any fault; returns whether it goes on.</summary>
    public Func<Ipv4Endpoint, Ipv4Endpoint, byte[], bool>? Tap { get; set; }

    /// <summary>Sockets that hear nothing and say nothing, as a dead or cut-off process.</summary>
    public HashSet<IDatagramNetwork> CutOff { get; } = [];

    /// <summary>Pairs of hosts, from and to, between which nothing passes.</summary>
    public HashSet<(string From, string To)> Severed { get; } = [];

    /// <summary>Datagrams that were dropped, doubled, delayed, overtaken, cut or damaged, and those a partition swallowed.</summary>
    public NetworkCounts Counts { get; } = new();

    /// <summary>Sees which network sent what where.</summary>
    public Action<SimulatedNetwork, Ipv4Endpoint, byte[]>? Watch { get; set; }

    public AeronOptions Options(int mtu = 1408, int termLength = 64 * 1024, SimulatedNetwork? network = null) => new(Clock)
    {
        Network = () => network ?? new SimulatedNetwork(this),
        Mtu = mtu,
        TermLength = termLength,
        Seed = unchecked((ulong)_random.NextInt64()),
    };

    /// <summary>Puts a datagram into the network as if some other process had sent it.</summary>
    public void Inject(Ipv4Endpoint from, Ipv4Endpoint to, byte[] datagram) => Route(null, from, to, datagram, faulty: false);

    internal SimulatedSocket Open(SimulatedNetwork network, in SocketSpec spec)
    {
        uint address = spec.Bind.Address == 0 ? Ipv4Endpoint.Loopback : spec.Bind.Address;
        ushort port = spec.Bind.Port == 0 ? _nextPort++ : spec.Bind.Port;
        if (!spec.SharesPort && _sockets.Exists(open => open.LocalEndpoint == new Ipv4Endpoint(address, port) && !open.Spec.SharesPort))
            throw new IOException($"port {port} is taken");
        var socket = new SimulatedSocket(this, network, spec, new Ipv4Endpoint(address, port));
        _sockets.Add(socket);
        return socket;
    }

    internal void Close(SimulatedSocket socket) => _sockets.Remove(socket);

    internal void Route(SimulatedNetwork? sender, Ipv4Endpoint from, Ipv4Endpoint to, byte[] datagram, bool faulty = true)
    {
        if (Tap is not null && !Tap(from, to, datagram))
            return;
        if (sender is not null && CutOff.Contains(sender))
            return;
        Counts.Sent++;
        if (sender is not null)
            Watch?.Invoke(sender, to, datagram);
        foreach (SimulatedSocket socket in _sockets)
        {
            if (CutOff.Contains(socket.Network) || !socket.Hears(from, to))
                continue;
            if (sender is not null && Severed.Contains((sender.Host, socket.Network.Host)))
            {
                Counts.Severed++;
                continue;
            }
            if (faulty)
                DeliverFaulty(socket, from, datagram);
            else
                Schedule(socket, from, datagram, 0);
        }
    }

    /// <summary>Hands over everything whose time has come.</summary>
    internal void Settle()
    {
        while (_inFlight.TryPeek(out _, out (long Time, long) next) && next.Time <= Clock.Now)
        {
            (SimulatedSocket to, byte[] data, Ipv4Endpoint from) = _inFlight.Dequeue();
            to.Waiting.Enqueue((data, from));
        }
    }

    private void DeliverFaulty(SimulatedSocket socket, Ipv4Endpoint from, byte[] datagram)
    {
        (SimulatedSocket To, Ipv4Endpoint From, byte[] Data, long Delay)? overtaken = _held;
        _held = null;
        int copies = 1 + Count(ref Counts.Doubled, Happens(Faults.Duplicate));
        for (int copy = 0; copy < copies; copy++)
        {
            if (Count(ref Counts.Dropped, Happens(Faults.Drop)) > 0)
                continue;
            byte[] data = datagram;
            if (Count(ref Counts.Cut, Happens(Faults.Truncate)) > 0)
                data = data[.._random.Next(data.Length)];
            if (Count(ref Counts.Damaged, Happens(Faults.Corrupt) && data.Length >= 8) > 0)
                data = Damage(data);
            long delay = Count(ref Counts.Delayed, Happens(Faults.Delay)) > 0 ? _random.NextInt64(Faults.LongestDelayNanos) : 0;
            if (_held is null && Count(ref Counts.Overtaken, Happens(Faults.Reorder)) > 0)
                _held = (socket, from, data, delay);
            else
                Schedule(socket, from, data, delay);
        }
        if (overtaken is { } late)
            Schedule(late.To, late.From, late.Data, late.Delay);
    }

    private void Schedule(SimulatedSocket socket, Ipv4Endpoint from, byte[] data, long delay) =>
        _inFlight.Enqueue((socket, data, from), (Clock.Now + FlightNanos + delay, _order++));

    private static int Count(ref long counter, bool happened)
    {
        if (!happened)
            return 0;
        counter++;
        return 1;
    }

    private bool Happens(int percent) => percent > 0 && _random.Next(100) < percent;

    private byte[] Damage(byte[] datagram)
    {
        byte[] damaged = (byte[])datagram.Clone();
        switch (_random.Next(4))
        {
            case 0:
                damaged[4] = (byte)_random.Next(1, 256);
                break;
            case 1:
                BinaryPrimitives.WriteInt16LittleEndian(damaged.AsSpan(6), (short)_random.Next(7, short.MaxValue));
                break;
            case 2:
                BinaryPrimitives.WriteInt32LittleEndian(damaged, _random.Next(70_000, int.MaxValue));
                break;
            default:
                BinaryPrimitives.WriteInt32LittleEndian(damaged, -_random.Next(1, int.MaxValue));
                break;
        }
        return damaged;
    }
}

/// <summary>What happened to datagrams.</summary>
internal sealed class NetworkCounts
{
    public long Sent, Dropped, Doubled, Delayed, Overtaken, Cut, Damaged, Severed;
}

internal sealed class SimulatedNetwork(SimulatedWorld world) : IDatagramNetwork
{
    /// <summary>The machine it belongs to, for partitions.</summary>
    public string Host { get; init; } = "";

    public IDatagramSocket Open(in SocketSpec spec) => world.Open(this, spec);

    public void BeginReceive()
    {
    }

    public bool Wait(long timeoutNanos) => false;

    public void Wake()
    {
    }

    public void Dispose()
    {
    }
}

internal sealed class SimulatedSocket(SimulatedWorld world, SimulatedNetwork network, SocketSpec spec, Ipv4Endpoint local)
    : IDatagramSocket
{
    public SimulatedNetwork Network { get; } = network;

    public SocketSpec Spec { get; } = spec;

    public Ipv4Endpoint LocalEndpoint { get; } = local;

    public int ReceiveBufferLength => Spec.ReceiveBufferLength;

    public Queue<(byte[] Data, Ipv4Endpoint From)> Waiting { get; } = new();

    public bool Hears(Ipv4Endpoint from, Ipv4Endpoint to)
    {
        if (to.Port != LocalEndpoint.Port || (Spec.Connect.Port != 0 && Spec.Connect != from))
            return false;
        return to.IsMulticast ? Spec.JoinGroup == to.Address : to.Address == LocalEndpoint.Address;
    }

    public int Receive(DatagramBatch batch, AeronCounters counters)
    {
        world.Settle();
        int count = 0;
        while (count < batch.Capacity && Waiting.TryDequeue(out (byte[] Data, Ipv4Endpoint From) datagram))
            batch.Deliver(count++, datagram.Data, datagram.From);
        return count;
    }

    public unsafe int Send(DatagramBatch batch, AeronCounters counters)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            Ipv4Endpoint to = batch.Destination(i);
            byte[] copy = new ReadOnlySpan<byte>(batch.Data(i), batch.Length(i)).ToArray();
            world.Route(Network, LocalEndpoint, to.Port == 0 ? Spec.Connect : to, copy);
        }
        return batch.Count;
    }

    public void Dispose() => world.Close(this);
}
