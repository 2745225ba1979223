// One 64-bit position in native memory on its own pair of cache lines, written by one side and read by others, as Aeron's counters are.

using System.Runtime.InteropServices;

namespace MarginEngine.Aeron;

internal sealed unsafe class Position
{
    private const int SlotLength = 128;

    private readonly bool _isOwn;
    private long* _value;

    public Position(long initial)
    {
        _value = (long*)NativeMemory.AlignedAlloc(SlotLength, SlotLength);
        *_value = initial;
        _isOwn = true;
    }

    /// <summary>A position that lies in a counter; the counter is freed by its owner.</summary>
    public Position(long* counter) => _value = counter;

    public long Value
    {
        get => Volatile.Read(ref *_value);
        set => Volatile.Write(ref *_value, value);
    }

    public void Free()
    {
        if (_isOwn)
            NativeMemory.AlignedFree(_value);
        _value = null;
    }
}
