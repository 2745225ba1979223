// Polls the input stream into the intake, and ticks when nothing is taken from the sources. The first stage of a primary.
using MarginEngine.Aeron;
using MarginEngine.Promotion;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <summary>Takes input under a lease only, where there is one. Closed until the node has replayed its journal (and found its standby where the gate asks for one).</summary>
internal sealed class Gateway : IStage, IMessageHandler
{
    private const int BatchMessages = 256;
    private const long FullDiskTickNanos = 1_000_000_000; // a heartbeat each; more would only use up the room that is left
    private readonly Subscription _subscription;
    private readonly Intake _intake;
    private readonly IClock _clock;
    private readonly NodeGauges _gauges;
    private readonly LeaseKeeper? _lease;
    private readonly long _tickNanos;
    private long _quietSinceNanos;

    public Gateway(Subscription subscription, Intake intake, long tickNanos, IClock clock, NodeGauges gauges, LeaseKeeper? lease)
    {
        _subscription = subscription;
        _intake = intake;
        _tickNanos = tickNanos;
        _clock = clock;
        _gauges = gauges;
        _lease = lease;
    }

    public string Name => "gateway";

    public long Sequence => _intake.Sequence;

    /// <summary>Silent sources and a full ring are no stall.</summary>
    public bool HasWork => false;

    /// <summary>Set by the node before it opens the gateway: what has to be true first. Called on the gateway's thread.</summary>
    public required Func<bool> TryOpen { private get; init; }

    public int Poll()
    {
        _lease?.Check();
        if (!IsOpen())
            return 0;
        Gateway handler = this;
        long before = _intake.Sequence;
        int polled = _subscription.Poll(ref handler, BatchMessages);
        long now = _clock.MonotonicNanos;
        // What is refused brings no time.
        if (_intake.Sequence != before)
            _quietSinceNanos = now;
        else if (now - _quietSinceNanos >= TickNanos)
            polled += Tick(now);
        return polled;
    }

    public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context) =>
        _intake.TryTake(message) ? PollAction.Continue : PollAction.Abort;

    private long TickNanos => _gauges.DiskNearlyFull.Value == 0 ? _tickNanos : Math.Max(_tickNanos, FullDiskTickNanos);

    private bool IsOpen()
    {
        bool open = _gauges.Closing.Value == 0 && (_gauges.TakesInput.Value != 0 || TryOpen());
        if (open != (_gauges.TakesInput.Value != 0))
        {
            _gauges.TakesInput.Set(open ? 1 : 0);
            _quietSinceNanos = _clock.MonotonicNanos;
        }

        return open;
    }

    private int Tick(long now)
    {
        _quietSinceNanos = now;
        return _intake.TryTick() ? 1 : 0;
    }
}
