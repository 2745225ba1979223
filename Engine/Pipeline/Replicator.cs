// Feeds the standby: live records from the input ring, older ones from the journal, own heartbeats for comparison; and reads
// how far the standby is. Runs beside the journaller: records are on the wire before the local disk has them.
using MarginEngine.Aeron;
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <summary>
/// Three states. Without a standby, and while one catches up, the ring is passed over as far as the journal has it, so a standby
/// can never hold the node up; a standby that falls behind by half the ring goes back to the journal too. Records are sent in
/// unbroken order from what the standby last confirmed; the change from journal to ring happens where both meet. Where the gate
/// is the journal alone, the reader stands behind the journaller: then a standby never holds what a crash here could lose.
/// </summary>
internal sealed partial class Replicator : IStage, IMessageHandler
{
    private const int BatchMessages = 256;
    private const long LostNanos = 1_000_000_000;
    private readonly SlotReader _input;
    private readonly CatchUp _catchUp;
    private readonly Publication _records;
    private readonly Subscription _acks;
    private readonly IClock _clock;
    private readonly NodeGauges _gauges;
    private readonly ReplicatorOptions _options;
    private readonly byte[] _frame;
    private State _state = State.Absent;
    private int _session;
    private int _frameBytes;
    private long _next;
    private long _lastSeen;
    private long _lastAckNanos;
    private long _heartbeatsSent;
    private long _lastCompared;
    private long _lastReceived;
    private long _progressNanos;

    private enum State
    {
        Absent,
        CatchingUp,
        Live,
    }

    public Replicator(
        SlotReader input, CatchUp catchUp, Publication records, Subscription acks, ReplicatorOptions options, IClock clock, NodeGauges gauges)
    {
        _input = input;
        _catchUp = catchUp;
        _records = records;
        _acks = acks;
        _options = options;
        _clock = clock;
        _gauges = gauges;
        _lastSeen = gauges.Journalled.Value;
        if (options.HasStandbyInGate && gauges.Alone.Value == 0)
            _gatedFrom = 0;
        _frame = new byte[ReplicaRecordEncoder.HeaderLength + ReplicaRecordEncoder.BlockLength + sizeof(ushort) + options.MaximumMessageBytes];
    }

    public string Name => "replicator";

    public long Sequence => _next;

    /// <summary>A slow or silent standby is no stall.</summary>
    public bool HasWork => false;

    public int Poll()
    {
        Replicator handler = this;
        int work = _acks.Poll(ref handler, BatchMessages);
        ForgetSilentStandby();
        work += _state switch
        {
            State.Absent => PassOver(_gauges.Journalled.Value),
            State.CatchingUp => SendFromJournal(),
            _ => SendFromRing(),
        };
        if (_state != State.Absent)
        {
            SendState();
            SendHeartbeats();
        }

        return work;
    }

    public PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context)
    {
        if (!ReplicaAckDecoder.TryWrap(message, out ReplicaAckDecoder ack))
            return PollAction.Continue;
        // One standby: another one is not heard until the first has fallen silent.
        if (_state == State.Absent && context.SessionId != _session)
        {
            _session = context.SessionId;
            // What was found out about a standby is over with it: the next one may be whole. The counters remember.
            _gauges.Diverged.Set(0);
        }

        if (context.SessionId == _session)
            OnAck(ack);
        else
            _gauges.ReplicaEvents.Count((int)NodeEvent.SecondStandby);
        return PollAction.Continue;
    }

    private void OnAck(in ReplicaAckDecoder ack)
    {
        _lastAckNanos = _clock.MonotonicNanos;
        long received = checked((long)ack.Received);
        if (ack.Epoch > _options.Epoch && !Planted.Is(Defect.AcceptOldEpoch))
            throw new FencedException(ack.Epoch, _options.Epoch);
        bool isOfOlderEpoch = ack.LastEpoch < _options.Epoch && received > 0;
        if (isOfOlderEpoch && _state == State.Absent && HasTail(ack.LastEpoch, received))
            return;
        if (received > Math.Max(_lastSeen, _gauges.Received.Value))
            throw new StandbyAheadException(received, _gauges.Received.Value);
        bool saysSo = (ack.Flags & ReplicaFlags.Diverged) != 0;
        if (saysSo || Compare(ack))
        {
            _gauges.Diverged.Set(1);
            _gauges.DivergedAt.Set(checked((long)(saysSo ? ack.Applied : ack.DigestSequence)));
        }

        bool counts = _gauges.Diverged.Value == 0;
        if (counts)
        {
            // What a diverged standby confirms does not count any more. It is fed all the same: it has to see the difference itself, and stop.
            _gauges.ReplicaReceived.Set(received);
            _gauges.ReplicaDurable.Set(checked((long)ack.Durable));
            _gauges.ReplicaApplied.Set(checked((long)ack.Applied));
        }

        if (_state == State.Absent)
        {
            // One whose first digests differ already is no standby, but is fed for the same reason.
            _gauges.StandbyConnected.Set(counts ? 1 : 0);
            _gauges.ReplicaEvents.Count((int)NodeEvent.StandbyFound);
            BeginCatchUp(received + 1);
            if (isOfOlderEpoch)
                Encode(_boundary);
        }
        else if ((ack.Flags & ReplicaFlags.Resend) != 0 || HasLostTheEnd(received))
        {
            BeginCatchUp(received + 1);
            if (isOfOlderEpoch)
                Encode(_boundary);
        }
    }

    /// <summary>
    /// Everything is sent, and for a while the standby has not come nearer to its end: what was sent last is lost, with the image that a
    /// partition ended. The standby sees no gap while nothing follows, and nothing may follow while the gate waits for it.
    /// </summary>
    private bool HasLostTheEnd(long received)
    {
        if (received != _lastReceived)
        {
            _lastReceived = received;
            _progressNanos = _clock.MonotonicNanos;
        }

        return _state == State.Live && _frameBytes == 0 && received < _next - 1 && _clock.MonotonicNanos - _progressNanos > LostNanos;
    }

    /// <summary>True when the digests that the standby reports differ from ours at the same heartbeat.</summary>
    private bool Compare(in ReplicaAckDecoder ack)
    {
        long sequence = checked((long)ack.DigestSequence);
        if (sequence <= _lastCompared)
            return false;
        if (!_gauges.Heartbeats.TryFind(sequence, out HeartbeatDigest ours))
        {
            if (_gauges.Applied.Value < sequence)
                return false; // the standby is ahead of our decider: its next acknowledgement repeats the digest
            _lastCompared = sequence;
            _gauges.ReplicaEvents.Count((int)NodeEvent.DigestUnchecked);
            return false;
        }

        _lastCompared = sequence;
        bool equal = ours.State == ack.StateDigest && ours.Decisions == ack.DecisionDigest;
        _gauges.ReplicaEvents.Count((int)(equal ? NodeEvent.DigestEqual : NodeEvent.DigestDifferent));
        return !equal;
    }

    private void ForgetSilentStandby()
    {
        if (_state == State.Absent || _clock.MonotonicNanos - _lastAckNanos < _options.SilenceNanos)
            return;
        LoseStandby(NodeEvent.StandbyLost);
    }

    private void LoseStandby(NodeEvent reason)
    {
        _state = State.Absent;
        _lastCompared = 0;
        _gauges.StandbyConnected.Set(0);
        _gauges.ReplicaEvents.Count((int)reason);
    }

    private void BeginCatchUp(long sequence)
    {
        _state = State.CatchingUp;
        _next = sequence;
        _frameBytes = 0;
        _heartbeatsSent = 0;
        _progressNanos = _clock.MonotonicNanos;
        _catchUp.StartAt(sequence);
        _gauges.ReplicaEvents.Count((int)NodeEvent.CatchUp);
    }

    /// <summary>Gives the ring back up to a sequence that the journal has.</summary>
    private int PassOver(long sequence)
    {
        int passed = 0;
        while (_input.TryPeek(out SlotMessage message) && message.Sequence <= sequence)
        {
            _lastSeen = message.Sequence;
            _input.Advance();
            passed++;
        }

        if (passed > 0)
            _input.Release();
        return passed;
    }

    private int SendFromJournal()
    {
        long journalled = _gauges.Journalled.Value;
        int sent = 0;
        while (sent < BatchMessages && TryFlush())
        {
            if (!_catchUp.TryRead(journalled, out long sequence, out long timestampNanos, out ReadOnlySpan<byte> message))
            {
                GoLiveWhereBothMeet(journalled);
                return sent;
            }

            Encode(_catchUp.Epoch, sequence, timestampNanos, message);
            sent++;
        }

        PassOver(Math.Min(journalled, _next - 1));
        if (_input.Backlog > _options.RingSlots / 2)
            PassOver(journalled);
        return sent;
    }

    private void GoLiveWhereBothMeet(long journalled)
    {
        if (_catchUp.IsGone)
        {
            LoseStandby(NodeEvent.RecordsGone);
            return;
        }

        PassOver(_next - 1);
        if (_next > journalled && (!_input.TryPeek(out SlotMessage head) || head.Sequence == _next))
            GoLive();
    }

    private int SendFromRing()
    {
        int sent = 0;
        while (sent < BatchMessages && TryFlush() && _input.TryPeek(out SlotMessage message))
        {
            if (message.Sequence != _next)
            {
                BeginCatchUp(_next);
                break;
            }

            Encode(_options.Epoch, message.Sequence, message.TimestampNanos, message.Bytes);
            _lastSeen = message.Sequence;
            _input.Advance();
            sent++;
        }

        TryFlush();
        if (sent > 0)
            _input.Release();
        else if (_frameBytes > 0 && _input.Backlog > _options.RingSlots / 2)
            BeginCatchUp(_next - 1);
        return sent;
    }

    private void Encode(long epoch, long sequence, long timestampNanos, ReadOnlySpan<byte> message)
    {
        ReplicaRecordEncoder record = ReplicaRecordEncoder.Wrap(_frame);
        record.Epoch = (uint)epoch;
        record.Sequence = (ulong)sequence;
        record.Time = (ulong)timestampNanos;
        record.SetMessage(message);
        _frameBytes = record.EncodedLength;
        _next = sequence + 1;
    }

    /// <summary>Sends the frame in hand; false while the transport does not take it.</summary>
    private bool TryFlush()
    {
        if (_frameBytes == 0)
            return true;
        long result = _records.Offer(_frame.AsSpan(0, _frameBytes));
        if (result is Publication.Closed or Publication.MaxPositionExceeded)
            throw new IOException($"the replication stream to {_records.Channel} ended with {result}");
        if (result < 0)
            return false;
        _frameBytes = 0;
        return true;
    }

    /// <summary>Our digests at the sequences already sent, so that the standby finds a difference by itself and stops.</summary>
    private void SendHeartbeats()
    {
        long first = Math.Max(_heartbeatsSent, _gauges.Heartbeats.First);
        for (long number = first; _frameBytes == 0 && number < _gauges.Heartbeats.Count; number++)
        {
            if (!_gauges.Heartbeats.TryGet(number, out HeartbeatDigest heartbeat) || heartbeat.Sequence < _catchUp.From)
            {
                _heartbeatsSent = number + 1;
                continue;
            }

            if (heartbeat.Sequence >= _next)
                return;
            HeartbeatEncoder encoder = HeartbeatEncoder.Wrap(_frame);
            encoder.Sequence = (ulong)heartbeat.Sequence;
            encoder.Epoch = _options.Epoch;
            encoder.StateDigest = heartbeat.State;
            encoder.DecisionDigest = heartbeat.Decisions;
            if (_records.Offer(_frame.AsSpan(0, encoder.EncodedLength)) < 0)
                return;
            _heartbeatsSent = number + 1;
        }
    }
}

/// <summary>What a replicator is told at start.</summary>
/// <param name="Epoch">Epoch of live records.</param>
/// <param name="MaximumMessageBytes">Longest input.</param>
/// <param name="RingSlots">Slots of the input ring.</param>
/// <param name="SilenceNanos">A standby not heard for this long is lost.</param>
internal sealed record ReplicatorOptions(uint Epoch, int MaximumMessageBytes, int RingSlots, long SilenceNanos)
{
    /// <summary>Nothing leaves that the standby has not received.</summary>
    public required bool HasStandbyInGate { get; init; }

    /// <summary>Epochs in which this machine was the primary.</summary>
    public required LedEpochs Led { get; init; }

    /// <summary>Where the records of this primary begin.</summary>
    public required EpochBoundary Beginning { get; init; }
}

/// <summary>The standby knows a newer epoch: this primary has been replaced.</summary>
public sealed class FencedException(uint theirs, uint ours)
    : Exception($"the standby is at epoch {theirs}, this primary at {ours}: it has been replaced and must not go on");

/// <summary>The standby holds inputs that this primary has lost.</summary>
public sealed class StandbyAheadException(long theirs, long ours)
    : Exception($"the standby holds inputs up to {theirs}, this primary ends at {ours}: promote the standby, do not continue here");
