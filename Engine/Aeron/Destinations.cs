// Where a multi-destination channel sends: addresses that its user named, or those that status messages came from.

namespace MarginEngine.Aeron;

internal sealed class Destinations
{
    private readonly Entry[] _entries = new Entry[Limits.Destinations];
    private readonly bool _isDynamic;
    private readonly long _timeoutNanos;
    private long _nextExpiryNanos = long.MaxValue;

    public Destinations(ControlMode mode, long timeoutNanos)
    {
        _isDynamic = mode == ControlMode.Dynamic;
        _timeoutNanos = timeoutNanos;
    }

    public int Count { get; private set; }

    public Ipv4Endpoint this[int index] => _entries[index].Address;

    /// <summary>For control-mode=manual.</summary>
    /// <returns>false when it is there already or there is no room</returns>
    public bool TryAdd(Ipv4Endpoint address)
    {
        if (Count == _entries.Length || Find(address) >= 0)
            return false;
        _entries[Count++] = new Entry { Address = address };
        return true;
    }

    public bool Remove(Ipv4Endpoint address)
    {
        int index = Find(address);
        if (index < 0)
            return false;
        _entries[index] = _entries[--Count];
        return true;
    }

    /// <summary>For control-mode=dynamic: who sends status messages gets data. Without room the newcomer is left out.</summary>
    public void OnStatusMessage(Ipv4Endpoint source, long now)
    {
        if (!_isDynamic)
            return;
        int index = Find(source);
        if (index < 0)
        {
            if (!TryAdd(source))
                return;
            index = Count - 1;
        }
        _entries[index].HeardNanos = now;
        _nextExpiryNanos = Math.Min(_nextExpiryNanos, now + _timeoutNanos);
    }

    /// <summary>Forgets the silent ones of control-mode=dynamic.</summary>
    public void OnIdle(long now)
    {
        if (now - _nextExpiryNanos < 0)
            return;
        _nextExpiryNanos = long.MaxValue;
        for (int i = Count - 1; i >= 0; i--)
        {
            if (now - _entries[i].HeardNanos >= _timeoutNanos)
                _entries[i] = _entries[--Count];
            else
                _nextExpiryNanos = Math.Min(_nextExpiryNanos, _entries[i].HeardNanos + _timeoutNanos);
        }
    }

    private int Find(Ipv4Endpoint address)
    {
        for (int i = 0; i < Count; i++)
        {
            if (_entries[i].Address == address)
                return i;
        }
        return -1;
    }

    private struct Entry
    {
        public Ipv4Endpoint Address;
        public long HeardNanos;
    }
}
