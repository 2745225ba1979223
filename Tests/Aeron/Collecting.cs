// Handlers and a clock for the transport's tests.

using System.Diagnostics;
using MarginEngine.Aeron;

namespace MarginEngine.Tests.AeronTests;

/// <summary>Keeps a copy of each message and where it came from.</summary>
internal sealed class Collecting : IMessageHandler
{
    public List<byte[]> Messages { get; } = [];

    public List<int> Sessions { get; } = [];

    public List<long> Positions { get; } = [];

    public Func<int, PollAction> Answer { get; set; } = static _ => PollAction.Continue;

    public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
    {
        PollAction action = Answer(Messages.Count);
        if (action == PollAction.Abort)
            return action;
        Messages.Add(message.ToArray());
        Sessions.Add(context.SessionId);
        Positions.Add(context.Position);
        return action;
    }
}

internal sealed class MachineClock : INanoClock
{
    public long NanoTime() => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));
}

internal static class Payload
{
    /// <summary>Bytes that follow from a number, so that a message can be checked without keeping it.</summary>
    public static byte[] Of(int number, int length)
    {
        var bytes = new byte[length];
        new Random(number).NextBytes(bytes);
        return bytes;
    }
}
