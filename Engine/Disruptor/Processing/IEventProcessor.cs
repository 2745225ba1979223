// A consumer with a life of its own: started on a scheduler, halted, asked for its progress.

namespace Disruptor.Processing;

public interface IEventProcessor : IDisposable
{
    /// <summary>The last event the processor has finished with.</summary>
    Sequence Sequence { get; }

    bool IsRunning { get; }

    /// <summary>Starts the processor; the task ends when its handler's OnStart has run.</summary>
    /// <exception cref="InvalidOperationException">It is running.</exception>
    Task Start(TaskScheduler taskScheduler);

    /// <summary>Asks the processor to end after its current batch; the task ends when its handler's OnShutdown has run.</summary>
    Task Halt();
}

public interface IValueEventProcessor<T> : IEventProcessor
    where T : struct
{
    void SetExceptionHandler(IValueExceptionHandler<T> exceptionHandler);
}

public static class EventProcessorExtensions
{
    public static Task Start(this IEventProcessor eventProcessor) => eventProcessor.Start(TaskScheduler.Default);
}

public static class EventProcessorFactory
{
    /// <summary>A processor that calls its handler through the interface.</summary>
    public static IValueEventProcessor<T> Create<T>(
        UnmanagedRingBuffer<T> dataProvider, SequenceBarrier sequenceBarrier, IValueEventHandler<T> eventHandler)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(eventHandler);
        return new ValueEventProcessor<T, IValueEventHandler<T>>(dataProvider, sequenceBarrier, eventHandler);
    }
}
