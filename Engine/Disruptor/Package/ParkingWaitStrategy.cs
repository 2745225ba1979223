// Stands in for our parking strategy when the ring is the package: the package's sequences cannot wake a parked consumer, so
// it spins, yields and sleeps.

namespace Disruptor;

public sealed class ParkingWaitStrategy : IWaitStrategy
{
    private readonly int _busySpinCount;
    private readonly int _yieldCount;

    public ParkingWaitStrategy()
        : this(100, 10, Timeout.InfiniteTimeSpan)
    {
    }

    public ParkingWaitStrategy(int busySpinCount, int yieldCount, TimeSpan timeout)
    {
        if (timeout != Timeout.InfiniteTimeSpan)
            throw new NotSupportedException("with the package, use its TimeoutBlockingWaitStrategy for a timeout");
        _busySpinCount = busySpinCount;
        _yieldCount = yieldCount;
    }

    public bool IsBlockingStrategy => false;

    public ISequenceWaiter NewSequenceWaiter(SequenceWaiterOwner owner, DependentSequenceGroup dependentSequences) =>
        new Waiter(dependentSequences, _busySpinCount, _yieldCount);

    public void SignalAllWhenBlocking()
    {
    }

    private sealed class Waiter(DependentSequenceGroup group, int busySpinCount, int yieldCount) : ISequenceWaiter
    {
        public SequenceWaitResult WaitFor(long sequence, CancellationToken cancellationToken)
        {
            long available;
            for (int turn = 0; (available = group.Value) < sequence; turn++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (turn < busySpinCount)
                    Thread.SpinWait(1);
                else if (turn < busySpinCount + yieldCount)
                    Thread.Yield();
                else
                    Thread.Sleep(1);
            }

            return new SequenceWaitResult(available);
        }

        public void Cancel()
        {
        }

        public void Dispose()
        {
        }
    }
}
