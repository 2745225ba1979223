// Waits by spinning briefly, yielding a few times, then parking: near the latency of spinning under load, idle when idle.
// An addition to Disruptor-net's strategies, meant for machines with fewer cores than consumers.

namespace Disruptor;

public sealed class ParkingWaitStrategy : IWaitStrategy
{
    /// <summary>About two microseconds: longer than a hop between busy cores, far shorter than a wake-up.</summary>
    public const int DefaultSpins = 100;

    /// <summary>Lets a peer on the same core run before this thread gives up its place.</summary>
    public const int DefaultYields = 10;

    private readonly ParkingSequenceWaiterList _waiters = new();
    private readonly int _busySpinCount;
    private readonly int _yieldCount;
    private readonly TimeSpan _timeout;

    public ParkingWaitStrategy()
        : this(DefaultSpins, DefaultYields, Timeout.InfiniteTimeSpan)
    {
    }

    /// <param name="busySpinCount">Pauses before the first yield.</param>
    /// <param name="yieldCount">Yields before parking.</param>
    /// <param name="timeout">Longest park before the handler's OnTimeout is called; Timeout.InfiniteTimeSpan for none.</param>
    public ParkingWaitStrategy(int busySpinCount, int yieldCount, TimeSpan timeout)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(busySpinCount);
        ArgumentOutOfRangeException.ThrowIfNegative(yieldCount);
        if (timeout <= TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan)
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "a timeout is positive or infinite");
        _busySpinCount = busySpinCount;
        _yieldCount = yieldCount;
        _timeout = timeout;
    }

    public bool IsBlockingStrategy => true;

    public ISequenceWaiter NewSequenceWaiter(SequenceWaiterOwner owner, DependentSequenceGroup dependentSequences) =>
        _waiters.Add(new ParkingSequenceWaiter(_waiters, dependentSequences, _busySpinCount, _yieldCount, _timeout, new ParkingSpot()));

    public void SignalAllWhenBlocking() => _waiters.WakeAll();
}
