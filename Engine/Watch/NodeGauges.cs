// The live figures of a node: stages write them, everybody else reads. Status is taken from here without stopping anybody.
namespace MarginEngine.Watch;

/// <summary>What happened that is neither a message in nor a message out.</summary>
public enum NodeEvent
{
    /// <summary>Kinds beyond the table; never counted by the node itself.</summary>
    Unknown,

    /// <summary>A margin update that a newer one of the same account replaced before it was sent.</summary>
    Conflated,

    /// <summary>A decision that nobody was there to hear after the grace time.</summary>
    Unheard,

    /// <summary>A time tick injected into silence.</summary>
    TimeTick,

    /// <summary>Input left waiting because a ring was full.</summary>
    InputHeld,

    /// <summary>Input left waiting because publication was too far behind.</summary>
    InputHeldForPublication,

    /// <summary>An offer that the transport did not take at once.</summary>
    BackPressured,

    /// <summary>A standby was sent records from the journal.</summary>
    CatchUp,

    /// <summary>An acknowledgement of a second standby, which is not heard while the first is alive.</summary>
    SecondStandby,

    /// <summary>A standby asked for records that retention has deleted.</summary>
    RecordsGone,

    /// <summary>A standby was heard, and a standby fell silent.</summary>
    StandbyFound,
    StandbyLost,

    /// <summary>Heartbeat digests that agreed, disagreed, or were too old to compare.</summary>
    DigestEqual,
    DigestDifferent,
    DigestUnchecked,

    /// <summary>Records a standby had already, or that left a gap, or that came from an older epoch.</summary>
    RecordDuplicate,
    RecordAfterGap,
    RecordOfOldEpoch,

    /// <summary>An acknowledgement of a former primary with records that this one never had: it is told where to cut.</summary>
    UnreplicatedTail,
}

/// <summary>
/// Positions are engine sequences. Each gauge and table has one writing stage; downstream positions never overtake upstream
/// ones, and <see cref="NodeStatus"/> reads them in the order that keeps it so.
/// </summary>
public sealed class NodeGauges
{
    private const int EventKinds = (int)NodeEvent.UnreplicatedTail + 1;
    private const int TemplateIds = 256;
    private const int RejectCodes = 64;

    /// <summary>Generation of the primary whose records this node writes.</summary>
    public Gauge Epoch { get; } = new();

    /// <summary>Epoch of the newest record that a standby holds; 0 without any.</summary>
    public Gauge RecordEpoch { get; } = new();

    /// <summary>1 while a promoted primary whose gate includes a standby has not found one: its journal alone is the gate.</summary>
    public Gauge Alone { get; } = new();

    /// <summary>What a standby knows of the primary it follows: its epoch (0: never heard), and whether it gets its records live.</summary>
    public Gauge PrimaryEpoch { get; } = new();

    public Gauge PrimaryFeedsLive { get; } = new();

    /// <summary>From this sequence on nothing has left that primary that this standby has not received; -1: its gate does not wait for us.</summary>
    public Gauge GatedFrom { get; } = new(-1);

    /// <summary>When the primary was last heard, monotonic nanoseconds; 0: never.</summary>
    public Gauge PrimaryHeardNanos { get; } = new();

    /// <summary>Last input stamped and put into the ring.</summary>
    public Gauge Received { get; } = new();

    /// <summary>Last input that survives a power cut here.</summary>
    public Gauge Journalled { get; } = new();

    /// <summary>Last input the standby says it has in memory, on disk, and applied.</summary>
    public Gauge ReplicaReceived { get; } = new();

    public Gauge ReplicaDurable { get; } = new();

    public Gauge ReplicaApplied { get; } = new();

    /// <summary>Last input the decider has applied.</summary>
    public Gauge Applied { get; } = new();

    /// <summary>Everything decided up to here has been handed to the transport.</summary>
    public Gauge Published { get; } = new();

    /// <summary>1 while a standby acknowledges.</summary>
    public Gauge StandbyConnected { get; } = new();

    /// <summary>Sequence of the newest heartbeat whose digests this standby found equal to its primary's.</summary>
    public Gauge Agreed { get; } = new();

    /// <summary>1 after a digest of the standby differed from ours.</summary>
    public Gauge Diverged { get; } = new();

    /// <summary>Input after which the last standby that differed stands still, or, where it does not say so itself, its heartbeat that differed; 0: none ever differed.</summary>
    public Gauge DivergedAt { get; } = new();

    /// <summary>1 while the disk's reserve is reached: input is refused.</summary>
    public Gauge DiskNearlyFull { get; } = new();

    /// <summary>1 while the disk has no room even for time ticks: stamped time stands still, and there are no heartbeats.</summary>
    public Gauge TimeStands { get; } = new();

    /// <summary>Greatest age of any published margin when the last round of refreshes came to it, stamped nanoseconds.</summary>
    public Gauge OldestMarginNanos { get; } = new();

    /// <summary>1 while the gateway polls its sources.</summary>
    public Gauge TakesInput { get; } = new();

    /// <summary>1 from the moment the node is asked to stop: the gateway takes nothing more.</summary>
    public Gauge Closing { get; } = new();

    public Gauge JournalBytes { get; } = new();

    /// <summary>Newest snapshot written here, 0: none; its bytes; how long the decider stood for the last one.</summary>
    public Gauge SnapshotSequence { get; } = new();

    public Gauge SnapshotBytes { get; } = new();

    public Gauge SnapshotPauseNanos { get; } = new();

    /// <summary>Snapshots that the disk refused.</summary>
    public Gauge SnapshotFailures { get; } = new();

    /// <summary>Last input that a signature covers; 0: none, or nothing is signed.</summary>
    public Gauge Signed { get; } = new();

    /// <summary>Taken messages by template, counted by the gateway or the follower.</summary>
    public CountersByKind In { get; } = new(TemplateIds);

    /// <summary>Rejects the gateway gave, by code.</summary>
    public CountersByKind GatewayRejects { get; } = new(RejectCodes);

    /// <summary>Decisions by template, counted by the decider.</summary>
    public CountersByKind Decided { get; } = new(TemplateIds);

    /// <summary>Messages handed to the transport by template, counted by the publisher.</summary>
    public CountersByKind Out { get; } = new(TemplateIds);

    /// <summary>Events of the input stage, the replication stage and the output stage: one table a stage, one writer a table.</summary>
    public CountersByKind InputEvents { get; } = new(EventKinds);

    public CountersByKind ReplicaEvents { get; } = new(EventKinds);

    public CountersByKind OutputEvents { get; } = new(EventKinds);

    /// <summary>From the stamp at the gateway to the hand-over of a decision to the transport.</summary>
    public LatencyHistogram TickToMargin { get; } = new();

    /// <summary>One write and sync of the journal.</summary>
    public LatencyHistogram Sync { get; } = new();

    public HeartbeatTable Heartbeats { get; } = new();

    public long Events(NodeEvent kind) => InputEvents[(int)kind] + ReplicaEvents[(int)kind] + OutputEvents[(int)kind];
}
