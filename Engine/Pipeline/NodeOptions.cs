// Everything a node is told at start: one JSON document, few keys, units in their names. A typo or a value out of range is an
// error that names the key. Read by Node and by the command `margin run`.
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Promotion;
using MarginEngine.Signing;

namespace MarginEngine.Pipeline;

public enum NodeRole
{
    /// <summary>Takes input, decides, publishes, feeds a standby.</summary>
    Primary,

    /// <summary>Follows a primary: journals and applies the same records, publishes nothing but acknowledgements.</summary>
    Standby,
}

/// <summary>Which thread polls which stage.</summary>
public enum Placement
{
    /// <summary>By the number of cores: paired below six, dedicated from six.</summary>
    Auto,

    /// <summary>One thread polls all stages.</summary>
    Merged,

    /// <summary>Network and journal on one thread, the decider on another.</summary>
    Paired,

    /// <summary>One thread a stage, spinning and pinned where there is a core for each.</summary>
    Dedicated,
}

/// <summary>What must have confirmed an input before anything decided on it leaves the node.</summary>
public enum Gate
{
    /// <summary>The local journal has it on disk.</summary>
    Journal,

    /// <summary>The standby has received it; the local disk may be behind.</summary>
    Replica,

    /// <summary>Both.</summary>
    Both,
}

/// <summary>
/// A node's configuration. <see cref="Check"/> names the first key that is out of range, with its bounds. The properties have
/// setters because the generated reader overwrites the defaults of init-only ones.
/// </summary>
public sealed partial record NodeOptions
{
    public NodeRole Role { get; set; } = NodeRole.Primary;

    /// <summary>Generation of the primary; every record carries it, a standby refuses lower ones.</summary>
    public uint Epoch { get; set; } = 1;

    /// <summary>Where a primary hears its sources. A standby keeps it for its promotion and opens nothing.</summary>
    public StreamOptions? Input { get; set; }

    /// <summary>Where a primary publishes.</summary>
    public OutputOptions? Output { get; set; }

    /// <summary>Records from the primary to the standby; without it a primary runs alone.</summary>
    public StreamOptions? Replication { get; set; }

    /// <summary>Acknowledgements from the standby to the primary.</summary>
    public StreamOptions? Acks { get; set; }

    /// <summary>
    /// The same streams while this node is the standby, where their channels differ: with unicast channels a node hears at an address of its own in
    /// both roles. null: they are the same, as with multicast.
    /// </summary>
    public ReplicaOptions? AsStandby { get; set; }

    /// <summary>
    /// A directory that the thread of the input serves as a media driver: processes of this machine reach the node through shared memory,
    /// with any Aeron client, and its channels may be <c>aeron:ipc</c> (those of the output only where it shares the input's thread).
    /// </summary>
    public string? AeronDirectory { get; set; }

    public required JournalOptions Journal { get; set; }

    /// <summary>A witness that says which node of a pair is the primary; null: the role and the epoch are what is said here.</summary>
    public LeaseOptions? Lease { get; set; }

    /// <summary>
    /// The other node's journal directory, where this machine can read it (one machine, a shared mount): after a divergence the two states are compared by
    /// themselves. null: by hand, <c>margin diff</c>.
    /// </summary>
    public string? PeerJournal { get; set; }

    /// <summary>Signs the journal; null: it is not signed.</summary>
    public SigningOptions? Signing { get; set; }

    /// <summary>Capacities of the machine; a key left out keeps its default.</summary>
    public Limits Limits { get; set; } = new();

    public Placement Placement { get; set; } = Placement.Auto;

    /// <summary>True: the decider waits for the journal; false: it computes while the disk syncs, and only the publisher waits.</summary>
    public bool DeciderWaitsForJournal { get; set; }

    /// <summary>Slots of 256 bytes between gateway and decider; a power of two.</summary>
    public int InputRingSlots { get; set; } = 8192;

    /// <summary>Slots of 256 bytes between decider and publisher; a power of two.</summary>
    public int OutputRingSlots { get; set; } = 16384;

    /// <summary>Longest message taken or decided.</summary>
    public int MaximumMessageBytes { get; set; } = Logic.Limits.MessageBytes;

    /// <summary>How long a thread without work spins before it parks.</summary>
    public int IdleSpinMicros { get; set; } = 50;

    /// <summary>Without input for this long the gateway injects a time tick, so that timers run.</summary>
    public int TimeTickMillis { get; set; } = 50;

    /// <summary>After a restart, decisions of this last part of the journal are published again; subscribers drop by sequence.</summary>
    public int RepublishMillis { get; set; } = 10_000;

    /// <summary>A standby takes a snapshot after so many inputs; 0: not by count. A Snapshot command asks for one at any time.</summary>
    public long SnapshotEveryRecords { get; set; }

    /// <summary>A standby takes a snapshot after so many seconds; 0: not by time.</summary>
    public int SnapshotEverySeconds { get; set; } = 3_600;

    /// <summary>Newest snapshots that a standby keeps; 0: all. The journal keeps what the oldest of them needs.</summary>
    public int SnapshotsKept { get; set; } = 3;
    /// <summary>
    /// Slots of 256 bytes in which a standby keeps its decisions of that time, margin updates excepted, for a promotion; a power of two. Where
    /// they do not suffice, a promotion has to replay the journal.
    /// </summary>
    public int RepublishSlots { get; set; } = 65_536;

    /// <summary>How long decisions wait for a first subscriber, or for one that was lost, before they count as unheard.</summary>
    public int SubscriberGraceMillis { get; set; } = 2_000;

    /// <summary>A stage that has work and does not move for this long is a fault.</summary>
    public int StallMillis { get; set; } = 30_000;

    /// <summary>Accounts whose newest margin update can wait for a slow subscriber at the same time.</summary>
    public int ConflatedAccounts { get; set; } = 65_536;

    /// <summary>Messages that a flight record shows after a fault.</summary>
    public int FlightRecordMessages { get; set; } = 64;

    /// <summary>Reads a configuration; unknown keys, comments and trailing commas are errors.</summary>
    /// <exception cref="NodeOptionsException">The text is no valid configuration; the message names the key.</exception>
    public static NodeOptions Parse(string json)
    {
        NodeOptions? options;
        try
        {
            JsonNode? document = JsonNode.Parse(json);
            if (document is JsonObject given)
            {
                Complete(given["journal"], JsonSerializer.SerializeToNode(new JournalOptions { Directory = "" }, NodeOptionsJson.Default.JournalOptions)!, "directory");
                Complete(given["lease"], JsonSerializer.SerializeToNode(new LeaseOptions { Witness = "", Node = "" }, NodeOptionsJson.Default.LeaseOptions)!, "witness", "node");
                Complete(given["signing"], JsonSerializer.SerializeToNode(new SigningOptions { KeyFile = "" }, NodeOptionsJson.Default.SigningOptions)!, "keyFile");
                Complete(given["limits"], JsonSerializer.SerializeToNode(new Limits(), NodeOptionsJson.Default.Limits)!);
            }

            options = document.Deserialize(NodeOptionsJson.Default.NodeOptions);
        }
        catch (JsonException error)
        {
            throw new NodeOptionsException(error.Message);
        }

        if (options is null)
            throw new NodeOptionsException("the configuration is empty");
        options.Check();
        return options;
    }

    public string ToJson() => JsonSerializer.Serialize(this, NodeOptionsJson.Default.NodeOptions);

    /// <exception cref="NodeOptionsException">A value is out of range; the message names key, value and bounds.</exception>
    public void Check()
    {
        CheckRanges();
        CheckStreams();
        try
        {
            Journal.Check();
            Limits.Validate();
        }
        catch (Exception error) when (error is ArgumentException or InvariantException)
        {
            throw new NodeOptionsException(error.Message);
        }
    }

    /// <summary>Adds the defaults of the keys that were left out: the generated reader would take zero for them.</summary>
    private static void Complete(JsonNode? given, JsonNode defaults, params string[] required)
    {
        if (given is not JsonObject target)
            return;
        foreach ((string key, JsonNode? value) in defaults.AsObject())
        {
            if (!required.Contains(key) && !target.ContainsKey(key))
                target[key] = value?.DeepClone();
        }
    }

    private void CheckRanges()
    {
        InRange("epoch", Epoch, 1, uint.MaxValue);
        PowerOfTwo("inputRingSlots", InputRingSlots, 64, 1 << 20);
        PowerOfTwo("outputRingSlots", OutputRingSlots, 64, 1 << 22);
        InRange("maximumMessageBytes", MaximumMessageBytes, Logic.Limits.MessageBytes, 60 * 1024);
        int slots = 2 * MessageSlot.SlotsFor(MaximumMessageBytes);
        InRange("inputRingSlots (twice the longest message)", InputRingSlots, slots, 1 << 20);
        InRange("outputRingSlots (twice the longest message)", OutputRingSlots, slots, 1 << 22);
        InRange("idleSpinMicros", IdleSpinMicros, 0, 1_000_000);
        InRange("timeTickMillis", TimeTickMillis, 1, 60_000);
        InRange("republishMillis", RepublishMillis, 100, 3_600_000);
        PowerOfTwo("republishSlots", RepublishSlots, 64, 1 << 22);
        InRange("republishSlots (twice the longest message)", RepublishSlots, slots, 1 << 22);
        // Waiting for subscribers must not look like a publication that lags: that holds the input at half of republishMillis.
        InRange("subscriberGraceMillis", SubscriberGraceMillis, 0, RepublishMillis / 4);
        InRange("snapshotEveryRecords", SnapshotEveryRecords, 0, long.MaxValue);
        InRange("snapshotEverySeconds", SnapshotEverySeconds, 0, 31_536_000);
        InRange("snapshotsKept", SnapshotsKept, 0, 1_000_000);
        InRange("stallMillis", StallMillis, 100, 3_600_000);
        InRange("conflatedAccounts", ConflatedAccounts, 1, 1 << 24);
        InRange("flightRecordMessages", FlightRecordMessages, 0, 4096);
    }

    private void CheckStreams()
    {
        foreach ((string key, StreamOptions? stream) in (ReadOnlySpan<(string, StreamOptions?)>)[("input", Input), ("replication", Replication), ("acks", Acks), ("asStandby.replication", AsStandby?.Replication), ("asStandby.acks", AsStandby?.Acks)])
        {
            try
            {
                stream?.Senders();
            }
            catch (FormatException error)
            {
                throw new NodeOptionsException($"{key}.allowedSources: {error.Message}");
            }
        }

        if (Role == NodeRole.Primary)
        {
            Needed("input", Input);
            Needed("output", Output);
        }

        bool replicates = Replication is not null;
        if (replicates != Acks is not null)
            throw new NodeOptionsException("replication and acks belong together: give both or neither");
        // Under a lease any node may come to be a standby.
        if (Role == NodeRole.Standby || Lease is not null)
            Needed("replication", Replication);
        CheckMode();
        if (Lease?.Fault() is { } fault)
            throw new NodeOptionsException(fault);
        if (Signing?.Fault() is { } signing)
            throw new NodeOptionsException(signing);
        if (Output is not null && Output.MarginStream == Output.ReplyStream)
            throw new NodeOptionsException($"output.marginStream and output.replyStream are both {Output.MarginStream}: they must differ");
    }

    private void Needed(string key, object? value)
    {
        if (value is null)
            throw new NodeOptionsException($"{key} is missing: a {Role} needs it");
    }

    private static void InRange(string key, long value, long lowest, long highest)
    {
        if (value < lowest || value > highest)
            throw new NodeOptionsException($"{key} is {value}: it must be between {lowest} and {highest}");
    }

    private static void PowerOfTwo(string key, int value, int lowest, int highest)
    {
        InRange(key, value, lowest, highest);
        if (!int.IsPow2(value))
            throw new NodeOptionsException($"{key} is {value}: it must be a power of two");
    }
}

/// <summary>A configuration that cannot be used; the message names the key.</summary>
public sealed class NodeOptionsException(string message) : Exception(message);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    WriteIndented = true)]
[JsonSerializable(typeof(NodeOptions))]
internal sealed partial class NodeOptionsJson : JsonSerializerContext;
