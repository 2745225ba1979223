// The outside of the path bench: one thread that sends input when it is due and times what comes back, over loopback sockets.
using MarginEngine.Aeron;
using MarginEngine.Codecs;
using MarginEngine.Pipeline;
using MarginEngine.Watch;

namespace MarginEngine.Bench;

/// <summary>
/// Open loop: message i is due at start + i / rate whatever happened to those before it, and its latency counts from then. The due
/// time travels as the event time of the input and comes back as the cause time of the decision. Allocates nothing while it drives.
/// </summary>
internal sealed class PathDriver : IMessageHandler, IDisposable
{
    private const int AccountsAsked = 64;
    private readonly Clock _clock = new();
    private readonly AeronAgent _agent;
    private readonly Publication _input;
    private readonly Subscription _margins;
    private readonly Subscription _replies;
    private readonly PathScript _script;
    private readonly int _accounts;
    private bool _measures;

    public PathDriver(NodeOptions node, PathScript script, int accounts)
    {
        _script = script;
        _accounts = accounts;
        _agent = new AeronAgent(new AeronOptions(new DriverClock(_clock)) { TermLength = 4 << 20 });
        _input = _agent.AddPublication(node.Input!.Channel, node.Input.Stream);
        _margins = _agent.AddSubscription(node.Output!.Channel, node.Output.MarginStream);
        _replies = _agent.AddSubscription(node.Output.Channel, node.Output.ReplyStream);
    }

    /// <summary>Answers to pre-trade checks: from due to heard.</summary>
    public LatencyHistogram Answers { get; } = new();

    /// <summary>Margin updates, calls and liquidations: from the due time of the tick that caused them to heard.</summary>
    public LatencyHistogram Margins { get; } = new();

    public long Sent { get; private set; }

    public long Rejected { get; private set; }

    public void Connect()
    {
        while (!_input.IsConnected || !_margins.IsConnected || !_replies.IsConnected)
            Work();
    }

    public void Open(Node node)
    {
        foreach (byte[] message in _script.Opening(_accounts))
            Send(message);
        Settle(node);
        if (Rejected > 0)
            throw new InvalidOperationException($"{Rejected} messages of the opening were refused");
    }

    /// <summary>Sends for a time at a rate; every fifth message is a pre-trade check, the others move the index.</summary>
    public void Drive(Node node, long messagesPerSecond, double seconds)
    {
        Answers.Reset();
        Margins.Reset();
        _measures = true;
        long count = (long)(messagesPerSecond * seconds);
        long start = _clock.MonotonicNanos;
        for (long i = 0; i < count; i++)
        {
            long due = start + (long)((double)i / messagesPerSecond * 1e9);
            while (_clock.MonotonicNanos < due)
                Work();
            Send(i % 5 == 4 ? _script.NextCheck((ulong)due, Math.Min(AccountsAsked, _accounts)) : _script.NextPrice((ulong)due));
            if (i % 8 == 7)
                Work();
        }

        Settle(node);
        _measures = false;
    }

    /// <summary>Sends as fast as the node takes it; returns nanoseconds until everything was published.</summary>
    public long Flood(Node node, long messages)
    {
        _measures = false;
        long start = _clock.MonotonicNanos;
        for (long i = 0; i < messages; i++)
        {
            Send(_script.NextPrice(0));
            if (i % 64 == 63)
                Work();
        }

        Settle(node);
        return _clock.MonotonicNanos - start;
    }

    public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
    {
        if (RejectDecoder.TryWrap(message, out _))
            Rejected++;
        else if (_measures && PreTradeAnswerDecoder.TryWrap(message, out PreTradeAnswerDecoder answer))
            Answers.Record(_clock.MonotonicNanos - (long)answer.CauseTime);
        else if (_measures && MarginUpdateDecoder.TryWrap(message, out MarginUpdateDecoder update))
            Note(update.CauseTime);
        else if (_measures && MarginCallDecoder.TryWrap(message, out MarginCallDecoder call))
            Note(call.CauseTime);
        else if (_measures && LiquidationInstructionDecoder.TryWrap(message, out LiquidationInstructionDecoder liquidation))
            Note(liquidation.CauseTime);
        return PollAction.Continue;
    }

    public void Dispose() => _agent.Dispose();

    // Time ticks of the gateway have a wall time as their event time: not one of our due times.
    private void Note(ulong dueTime)
    {
        long latency = _clock.MonotonicNanos - (long)dueTime;
        if (latency is >= 0 and < LatencyHistogram.HighestNanos)
            Margins.Record(latency);
    }

    private void Send(ReadOnlySpan<byte> message)
    {
        while (_input.Offer(message) < 0)
            Work();
        Sent++;
    }

    private void Settle(Node node)
    {
        while (node.Fault is null && TakenFrom(node) < Sent)
            Work();
        while (node.Fault is null && node.Gauges.Published.Value < node.Gauges.Received.Value)
            Work();
        if (node.Fault is { } fault)
            throw new InvalidOperationException(fault.ToString(), fault.Cause);
        for (int i = 0; i < 1_000; i++)
            Work();
    }

    private static long TakenFrom(Node node) =>
        node.Gauges.In.Total() - node.Gauges.InputEvents[(int)NodeEvent.TimeTick] + node.Gauges.GatewayRejects.Total();

    private void Work()
    {
        _agent.DoWork();
        PathDriver handler = this;
        _margins.Poll(ref handler, 256);
        _replies.Poll(ref handler, 256);
    }

    private sealed class DriverClock(Clock clock) : INanoClock
    {
        public long NanoTime() => clock.MonotonicNanos;
    }
}
