// Waits by spinning, then offering the processor to other threads between short spins. For as many busy threads as cores, or more.

namespace Disruptor;

public sealed class YieldingWaitStrategy : IWaitStrategy
{
    private const int DefaultSpins = 100;

    /// <summary>Looks between two yields: a yield costs about a microsecond, a look a few nanoseconds.</summary>
    private const int SpinsBetweenYields = 8;

    private readonly int _busySpinCount;

    public YieldingWaitStrategy()
        : this(DefaultSpins)
    {
    }

    /// <param name="busySpinCount">Pauses before the first yield.</param>
    public YieldingWaitStrategy(int busySpinCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(busySpinCount);
        _busySpinCount = busySpinCount;
    }

    public bool IsBlockingStrategy => false;

    public ISequenceWaiter NewSequenceWaiter(SequenceWaiterOwner owner, DependentSequenceGroup dependentSequences) =>
        new Waiter(dependentSequences, _busySpinCount);

    public void SignalAllWhenBlocking()
    {
    }

    private sealed class Waiter(DependentSequenceGroup group, int busySpinCount) : ISequenceWaiter
    {
        public SequenceWaitResult WaitFor(long sequence, CancellationToken cancellationToken)
        {
            int spins = busySpinCount;
            long available;
            while ((available = group.Value) < sequence)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (spins > 0)
                {
                    spins--;
                    Spin.Pause();
                }
                else
                {
                    spins = SpinsBetweenYields;
                    Thread.Yield();
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
