// The stand-in as a process: MatchingCore over Aeron, one thread. Called by MarketCommand.

using MarginEngine.Aeron;
using MarginEngine.Tool.Shell;
using MarginEngine.Watch;

namespace MarginEngine.Tool.Market;

/// <summary>Publishes the script on the engine's input, listens to its decisions, until the script is over or it is told to stop.</summary>
public sealed class MatchingEngine : IDisposable
{
    private const int PollLimit = 128;
    private const int SendLimit = 256;
    private const long LongestWaitNanos = 1_000_000;
    private const long SpinNanos = 20_000;
    private const long StatusNanos = 250_000_000;
    private const long Second = 1_000_000_000;

    private readonly MarketOptions _options;
    private readonly MatchingCore _core;
    private readonly Clock _clock = new();
    private readonly AeronAgent _agent;
    private readonly Publication _input;
    private readonly Subscription _margins;
    private readonly Subscription _replies;

    private sealed class AgentClock(Clock clock) : INanoClock
    {
        public long NanoTime() => clock.MonotonicNanos;
    }

    private readonly ref struct Listener(MatchingCore core, long nowNanos) : IMessageHandler
    {
        public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
        {
            core.OnDecision(message, nowNanos);
            return PollAction.Continue;
        }
    }

    /// <exception cref="ChannelException">A channel is malformed.</exception>
    /// <exception cref="IOException">A socket cannot be opened.</exception>
    public MatchingEngine(MarketOptions options, MarketScript script)
    {
        _options = options;
        _core = new MatchingCore(options, script);
        _agent = new AeronAgent(new AeronOptions(new AgentClock(_clock)));
        _margins = _agent.AddSubscription(options.OutputChannel, options.MarginStream);
        _replies = _agent.AddSubscription(options.OutputChannel, options.ReplyStream);
        _input = _agent.AddPublication(options.InputChannel, options.InputStream);
    }

    /// <param name="onStatus">Called about four times a second, and once at the end.</param>
    /// <exception cref="CommandFailure">The engine does not appear, disappears for good, or refuses this source.</exception>
    public MarketSummary Run(Action<MarketSummary>? onStatus, CancellationToken stop)
    {
        TimerSlack.Shorten();
        long seenAt = _clock.MonotonicNanos;
        long shownAt = seenAt;
        while (_core.Phase != MarketPhase.Done)
        {
            // Read together: events are due by the one and carry the other, so work between the readings would date them ahead.
            long now = _clock.MonotonicNanos;
            long wall = _clock.WallNanos;
            if (stop.IsCancellationRequested)
                _core.Stop(now);
            int work = _agent.DoWork();
            var listener = new Listener(_core, now);
            work += _margins.Poll(ref listener, PollLimit) + _replies.Poll(ref listener, PollLimit);
            _core.Produce(now, wall);
            work += Send(now);
            if (_input.IsConnected)
                seenAt = now;
            else if (now - seenAt > _options.ConnectSeconds * Second || stop.IsCancellationRequested)
                return Missing(onStatus, stop);
            if (now - shownAt > StatusNanos)
            {
                shownAt = now;
                onStatus?.Invoke(_core.Summary());
                _clock.Discipline();
            }
            if (work == 0)
                Wait();
        }
        MarketSummary summary = _core.Summary();
        onStatus?.Invoke(summary);
        return summary;
    }

    public void Dispose() => _agent.Dispose();

    private int Send(long now)
    {
        int sent = 0;
        for (ReadOnlySpan<byte> message = _core.Peek(); !message.IsEmpty && sent < SendLimit; message = _core.Peek())
        {
            long position = _input.Offer(message);
            if (position < 0)
            {
                if (position is Publication.Closed or Publication.MaxPositionExceeded)
                    throw CommandFailure.Unreachable($"the input stream {_options.InputChannel} is at its end");
                break;
            }
            _core.MarkSent(now);
            sent++;
        }
        return sent;
    }

    // Sleeps to just before the next event is due and spins the rest: sleeping longer would be lateness, spinning longer a core.
    private void Wait()
    {
        long left = Math.Min(_core.NextDue - _clock.MonotonicNanos, LongestWaitNanos);
        if (_core.Peek().IsEmpty && left <= SpinNanos)
            return;
        _agent.WaitForInput((int)Math.Max(1, (left <= 0 ? LongestWaitNanos : left - SpinNanos) / 1_000));
    }

    private MarketSummary Missing(Action<MarketSummary>? onStatus, CancellationToken stop)
    {
        MarketSummary summary = _core.Summary();
        onStatus?.Invoke(summary);
        return stop.IsCancellationRequested
            ? summary
            : throw CommandFailure.Unreachable(
                $"nobody has listened on {_options.InputChannel} stream {_options.InputStream} for {_options.ConnectSeconds} s");
    }
}
