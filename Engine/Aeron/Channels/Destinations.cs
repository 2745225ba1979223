// Where a multi-destination channel sends: addresses that its user named, or those that status messages came from. The list is replaced,
// never changed, so that the sender may walk it while a user's thread names another.

namespace MarginEngine.Aeron;

internal sealed class Destinations
{
    private readonly Lock _changing = new();
    private readonly bool _isDynamic;
    private readonly long _timeoutNanos;
    private long _nextExpiryNanos = long.MaxValue;
    private volatile Destination[] _all = [];

    public Destinations(ControlMode mode, long timeoutNanos)
    {
        _isDynamic = mode == ControlMode.Dynamic;
        _timeoutNanos = timeoutNanos;
    }

    public Destination[] All => _all;

    /// <summary>For control-mode=manual. Any thread may call it.</summary>
    /// <returns>false when it is there already or there is no room</returns>
    public bool TryAdd(Ipv4Endpoint address)
    {
        lock (_changing)
        {
            if (_all.Length == Limits.Destinations || Find(address) is not null)
                return false;
            _all = [.. _all, new Destination(address)];
            return true;
        }
    }

    /// <summary>Any thread may call it.</summary>
    public bool Remove(Ipv4Endpoint address)
    {
        lock (_changing)
        {
            int before = _all.Length;
            _all = Array.FindAll(_all, destination => destination.Address != address);
            return _all.Length < before;
        }
    }

    /// <summary>For control-mode=dynamic: who sends status messages gets data. Without room the newcomer is left out.</summary>
    public void OnStatusMessage(Ipv4Endpoint source, long now)
    {
        if (!_isDynamic)
            return;
        if (Find(source) is null && !TryAdd(source))
            return;
        Find(source)!.HeardNanos = now;
        _nextExpiryNanos = Math.Min(_nextExpiryNanos, now + _timeoutNanos);
    }

    /// <summary>Forgets the silent ones of control-mode=dynamic.</summary>
    public void OnIdle(long now)
    {
        if (now - _nextExpiryNanos < 0)
            return;
        _nextExpiryNanos = long.MaxValue;
        foreach (Destination destination in _all)
        {
            if (now - destination.HeardNanos >= _timeoutNanos)
                Remove(destination.Address);
            else
                _nextExpiryNanos = Math.Min(_nextExpiryNanos, destination.HeardNanos + _timeoutNanos);
        }
    }

    private Destination? Find(Ipv4Endpoint address)
    {
        foreach (Destination destination in _all)
        {
            if (destination.Address == address)
                return destination;
        }
        return null;
    }
}

internal sealed class Destination(Ipv4Endpoint address)
{
    public Ipv4Endpoint Address { get; } = address;

    public long HeardNanos { get; set; }
}
