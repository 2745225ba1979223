// Waits by spinning, yielding, then sleeping a millisecond at a time. For observers: the producer never signals, an idle core stays idle.

namespace Disruptor;

public sealed class SleepingWaitStrategy : IWaitStrategy
{
    private const int DefaultCount = 100;

    private readonly int _busySpinCount;
    private readonly int _yieldCount;

    public SleepingWaitStrategy()
        : this(DefaultCount, DefaultCount)
    {
    }

    /// <param name="busySpinCount">Pauses before the first yield.</param>
    /// <param name="yieldCount">Yields before the first sleep.</param>
    public SleepingWaitStrategy(int busySpinCount, int yieldCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(busySpinCount);
        ArgumentOutOfRangeException.ThrowIfNegative(yieldCount);
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
            int spins = busySpinCount;
            int yields = yieldCount;
            long available;
            while ((available = group.Value) < sequence)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (spins > 0)
                {
                    spins--;
                    Spin.Pause();
                }
                else if (yields > 0)
                {
                    yields--;
                    Thread.Yield();
                }
                else
                {
                    Thread.Sleep(1);
                }
            }

            return available;
        }

        public void Cancel()
        {
        }

        public void Dispose()
        {
        }
    }
}
