// The waiter behind the blocking and the parking strategy. Each sequence knows who may park on it, so every stage is woken by
// its own upstream, and advancing a sequence costs nothing while nobody is parked.

namespace Disruptor;

/// <summary>The waiters that one strategy object has made.</summary>
internal sealed class ParkingSequenceWaiterList
{
    private readonly Lock _registration = new();
    private ParkingSequenceWaiter[] _waiters = [];

    internal ParkingSequenceWaiter Add(ParkingSequenceWaiter waiter)
    {
        lock (_registration)
            _waiters = [.. _waiters, waiter];
        return waiter;
    }

    internal void Remove(ParkingSequenceWaiter waiter)
    {
        lock (_registration)
            _waiters = Array.FindAll(_waiters, other => !ReferenceEquals(other, waiter));
    }

    internal void WakeAll()
    {
        foreach (ParkingSequenceWaiter waiter in Volatile.Read(ref _waiters))
            waiter.Cancel();
    }
}

/// <summary>
/// Spins, yields, then parks until its group reaches the awaited sequence.
/// </summary>
/// <remarks>
/// Why no wake-up is lost, although the writer of a sequence has no fence between its store and its look at the parked count:
/// the waiter announces itself, runs a barrier on all processors of the process, and looks at the sequences again. A store
/// made before that barrier is seen by this look; a store made after it sees the announcement.
/// </remarks>
internal sealed class ParkingSequenceWaiter : ISequenceWaiter
{
    private readonly ParkingSequenceWaiterList _owner;
    private readonly DependentSequenceGroup _group;
    private readonly int _busySpinCount;
    private readonly int _yieldCount;
    private readonly TimeSpan _timeout;
    private readonly ParkingSpot _spot;
    private long _awaited;

    internal ParkingSequenceWaiter(
        ParkingSequenceWaiterList owner,
        DependentSequenceGroup group,
        int busySpinCount,
        int yieldCount,
        TimeSpan timeout,
        ParkingSpot spot)
    {
        _owner = owner;
        _group = group;
        _busySpinCount = busySpinCount;
        _yieldCount = yieldCount;
        _timeout = timeout;
        _spot = spot;
        foreach (Sequence source in group.Sources)
            source.AddWatcher(this);
    }

    public SequenceWaitResult WaitFor(long sequence, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (SpinFor(sequence, cancellationToken))
                return _group.Value;
            bool released = Park(sequence, cancellationToken);
            long available = _group.Value;
            if (available >= sequence)
                return available;
            cancellationToken.ThrowIfCancellationRequested();
            if (!released)
                return SequenceWaitResult.Timeout;
        }
    }

    public void Cancel() => _spot.Release();

    public void Dispose()
    {
        _owner.Remove(this);
        foreach (Sequence source in _group.Sources)
            source.RemoveWatcher(this);
    }

    /// <summary>Called by the thread that advanced one of the group's sequences.</summary>
    internal void WakeIfSatisfied()
    {
        if (_spot.IsArmed && _group.Value >= Volatile.Read(ref _awaited))
            _spot.Release();
    }

    private bool SpinFor(long sequence, CancellationToken cancellationToken)
    {
        for (int turn = _busySpinCount + _yieldCount; turn > 0; turn--)
        {
            if (_group.Value >= sequence)
                return true;
            cancellationToken.ThrowIfCancellationRequested();
            if (turn > _yieldCount)
                Spin.Pause();
            else
                Thread.Yield();
        }

        return _group.Value >= sequence;
    }

    /// <summary>False when the timeout passed without a release.</summary>
    private bool Park(long sequence, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _awaited, sequence);
        _spot.Arm();
        foreach (Sequence source in _group.Sources)
            source.BeginPark();

        // The cancelling thread sets the token and then releases the spot: armed above, one of the two is seen.
        Interlocked.MemoryBarrierProcessWide();
        bool released = _group.Value >= sequence || cancellationToken.IsCancellationRequested || _spot.Wait(_timeout);
        foreach (Sequence source in _group.Sources)
            source.EndPark();
        _spot.Disarm();
        return released;
    }
}
