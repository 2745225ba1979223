// The outside world of a node under test: a source that sends input and subscribers that keep what they hear, over real loopback
// sockets, all driven by the test's own thread.
using System.Diagnostics;
using MarginEngine.Aeron;
using MarginEngine.Codecs;
using MarginEngine.Watch;

namespace MarginEngine.Tests.PipelineTests;

/// <summary>Monotonic time for a transport outside a node.</summary>
internal sealed class WireClock : INanoClock
{
    private readonly Clock _clock = new();

    public long NanoTime() => _clock.MonotonicNanos;
}

/// <summary>Free UDP ports of this machine.</summary>
internal static class Ports
{
    public static string Channel() => $"aeron:udp?endpoint=127.0.0.1:{Tool.Demo.FreePorts.Take(1)[0]}";
}

/// <summary>A test thread's patience: everything in these tests waits for a condition, never for a time.</summary>
internal static class Until
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Rounds in which nothing came before the thread sleeps: whoever waits for a heartbeat or a lease leaves its core to the nodes.
    private const int FruitlessRounds = 200;

    /// <summary>Works until the condition holds; fails with the message when it does not within a minute.</summary>
    /// <param name="heard">What work has brought so far; null: nothing tells.</param>
    public static void True(Func<bool> condition, Action work, Func<string> message, Func<int>? heard = null)
    {
        var watch = Stopwatch.StartNew();
        int before = 0, fruitless = 0;
        while (!condition())
        {
            work();
            if (watch.Elapsed > Patience)
                throw new TimeoutException(message());
            int now = heard?.Invoke() ?? 0;
            fruitless = now == before ? fruitless + 1 : 0;
            before = now;
            if (fruitless > FruitlessRounds)
                Thread.Sleep(1);
            else
                Thread.Yield();
        }
    }
}

/// <summary>Keeps whole messages; can be told to stop taking them, which presses back on the sender.</summary>
internal sealed class Listener(Subscription subscription) : IMessageHandler
{
    public List<byte[]> Heard { get; } = [];

    public bool IsDeaf { get; set; }

    public bool IsConnected => subscription.IsConnected;

    public void Poll()
    {
        Listener handler = this;
        if (!IsDeaf)
            subscription.Poll(ref handler, 256);
    }

    public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
    {
        Heard.Add(message.ToArray());
        return PollAction.Continue;
    }

    public IEnumerable<byte[]> Of(ushort template) => Heard.Where(message => BitConverter.ToUInt16(message, 2) == template);

    public IEnumerable<(RejectCode Code, ushort Field, ulong Expected, ulong SourceSequence)> Rejects()
    {
        foreach (byte[] message in Of(RejectDecoder.TemplateId))
        {
            RejectDecoder.TryWrap(message, out RejectDecoder reject);
            yield return (reject.Code, reject.FieldId, reject.Expected, reject.SourceSequence);
        }
    }
}

/// <summary>A source and two subscribers of one node.</summary>
internal sealed class World : IDisposable
{
    // A node that was killed is missed after a second.
    private readonly AeronAgent _agent = new(new AeronOptions(new WireClock()) { TermLength = 1 << 20, ReceiverLivenessNanos = 1_000_000_000 });
    private readonly Publication _input;

    public World(string inputChannel, int inputStream, string outputChannel, int marginStream, int replyStream)
    {
        _input = _agent.AddPublication(inputChannel, inputStream);
        Margins = new Listener(_agent.AddSubscription(outputChannel, marginStream));
        Replies = new Listener(_agent.AddSubscription(outputChannel, replyStream));
    }

    public Listener Margins { get; }

    public Listener Replies { get; }

    /// <summary>Messages heard so far on both streams.</summary>
    public int Heard => Margins.Heard.Count + Replies.Heard.Count;

    public bool IsConnected => _input.IsConnected && Margins.IsConnected && Replies.IsConnected;

    public bool IsInputConnected => _input.IsConnected;

    public void Work()
    {
        _agent.DoWork();
        Margins.Poll();
        Replies.Poll();
        _agent.DoWork();
    }

    public bool TrySend(ReadOnlySpan<byte> message) => _input.Offer(message) > 0;

    /// <summary>Sends, waiting while the node presses back.</summary>
    public void Send(ReadOnlySpan<byte> message)
    {
        byte[] copy = message.ToArray();
        bool sent = TrySend(copy);
        if (!sent)
            WorkUntil(() => sent = TrySend(copy), () => $"the node took no message of {copy.Length} bytes");
    }

    public void WorkUntil(Func<bool> condition, Func<string> message) => Until.True(condition, Work, message, () => Heard);

    public void Dispose() => _agent.Dispose();
}
