// Makes the rings between the stages. One place decides their memory and how their readers wait: they are polled, never waited on.
using Disruptor;
using Disruptor.Dsl;

namespace MarginEngine.Pipeline;

internal static class Rings
{
    /// <summary>A ring of message slots for one producer.</summary>
    /// <param name="slots">A power of two.</param>
    /// <param name="owner">Gets the ring's memory, to dispose it when no stage runs any more; null: it lives as long as the process.</param>
    public static UnmanagedRingBuffer<MessageSlot> Create(int slots, ICollection<IDisposable>? owner = null)
    {
        UnmanagedRingBufferMemory memory = UnmanagedRingBufferMemory.Allocate(slots, MessageSlot.SlotBytes);
        owner?.Add(memory);
        return new(memory, ProducerType.Single, new YieldingWaitStrategy());
    }
}
