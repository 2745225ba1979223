// Claim on entry, publish on Dispose: `using (var scope = ring.PublishEvent()) scope.Event().Price = 1;`
// The claimed slots are published also when the body threw, as in Disruptor-net: a claimed sequence cannot be given back.

namespace Disruptor;

public sealed unsafe partial class UnmanagedRingBuffer<T>
{
    /// <summary>Claims one slot, waiting for room.</summary>
    public UnpublishedEventScope PublishEvent() => new(this, Next());

    /// <summary>Claims <paramref name="count"/> slots, waiting for room.</summary>
    public UnpublishedEventBatchScope PublishEvents(int count)
    {
        long end = Next(count);
        return new UnpublishedEventBatchScope(this, unchecked(end + 1 - count), end);
    }

    /// <summary>Claims one slot if there is room now.</summary>
    public NullableUnpublishedEventScope TryPublishEvent() =>
        TryNext(out long sequence) ? new NullableUnpublishedEventScope(this, sequence) : default;

    /// <summary>Claims <paramref name="count"/> slots if there is room now.</summary>
    public NullableUnpublishedEventBatchScope TryPublishEvents(int count) =>
        TryNext(count, out long end) ? new NullableUnpublishedEventBatchScope(this, unchecked(end + 1 - count), end) : default;

    public readonly struct UnpublishedEventScope(UnmanagedRingBuffer<T> ringBuffer, long sequence) : IDisposable
    {
        public long Sequence { get; } = sequence;

        public ref T Event() => ref ringBuffer[Sequence];

        public void Dispose() => ringBuffer.Publish(Sequence);
    }

    public readonly struct UnpublishedEventBatchScope(UnmanagedRingBuffer<T> ringBuffer, long startSequence, long endSequence) : IDisposable
    {
        public long StartSequence { get; } = startSequence;

        public long EndSequence { get; } = endSequence;

        /// <summary>The slot at <paramref name="index"/> of the batch, from 0.</summary>
        public ref T Event(int index) => ref ringBuffer[unchecked(StartSequence + index)];

        public void Dispose() => ringBuffer.Publish(StartSequence, EndSequence);
    }

    public readonly struct NullableUnpublishedEventScope(UnmanagedRingBuffer<T>? ringBuffer, long sequence) : IDisposable
    {
        public bool HasEvent => ringBuffer is not null;

        public bool TryGetEvent(out EventRef eventRef)
        {
            eventRef = ringBuffer is null ? default : new EventRef(ringBuffer, sequence);
            return ringBuffer is not null;
        }

        public void Dispose() => ringBuffer?.Publish(sequence);
    }

    public readonly struct NullableUnpublishedEventBatchScope(UnmanagedRingBuffer<T>? ringBuffer, long startSequence, long endSequence)
        : IDisposable
    {
        public bool HasEvents => ringBuffer is not null;

        public bool TryGetEvents(out EventBatchRef eventRef)
        {
            eventRef = ringBuffer is null ? default : new EventBatchRef(ringBuffer, startSequence, endSequence);
            return ringBuffer is not null;
        }

        public void Dispose() => ringBuffer?.Publish(startSequence, endSequence);
    }

    public readonly struct EventRef(UnmanagedRingBuffer<T> ringBuffer, long sequence)
    {
        public long Sequence { get; } = sequence;

        public ref T Event() => ref ringBuffer[Sequence];
    }

    public readonly struct EventBatchRef(UnmanagedRingBuffer<T> ringBuffer, long startSequence, long endSequence)
    {
        public long StartSequence { get; } = startSequence;

        public long EndSequence { get; } = endSequence;

        public ref T Event(int index) => ref ringBuffer[unchecked(StartSequence + index)];
    }
}
