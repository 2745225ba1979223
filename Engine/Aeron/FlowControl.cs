// How far a publication may run ahead of its receivers, from their status messages; and which receivers are alive.

namespace MarginEngine.Aeron;

/// <summary>
/// The limit follows the fastest receiver, which for unicast is the only one (`fc=max`): a slower one is not waited for and recovers
/// by NAK while the sender still holds the bytes.
/// </summary>
internal sealed class FlowControl
{
    private readonly long[] _receiverIds = new long[Limits.TrackedReceivers];
    private readonly long[] _heardNanos = new long[Limits.TrackedReceivers];
    private readonly long _livenessNanos;
    private int _count;

    public FlowControl(long livenessNanos) => _livenessNanos = livenessNanos;

    public bool HasReceivers => _count > 0;

    /// <summary>Takes a receiver's consumption and window; returns the new limit.</summary>
    public long OnStatusMessage(long receiverId, long consumption, int window, long limit, long now)
    {
        Refresh(receiverId, now);
        return Math.Max(limit, consumption + window);
    }

    public void Remove(long receiverId)
    {
        int index = Array.IndexOf(_receiverIds, receiverId, 0, _count);
        if (index >= 0)
            RemoveAt(index);
    }

    /// <returns>true when a receiver was dropped</returns>
    public bool ForgetSilent(long now)
    {
        int before = _count;
        for (int i = _count - 1; i >= 0; i--)
        {
            if (now - _heardNanos[i] >= _livenessNanos)
                RemoveAt(i);
        }
        return _count < before;
    }

    private void Refresh(long receiverId, long now)
    {
        int index = Array.IndexOf(_receiverIds, receiverId, 0, _count);
        if (index < 0)
            index = _count < _receiverIds.Length ? _count++ : Stalest();
        _receiverIds[index] = receiverId;
        _heardNanos[index] = now;
    }

    private int Stalest()
    {
        int stalest = 0;
        for (int i = 1; i < _count; i++)
        {
            if (_heardNanos[i] < _heardNanos[stalest])
                stalest = i;
        }
        return stalest;
    }

    private void RemoveAt(int index)
    {
        _count--;
        _receiverIds[index] = _receiverIds[_count];
        _heardNanos[index] = _heardNanos[_count];
    }
}
