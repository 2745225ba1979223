// The graph of consumers around a ring: who runs behind whom, started, drained and stopped together.

using Disruptor.Processing;

namespace Disruptor.Dsl;

/// <summary>Makes a processor for a ring behind a barrier.</summary>
public delegate IEventProcessor ValueEventProcessorCreator<T>(IValueRingBuffer<T> ringBuffer, SequenceBarrier sequenceBarrier)
    where T : struct;

/// <summary>The consumers of a ring. Build the graph, <see cref="Start"/>, publish, <see cref="Shutdown()"/>.</summary>
public abstract partial class ValueTypeDisruptor<T> : IDisposable
    where T : unmanaged
{
    private readonly UnmanagedRingBuffer<T> _ring;
    private readonly TaskScheduler _taskScheduler;
    private readonly List<Consumer> _consumers = [];
    private IValueExceptionHandler<T>? _defaultExceptionHandler;
    private int _started;

    private protected ValueTypeDisruptor(UnmanagedRingBuffer<T> ringBuffer, TaskScheduler taskScheduler)
    {
        ArgumentNullException.ThrowIfNull(taskScheduler);
        _ring = ringBuffer;
        _taskScheduler = taskScheduler;
        ForwardFault();
    }

    public IValueRingBuffer<T> RingBuffer => _ring;

    public bool HasStarted => Volatile.Read(ref _started) != 0;

    /// <summary>True from Start until the last processor has ended. Pollers that were added count until they are halted.</summary>
    public bool IsRunning => HasStarted && _consumers.Exists(consumer => consumer.Processor.IsRunning);

    /// <summary>Adds handlers side by side, directly behind the producer.</summary>
    public ValueEventHandlerGroup<T> HandleEventsWith(params IValueEventHandler<T>[] handlers) => AddHandlers([], handlers);

    /// <summary>Adds processors that were made elsewhere; they gate the producer, and are started and stopped with the rest.</summary>
    public ValueEventHandlerGroup<T> HandleEventsWith(params IEventProcessor[] processors)
    {
        CheckNotStarted();
        foreach (IEventProcessor processor in processors)
            _consumers.Add(new Consumer(processor, null, null));
        Sequence[] sequences = SequencesOf(processors);
        _ring.AddGatingSequences(sequences);
        return new ValueEventHandlerGroup<T>(this, sequences);
    }

    /// <summary>Adds processors made behind the producer's barrier.</summary>
    public ValueEventHandlerGroup<T> HandleEventsWith(params ValueEventProcessorCreator<T>[] eventProcessorFactories) =>
        AddProcessors([], eventProcessorFactories);

    /// <summary>The group of handlers that were added before, to continue behind them.</summary>
    /// <exception cref="ArgumentException">A handler was not added.</exception>
    public ValueEventHandlerGroup<T> After(params IValueEventHandler<T>[] handlers) =>
        new(this, Array.ConvertAll(handlers, handler => ConsumerOf(handler).Processor.Sequence));

    /// <summary>The group of these processors, added or not, to continue behind them.</summary>
    public ValueEventHandlerGroup<T> After(params IEventProcessor[] processors) => new(this, SequencesOf(processors));

    /// <summary>For handlers without one of their own. Without any, an exception stops the ring.</summary>
    public void SetDefaultExceptionHandler(IValueExceptionHandler<T> exceptionHandler)
    {
        ArgumentNullException.ThrowIfNull(exceptionHandler);
        _defaultExceptionHandler = exceptionHandler;
        foreach (Consumer consumer in _consumers)
        {
            if (!consumer.HasOwnExceptionHandler)
                (consumer.Processor as IValueEventProcessor<T>)?.SetExceptionHandler(exceptionHandler);
        }
    }

    public void SetExceptionHandler(IValueEventHandler<T> eventHandler, IValueExceptionHandler<T> exceptionHandler)
    {
        Consumer consumer = ConsumerOf(eventHandler);
        ((IValueEventProcessor<T>)consumer.Processor).SetExceptionHandler(exceptionHandler);
        consumer.HasOwnExceptionHandler = true;
    }

    /// <summary>The last event that <paramref name="handler"/> has finished with.</summary>
    public long GetSequenceValueFor(IValueEventHandler<T> handler) => ConsumerOf(handler).Processor.Sequence.Value;

    /// <summary>What <paramref name="handler"/> runs behind.</summary>
    public DependentSequenceGroup GetDependentSequencesFor(IValueEventHandler<T> handler) =>
        ConsumerOf(handler).Barrier!.DependentSequences;

    internal UnmanagedRingBuffer<T> Ring => _ring;

    internal ValueEventHandlerGroup<T> AddHandlers(Sequence[] upstream, IValueEventHandler<T>[] handlers)
    {
        CheckNotStarted();
        var sequences = new Sequence[handlers.Length];
        for (int i = 0; i < handlers.Length; i++)
        {
            SequenceBarrier barrier = _ring.NewBarrier(SequenceWaiterOwner.EventHandler(handlers[i]), upstream);
            IValueEventProcessor<T> processor = _ring.CreateEventProcessor(barrier, handlers[i]);
            if (_defaultExceptionHandler is not null)
                processor.SetExceptionHandler(_defaultExceptionHandler);
            _consumers.Add(new Consumer(processor, handlers[i], barrier));
            sequences[i] = processor.Sequence;
        }

        MoveGates(upstream, sequences);
        return new ValueEventHandlerGroup<T>(this, sequences);
    }

    internal ValueEventHandlerGroup<T> AddProcessors(Sequence[] upstream, ValueEventProcessorCreator<T>[] factories)
    {
        CheckNotStarted();
        var sequences = new Sequence[factories.Length];
        for (int i = 0; i < factories.Length; i++)
        {
            SequenceBarrier barrier = _ring.NewBarrier(SequenceWaiterOwner.Unknown, upstream);
            IEventProcessor processor = factories[i](_ring, barrier);
            _consumers.Add(new Consumer(processor, null, barrier));
            sequences[i] = processor.Sequence;
        }

        MoveGates(upstream, sequences);
        return new ValueEventHandlerGroup<T>(this, sequences);
    }

    /// <summary>Only the ends of the chains hold the producer back: the consumers behind are never ahead.</summary>
    private void MoveGates(Sequence[] upstream, Sequence[] added)
    {
        if (added.Length == 0)
            return;
        _ring.AddGatingSequences(added);
        foreach (Sequence sequence in upstream)
            _ring.RemoveGatingSequence(sequence);
    }

    private static Sequence[] SequencesOf(IEventProcessor[] processors) =>
        Array.ConvertAll(processors, processor => processor.Sequence);

    private Consumer ConsumerOf(IValueEventHandler<T> handler) =>
        _consumers.Find(consumer => ReferenceEquals(consumer.Handler, handler))
        ?? throw new ArgumentException($"{handler?.GetType().Name ?? "null"} was not added to this disruptor", nameof(handler));

    private void CheckNotStarted()
    {
        if (HasStarted)
            throw new InvalidOperationException("handlers are added before the disruptor is started");
    }

    private sealed class Consumer(IEventProcessor processor, IValueEventHandler<T>? handler, SequenceBarrier? barrier)
    {
        internal IEventProcessor Processor { get; } = processor;

        internal IValueEventHandler<T>? Handler { get; } = handler;

        internal SequenceBarrier? Barrier { get; } = barrier;

        internal bool HasOwnExceptionHandler { get; set; }
    }
}
