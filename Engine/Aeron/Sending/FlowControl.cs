// How far a publication may run ahead of its receivers, from their status messages; and which receivers are alive.
// The publication hands it every status message and asks once in each duty cycle, after the input was read.

namespace MarginEngine.Aeron;

/// <summary>
/// The limit of one publication. With `max` it follows the fastest receiver, which for unicast is the only one; with `min` and `tagged`
/// the slowest member of the group: every live receiver, or those whose status messages carry the tag. A receiver stays a member until it
/// says goodbye or was not heard for the group's time; one that is heard is never dropped.
/// </summary>
internal sealed class FlowControl
{
    private readonly FlowSpec _spec;
    private readonly long _livenessNanos;
    private readonly Receiver[] _receivers = new Receiver[Limits.TrackedReceivers];
    private int _count;
    private int _members;
    private long _nextExpiryNanos = long.MaxValue;

    private bool _isClamped;
    private long _clampLimit;
    private long _clampUntilNanos;
    private long _joinerId;
    private bool _hasFailedJoiner;
    private long _failedJoinerId;

    public FlowControl(in FlowSpec spec, long livenessNanos)
    {
        _spec = spec;
        _livenessNanos = livenessNanos;
    }

    public bool HasReceivers => _count > 0;

    /// <summary>Receivers of the group that the limit waits for; 0 with `max`.</summary>
    public int Members => _members;

    /// <summary>Somebody listens, and the group has the size that the channel asks for.</summary>
    public bool IsConnected => _count > 0 && _members >= _spec.GroupSize;

    /// <summary>Every receiver that is there has said that it consumed everything before this position.</summary>
    public bool HasConsumed(long position)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_receivers[i].Consumed < position)
                return false;
        }
        return true;
    }

    /// <summary>Takes a receiver's consumption and window; returns the new limit, which is never lower than the old.</summary>
    /// <param name="tag">the group tag of the message, if it carried one</param>
    public long OnStatusMessage(in StatusMessageFrame frame, long? tag, long consumption, long limit, long now)
    {
        long reach = consumption + frame.ReceiverWindow;
        int index = Find(frame.ReceiverId);
        if (index < 0)
        {
            index = TryAdd(frame.ReceiverId, now);
            EndClamp(frame.ReceiverId);
        }
        if (index >= 0)
            _receivers[index].Consumed = Math.Max(_receivers[index].Consumed, consumption);
        if (_spec.Kind == FlowKind.Max)
        {
            if (index >= 0)
                _receivers[index].HeardNanos = now;
            return Math.Max(limit, reach);
        }
        if (index >= 0)
        {
            ref Receiver receiver = ref _receivers[index];
            receiver.HeardNanos = now;
            // One that never was within the group's reach would hold all others back for what it can no longer be given.
            if (!receiver.IsMember && BelongsToGroup(tag) && (_members == 0 || reach >= Slowest() - frame.ReceiverWindow))
            {
                receiver.IsMember = true;
                _members++;
            }
            // Status messages may overtake each other on the way.
            receiver.Reach = Math.Max(receiver.Reach, reach);
        }
        if (_members < _spec.GroupSize)
            return limit;
        return Math.Max(limit, Clamped(_members == 0 ? reach : Slowest()));
    }

    /// <summary>Drops who was silent too long; returns the limit, which the slowest member's place may have lowered.</summary>
    public long OnIdle(long limit, long now)
    {
        if (now - _nextExpiryNanos >= 0)
            ForgetSilent(now);
        if (_isClamped && now - _clampUntilNanos >= 0)
        {
            // It asked and did not come; its next question does not hold the others up again.
            _isClamped = false;
            _hasFailedJoiner = true;
            _failedJoinerId = _joinerId;
        }
        if (_members == 0 || _members < _spec.GroupSize)
            return limit;
        return Clamped(Slowest());
    }

    /// <summary>
    /// A receiver asked for a SETUP and gets it now: until it says where it stands, or its time is over, the group does not run on, so that
    /// the joiner is not left behind before its first word.
    /// </summary>
    public void OnJoinerInvited(long receiverId, long limit, long now)
    {
        if (_members == 0 || _isClamped || (_hasFailedJoiner && receiverId == _failedJoinerId))
            return;
        _isClamped = true;
        _joinerId = receiverId;
        _clampLimit = limit;
        _clampUntilNanos = now + _spec.TimeoutNanos;
    }

    public bool Remove(long receiverId)
    {
        int index = Find(receiverId);
        if (index < 0)
            return false;
        RemoveAt(index);
        return true;
    }

    private bool BelongsToGroup(long? tag) => _spec.Kind == FlowKind.Min || tag == _spec.GroupTag;

    private long Clamped(long limit) => _isClamped ? Math.Min(limit, _clampLimit) : limit;

    private void EndClamp(long receiverId)
    {
        _isClamped = false;
        if (_hasFailedJoiner && receiverId == _failedJoinerId)
            _hasFailedJoiner = false;
    }

    private long Slowest()
    {
        long slowest = long.MaxValue;
        for (int i = 0; i < _count; i++)
        {
            if (_receivers[i].IsMember)
                slowest = Math.Min(slowest, _receivers[i].Reach);
        }
        return slowest;
    }

    private void ForgetSilent(long now)
    {
        _nextExpiryNanos = long.MaxValue;
        for (int i = _count - 1; i >= 0; i--)
        {
            ref Receiver receiver = ref _receivers[i];
            if (receiver.IsMember && now - receiver.HeardNanos >= _spec.TimeoutNanos)
            {
                receiver.IsMember = false;
                _members--;
            }
            if (now - receiver.HeardNanos >= _livenessNanos)
            {
                // The last one takes its place; it was looked at already.
                RemoveAt(i);
                continue;
            }
            long patience = receiver.IsMember ? Math.Min(_spec.TimeoutNanos, _livenessNanos) : _livenessNanos;
            _nextExpiryNanos = Math.Min(_nextExpiryNanos, receiver.HeardNanos + patience);
        }
    }

    private int Find(long receiverId)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_receivers[i].Id == receiverId)
                return i;
        }
        return -1;
    }

    /// <returns>its place, or -1 when the table is full: nobody who is there makes room for a newcomer</returns>
    private int TryAdd(long receiverId, long now)
    {
        if (_count == _receivers.Length)
            return -1;
        _receivers[_count] = new Receiver { Id = receiverId, HeardNanos = now, Reach = long.MinValue };
        _nextExpiryNanos = Math.Min(_nextExpiryNanos, now + Math.Min(_spec.TimeoutNanos, _livenessNanos));
        return _count++;
    }

    private void RemoveAt(int index)
    {
        if (_receivers[index].IsMember)
            _members--;
        _count--;
        _receivers[index] = _receivers[_count];
    }

    private struct Receiver
    {
        public long Id;

        /// <summary>Consumption and window: what it lets the sender send.</summary>
        public long Reach;
        public long Consumed;
        public long HeardNanos;
        public bool IsMember;
    }
}
