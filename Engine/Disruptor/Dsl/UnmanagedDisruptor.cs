// A disruptor over an unmanaged ring: the front door for a producer and its graph of handlers.

namespace Disruptor.Dsl;

public sealed class UnmanagedDisruptor<T> : ValueTypeDisruptor<T>
    where T : unmanaged
{
    private readonly UnmanagedRingBuffer<T> _ring;

    /// <param name="pointer">The first slot; the memory must outlive the consumers.</param>
    /// <param name="eventSize">Distance between two slots in bytes.</param>
    /// <param name="ringBufferSize">Slots, a power of two.</param>
    /// <param name="taskScheduler">Runs the processors: one long-running task for each handler.</param>
    /// <param name="producerType"><see cref="ProducerType.Single"/>.</param>
    /// <param name="waitStrategy">How the handlers wait.</param>
    public UnmanagedDisruptor(
        IntPtr pointer,
        int eventSize,
        int ringBufferSize,
        TaskScheduler taskScheduler,
        ProducerType producerType,
        IWaitStrategy waitStrategy)
        : this(
            new UnmanagedRingBuffer<T>(pointer, eventSize, SequencerFactory.Create(producerType, ringBufferSize, waitStrategy)),
            taskScheduler)
    {
    }

    public UnmanagedDisruptor(IntPtr pointer, int eventSize, int ringBufferSize, ProducerType producerType, IWaitStrategy waitStrategy)
        : this(pointer, eventSize, ringBufferSize, TaskScheduler.Default, producerType, waitStrategy)
    {
    }

    public UnmanagedDisruptor(UnmanagedRingBufferMemory memory, ProducerType producerType, IWaitStrategy waitStrategy)
        : this(new UnmanagedRingBuffer<T>(memory, producerType, waitStrategy), TaskScheduler.Default)
    {
    }

    private UnmanagedDisruptor(UnmanagedRingBuffer<T> ring, TaskScheduler taskScheduler)
        : base(ring, taskScheduler) =>
        _ring = ring;

    public new UnmanagedRingBuffer<T> RingBuffer => _ring;

    public long Cursor => _ring.Cursor;

    public long BufferSize => _ring.BufferSize;

    public ref T this[long sequence] => ref _ring[sequence];

    /// <inheritdoc cref="UnmanagedRingBuffer{T}.PublishEvent"/>
    public UnmanagedRingBuffer<T>.UnpublishedEventScope PublishEvent() => _ring.PublishEvent();

    /// <inheritdoc cref="UnmanagedRingBuffer{T}.PublishEvents"/>
    public UnmanagedRingBuffer<T>.UnpublishedEventBatchScope PublishEvents(int count) => _ring.PublishEvents(count);
}
