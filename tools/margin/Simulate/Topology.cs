// Addresses of the simulated system: two nodes that can each be primary, one market that sends and listens.
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Promotion;

namespace MarginEngine.Tool.Simulate;

internal static class Topology
{
    public const int InputStream = 10, MarginStream = 1001, ReplyStream = 1002, RecordStream = 30, AckStream = 31;
    public const string Output = "aeron:udp?endpoint=127.0.0.3:40200";

    /// <summary>Where a node hears its sources when it is primary.</summary>
    public static string Input(int node) => $"aeron:udp?endpoint=127.0.0.{11 + node}:40100";

    /// <summary>Options of a node in one role. Small rings, small segments: every limit is met often.</summary>
    public static NodeOptions Options(int node, NodeRole role, uint epoch, Scenario scenario) => new()
    {
        Role = role,
        Epoch = epoch,
        Input = new StreamOptions { Channel = Input(node), Stream = InputStream },
        Output = new OutputOptions { Channel = Output, MarginStream = MarginStream, ReplyStream = ReplyStream },
        // Records and acknowledgements go to the other one.
        Replication = scenario.HasStandby ? new StreamOptions { Channel = Link(role == NodeRole.Primary ? 1 - node : node, 40300), Stream = RecordStream } : null,
        Acks = scenario.HasStandby ? new StreamOptions { Channel = Link(role == NodeRole.Primary ? node : 1 - node, 40400), Stream = AckStream } : null,
        Journal = new JournalOptions
        {
            Directory = "journal",
            SegmentBytes = 128 << 10,
            BatchBytes = 64 << 10,
            ReserveBytes = Scenario.ReserveBytes,
            SyncMode = scenario.SyncMode,
        },
        Limits = s_limits,
        Placement = Placement.Merged,
        Gate = role == NodeRole.Primary ? scenario.Gate : Gate.Journal,
        DeciderWaitsForJournal = scenario.DeciderWaits,
        InputRingSlots = 128,
        // Where two primaries can stand behind closed gates, neither may come to wait inside a step: one thread could not leave both.
        OutputRingSlots = !scenario.HasWitness && scenario.Repertoire.Contains(Fault.OldPrimary) ? 16_384 : 256,
        IdleSpinMicros = 0,
        TimeTickMillis = 20,
        RepublishMillis = 600_000,
        RepublishSlots = 1_024,
        SnapshotEveryRecords = scenario.SnapshotEveryRecords,
        SnapshotsKept = 2,
        SubscriberGraceMillis = 100_000,
        ConflatedAccounts = 64,
        FlightRecordMessages = 0,
    };

    /// <summary>A machine's name.</summary>
    public static string Name(int node) => $"node-{node}";

    /// <summary>Options of a member of a pair: the first would rather be primary, and each hears at an address of its own in both roles.</summary>
    public static NodeOptions PairOptions(int node, Scenario scenario) =>
        Options(node, NodeRole.Primary, 1, scenario) with
        {
            Role = node == 0 ? NodeRole.Primary : NodeRole.Standby,
            AsStandby = new ReplicaOptions
            {
                Replication = new StreamOptions { Channel = Link(node, 40300), Stream = RecordStream },
                Acks = new StreamOptions { Channel = Link(1 - node, 40400), Stream = AckStream },
            },
            Lease = new LeaseOptions { Witness = "simulated", Node = Name(node) },
        };

    private static readonly Limits s_limits = new()
    {
        Accounts = 32, Units = 64, Positions = 128, Orders = 1_024, Instruments = 16, Underlyings = 2, Expiries = 4, Grids = 2, Currencies = 4,
        Models = 2, Sources = 4,
    };

    private static string Link(int node, int port) => $"aeron:udp?endpoint=127.0.0.{11 + node}:{port}";
}
