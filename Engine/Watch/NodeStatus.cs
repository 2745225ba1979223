// A picture of a running node for people and monitors; taken from the gauges without stopping a stage.
namespace MarginEngine.Watch;

/// <summary>Percentiles of a histogram in nanoseconds.</summary>
public readonly record struct LatencyFigures(long Count, long P50, long P99, long P999, long Max)
{
    public static LatencyFigures Of(LatencyHistogram histogram) => new(
        histogram.Total,
        histogram.ValueAtPercentile(50),
        histogram.ValueAtPercentile(99),
        histogram.ValueAtPercentile(99.9),
        histogram.MaxNanos);
}

/// <summary>
/// Every number is whole. Positions are read from the end of the pipeline to its start, so that none appears ahead of the one
/// it follows. Counts by kind are arrays indexed by template id or reject code.
/// </summary>
public sealed record NodeStatus
{
    private NodeStatus()
    {
    }

    public required long Received { get; init; }

    public required long Journalled { get; init; }

    public required long ReplicaReceived { get; init; }

    public required long ReplicaDurable { get; init; }

    public required long ReplicaApplied { get; init; }

    public required long Applied { get; init; }

    public required long Published { get; init; }

    /// <summary>Of the primary, or of the one that a standby follows.</summary>
    public required long Epoch { get; init; }

    /// <summary>A promoted primary has not found a standby yet, which its gate asks for.</summary>
    public required bool Alone { get; init; }

    public required bool StandbyConnected { get; init; }

    public required bool Diverged { get; init; }

    /// <summary>The reserve of the disk is reached: input is refused.</summary>
    public required bool DiskNearlyFull { get; init; }

    /// <summary>There is no room even for time ticks: no heartbeats until there is.</summary>
    public required bool TimeStands { get; init; }

    /// <summary>Greatest age of any published margin when the last round of refreshes came to it, stamped nanoseconds.</summary>
    public required long OldestMarginNanos { get; init; }

    /// <summary>False while a primary replays its journal, or waits for the standby its gate asks for.</summary>
    public required bool TakesInput { get; init; }

    /// <summary>Slots of the input ring that hold something the slowest stage has not released.</summary>
    public required long InputSlotsUsed { get; init; }

    public required long OutputSlotsUsed { get; init; }

    /// <summary>The newest heartbeat: sequence and digests; null before the first.</summary>
    public required HeartbeatDigest? Digest { get; init; }

    public required long JournalBytes { get; init; }

    public required long Signed { get; init; }

    public required IReadOnlyList<long> In { get; init; }

    public required IReadOnlyList<long> GatewayRejects { get; init; }

    public required IReadOnlyList<long> Decided { get; init; }

    public required IReadOnlyList<long> Out { get; init; }

    /// <summary>Indexed by <see cref="NodeEvent"/>.</summary>
    public required IReadOnlyList<long> Events { get; init; }

    public required LatencyFigures TickToMargin { get; init; }

    public required LatencyFigures Sync { get; init; }

    /// <summary>Takes the picture. Allocates; any thread.</summary>
    /// <param name="gauges">The node's gauges.</param>
    /// <param name="inputSlotsUsed">Occupancy of the input ring.</param>
    /// <param name="outputSlotsUsed">Occupancy of the output ring.</param>
    public static NodeStatus Take(NodeGauges gauges, long inputSlotsUsed, long outputSlotsUsed)
    {
        long published = gauges.Published.Value;
        long replicaApplied = gauges.ReplicaApplied.Value;
        long replicaDurable = gauges.ReplicaDurable.Value;
        long replicaReceived = gauges.ReplicaReceived.Value;
        long applied = gauges.Applied.Value;
        long journalled = gauges.Journalled.Value;
        // A message can be applied before the gateway's own count of it is stored.
        long received = Math.Max(gauges.Received.Value, Math.Max(journalled, applied));
        return new NodeStatus
        {
            Received = received,
            Journalled = journalled,
            ReplicaReceived = replicaReceived,
            ReplicaDurable = replicaDurable,
            ReplicaApplied = replicaApplied,
            Applied = applied,
            Published = published,
            Epoch = Math.Max(gauges.Epoch.Value, gauges.PrimaryEpoch.Value),
            Alone = gauges.Alone.Value != 0,
            StandbyConnected = gauges.StandbyConnected.Value != 0,
            Diverged = gauges.Diverged.Value != 0,
            DiskNearlyFull = gauges.DiskNearlyFull.Value != 0,
            TimeStands = gauges.TimeStands.Value != 0,
            OldestMarginNanos = gauges.OldestMarginNanos.Value,
            TakesInput = gauges.TakesInput.Value != 0,
            InputSlotsUsed = inputSlotsUsed,
            OutputSlotsUsed = outputSlotsUsed,
            Digest = gauges.Heartbeats.TryNewest(out HeartbeatDigest newest) ? newest : null,
            JournalBytes = gauges.JournalBytes.Value,
            Signed = gauges.Signed.Value,
            In = gauges.In.ToArray(),
            GatewayRejects = gauges.GatewayRejects.ToArray(),
            Decided = gauges.Decided.ToArray(),
            Out = gauges.Out.ToArray(),
            Events = EventsOf(gauges),
            TickToMargin = LatencyFigures.Of(gauges.TickToMargin),
            Sync = LatencyFigures.Of(gauges.Sync),
        };
    }

    private static long[] EventsOf(NodeGauges gauges)
    {
        var events = new long[gauges.InputEvents.Kinds];
        for (int kind = 0; kind < events.Length; kind++)
            events[kind] = gauges.Events((NodeEvent)kind);
        return events;
    }
}
