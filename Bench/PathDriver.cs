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
    /// <summary>Ticks between two pre-trade checks.</summary>
    private const int TicksACheck = 10;

    /// <summary>Part of a run's length by which it may end late and still count as kept.</summary>
    private const double Grace = 0.1;

    private readonly Clock _clock = new();
    private readonly AeronAgent _agent;
    private readonly Publication _input;
    private readonly Subscription _margins;
    private readonly Subscription _replies;
    private readonly PathScript _script;
    private readonly Node _node;
    private bool _measures;
    private bool _pollsMargins;
    private ulong _heardUpTo;

    public PathDriver(NodeOptions options, PathScript script, Node node)
    {
        _node = node;
        _script = script;
        _agent = new AeronAgent(new AeronOptions(new DriverClock(_clock)) { TermLength = 4 << 20 });
        _input = _agent.AddPublication(options.Input!.Channel, options.Input.Stream);
        _margins = _agent.AddSubscription(options.Output!.Channel, options.Output.MarginStream);
        _replies = _agent.AddSubscription(options.Output.Channel, options.Output.ReplyStream);
    }

    /// <summary>Answers to pre-trade checks: from due to heard.</summary>
    public LatencyHistogram Answers { get; } = new();

    /// <summary>Margin updates, those of the refresh too: from the due time of the tick that they came with to heard.</summary>
    public LatencyHistogram Margins { get; } = new();

    /// <summary>Margin calls, which tell a change of state: the same.</summary>
    public LatencyHistogram Calls { get; } = new();

    /// <summary>Liquidation instructions: the same.</summary>
    public LatencyHistogram Liquidations { get; } = new();

    public long Sent { get; private set; }

    public long Rejected { get; private set; }

    public void Connect()
    {
        while (!_input.IsConnected || !_margins.IsConnected || !_replies.IsConnected)
            Work();
    }

    public void Open()
    {
        foreach (ReadOnlyMemory<byte> message in _script.Opening())
        {
            Send(message.Span);
            if (Sent % 64 == 0)
                Work();
        }

        Settle();
        Hear();
        if (Rejected > 0)
            throw new InvalidOperationException($"{Rejected} messages of the opening were refused");
    }

    /// <summary>
    /// Ticks for a time at a rate, and a pre-trade check with every tenth. Ends early where the node falls behind by more than a tenth of the run: what was due
    /// is counted from when it was due, what was never sent is told by the rate.
    /// </summary>
    /// <returns>Ticks a second that were sent and published, and whether that is what was asked for.</returns>
    public (double TicksPerSecond, bool IsKept) Drive(long ticksPerSecond, double seconds)
    {
        Answers.Reset();
        Margins.Reset();
        Calls.Reset();
        Liquidations.Reset();
        _measures = true;
        long count = (long)(ticksPerSecond * seconds);
        long start = _clock.MonotonicNanos;
        long last = start + (long)(seconds * (1.0 + Grace) * 1e9);
        long tick = 0;
        for (; tick < count; tick++)
        {
            long due = start + (long)((double)tick / ticksPerSecond * 1e9), now;
            while ((now = _clock.MonotonicNanos) < due)
                Work();
            if (now > last)
                break;
            SendTick((ulong)due);
            if (tick % TicksACheck == TicksACheck - 1)
                Send(_script.NextCheck((ulong)due));
            if (tick % 2 == 1)
                Work();
        }

        Settle();
        long end = _clock.MonotonicNanos;
        Hear();
        _measures = false;
        return (tick * 1e9 / Math.Max(end - start, 1), tick == count && end <= last);
    }

    /// <summary>Ticks as fast as the node takes them; returns nanoseconds until everything was published.</summary>
    public long Flood(long ticks)
    {
        _measures = false;
        long start = _clock.MonotonicNanos;
        for (long tick = 0; tick < ticks; tick++)
        {
            SendTick(0);
            if (tick % 16 == 15)
                Work();
        }

        Settle();
        long nanos = _clock.MonotonicNanos - start;
        Hear();
        return nanos;
    }

    public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
    {
        if (RejectDecoder.TryWrap(message, out _))
            Rejected++;
        else if (_pollsMargins && HeartbeatDecoder.TryWrap(message, out HeartbeatDecoder heartbeat))
            _heardUpTo = heartbeat.Sequence;
        else if (_measures && PreTradeAnswerDecoder.TryWrap(message, out PreTradeAnswerDecoder answer))
            Answers.Record(_clock.MonotonicNanos - (long)answer.CauseTime);
        else if (_measures && MarginUpdateDecoder.TryWrap(message, out MarginUpdateDecoder update))
            Note(Margins, update.CauseTime);
        else if (_measures && MarginCallDecoder.TryWrap(message, out MarginCallDecoder call))
            Note(Calls, call.CauseTime);
        else if (_measures && LiquidationInstructionDecoder.TryWrap(message, out LiquidationInstructionDecoder liquidation))
            Note(Liquidations, liquidation.CauseTime);
        return PollAction.Continue;
    }

    public void Dispose() => _agent.Dispose();

    // Time ticks of the gateway have a wall time as their event time: not one of our due times.
    private void Note(LatencyHistogram histogram, ulong dueTime)
    {
        long latency = _clock.MonotonicNanos - (long)dueTime;
        if (latency is >= 0 and < LatencyHistogram.HighestNanos)
            histogram.Record(latency);
    }

    private void SendTick(ulong due)
    {
        _script.NextTick(due);
        for (int part = 0; part < PathMarket.Parts; part++)
            Send(_script.Part(part));
    }

    private void Send(ReadOnlySpan<byte> message)
    {
        while (_input.Offer(message) < 0)
            WorkUnlessFaulted();
        Sent++;
    }

    private void Settle()
    {
        while (TakenFrom(_node) < Sent)
            WorkUnlessFaulted();
        while (_node.Gauges.Published.Value < _node.Gauges.Received.Value)
            WorkUnlessFaulted();
    }

    // What left the node last is on its way yet, and is the slowest of all: a heartbeat behind it says that it was heard.
    private void Hear()
    {
        ulong last = (ulong)_node.Gauges.Received.Value;
        while (_heardUpTo < last)
            WorkUnlessFaulted();
    }

    private static long TakenFrom(Node node) =>
        node.Gauges.In.Total() - node.Gauges.InputEvents[(int)NodeEvent.TimeTick] + node.Gauges.GatewayRejects.Total();

    private void WorkUnlessFaulted()
    {
        if (_node.Fault is { } fault)
            throw new InvalidOperationException(fault.ToString(), fault.Cause);
        Work();
    }

    private void Work()
    {
        _agent.DoWork();
        PathDriver handler = this;
        _pollsMargins = true;
        _margins.Poll(ref handler, 256);
        _pollsMargins = false;
        _replies.Poll(ref handler, 256);
    }

    private sealed class DriverClock(Clock clock) : INanoClock
    {
        public long NanoTime() => clock.MonotonicNanos;
    }
}
