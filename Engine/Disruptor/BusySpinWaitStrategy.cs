// Waits by looking all the time. Lowest latency; needs a core of its own for every consumer.

namespace Disruptor;

public sealed class BusySpinWaitStrategy : IWaitStrategy
{
    public bool IsBlockingStrategy => false;

    public ISequenceWaiter NewSequenceWaiter(SequenceWaiterOwner owner, DependentSequenceGroup dependentSequences) =>
        new Waiter(dependentSequences);

    public void SignalAllWhenBlocking()
    {
    }

    private sealed class Waiter(DependentSequenceGroup group) : ISequenceWaiter
    {
        public SequenceWaitResult WaitFor(long sequence, CancellationToken cancellationToken) =>
            group.AggressiveSpinWaitFor(sequence, cancellationToken);

        public void Cancel()
        {
        }

        public void Dispose()
        {
        }
    }
}
