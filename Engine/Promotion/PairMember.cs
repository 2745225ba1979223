// One of the two nodes of a pair through all its lives: which role it begins with, when a standby takes over, when a former primary cuts
// its journal and follows. Polled by `margin run`, about every twenty milliseconds, and by tests.
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Watch;

namespace MarginEngine.Promotion;

/// <summary>What became of a poll that changed something.</summary>
public enum MemberChange
{
    None,

    /// <summary>A node runs: the first, or a standby again.</summary>
    Started,

    /// <summary>The standby is the primary now.</summary>
    Promoted,

    /// <summary>Records that no successor ever had were cut; a standby starts at the next poll.</summary>
    Cut,

    /// <summary>The node has failed and nothing more happens.</summary>
    Ended,
}

/// <summary>All calls from one thread; a node's own threads are the node's.</summary>
public sealed class PairMember : IDisposable
{
    private static readonly TimeSpan HandOverPatience = TimeSpan.FromSeconds(20);
    private readonly NodeOptions _options;
    private readonly LeaseKeeper? _lease;
    private readonly IClock _clock;
    private readonly IStorage _storage;
    private readonly Func<Aeron.INanoClock, Aeron.AeronOptions>? _transport;
    private Node? _node;
    private bool _isAsking;
    private bool _mustFollow;
    private bool _goesAlone = true;
    private long _askedUntilNanos;
    private long _freeSinceNanos = long.MaxValue;

    /// <param name="options">With a lease, role is what the node would rather be where the lease was never granted, and epoch does not matter.</param>
    /// <param name="lease">Polled by somebody else; stays its owner's. Null: role and epoch are what the options say.</param>
    /// <param name="clock">Null: the machine's.</param>
    /// <param name="storage">Null: the machine's disk.</param>
    public PairMember(NodeOptions options, LeaseKeeper? lease, IClock? clock = null, IStorage? storage = null)
        : this(options, lease, clock, storage, transport: null)
    {
    }

    /// <param name="options">As above.</param>
    /// <param name="lease">As above.</param>
    /// <param name="clock">As above.</param>
    /// <param name="storage">As above.</param>
    /// <param name="transport">Not null: nodes get their network from it and no threads; whoever holds this polls <see cref="Node.Step"/>.</param>
    internal PairMember(NodeOptions options, LeaseKeeper? lease, IClock? clock, IStorage? storage, Func<Aeron.INanoClock, Aeron.AeronOptions>? transport)
    {
        _transport = transport;
        _options = options;
        _lease = lease;
        _clock = clock ?? new Clock();
        _storage = storage ?? new Storage();
        Objection = "the witness has not answered yet";
    }

    /// <summary>The node that runs now; null before the first and between two.</summary>
    public Node? Node => _node;

    /// <summary>The witness's view; null without a witness.</summary>
    public LeaseView? Lease => _lease?.View;

    /// <summary>Why a standby does not take over now, or why none runs yet.</summary>
    public string Objection { get; private set; }

    /// <summary>False: a standby stays one, whatever the witness says. For an end in order of both nodes.</summary>
    public bool MayTakeOver { get; set; } = true;

    /// <summary>What was cut last.</summary>
    public TailReport? Tail { get; private set; }

    /// <summary>Records cut since the start.</summary>
    public long RecordsCut { get; private set; }

    /// <summary>From the decision to take over until the new primary ran, nanoseconds; 0: it never took over.</summary>
    public long TakeoverNanos { get; private set; }

    /// <summary>The last handover had kept everything, so that the journal was not replayed.</summary>
    public bool WasTakeoverComplete { get; private set; }

    /// <summary>Does what is due.</summary>
    /// <param name="beforeFollowing">
    /// Called with the sequence from which the journal is about to be cut, for whoever keeps notes beside it: what they say of later sequences will
    /// not be true any more.
    /// </param>
    /// <exception cref="NodeOptionsException">The configuration cannot be used.</exception>
    /// <exception cref="HandoverException">The standby could not hand over; nothing runs any more.</exception>
    /// <exception cref="IOException">The journal or a socket cannot be opened, or the histories diverge; the message says which.</exception>
    public MemberChange Poll(Action<long>? beforeFollowing = null)
    {
        if (_node is null)
            return Begin();
        if (_node.Fault is { } fault)
            return fault.Cause is UnreplicatedTailException tail ? Cut(tail.Boundary, beforeFollowing) : MemberChange.Ended;
        return _node.Options.Role == NodeRole.Standby && _lease is not null ? Watch() : MemberChange.None;
    }

    /// <summary>Takes the primary's place on somebody's word.</summary>
    /// <param name="because">Why it is to happen although something stands against it; null: then it does not.</param>
    /// <returns>What stands against it; null: done, or asked of the witness, and a later poll does it.</returns>
    public string? Promote(string? because)
    {
        if (_node is not { Fault: null, Options.Role: NodeRole.Standby })
            return _node is { Fault: null } ? "it is the primary" : "no node runs";
        if (_lease is null)
        {
            string? objection = because is null ? Candidacy.ObjectionToPromotion(_node.Gauges, _clock.MonotonicNanos) : null;
            if (objection is null)
                TakeOver(checked((uint)Math.Max(_node.Gauges.Epoch.Value, _node.Gauges.PrimaryEpoch.Value) + 1));
            return objection;
        }

        LeaseView view = _lease.View;
        string? against = view.State != LeaseState.Free ? $"{view}: no reason breaks a lease, it has to run out or be given back"
            : because is null ? Candidacy.ObjectionToTaking(_node.Gauges, view, _options.Lease!)
            : null;
        if (against is null)
            Ask(view, isForced: because is not null);
        return against;
    }

    /// <summary>Stops the node in order and gives the lease back. False where something stayed behind.</summary>
    public bool Stop(TimeSpan patience)
    {
        bool isDrained = _node?.Stop(patience) ?? true;
        _lease?.Release();
        return isDrained;
    }

    public void Dispose()
    {
        _lease?.Release();
        _node?.Dispose();
    }

    private MemberChange Begin()
    {
        if (_lease is null)
            return Run(Make(_options with { Role = _mustFollow ? NodeRole.Standby : _options.Role }));
        LeaseView view = _lease.View;
        if (view.State == LeaseState.Mine)
            return Run(Make(_options with { Role = NodeRole.Primary, Epoch = view.Epoch }));
        if (view.State == LeaseState.Unknown || _isAsking && _clock.MonotonicNanos < _askedUntilNanos)
            return MemberChange.None;
        bool mayLead = view.Epoch == 0 ? _options.Role == NodeRole.Primary : view.Holder == _options.Lease!.Node;
        if (view.State == LeaseState.Free && mayLead && !_mustFollow)
        {
            if (LeavesItToTheStandby(view))
                return MemberChange.None;
            Ask(view);
            return MemberChange.None;
        }

        return Run(Make(_options with { Role = NodeRole.Standby, Epoch = 1 }));
    }

    // A standby in the gate has everything that was heard; this node held the lease last and may have lost the end with its disk. So that one
    // may take it first.
    private bool LeavesItToTheStandby(LeaseView view)
    {
        if (view.State != LeaseState.Free)
            _freeSinceNanos = long.MaxValue;
        else if (_freeSinceNanos == long.MaxValue)
            _freeSinceNanos = _clock.MonotonicNanos;
        return WasLeader(view) && _options.GateInForce != Gate.Journal && _clock.MonotonicNanos - _freeSinceNanos < _lease!.TtlNanos;
    }

    private bool WasLeader(LeaseView view) => view.Epoch != 0 && view.Holder == _options.Lease!.Node;

    private MemberChange Run(Node node)
    {
        _isAsking = false;
        _node = node;
        Start(node);
        return MemberChange.Started;
    }

    private Node Make(NodeOptions options, Handover? handover = null) => new(options, _clock, _storage, _transport, handover, _lease);

    private void Start(Node node)
    {
        if (_transport is null)
            node.Start();
    }

    private MemberChange Watch()
    {
        LeaseView view = _lease!.View;
        if (view.State == LeaseState.Mine)
        {
            TakeOver(view.Epoch);
            return MemberChange.Promoted;
        }

        Objection = Candidacy.ObjectionToTaking(_node!.Gauges, view, _options.Lease!) ?? "";
        bool isWaiting = LeavesItToTheStandby(view) || (_isAsking && _clock.MonotonicNanos < _askedUntilNanos);
        // A node that was never a pair's primary leaves the first lease to the one that would rather be.
        if (Objection.Length == 0 && !isWaiting && MayTakeOver)
            Ask(view);
        return MemberChange.None;
    }

    private void Ask(LeaseView view, bool isForced = false)
    {
        _lease!.Acquire(view.Epoch);
        _isAsking = true;
        // Whoever led before and leads again has lost no peer: its standby may have more than it, so it waits for that one as after any restart.
        _goesAlone = isForced || !WasLeader(view);
        _askedUntilNanos = _clock.MonotonicNanos + _lease.TtlNanos;
    }

    private void TakeOver(uint epoch)
    {
        long begin = _clock.MonotonicNanos;
        _isAsking = false;
        Node standby = _node!;
        try
        {
            using Handover handover = standby.HandOver(HandOverPatience);
            handover.GoesAlone = _goesAlone;
            WasTakeoverComplete = handover.IsComplete;
            _node = null;
            _node = Make(_options with { Role = NodeRole.Primary, Epoch = epoch }, handover);
            Start(_node);
        }
        catch
        {
            _lease?.Release();
            throw;
        }
        finally
        {
            standby.Dispose();
        }

        Objection = "";
        TakeoverNanos = _clock.MonotonicNanos - begin;
    }

    private MemberChange Cut(EpochBoundary boundary, Action<long>? beforeFollowing)
    {
        _node!.Dispose();
        _node = null;
        _mustFollow = true;
        beforeFollowing?.Invoke(boundary.First);
        Tail = TailCut.Cut(_storage, _options.Journal, EngineIdentity.Of(_options.Limits), boundary.First, boundary.ChainBefore);
        RecordsCut += Tail.Records;
        return MemberChange.Cut;
    }
}
