// The measuring ends over the transport: one that waits for each echo, one that sends as fast as it is let; and the peer of both.

using System.Diagnostics;
using System.Runtime.InteropServices;
using MarginEngine.Aeron;

namespace MarginEngine.Bench;

/// <summary>An agent with a publication to the peer and a subscription from it.</summary>
internal class AeronEnd : IWireEnd
{
    protected const int Stream = 1001;

    // Loopback only; groups differ for each end and process, so that the two directions and two measurements do not meet.
    private const int FirstPort = 20_000;
    private static int Ends;

    private readonly bool _multicast;
    private readonly Ipv4Endpoint _group;

    protected AeronEnd(bool multicast)
    {
        _multicast = multicast;
        Agent = new AeronAgent(new AeronOptions(new WireClock()));
        int process = Environment.ProcessId;
        uint own = 1 + (2 * ((uint)Interlocked.Increment(ref Ends) % 100));
        _group = new Ipv4Endpoint(
            0xEF000000 | ((uint)(process % 250) << 16) | ((uint)(process / 250 % 250) << 8) | own,
            (ushort)(FirstPort + (process % 10_000)));
        Subscription = Agent.AddSubscription(
            multicast ? $"aeron:udp?endpoint={_group}|interface=localhost" : "aeron:udp?endpoint=127.0.0.1:0", Stream);
    }

    public AeronAgent Agent { get; }

    public Subscription Subscription { get; }

    public Publication Publication { get; private set; } = null!;

    public AeronCounters Counters => Agent.Counters;

    public string Listen => _multicast ? _group.ToString() : Subscription.LocalEndpoint.ToString();

    public virtual string PeerRole => _multicast ? "multicast-echo" : "echo";

    public void Connect(string peer)
    {
        string channel = _multicast ? $"aeron:udp?endpoint={peer}|interface=localhost" : $"aeron:udp?endpoint={peer}";
        Publication = Agent.AddPublication(channel, Stream);
    }

    public bool TryConnect(TimeSpan patience)
    {
        long start = Stopwatch.GetTimestamp();
        while (!Publication.IsConnected || !Subscription.IsConnected)
        {
            if (Stopwatch.GetElapsedTime(start) > patience)
                return false;
            Agent.DoWork();
        }
        return true;
    }

    public void Dispose() => Agent.Dispose();
}

internal sealed class AeronEcho : AeronEnd, IEcho
{
    private readonly byte[] _message;
    private Counting _counting;

    public AeronEcho(in WireSetup setup)
        : base(setup.Multicast) => _message = new byte[setup.Length];

    private AeronEcho(bool multicast)
        : base(multicast) => _message = [];

    public void RoundTrip(int number)
    {
        MemoryMarshal.Write(_message, number);
        int expected = _counting.Messages + 1;
        while (Publication.Offer(_message) < 0)
            Agent.DoWork();
        while (_counting.Messages < expected)
        {
            Agent.DoWork();
            Subscription.Poll(ref _counting, 10);
        }
    }

    public static void Serve(string role, string peer, Action<string> announce, Func<bool> stop)
    {
        using var end = new AeronEcho(role.StartsWith("multicast", StringComparison.Ordinal));
        end.Connect(peer);
        announce(end.Listen);
        if (role.EndsWith("echo", StringComparison.Ordinal))
            end.ServeEcho(stop);
        else
            end.ServeCounts(stop);
    }

    private void ServeEcho(Func<bool> stop)
    {
        var handler = new Echoing(Publication);
        while (!stop())
        {
            Agent.DoWork();
            Subscription.Poll(ref handler, 10);
        }
    }

    /// <summary>Says how many messages have come each time there is nothing more to take.</summary>
    private void ServeCounts(Func<bool> stop)
    {
        var count = new byte[8];
        int told = 0;
        while (!stop())
        {
            Agent.DoWork();
            if (Subscription.Poll(ref _counting, 1000) > 0 || _counting.Messages == told)
                continue;
            MemoryMarshal.Write(count, (long)_counting.Messages);
            if (Publication.Offer(count) > 0)
                told = _counting.Messages;
        }
    }
}

internal sealed class AeronSource : AeronEnd, ISource
{
    private readonly byte[] _message;
    private readonly bool _multicast;
    private LastNumber _told;

    public AeronSource(in WireSetup setup)
        : base(setup.Multicast)
    {
        _multicast = setup.Multicast;
        _message = new byte[setup.Length];
    }

    public override string PeerRole => _multicast ? "multicast-count" : "count";

    /// <summary>Sends, and returns when the peer has said that it took them all.</summary>
    public void Send(int messages, int before)
    {
        for (int i = 0; i < messages;)
        {
            for (int burst = 0; burst < 64 && i < messages; burst++)
            {
                if (Publication.Offer(_message) < 0)
                    break;
                i++;
            }
            Agent.DoWork();
        }
        while (_told.Value < before + messages)
        {
            Agent.DoWork();
            Subscription.Poll(ref _told, 100);
        }
    }
}

internal struct Counting : IMessageHandler
{
    public int Messages;

    public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
    {
        Messages++;
        return PollAction.Continue;
    }
}

internal struct LastNumber : IMessageHandler
{
    public long Value;

    public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
    {
        Value = MemoryMarshal.Read<long>(message);
        return PollAction.Continue;
    }
}

internal readonly struct Echoing(Publication publication) : IMessageHandler
{
    public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context) =>
        publication.Offer(message) > 0 ? PollAction.Continue : PollAction.Abort;
}
