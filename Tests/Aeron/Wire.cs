// Frames as the protocol's fact sheet lays them out, built and read by byte offsets, independent of the structs under test;
// and a peer that a test plays by hand: it sees every datagram of the simulated world and puts its own in.

using System.Buffers.Binary;
using MarginEngine.Aeron;
using MarginEngine.Tool.Simulate;

namespace MarginEngine.Tests.AeronTests;

internal static class Wire
{
    public static byte[] Data(
        int session, int stream, int term, int offset, byte flags, ReadOnlySpan<byte> payload, int? frameLength = null, short type = 1,
        long reserved = 0)
    {
        int length = 32 + payload.Length;
        var frame = new byte[(length + 31) & ~31];
        Prefix(frame, frameLength ?? length, flags, type);
        Put(frame, 8, offset, session, stream, term);
        BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(24), reserved);
        payload.CopyTo(frame.AsSpan(32));
        return frame;
    }

    public static byte[] Heartbeat(int session, int stream, int term, int offset, byte flags = 0xC0) =>
        Data(session, stream, term, offset, flags, default, frameLength: 0);

    public static byte[] Padding(int session, int stream, int term, int offset, int length) =>
        Data(session, stream, term, offset, 0xC0, default, frameLength: length, type: 0);

    public static byte[] Setup(
        int session, int stream, int initialTerm, int activeTerm, int offset, int termLength, int mtu, byte flags = 0)
    {
        var frame = new byte[40];
        Prefix(frame, 40, flags, 5);
        Put(frame, 8, offset, session, stream, initialTerm, activeTerm, termLength, mtu, 0);
        return frame;
    }

    public static byte[] Status(int session, int stream, int term, int offset, int window, long receiver, byte flags = 0, long? tag = null)
    {
        var frame = new byte[tag is null ? 36 : 44];
        Prefix(frame, frame.Length, flags, 3);
        Put(frame, 8, session, stream, term, offset, window);
        BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(28), receiver);
        if (tag is { } value)
            BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(36), value);
        return frame;
    }

    public static byte[] Nak(int session, int stream, int term, int offset, int length)
    {
        var frame = new byte[28];
        Prefix(frame, 28, 0, 2);
        Put(frame, 8, session, stream, term, offset, length);
        return frame;
    }

    public static byte[] RoundTrip(int session, int stream, long echo, long delta, long receiver, byte flags)
    {
        var frame = new byte[40];
        Prefix(frame, 40, flags, 6);
        Put(frame, 8, session, stream);
        BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(16), echo);
        BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(24), delta);
        BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(32), receiver);
        return frame;
    }

    public static byte[] Error(int session, int stream, long receiver, int code, string text)
    {
        var frame = new byte[40 + text.Length];
        Prefix(frame, frame.Length, 0, 4);
        Put(frame, 8, session, stream);
        BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(16), receiver);
        Put(frame, 32, code, text.Length);
        System.Text.Encoding.ASCII.GetBytes(text).CopyTo(frame, 40);
        return frame;
    }

    public static int Int(byte[] frame, int offset) => BinaryPrimitives.ReadInt32LittleEndian(frame.AsSpan(offset));

    public static long Long(byte[] frame, int offset) => BinaryPrimitives.ReadInt64LittleEndian(frame.AsSpan(offset));

    public static int Type(byte[] frame) => BinaryPrimitives.ReadInt16LittleEndian(frame.AsSpan(6));

    /// <summary>One line as in the decoded traces of the stock driver, without time and addresses.</summary>
    public static string Describe(byte[] frame)
    {
        string prefix = $"fl={Int(frame, 0)} ver={frame[4]} flags=0x{frame[5]:x2}";
        return Type(frame) switch
        {
            5 => $"SETUP {prefix} off={Int(frame, 8)} sess={Int(frame, 12)} str={Int(frame, 16)} "
                + $"initTerm={Int(frame, 20)} actTerm={Int(frame, 24)} termLen={Int(frame, 28)} "
                + $"mtu={Int(frame, 32)} ttl={Int(frame, 36)}",
            3 => $"SM {prefix} sess={Int(frame, 8)} str={Int(frame, 12)} consTerm={Int(frame, 16)} "
                + $"consOff={Int(frame, 20)} win={Int(frame, 24)}",
            2 => $"NAK {prefix} sess={Int(frame, 8)} str={Int(frame, 12)} term={Int(frame, 16)} "
                + $"off={Int(frame, 20)} len={Int(frame, 24)}",
            0 or 1 => $"{(Wire.Type(frame) == 0 ? "PAD" : "DATA")} {prefix} off={Int(frame, 8)} sess={Int(frame, 12)} "
                + $"str={Int(frame, 16)} term={Int(frame, 20)} rsv={Long(frame, 24)} udp={frame.Length}",
            var other => $"type {other} {prefix}",
        };
    }

    private static void Prefix(byte[] frame, int length, byte flags, short type)
    {
        BinaryPrimitives.WriteInt32LittleEndian(frame, length);
        frame[4] = 0;
        frame[5] = flags;
        BinaryPrimitives.WriteInt16LittleEndian(frame.AsSpan(6), type);
    }

    private static void Put(byte[] frame, int offset, params ReadOnlySpan<int> values)
    {
        foreach (int value in values)
        {
            BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(offset), value);
            offset += 4;
        }
    }
}

/// <summary>One agent in a simulated world, and the test in the place of everybody else on the network.</summary>
internal sealed class Stage : IDisposable
{
    public static readonly Ipv4Endpoint Peer = new(Ipv4Endpoint.Loopback, 45_000);

    public Stage(int seed = 1, Func<SimulatedWorld, AeronOptions>? options = null)
    {
        World = new SimulatedWorld(seed);
        World.FlightNanos = 0;
        World.Tap = (from, to, data) =>
        {
            if (from != Peer)
                Sent.Add((Milliseconds, from, to, data));
            return true;
        };
        Agent = new AeronAgent(options?.Invoke(World) ?? World.Options());
    }

    public SimulatedWorld World { get; }

    public AeronAgent Agent { get; }

    /// <summary>All that the agent sent: milliseconds since the start, addresses and bytes.</summary>
    public List<(double Time, Ipv4Endpoint From, Ipv4Endpoint To, byte[] Data)> Sent { get; } = [];

    public double Milliseconds => (World.Clock.Now - 1_000_000_000) / 1e6;

    public IEnumerable<byte[]> SentOfType(int type) => Sent.Where(sent => Wire.Type(sent.Data) == type).Select(sent => sent.Data);

    public int CountOfType(int type) => SentOfType(type).Count();

    /// <summary>Runs the agent for a while, a duty cycle each millisecond (or as given) and one at the very start.</summary>
    public void Run(double milliseconds, double step = 1)
    {
        double end = Milliseconds + milliseconds;
        Agent.DoWork();
        while (Milliseconds < end)
        {
            World.Clock.Now += (long)(step * 1_000_000);
            Agent.DoWork();
        }
    }

    /// <summary>Delivers a datagram from the test's peer and lets the agent work once.</summary>
    public void Hear(Ipv4Endpoint to, byte[] datagram, Ipv4Endpoint? from = null)
    {
        World.Inject(from ?? Peer, to, datagram);
        Agent.DoWork();
    }

    public void Dispose() => Agent.Dispose();
}
