// The memory of a ring: cache-line aligned, zeroed and touched at allocation, outside the garbage collector's heap.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Disruptor;

/// <summary>
/// Memory for a ring's slots. Freed by Dispose only, never by a finalizer, because a ring may be made from the bare pointer:
/// dispose it after the last consumer has ended.
/// </summary>
public sealed unsafe class UnmanagedRingBufferMemory : IDisposable
{
    /// <summary>Alignment of the first slot in bytes; slots are aligned to it wherever the slot size is a multiple of it.</summary>
    public const int Alignment = 64;

    /// <summary>Room before and after the slots in bytes, so that no other allocation shares a line pair with them.</summary>
    private const int Padding = 128;

    private byte* _allocation;

    private UnmanagedRingBufferMemory(byte* allocation, int eventCount, int eventSize)
    {
        _allocation = allocation;
        EventCount = eventCount;
        EventSize = eventSize;
    }

    public int EventCount { get; }

    /// <summary>Distance between two slots in bytes.</summary>
    public int EventSize { get; }

    /// <exception cref="ObjectDisposedException">The memory was freed.</exception>
    public IntPtr PointerToFirstEvent
    {
        get
        {
            ObjectDisposedException.ThrowIf(_allocation == null, this);
            return (IntPtr)(_allocation + Padding);
        }
    }

    /// <summary>Allocates <paramref name="eventCount"/> zeroed slots of <paramref name="eventSize"/> bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    /// <exception cref="OutOfMemoryException">The memory is not to be had.</exception>
    public static UnmanagedRingBufferMemory Allocate(int eventCount, int eventSize)
    {
        nuint bytes = ByteCount(eventCount, eventSize);
        var allocation = (byte*)NativeMemory.AlignedAlloc(checked(bytes + 2 * Padding), Padding);
        NativeMemory.Clear(allocation, bytes + 2 * Padding);
        return new UnmanagedRingBufferMemory(allocation, eventCount, eventSize);
    }

    /// <summary>Allocates slots of the size of <typeparamref name="T"/>, each set by <paramref name="factory"/>.</summary>
    public static UnmanagedRingBufferMemory Allocate<T>(int eventCount, Func<T> factory)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(factory);
        UnmanagedRingBufferMemory memory = Allocate(eventCount, sizeof(T));
        var slots = new Span<T>((void*)memory.PointerToFirstEvent, eventCount);
        foreach (ref T slot in slots)
            slot = factory();
        return memory;
    }

    /// <summary>A copy of the slots.</summary>
    /// <exception cref="InvalidOperationException"><typeparamref name="T"/> is larger than a slot.</exception>
    public T[] ToArray<T>()
        where T : unmanaged
    {
        if (sizeof(T) > EventSize)
            throw new InvalidOperationException($"{typeof(T).Name} has {sizeof(T)} bytes, a slot {EventSize}");
        var copy = new T[EventCount];
        for (int i = 0; i < copy.Length; i++)
            copy[i] = Unsafe.ReadUnaligned<T>((byte*)PointerToFirstEvent + (nuint)i * (nuint)EventSize);
        return copy;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_allocation);
        _allocation = null;
    }

    /// <summary>Bytes of all slots, computed wide enough that no pair of sizes wraps.</summary>
    internal static nuint ByteCount(int eventCount, int eventSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(eventCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(eventSize);
        return checked((nuint)eventCount * (nuint)eventSize);
    }
}
