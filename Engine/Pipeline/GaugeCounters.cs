// The node's live figures as counters of its Aeron directory, where `margin top` and AeronStat read them. Updated by the thread of the input.
using MarginEngine.Aeron;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

internal sealed class GaugeCounters
{
    /// <summary>Kinds of counters that are the engine's: Aeron leaves numbers from 1000 on to applications.</summary>
    public const int FirstType = 2_041;

    private const long IntervalNanos = 20_000_000;
    private readonly IClock _clock;
    private readonly List<(OwnCounter Counter, Func<long> Read)> _counters = [];
    private long _nextNanos;

    public GaugeCounters(AeronAgent agent, NodeGauges gauges, NodeRole role, IClock clock)
    {
        _clock = clock;
        (string Label, Func<long> Read)[] figures =
        [
            ("received: last input sequence stamped", () => gauges.Received.Value),
            ("journalled: last input sequence on disk", () => gauges.Journalled.Value),
            ("applied: last input sequence decided", () => gauges.Applied.Value),
            ("published: everything decided up to here has left", () => gauges.Published.Value),
            ("standby received", () => gauges.ReplicaReceived.Value),
            ("standby durable", () => gauges.ReplicaDurable.Value),
            ("standby applied", () => gauges.ReplicaApplied.Value),
            ("standby connected", () => gauges.StandbyConnected.Value),
            ("diverged", () => gauges.Diverged.Value),
            ("takes input", () => gauges.TakesInput.Value),
            ("disk nearly full", () => gauges.DiskNearlyFull.Value),
            ("epoch", () => gauges.Epoch.Value),
            ("journal bytes", () => gauges.JournalBytes.Value),
            ("gateway rejects", () => gauges.GatewayRejects.Total()),
            ("margin updates conflated", () => gauges.Events(NodeEvent.Conflated)),
            ("decisions unheard", () => gauges.Events(NodeEvent.Unheard)),
            ("input held: ring full", () => gauges.Events(NodeEvent.InputHeld)),
            ("input held: publication behind", () => gauges.Events(NodeEvent.InputHeldForPublication)),
            ("offers back-pressured", () => gauges.Events(NodeEvent.BackPressured)),
            ("tick to margin p50 ns", () => gauges.TickToMargin.ValueAtPercentile(50)),
            ("tick to margin p99 ns", () => gauges.TickToMargin.ValueAtPercentile(99)),
            ("journal sync p99 ns", () => gauges.Sync.ValueAtPercentile(99)),
            ("sources refused", () => agent.Counters.RefusedSources),
            ("images refused", () => agent.Counters.ImagesRefused),
            ("time stands: the disk has no room for ticks", () => gauges.TimeStands.Value),
            ("age of the oldest published margin, ns", () => gauges.OldestMarginNanos.Value),
        ];
        for (int i = 0; i < figures.Length; i++)
        {
            string label = $"margin {role.ToString().ToLowerInvariant()}: {figures[i].Label}";
            if (agent.AddCounter(FirstType + i, label) is { } counter)
                _counters.Add((counter, figures[i].Read));
        }
    }

    /// <summary>Copies the figures, at most every 20 ms. Nothing is allocated.</summary>
    public void Update()
    {
        long now = _clock.MonotonicNanos;
        if (now < _nextNanos)
            return;
        _nextNanos = now + IntervalNanos;
        foreach ((OwnCounter counter, Func<long> read) in _counters)
            counter.Set(read());
    }
}
