// Views of a ring that Disruptor-net does not have, written on its public names alone.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Disruptor;

public static class UnmanagedRingBufferExtensions
{
    /// <summary>A poller behind <paramref name="gatingSequences"/>, or behind the producer when there are none.</summary>
    public static SlotPoller<T> NewPoller<T>(this UnmanagedRingBuffer<T> ring, params Sequence[] gatingSequences)
        where T : unmanaged =>
        new(ring, ring.NewBarrier(SequenceWaiterOwner.Unknown, gatingSequences).DependentSequences);

    /// <summary>
    /// The slots from <paramref name="lo"/> to <paramref name="hi"/> that lie side by side in memory: fewer than asked for where the
    /// ring wraps between them, so ask again behind the end. Only for rings whose slots have the size of <typeparamref name="T"/>.
    /// </summary>
    public static Span<T> Slots<T>(this UnmanagedRingBuffer<T> ring, long lo, long hi)
        where T : unmanaged
    {
        unchecked
        {
            long untilWrap = ring.BufferSize - (lo & (ring.BufferSize - 1));
            long count = Math.Min(hi - lo + 1, untilWrap);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(lo, hi);
            if (untilWrap > 1 && Unsafe.ByteOffset(ref ring[lo], ref ring[lo + 1]) != Unsafe.SizeOf<T>())
                ThrowStride<T>();
            return MemoryMarshal.CreateSpan(ref ring[lo], (int)count);
        }
    }

    private static void ThrowStride<T>() =>
        throw new NotSupportedException($"the slots are further apart than the size of {typeof(T).Name}: they do not form a span");
}
