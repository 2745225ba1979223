// Why a ring stopped. These types are additions to Disruptor-net's: its ring stalls where ours throws.

namespace Disruptor;

/// <summary>A consumer failed. Thrown to producers and to peers that wait, carried by the disruptor's Completion.</summary>
public sealed class RingFaultedException : Exception
{
    public RingFaultedException(string handlerName, long sequence, Exception cause)
        : base(FormattableString.Invariant($"{handlerName} failed at sequence {sequence}: {cause.Message}"), cause)
    {
        HandlerName = handlerName;
        Sequence = sequence;
    }

    /// <summary>The handler that threw.</summary>
    public string HandlerName { get; }

    /// <summary>The sequence it was handling; in OnStart, OnTimeout or OnShutdown the next one it would have handled.</summary>
    public long Sequence { get; }
}

/// <summary>The ring was halted or shut down: nothing published from now on would be processed.</summary>
public sealed class RingClosedException(string message) : InvalidOperationException(message);
