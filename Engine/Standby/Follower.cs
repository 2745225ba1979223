// The first stage of a standby: takes the primary's records, in unbroken order and of no older epoch, into the input ring with
// the primary's sequence and stamp. Everything behind it is the same code as on the primary.
using MarginEngine.Aeron;
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Watch;

namespace MarginEngine.Standby;

/// <summary>
/// A record is taken only when it is the next one. One that was had before is passed over; one behind a gap is never applied:
/// the follower asks for everything from its own end, and again while nothing comes. The primary's heartbeats wait in a queue
/// for the acknowledger, which compares them when the decider has got there.
/// </summary>
internal sealed class Follower : IStage, IMessageHandler
{
    private const int BatchMessages = 256;
    private readonly Subscription _records;
    private readonly SlotWriter _input;
    private readonly HeartbeatQueue _heartbeats;
    private readonly Func<uint> _chain;
    private readonly IClock _clock;
    private readonly NodeGauges _gauges;
    private EpochBoundary _boundary;
    private int _session;
    private long _sequence;

    /// <param name="records">The replication stream.</param>
    /// <param name="input">The input ring.</param>
    /// <param name="heartbeats">The primary's digests, for the acknowledger.</param>
    /// <param name="lastSequence">Where the recovered journal ends.</param>
    /// <param name="chain">The journal's chain; asked only while the journal stands at our last record.</param>
    /// <param name="clock">Notes when the primary was heard.</param>
    /// <param name="gauges">Epoch, counts, positions.</param>
    public Follower(
        Subscription records, SlotWriter input, HeartbeatQueue heartbeats, long lastSequence, Func<uint> chain, IClock clock, NodeGauges gauges)
    {
        _chain = chain;
        _clock = clock;
        _records = records;
        _input = input;
        _heartbeats = heartbeats;
        _gauges = gauges;
        _sequence = lastSequence;
        gauges.Received.Set(lastSequence);
        gauges.TakesInput.Set(1);
    }

    public string Name => "follower";

    public long Sequence => _sequence;

    /// <summary>A silent primary is no stall.</summary>
    public bool HasWork => false;

    /// <summary>Records behind a gap were seen since the last one that was taken.</summary>
    public bool HasGap { get; private set; }

    public int Poll()
    {
        if (_gauges.Closing.Value != 0)
            return 0;
        Follower handler = this;
        return _records.Poll(ref handler, BatchMessages);
    }

    public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
    {
        _gauges.PrimaryHeardNanos.Set(_clock.MonotonicNanos);
        if (ReplicaRecordDecoder.TryWrap(message, out ReplicaRecordDecoder record))
            return TryTake(record, context.SessionId) ? PollAction.Continue : PollAction.Abort;
        if (EpochStartDecoder.TryWrap(message, out EpochStartDecoder start))
            OnEpochStart(new EpochBoundary(start.Epoch, checked((long)start.FirstSequence), start.ChainBefore));
        else if (StandbyStateDecoder.TryWrap(message, out StandbyStateDecoder state))
            OnState(state, context.SessionId);
        else if (HeartbeatDecoder.TryWrap(message, out HeartbeatDecoder heartbeat) && heartbeat.Epoch >= _gauges.PrimaryEpoch.Value)
            _heartbeats.Add(new HeartbeatDigest(checked((long)heartbeat.Sequence), heartbeat.StateDigest, heartbeat.DecisionDigest));
        return PollAction.Continue;
    }

    /// <summary>What we hold in an older epoch from there on is not the primary's history.</summary>
    private void OnEpochStart(in EpochBoundary boundary)
    {
        if (boundary.Epoch <= _gauges.RecordEpoch.Value)
            return;
        if (boundary.First <= _sequence)
            throw new UnreplicatedTailException(boundary, _sequence);
        _boundary = boundary;
    }

    // What was promised in one epoch does not stand for a moment under the name of another.
    private void OnState(in StandbyStateDecoder state, int session)
    {
        if (state.Epoch < _gauges.Epoch.Value || state.Epoch < _gauges.PrimaryEpoch.Value)
            return;
        _session = session;
        if (state.Epoch != _gauges.PrimaryEpoch.Value)
        {
            _gauges.GatedFrom.Set(-1);
            _gauges.PrimaryFeedsLive.Set(0);
            _gauges.PrimaryEpoch.Set(state.Epoch);
        }

        _gauges.GatedFrom.Set((state.Flags & StandbyFlags.Gated) != 0 ? checked((long)state.GatedFrom) : -1);
        _gauges.PrimaryFeedsLive.Set((state.Flags & StandbyFlags.Live) != 0 ? 1 : 0);
    }

    /// <summary>False when it must come again.</summary>
    private bool TryTake(in ReplicaRecordDecoder record, int session)
    {
        long sequence = checked((long)record.Sequence);
        if (sequence <= _sequence)
            return Passed(NodeEvent.RecordDuplicate);
        if (sequence != _sequence + 1 && !Planted.Is(Defect.AcceptGap))
        {
            HasGap = true;
            return Passed(NodeEvent.RecordAfterGap);
        }

        // A primary sends older records too, to whoever lacks them; those of a replaced primary come in another session than the new one's.
        bool isReplaced = session != _session && record.Epoch < _gauges.PrimaryEpoch.Value;
        if ((record.Epoch < _gauges.Epoch.Value || isReplaced) && !Planted.Is(Defect.AcceptOldEpoch))
            return Passed(NodeEvent.RecordOfOldEpoch);
        // Journaller and decider read the epoch when they work: a new one begins when they are through with the old one.
        bool isBoundary = sequence == _boundary.First;
        if ((record.Epoch > _gauges.Epoch.Value || isBoundary) && Math.Min(_gauges.Journalled.Value, _gauges.Applied.Value) < _sequence)
            return false;
        if (isBoundary && _chain() != _boundary.ChainBefore)
            throw new HistoryDivergedException(sequence, _chain(), _boundary.ChainBefore);
        _gauges.Epoch.Set(record.Epoch);
        if (!_input.TryWrite(sequence, checked((long)record.Time), record.Message))
            return false;
        _sequence = sequence;
        _gauges.RecordEpoch.Set(record.Epoch);
        HasGap = false;
        _gauges.In.Count(Frame.TemplateId(record.Message));
        _gauges.Received.Set(sequence);
        return true;
    }

    private bool Passed(NodeEvent reason)
    {
        _gauges.InputEvents.Count((int)reason);
        return true;
    }
}
