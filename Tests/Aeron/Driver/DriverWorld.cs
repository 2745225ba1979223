// A driver on a directory of its own, under a clock that the test moves, and clients that speak its protocol byte by byte.

using System.Buffers.Binary;
using System.Text;
using MarginEngine.Aeron;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.AeronTests;

internal sealed class DriverWorld : IDisposable
{
    private readonly TemporaryDirectory _place = new();

    public DriverWorld(int seed = 1, Func<DriverOptions, DriverOptions>? change = null, bool realNetwork = false)
    {
        Simulated = new SimulatedWorld(seed);
        Time = new WallTime(Simulated.Clock);
        Directory = _place["driver"];
        var options = new DriverOptions(Directory, Time)
        {
            IpcTermLength = 64 * 1024, ToDriverLength = 64 * 1024, ToClientsLength = 1024 * 1024, MaxCounters = 512, ErrorLogLength = 64 * 1024,
        };
        Agent = new AeronAgent(new AeronOptions(Simulated.Clock)
        {
            Network = () => realNetwork ? new UdpNetwork() : new SimulatedNetwork(Simulated),
            TermLength = 64 * 1024,
            Seed = (ulong)seed,
            Driver = change?.Invoke(options) ?? options,
        });
    }

    public SimulatedWorld Simulated { get; }

    public WallTime Time { get; }

    public string Directory { get; }

    public AeronAgent Agent { get; }

    public RawClient Connect() => new(this);

    public string[] Files(string folder) => [.. System.IO.Directory.EnumerateFiles(Path.Combine(Directory, folder))];

    /// <summary>Lets time pass in steps of a millisecond, a duty cycle after each.</summary>
    public void Pass(long millis)
    {
        for (long i = 0; i < millis; i++)
        {
            Simulated.Clock.Now += 1_000_000;
            Agent.DoWork();
        }
    }

    /// <summary>Lets much time pass in a few steps, while these clients go on living.</summary>
    public void Leap(long millis, params RawClient[] living)
    {
        const long Step = 200;
        for (long i = 0; i < millis; i += Step)
        {
            Simulated.Clock.Now += Step * 1_000_000;
            foreach (RawClient client in living)
                client.KeepAlive();
            Agent.DoWork();
        }
    }

    public void Dispose()
    {
        Agent.Dispose();
        _place.Dispose();
    }
}

/// <summary>A time of day that goes with the manual clock.</summary>
internal sealed class WallTime(SimulatedTime clock) : IEpochClock
{
    public long EpochMillis => 1_700_000_000_000 + (clock.Now / 1_000_000);
}

internal readonly record struct Told(int Type, byte[] Bytes)
{
    public long Int64(int offset) => BinaryPrimitives.ReadInt64LittleEndian(Bytes.AsSpan(offset));

    public int Int32(int offset) => BinaryPrimitives.ReadInt32LittleEndian(Bytes.AsSpan(offset));

    public string Text(int offset) => Encoding.ASCII.GetString(Bytes, offset + 4, Int32(offset));
}

/// <summary>A client without any logic: it writes commands and keeps what it is told.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly DriverWorld _world;
    private readonly CncFile _cnc;
    private readonly BroadcastReceiver _receiver;

    public RawClient(DriverWorld world)
    {
        _world = world;
        _cnc = CncFile.Open(world.Directory);
        Ring = _cnc.ToDriver();
        Counters = _cnc.CountersView();
        _receiver = _cnc.Receiver();
        Id = Ring.NextCorrelationId();
    }

    public long Id { get; }

    public CommandRing Ring { get; }

    public CounterReader Counters { get; }

    /// <summary>Sends a command made of the client's id, a new correlation id and these fields; returns the correlation id.</summary>
    public long Send(int type, params object[] fields)
    {
        long correlationId = Ring.NextCorrelationId();
        Assert.That(Ring.TryWrite(type, Bytes([Id, correlationId, .. fields])), Is.True);
        return correlationId;
    }

    public static byte[] Bytes(params object[] fields)
    {
        using var stream = new MemoryStream();
        foreach (object field in fields)
        {
            switch (field)
            {
                case long number:
                    stream.Write(BitConverter.GetBytes(number));
                    break;
                case int number:
                    stream.Write(BitConverter.GetBytes(number));
                    break;
                case byte[] bytes:
                    stream.Write(bytes);
                    break;
                case string text:
                    stream.Write(BitConverter.GetBytes(text.Length));
                    stream.Write(Encoding.ASCII.GetBytes(text));
                    break;
                default:
                    throw new ArgumentException($"{field} is no field");
            }
        }
        return stream.ToArray();
    }

    public long AddPublication(int streamId, string channel = "aeron:ipc") => Send(Command.AddPublication, streamId, channel);

    public long AddExclusive(int streamId, string channel = "aeron:ipc") => Send(Command.AddExclusivePublication, streamId, channel);

    public long AddSubscription(int streamId, string channel = "aeron:ipc") => Send(Command.AddSubscription, -1L, streamId, channel);

    public void KeepAlive() => Send(Command.ClientKeepAlive);

    /// <summary>Has the driver work and returns what it said since the last time.</summary>
    public List<Told> Listen(int passes = 1)
    {
        _world.Pass(passes);
        var told = new List<Told>();
        while (_receiver.TryReceive(out int type, out ReadOnlySpan<byte> payload))
            told.Add(new Told(type, payload.ToArray()));
        Assert.That(_receiver.IsLapped, Is.False);
        return told;
    }

    public void Dispose() => _cnc.Dispose();
}
