// What a consumer implements. The members with a default body are optional.

namespace Disruptor;

/// <summary>The life of a consumer: every member is called on its thread.</summary>
public interface IEventHandler
{
    /// <summary>Most events of one batch, at least 1; null for no limit. Read once, when the processor is made.</summary>
    int? MaxBatchSize => null;

    /// <summary>Called before the first event. An exception stops the ring.</summary>
    void OnStart()
    {
    }

    /// <summary>Called after the last event, on a halt and on a fault.</summary>
    void OnShutdown()
    {
    }

    /// <summary>Called when the wait strategy gave up waiting; <paramref name="sequence"/> is the last one handled.</summary>
    void OnTimeout(long sequence)
    {
    }
}

/// <summary>Handles events that are values in the ring.</summary>
public interface IValueEventHandler<T> : IEventHandler
    where T : struct
{
    /// <summary>Handles one event.</summary>
    /// <param name="data">The slot itself; valid until the handler's sequence passes it.</param>
    /// <param name="sequence">The event's sequence.</param>
    /// <param name="endOfBatch">True for the last event available now: the moment to flush.</param>
    void OnEvent(ref T data, long sequence, bool endOfBatch);

    /// <summary>Called before the first event of each batch.</summary>
    void OnBatchStart(long batchSize)
    {
    }
}

/// <summary>A handler that wants to release its progress before the end of a batch.</summary>
public interface IEventProcessorSequenceAware
{
    /// <summary>Called once, before the handler is started. Setting the sequence lets downstream consumers and the producer pass.</summary>
    void SetSequenceCallback(Sequence sequenceCallback);
}

/// <summary>Decides what an exception from a handler means: returning skips the event, throwing stops the ring.</summary>
public interface IValueExceptionHandler<T>
    where T : struct
{
    void HandleEventException(Exception ex, long sequence, ref T evt);

    void HandleOnTimeoutException(Exception ex, long sequence);

    void HandleOnStartException(Exception ex);

    void HandleOnShutdownException(Exception ex);
}

public interface IValueDataProvider<T>
    where T : struct
{
    /// <summary>The slot of a sequence.</summary>
    ref T this[long sequence] { get; }
}
