// One 64-bit position on its own pair of cache lines, written by one side and read by others, as Aeron's counters are.

using System.Runtime.InteropServices;

namespace MarginEngine.Aeron;

internal sealed unsafe class Position
{
    private const int SlotLength = 128;

    // Of its own the collector frees it when nobody can read it any more, so that a late look from another thread finds memory there.
    private readonly byte[] _memory = [];
    private readonly long* _value;

    public Position(long initial)
    {
        _memory = GC.AllocateArray<byte>(2 * SlotLength, pinned: true);
        nint start = (nint)Marshal.UnsafeAddrOfPinnedArrayElement(_memory, 0);
        _value = (long*)((start + SlotLength - 1) & ~(nint)(SlotLength - 1));
        *_value = initial;
    }

    /// <summary>A position that lies in a counter; the counter is freed by its owner.</summary>
    public Position(long* counter) => _value = counter;

    public long Value
    {
        get => Volatile.Read(ref *_value);
        set => Volatile.Write(ref *_value, value);
    }
}
