// One status line of a running node, as `margin run --json` prints it and as the demo reads it.
using System.Text.Json;
using System.Text.Json.Serialization;
using MarginEngine.Codecs;
using MarginEngine.Watch;

namespace MarginEngine.Tool.Running;

/// <summary>Positions are engine sequences, durations nanoseconds, counts totals since the start.</summary>
internal sealed record NodeLine
{
    public required string Role { get; init; }

    /// <summary>alone, durable or fast; null where the gate is the journal although there is a standby.</summary>
    public string? Mode { get; init; }

    public required long Received { get; init; }

    public required long Journalled { get; init; }

    public required long ReplicaReceived { get; init; }

    public required long ReplicaApplied { get; init; }

    public required long Applied { get; init; }

    public required long Published { get; init; }

    public required bool TakesInput { get; init; }

    /// <summary>Of the primary, or of the one that a standby follows.</summary>
    public required long Epoch { get; init; }

    /// <summary>The witness's view in words; null without a witness.</summary>
    public string? Lease { get; init; }

    /// <summary>Records cut from the journal because a successor never had them.</summary>
    public long RecordsCut { get; init; }

    /// <summary>It was told not to take over.</summary>
    public bool StaysStandby { get; init; }

    /// <summary>A promoted primary that goes on without the standby that its gate asks for.</summary>
    public required bool Alone { get; init; }

    public required bool StandbyConnected { get; init; }

    public required bool Diverged { get; init; }

    /// <summary>Input is refused until there is room.</summary>
    public required bool DiskNearlyFull { get; init; }

    /// <summary>There is no room even for time ticks: no heartbeats.</summary>
    public required bool TimeStands { get; init; }

    /// <summary>Greatest age of any published margin when the last round of refreshes came to it, stamped nanoseconds.</summary>
    public required long OldestMarginNanos { get; init; }

    public required long JournalBytes { get; init; }

    /// <summary>Last sequence that a signature covers; 0 where nothing is signed.</summary>
    public required long Signed { get; init; }

    /// <summary>Of the newest heartbeat; 0 before the first.</summary>
    public required long HeartbeatSequence { get; init; }

    public required string StateDigest { get; init; }

    public required string DecisionDigest { get; init; }

    public required Dictionary<string, long> In { get; init; }

    public required Dictionary<string, long> Decided { get; init; }

    public required Dictionary<string, long> Out { get; init; }

    public required Dictionary<string, long> GatewayRejects { get; init; }

    public required Dictionary<string, long> Events { get; init; }

    /// <summary>From the stamp at the gateway to the hand-over of a decision to the transport.</summary>
    public required Percentiles StampToPublish { get; init; }

    /// <summary>One write and sync of the journal.</summary>
    public required Percentiles Sync { get; init; }

    public required int Collections { get; init; }

    public static NodeLine Of(string role, NodeStatus status) => new()
    {
        Role = role,
        Received = status.Received,
        Journalled = status.Journalled,
        ReplicaReceived = status.ReplicaReceived,
        ReplicaApplied = status.ReplicaApplied,
        Applied = status.Applied,
        Published = status.Published,
        TakesInput = status.TakesInput,
        Epoch = status.Epoch,
        Alone = status.Alone,
        StandbyConnected = status.StandbyConnected,
        Diverged = status.Diverged,
        DiskNearlyFull = status.DiskNearlyFull,
        TimeStands = status.TimeStands,
        OldestMarginNanos = status.OldestMarginNanos,
        JournalBytes = status.JournalBytes,
        Signed = status.Signed,
        HeartbeatSequence = status.Digest?.Sequence ?? 0,
        StateDigest = $"0x{status.Digest?.State ?? 0:x16}",
        DecisionDigest = $"0x{status.Digest?.Decisions ?? 0:x16}",
        In = Counted(status.In, Schema.NameOf),
        Decided = Counted(status.Decided, Schema.NameOf),
        Out = Counted(status.Out, Schema.NameOf),
        GatewayRejects = Counted(status.GatewayRejects, code => ((RejectCode)code).ToString()),
        Events = Counted(status.Events, kind => ((NodeEvent)kind).ToString()),
        StampToPublish = Percentiles.Of(status.TickToMargin),
        Sync = Percentiles.Of(status.Sync),
        Collections = GC.CollectionCount(0),
    };

    public string ToJson() => JsonSerializer.Serialize(this, NodeLineJson.Default.NodeLine);

    private static Dictionary<string, long> Counted(IReadOnlyList<long> counts, Func<int, string> name)
    {
        Dictionary<string, long> named = [];
        for (int kind = 0; kind < counts.Count; kind++)
            if (counts[kind] != 0)
                named[name(kind)] = counts[kind];
        return named;
    }
}

/// <summary>Nanoseconds.</summary>
internal sealed record Percentiles(long Count, long P50, long P99, long P999, long Max)
{
    public static Percentiles Of(LatencyFigures figures) => new(figures.Count, figures.P50, figures.P99, figures.P999, figures.Max);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NodeLine))]
internal sealed partial class NodeLineJson : JsonSerializerContext;
