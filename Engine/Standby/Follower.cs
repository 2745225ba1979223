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
    private readonly NodeGauges _gauges;
    private long _sequence;

    /// <param name="records">The replication stream.</param>
    /// <param name="input">The input ring.</param>
    /// <param name="heartbeats">The primary's digests, for the acknowledger.</param>
    /// <param name="lastSequence">Where the recovered journal ends.</param>
    /// <param name="gauges">Epoch, counts, positions.</param>
    public Follower(Subscription records, SlotWriter input, HeartbeatQueue heartbeats, long lastSequence, NodeGauges gauges)
    {
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
        Follower handler = this;
        return _records.Poll(ref handler, BatchMessages);
    }

    public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
    {
        if (ReplicaRecordDecoder.TryWrap(message, out ReplicaRecordDecoder record))
            return TryTake(record) ? PollAction.Continue : PollAction.Abort;
        if (HeartbeatDecoder.TryWrap(message, out HeartbeatDecoder heartbeat))
            _heartbeats.Add(new HeartbeatDigest(checked((long)heartbeat.Sequence), heartbeat.StateDigest, heartbeat.DecisionDigest));
        return PollAction.Continue;
    }

    /// <summary>False when it must come again.</summary>
    private bool TryTake(in ReplicaRecordDecoder record)
    {
        long sequence = checked((long)record.Sequence);
        if (sequence <= _sequence)
            return Passed(NodeEvent.RecordDuplicate);
        if (sequence != _sequence + 1 && !Planted.Is(Defect.AcceptGap))
        {
            HasGap = true;
            return Passed(NodeEvent.RecordAfterGap);
        }

        if (record.Epoch < _gauges.Epoch.Value && !Planted.Is(Defect.AcceptOldEpoch))
            return Passed(NodeEvent.RecordOfOldEpoch);
        // Journaller and decider read the epoch when they work: a new one begins when they are through with the old one.
        if (record.Epoch > _gauges.Epoch.Value && Math.Min(_gauges.Journalled.Value, _gauges.Applied.Value) < _sequence)
            return false;
        _gauges.Epoch.Set(record.Epoch);
        if (!_input.TryWrite(sequence, checked((long)record.Time), record.Message))
            return false;
        _sequence = sequence;
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
