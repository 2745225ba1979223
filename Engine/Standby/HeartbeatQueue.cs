// The primary's heartbeats that the standby's decider has not reached yet. Follower and acknowledger share a thread.
using MarginEngine.Watch;

namespace MarginEngine.Standby;

/// <summary>A bounded queue; where it is full the oldest goes, because the next one that agrees vouches for it too: a digest covers all state.</summary>
internal sealed class HeartbeatQueue
{
    private readonly HeartbeatDigest[] _items;
    private int _first;
    private int _count;

    /// <param name="capacity">Heartbeats kept; one comes a second.</param>
    public HeartbeatQueue(int capacity) => _items = new HeartbeatDigest[capacity];

    public void Add(in HeartbeatDigest heartbeat)
    {
        if (_count == _items.Length)
            Remove();
        _items[(_first + _count) % _items.Length] = heartbeat;
        _count++;
    }

    public bool TryPeek(out HeartbeatDigest heartbeat)
    {
        heartbeat = _count > 0 ? _items[_first] : default;
        return _count > 0;
    }

    public void Remove()
    {
        _first = (_first + 1) % _items.Length;
        _count--;
    }
}
