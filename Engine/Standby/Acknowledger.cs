// The last stage of a standby: puts its decisions aside unpublished, compares digests with the primary's, and tells the primary how
// far this node is.
using MarginEngine.Aeron;
using MarginEngine.Codecs;
using MarginEngine.Pipeline;
using MarginEngine.Snapshots;
using MarginEngine.Watch;

namespace MarginEngine.Standby;

/// <summary>
/// Acknowledges whenever something moved, and every tenth of a second in silence. A digest that differs is told to the primary
/// and then thrown as <see cref="DivergenceException"/>: the standby stops and applies nothing more.
/// </summary>
internal sealed class Acknowledger : IStage
{
    private const long SilenceNanos = 100_000_000;
    private const long ResendNanos = 200_000_000;
    private const long FarewellNanos = 1_000_000_000;
    private const long DumpNanos = 20_000_000_000;
    private const int BatchMessages = 1024;
    private readonly SlotReader _decisions;
    private readonly RecentDecisions _recent;
    private readonly Publication _acks;
    private readonly Follower _follower;
    private readonly HeartbeatQueue _primary;
    private readonly IClock _clock;
    private readonly NodeGauges _gauges;
    private readonly byte[] _frame = new byte[256];
    private HeartbeatDigest _newest;
    private DivergenceException? _divergence;
    private long _sentReceived = -1;
    private long _sentDurable;
    private long _sentApplied;
    private long _sentAtNanos;
    private long _resendAtNanos;
    private long _divergedAtNanos;
    private bool _hasToldDivergence;

    public Acknowledger(
        SlotReader decisions, RecentDecisions recent, Publication acks, Follower follower, HeartbeatQueue primary, IClock clock, NodeGauges gauges)
    {
        _decisions = decisions;
        _recent = recent;
        _acks = acks;
        _follower = follower;
        _primary = primary;
        _clock = clock;
        _gauges = gauges;
    }

    /// <summary>The decider writes its state down after a difference; null: it does not.</summary>
    public StateDump? Dump { get; init; }

    public string Name => "acknowledger";

    public long Sequence => _gauges.Applied.Value;

    public bool HasWork => _decisions.Backlog > 0;

    public int Poll()
    {
        int work = Drain();
        CompareDigests();
        work += Acknowledge();
        if (_divergence is not null && MayStop())
            throw _divergence.With(Dump?.Told ?? "");
        return work;
    }

    // The primary should hear of it and of the place of our dump before this node stops, and the state should be on the disk.
    private bool MayStop()
    {
        long passed = _clock.MonotonicNanos - _divergedAtNanos;
        if (Dump is { IsDone: false } && passed <= DumpNanos)
            return false;
        return _hasToldDivergence && _sentApplied == _gauges.Applied.Value && _acks.IsDrained || passed > FarewellNanos;
    }

    private int Drain()
    {
        int drained = 0;
        while (drained < BatchMessages && _decisions.TryPeek(out SlotMessage decision))
        {
            _recent.Keep(decision.Sequence, decision.TimestampNanos, decision.Bytes);
            _decisions.Advance();
            drained++;
        }

        if (drained > 0)
            _decisions.Release();
        return drained;
    }

    private void CompareDigests()
    {
        while (_primary.TryPeek(out HeartbeatDigest theirs) && theirs.Sequence <= _gauges.Applied.Value)
        {
            _primary.Remove();
            if (!_gauges.Heartbeats.TryFind(theirs.Sequence, out HeartbeatDigest ours))
            {
                MissHeartbeat(theirs);
                continue;
            }

            bool equal = ours == theirs;
            _gauges.ReplicaEvents.Count((int)(equal ? NodeEvent.DigestEqual : NodeEvent.DigestDifferent));
            if (equal)
                _gauges.Agreed.Set(theirs.Sequence);
            else
                Diverge(ours, theirs);
        }
    }

    // Older than what the table keeps, or the primary beats where we did not.
    private void MissHeartbeat(in HeartbeatDigest theirs)
    {
        if (_gauges.Heartbeats.TryGet(_gauges.Heartbeats.First, out HeartbeatDigest oldest) && oldest.Sequence < theirs.Sequence)
            Diverge(default, theirs);
        else
            _gauges.ReplicaEvents.Count((int)NodeEvent.DigestUnchecked);
    }

    private void Diverge(in HeartbeatDigest ours, in HeartbeatDigest theirs)
    {
        if (_divergence is not null)
            return;
        _gauges.Diverged.Set(1);
        _divergedAtNanos = _clock.MonotonicNanos;
        _divergence = ours.State != theirs.State
            ? new DivergenceException(theirs.Sequence, "the state digest", ours.State, theirs.State)
            : new DivergenceException(theirs.Sequence, "the decision digest", ours.Decisions, theirs.Decisions);
    }

    private int Acknowledge()
    {
        // From the end of the pipeline to its start: what is applied was received.
        long applied = _gauges.Applied.Value;
        long durable = _gauges.Journalled.Value;
        long received = _gauges.Received.Value;
        long now = _clock.MonotonicNanos;
        bool resend = _follower.HasGap && now >= _resendAtNanos;
        bool moved = received != _sentReceived || durable != _sentDurable || applied != _sentApplied;
        if (!moved && !resend && (_divergence is null || _hasToldDivergence) && now - _sentAtNanos < SilenceNanos)
            return 0;
        if (_acks.Offer(Encode(applied, durable, received, resend)) < 0)
            return 0;
        (_sentReceived, _sentDurable, _sentApplied, _sentAtNanos) = (received, durable, applied, now);
        _hasToldDivergence = _divergence is not null;
        if (resend)
            _resendAtNanos = now + ResendNanos;
        return moved ? 1 : 0;
    }

    private ReadOnlySpan<byte> Encode(long applied, long durable, long received, bool resend)
    {
        if (_gauges.Heartbeats.TryNewest(out HeartbeatDigest newest))
            _newest = newest;
        ReplicaAckEncoder ack = ReplicaAckEncoder.Wrap(_frame);
        ack.Epoch = (uint)Math.Max(_gauges.Epoch.Value, _gauges.PrimaryEpoch.Value);
        ack.Received = (ulong)received;
        ack.Durable = (ulong)durable;
        ack.Applied = (ulong)applied;
        ack.LastEpoch = (uint)_gauges.RecordEpoch.Value;
        ack.DigestSequence = (ulong)_newest.Sequence;
        ack.StateDigest = _newest.State;
        ack.DecisionDigest = _newest.Decisions;
        ack.Flags = (resend ? ReplicaFlags.Resend : 0) | (_divergence is null ? 0 : ReplicaFlags.Diverged);
        return _frame.AsSpan(0, ack.EncodedLength);
    }
}
