// Waits by parking at once. Idle consumers cost nothing, whatever their place in the chain; a wake-up costs tens of microseconds.

namespace Disruptor;

public sealed class BlockingWaitStrategy : IWaitStrategy
{
    private readonly ParkingSequenceWaiterList _waiters = new();

    public bool IsBlockingStrategy => true;

    public ISequenceWaiter NewSequenceWaiter(SequenceWaiterOwner owner, DependentSequenceGroup dependentSequences) =>
        _waiters.Add(new ParkingSequenceWaiter(_waiters, dependentSequences, 0, 0, Timeout.InfiniteTimeSpan, new ParkingSpot()));

    public void SignalAllWhenBlocking() => _waiters.WakeAll();
}
