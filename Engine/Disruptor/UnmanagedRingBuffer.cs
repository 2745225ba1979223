// The ring: preallocated slots outside the managed heap, addressed by sequence. One producer thread claims, writes and publishes.

using System.Runtime.CompilerServices;
using Disruptor.Dsl;
using Disruptor.Processing;

namespace Disruptor;

public interface IValueRingBuffer<T> : ICursored, ISequenced, IValueDataProvider<T>
    where T : struct
{
    long GetMinimumGatingSequence();

    IValueEventProcessor<T> CreateEventProcessor(SequenceBarrier barrier, IValueEventHandler<T> eventHandler);
}

/// <summary>What a ring is, whatever the type of its slots.</summary>
public abstract unsafe partial class UnmanagedRingBuffer : ICursored
{
    private readonly SingleProducerSequencer _sequencer;
    private readonly byte* _firstSlot;
    private readonly nint _eventSize;
    private readonly long _indexMask;

    private protected UnmanagedRingBuffer(IntPtr pointer, int eventSize, ISequencer sequencer)
    {
        _sequencer = sequencer as SingleProducerSequencer
            ?? throw new NotSupportedException($"{sequencer?.GetType().Name ?? "null"} is not a SingleProducerSequencer");
        if (pointer == IntPtr.Zero)
            throw new ArgumentException("a ring needs memory", nameof(pointer));
        _firstSlot = (byte*)pointer;
        _eventSize = eventSize;
        _indexMask = sequencer.BufferSize - 1;
    }

    public int BufferSize => _sequencer.BufferSize;

    public long Cursor => _sequencer.Cursor;

    /// <inheritdoc cref="ISequenced.Next()"/>
    public long Next() => _sequencer.Next();

    /// <inheritdoc cref="ISequenced.Next(int)"/>
    public long Next(int n) => _sequencer.Next(n);

    /// <inheritdoc cref="ISequenced.TryNext(out long)"/>
    public bool TryNext(out long sequence) => _sequencer.TryNext(out sequence);

    /// <inheritdoc cref="ISequenced.TryNext(int, out long)"/>
    public bool TryNext(int n, out long sequence) => _sequencer.TryNext(n, out sequence);

    /// <inheritdoc cref="ISequenced.Publish(long)"/>
    public void Publish(long sequence) => _sequencer.Publish(sequence);

    /// <inheritdoc cref="ISequenced.Publish(long, long)"/>
    public void Publish(long lo, long hi) => _sequencer.Publish(lo, hi);

    public bool HasAvailableCapacity(int requiredCapacity) => _sequencer.HasAvailableCapacity(requiredCapacity);

    public long GetRemainingCapacity() => _sequencer.GetRemainingCapacity();

    public void AddGatingSequences(params Sequence[] gatingSequences) => _sequencer.AddGatingSequences(gatingSequences);

    public bool RemoveGatingSequence(Sequence sequence) => _sequencer.RemoveGatingSequence(sequence);

    public long GetMinimumGatingSequence() => _sequencer.GetMinimumSequence();

    /// <inheritdoc cref="ISequencer.NewBarrier"/>
    public SequenceBarrier NewBarrier(SequenceWaiterOwner owner, params Sequence[] sequencesToTrack) =>
        _sequencer.NewBarrier(owner, sequencesToTrack);

    internal SingleProducerSequencer Sequencer => _sequencer;

    internal nint EventSize => _eventSize;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal byte* SlotAddress(long sequence) => unchecked(_firstSlot + (nint)(sequence & _indexMask) * _eventSize);
}

/// <summary>A ring of <typeparamref name="T"/>; slots may be further apart than the size of <typeparamref name="T"/>.</summary>
public sealed unsafe partial class UnmanagedRingBuffer<T> : UnmanagedRingBuffer, IValueRingBuffer<T>
    where T : unmanaged
{
    // Keeps the memory reachable for whoever holds only the ring.
    private readonly UnmanagedRingBufferMemory? _memory;

    /// <param name="pointer">The first slot. The memory must outlive the ring and every consumer.</param>
    /// <param name="eventSize">Distance between two slots in bytes.</param>
    /// <param name="sequencer">A <see cref="SingleProducerSequencer"/>; its size is the number of slots.</param>
    /// <exception cref="ArgumentException"><paramref name="eventSize"/> is smaller than <typeparamref name="T"/>.</exception>
    public UnmanagedRingBuffer(IntPtr pointer, int eventSize, ISequencer sequencer)
        : base(pointer, eventSize, sequencer)
    {
        if (eventSize < sizeof(T))
            throw new ArgumentException($"{typeof(T).Name} has {sizeof(T)} bytes, a slot {eventSize}", nameof(eventSize));
    }

    public UnmanagedRingBuffer(UnmanagedRingBufferMemory memory, ProducerType producerType, IWaitStrategy waitStrategy)
        : this(memory.PointerToFirstEvent, memory.EventSize, SequencerFactory.Create(producerType, memory.EventCount, waitStrategy)) =>
        _memory = memory;

    /// <summary>The slot of a sequence. Valid for the producer between claim and publication, for a consumer until it advances.</summary>
    public ref T this[long sequence]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref *(T*)SlotAddress(sequence);
    }

    public IValueEventProcessor<T> CreateEventProcessor(SequenceBarrier barrier, IValueEventHandler<T> eventHandler) =>
        EventProcessorFactory.Create(this, barrier, eventHandler);

    public override string ToString() => $"UnmanagedRingBuffer<{typeof(T).Name}> {{ BufferSize = {BufferSize}, Cursor = {Cursor} }}";
}
