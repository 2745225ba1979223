// One engine node, primary or standby: the only file that puts the stages together and starts their threads.
using Disruptor;
using MarginEngine.Aeron;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Promotion;
using MarginEngine.Snapshots;
using MarginEngine.Standby;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <summary>
/// <code>
/// primary:   input --> gateway --> [input ring] --> journaller || replicator --> decider --> [output ring] --> publisher --> output
/// standby:   records --> follower --> [input ring] --> journaller --> decider --> [output ring] --> acknowledger --> acks
/// </code>
/// Construct (recovers the journal, loads the newest snapshot and replays the rest), <see cref="Start"/>, <see cref="Stop"/>, Dispose. A fault of any stage stops the
/// node and is handed to <see cref="OnFault"/> once; the caller should end the process with a code that says so.
/// </summary>
public sealed partial class Node : IDisposable
{
    private readonly NodeOptions _options;
    private readonly IClock _clock;
    private readonly IStorage _storage;
    private readonly LeaseKeeper? _lease;
    private readonly JournalWriter _writer;
    private readonly MarginMachine _machine;
    private readonly UnmanagedRingBuffer<MessageSlot> _inputRing;
    private readonly UnmanagedRingBuffer<MessageSlot> _outputRing;
    private readonly List<NetworkStage> _networks = [];
    private readonly StageLoop[] _loops;
    private readonly List<IDisposable> _owned = [];
    private readonly List<IDisposable> _rings = [];
    private readonly Func<INanoClock, AeronOptions>? _transport;
    private readonly List<Thread> _threads = [];

    /// <exception cref="NodeOptionsException">The configuration cannot be used.</exception>
    /// <exception cref="IOException">The journal is locked, damaged or refused, or a socket cannot be opened; the message says which.</exception>
    /// <param name="options">The configuration.</param>
    /// <param name="clock">Null: the machine's.</param>
    /// <param name="storage">Null: the machine's disk.</param>
    /// <param name="lease">A primary acts only while it is held; the keeper stays its owner's. Null: without a witness.</param>
    public Node(NodeOptions options, IClock? clock = null, IStorage? storage = null, LeaseKeeper? lease = null)
        : this(options, clock, storage, transport: null, lease: lease)
    {
    }

    /// <summary>A primary in the place of the standby that handed over, with a newer epoch.</summary>
    /// <exception cref="NodeOptionsException">The configuration cannot be used; the handover is disposed then, as after any exception.</exception>
    /// <exception cref="IOException">A socket cannot be opened.</exception>
    public Node(NodeOptions options, Handover handover, IClock? clock = null, LeaseKeeper? lease = null)
        : this(options, clock, handover.Storage, transport: null, handover, lease)
    {
    }

    /// <param name="options">The configuration.</param>
    /// <param name="clock">Null: the machine's.</param>
    /// <param name="storage">Null: the machine's disk.</param>
    /// <param name="transport">Settings of the transport for a clock; null: sockets. The simulation brings its own network.</param>
    /// <param name="handover">What a standby of this process left; null: the journal is opened.</param>
    /// <param name="lease">A primary acts only while it is held.</param>
    internal Node(NodeOptions options, IClock? clock, IStorage? storage, Func<INanoClock, AeronOptions>? transport, Handover? handover = null, LeaseKeeper? lease = null)
    {
        _options = options;
        _lease = options.Role == NodeRole.Primary ? lease : null;
        _transport = transport;
        _clock = clock ?? new Clock();
        _storage = storage ?? new Storage();
        try
        {
            // 1. What happened before: recover the journal, or take it over; refuse what cannot be continued, begin at the newest usable snapshot.
            options.Check();
            RecoveryReport recovered = Begin(handover, _storage, out _writer, out _start);
            _machine = Own(_start.Machine);
            Recovered = recovered;
            CheckEpoch(recovered, isTakeover: handover is not null);
            Gauges.Epoch.Set(Math.Max(options.Epoch, recovered.LastEpoch));
            Gauges.Journalled.Set(recovered.LastSequence);
            Gauges.RecordEpoch.Set(recovered.LastEpoch);
            // Whoever takes over has lost its peer: it goes on by itself until another standby has caught up.
            Gauges.Alone.Set(handover is { GoesAlone: true } && options.GateInForce != Gate.Journal ? 1 : 0);

            // 2. The rings.
            _inputRing = Rings.Create(options.InputRingSlots, _rings);
            _outputRing = Rings.Create(options.OutputRingSlots, _rings);

            // 3. The journaller, and the rest by role.
            var journalReader = new SlotReader(_inputRing);
            var journaller = new Journaller(journalReader, _writer, _clock, Gauges);
            var decisionReader = new SlotReader(_outputRing);
            _outputRing.AddGatingSequences(decisionReader.Released);
            var plan = new Plan(recovered, _storage, journaller, journalReader, decisionReader);
            (IStage[][] groups, Decider decider) = options.Role == NodeRole.Primary ? BuildPrimary(plan) : BuildStandby(plan);

            // 4. The loops: one thread for each group of stages.
            _loops = BuildLoops(groups, decider);
            _signer = OpenSigner(_storage, recovered);
        }
        catch
        {
            DisposeOwned();
            handover?.Dispose();
            throw;
        }
    }

    /// <summary>The live figures; any thread may read them.</summary>
    public NodeGauges Gauges { get; } = new();

    public NodeOptions Options => _options;

    /// <summary>What recovery found when the journal was opened; after a takeover, where the standby left it.</summary>
    public RecoveryReport Recovered { get; }

    /// <summary>Called once, on the thread that failed, when a stage fails. Set before <see cref="Start"/>.</summary>
    public Action<NodeFault>? OnFault { get; set; }

    /// <summary>The first fault, or null.</summary>
    public NodeFault? Fault => Volatile.Read(ref _fault);

    /// <summary>Starts the threads.</summary>
    public void Start()
    {
        for (int core = 0; core < _loops.Length; core++)
        {
            StageLoop loop = _loops[core];
            int? pinnedTo = Spins ? core + 1 : null; // core 0 is left to everybody else
            StartThread(loop.Name, () =>
            {
                if (pinnedTo is { } own)
                    Affinity.TryPinCurrentThread(own);
                loop.Run();
            });
        }

        StartThread("housekeeping", Housekeep);
        if (_diverged is not null)
            StartThread("diverged", _diverged.Run);
        if (_signer is not null)
            StartThread("signer", Sign);
    }

    /// <summary>A picture of the node now.</summary>
    public NodeStatus Status() => NodeStatus.Take(
        Gauges, _inputRing.Cursor - _inputRing.GetMinimumGatingSequence(), _outputRing.Cursor - _outputRing.GetMinimumGatingSequence());

    private void StartThread(string name, Action body)
    {
        var thread = new Thread(() => body()) { Name = $"margin {name}", IsBackground = true };
        _threads.Add(thread);
        thread.Start();
    }

    /// <summary>What the steps of construction share.</summary>
    private sealed record Plan(
        RecoveryReport Recovered, IStorage Storage, Journaller Journaller, SlotReader JournalReader, SlotReader DecisionReader);

    private (IStage[][] Groups, Decider Decider) BuildPrimary(Plan plan)
    {
        // p1. Transport: one agent for each thread that talks to the network.
        bool dedicated = PlacementInForce == Placement.Dedicated;
        NetworkStage inputNetwork = NewNetwork();
        NetworkStage outputNetwork = dedicated ? NewNetwork() : inputNetwork;

        // p2. Out: two streams; what the journal's older part decided is replayed into them, but not sent again.
        Outlet margins = NewOutlet(outputNetwork, _options.Output!.MarginStream, _options.ConflatedAccounts);
        Outlet replies = NewOutlet(outputNetwork, _options.Output.ReplyStream, 0);
        Replay? replay = _recent is null ? ReplayOldPart(plan, margins) : null;

        // p3. In: the gateway and its rejects.
        UnmanagedRingBuffer<MessageSlot> rejectRing = Rings.Create(RejectRingSlots, _rings);
        var rejectReader = new SlotReader(rejectRing);
        rejectRing.AddGatingSequences(rejectReader.Released);
        Gateway gateway = BuildGateway(inputNetwork, rejectRing, plan.Recovered);

        // p4. Decide, and let out what is confirmed.
        SlotReader input = _options.DeciderWaitsForJournal
            ? new SlotReader(_inputRing, plan.Journaller.Durable)
            : new SlotReader(_inputRing);
        var decider = new Decider(input, new SlotWriter(_outputRing, _options.MaximumMessageBytes), _machine, replay, Gauges) { Commands = _commands };
        ContinueTakeover(plan.Recovered, decider, margins);
        var publisher = new Publisher(plan.DecisionReader, rejectReader, margins, replies, _options.GateInForce, Gauges, _lease);
        _inputRing.AddGatingSequences(plan.JournalReader.Released, input.Released);

        // p5. Replicate, where a standby is configured.
        if (_options.Replication is null)
            return (PlacePrimary(inputNetwork, outputNetwork, gateway, null, null, plan.Journaller, decider, publisher), decider);
        NetworkStage replicaNetwork = dedicated ? NewNetwork() : inputNetwork;
        Replicator replicator = BuildReplicator(replicaNetwork, plan);
        _diverged = new DivergedPrimary(plan.Storage, _options, Gauges, _ended.Wait);
        return (PlacePrimary(inputNetwork, outputNetwork, gateway, replicaNetwork, replicator, plan.Journaller, decider, publisher), decider);
    }

    private (IStage[][] Groups, Decider Decider) BuildStandby(Plan plan)
    {
        // s1. Replay everything behind the snapshot: a standby publishes nothing, so nothing of it is decided again.
        _snapshots = new SnapshotTaker(plan.Storage, _options.Journal.Directory, _options.Limits, SnapshotPlan, _clock, Gauges);
        _recent = Own(new RecentDecisions(
            _options.RepublishSlots, _options.MaximumMessageBytes, _options.Limits.Accounts, _options.RepublishMillis * NanosPerMilli));
        _start.GiveMargins(_snapshots);
        _start.GiveMargins(_recent);
        if (_start.Sequence > 0)
            _recent.BeginAfter(_start.TimestampNanos);
        using (var replay = new Replay(plan.Storage, _options.Journal.Directory, EngineIdentity.Of(_options.Limits), plan.Recovered, _start.Sequence))
            replay.ApplyBefore(_machine, long.MaxValue, Gauges, _snapshots, _recent);
        _snapshots.StartAt(_machine);
        var dump = new StateDump(plan.Storage, _options.Journal.Directory, _options.Limits, Gauges);

        // s2. Follow, decide, acknowledge.
        NetworkStage network = NewNetwork();
        var heartbeats = new HeartbeatQueue(HeartbeatsKept);
        StreamOptions replication = _options.AsStandby?.Replication ?? _options.Replication!, acks = _options.AsStandby?.Acks ?? _options.Acks!;
        var follower = new Follower(
            network.Agent.AddSubscription(replication.Channel, replication.Stream, replication.Senders()),
            new SlotWriter(_inputRing, _options.MaximumMessageBytes), heartbeats, plan.Recovered.LastSequence,
            () => _writer.LastChecksum, _clock, Gauges);
        var input = new SlotReader(_inputRing);
        var decider = new Decider(input, new SlotWriter(_outputRing, _options.MaximumMessageBytes), _machine, null, Gauges)
        {
            Snapshots = _snapshots,
            Dump = dump,
            Commands = _commands,
        };
        var acknowledger = new Acknowledger(
            plan.DecisionReader, _recent, network.Agent.AddPublication(acks.Channel, acks.Stream), follower, heartbeats, _clock, Gauges) { Dump = dump };
        _inputRing.AddGatingSequences(plan.JournalReader.Released, input.Released);
        return (PlaceStandby(network, follower, plan.Journaller, decider, acknowledger), decider);
    }
}
