// Makes the rings between the stages. One place decides their memory and how their readers wait: they are polled, never waited on.
using Disruptor;
using Disruptor.Dsl;

namespace MarginEngine.Pipeline;

internal static class Rings
{
    /// <summary>A ring of message slots for one producer. Its memory lives as long as the process.</summary>
    public static UnmanagedRingBuffer<MessageSlot> Create(int slots) =>
        new(UnmanagedRingBufferMemory.Allocate(slots, MessageSlot.SlotBytes), ProducerType.Single, new YieldingWaitStrategy());
}
