// How a consumer waits for the next sequence: a strategy makes one waiter for each consumer.

namespace Disruptor;

public interface IWaitStrategy
{
    /// <summary>True when waiting threads block and must be signalled.</summary>
    bool IsBlockingStrategy { get; }

    /// <summary>The waiter of one consumer. It is used by one thread at a time.</summary>
    ISequenceWaiter NewSequenceWaiter(SequenceWaiterOwner owner, DependentSequenceGroup dependentSequences);

    /// <summary>Wakes every waiter of this strategy, whether or not it has what it waits for.</summary>
    void SignalAllWhenBlocking();
}

public interface ISequenceWaiter : IDisposable
{
    /// <summary>Waits until <paramref name="sequence"/> is available and returns the highest available one, or a timeout.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    SequenceWaitResult WaitFor(long sequence, CancellationToken cancellationToken);

    /// <summary>Makes a blocked waiter look at its token.</summary>
    void Cancel();
}

public enum SequenceWaiterOwnerType
{
    Unknown,
    EventHandler,
    WorkHandler,
}

/// <summary>Who will wait, so that a strategy can treat consumers differently.</summary>
public sealed class SequenceWaiterOwner
{
    private SequenceWaiterOwner(object? handler, SequenceWaiterOwnerType type)
    {
        Handler = handler;
        Type = type;
    }

    public static SequenceWaiterOwner Unknown { get; } = new(null, SequenceWaiterOwnerType.Unknown);

    public object? Handler { get; }

    public SequenceWaiterOwnerType Type { get; }

    public static SequenceWaiterOwner EventHandler(IEventHandler eventHandler) => new(eventHandler, SequenceWaiterOwnerType.EventHandler);
}

/// <summary>The highest available sequence, or a timeout.</summary>
public readonly struct SequenceWaitResult : IEquatable<SequenceWaitResult>
{
    private const long TimeoutMark = long.MinValue;

    public SequenceWaitResult(long availableSequence) => UnsafeAvailableSequence = availableSequence;

    public static SequenceWaitResult Timeout => new(TimeoutMark);

    public bool IsTimeout => UnsafeAvailableSequence == TimeoutMark;

    public long? AvailableSequence => IsTimeout ? null : UnsafeAvailableSequence;

    /// <summary>The sequence without the check for a timeout.</summary>
    public long UnsafeAvailableSequence { get; }

    public static implicit operator SequenceWaitResult(long availableSequence) => new(availableSequence);

    public static bool operator ==(SequenceWaitResult left, SequenceWaitResult right) => left.Equals(right);

    public static bool operator !=(SequenceWaitResult left, SequenceWaitResult right) => !left.Equals(right);

    public bool Equals(SequenceWaitResult other) => UnsafeAvailableSequence == other.UnsafeAvailableSequence;

    public override bool Equals(object? obj) => obj is SequenceWaitResult other && Equals(other);

    public override int GetHashCode() => UnsafeAvailableSequence.GetHashCode();

    public override string ToString() =>
        IsTimeout ? "timeout" : UnsafeAvailableSequence.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
