// One slot of the rings between the stages, and the way a message of any length lies in consecutive slots.
using System.Runtime.InteropServices;

namespace MarginEngine.Pipeline;

/// <summary>What stands in a slot besides a message.</summary>
[Flags]
internal enum SlotFlags : ushort
{
    None = 0,

    /// <summary>No message: the slots up to the end of the ring are skipped, because the next message would not lie in one piece.</summary>
    Padding = 1,
}

/// <summary>
/// 256 bytes, four cache lines. The header stands in the first slot of a message only; the payload runs on through the
/// following slots, so that every message is one span whatever its length:
/// <code>
///   0        8        16     20     22    24                           256                512
///   +--------+--------+------+------+------+---------------------------+------------------+---
///   |sequence|time, ns|length|slots |flags | payload: SBE message, 232 bytes, then 256 a slot ...
///   |  i64   |  i64   | i32  | u16  | u16  |
///   +--------+--------+------+------+------+---------------------------+------------------+---
/// </code>
/// Sequence is the engine's input sequence (of a decision: of the input it was decided on), not the ring's.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SlotBytes)]
public struct MessageSlot
{
    public const int SlotBytes = 256;
    public const int HeaderBytes = 24;

    [FieldOffset(0)] internal long Sequence;
    [FieldOffset(8)] internal long TimestampNanos;
    [FieldOffset(16)] internal int Length;
    [FieldOffset(20)] internal ushort SlotCount;
    [FieldOffset(22)] internal SlotFlags Flags;

    /// <summary>Slots that a message of this many bytes takes.</summary>
    public static int SlotsFor(int messageBytes) => unchecked((HeaderBytes + messageBytes + SlotBytes - 1) / SlotBytes);
}
