// The producing side of a ring of message slots: the gateway's, the follower's and the decider's. One thread.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Disruptor;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <summary>
/// Copies messages into a ring. A message that would run over the ring's end starts at its beginning instead, behind padding,
/// so that every reader sees one span. Needs a ring of at least twice the slots of the longest message.
/// </summary>
public sealed class SlotWriter
{
    private readonly UnmanagedRingBuffer<MessageSlot> _ring;
    private readonly int _mask;
    private long _next;

    /// <param name="ring">A ring whose slots are <see cref="MessageSlot.SlotBytes"/> apart, with this writer as its only producer.</param>
    /// <param name="maximumMessageBytes">Longest message that will be written.</param>
    public SlotWriter(UnmanagedRingBuffer<MessageSlot> ring, int maximumMessageBytes)
    {
        int slots = MessageSlot.SlotsFor(maximumMessageBytes);
        if (slots > ushort.MaxValue || slots * 2 > ring.BufferSize)
            throw new ArgumentException(
                $"A ring of {ring.BufferSize} slots is too small for messages of {maximumMessageBytes} bytes: it needs {slots * 2}.");
        _ring = ring;
        _mask = ring.BufferSize - 1;
        _next = ring.Cursor + 1;
        MaximumMessageBytes = maximumMessageBytes;
    }

    public int MaximumMessageBytes { get; }

    /// <summary>Writes and publishes a message; false when the ring has no room, then nothing happened.</summary>
    public bool TryWrite(long sequence, long timestampNanos, ReadOnlySpan<byte> message)
    {
        Check.That(message.Length <= MaximumMessageBytes);
        unchecked
        {
            int slots = MessageSlot.SlotsFor(message.Length);
            int toEnd = _ring.BufferSize - (int)(_next & _mask);
            int padding = slots > toEnd ? toEnd : 0;
            if (!_ring.TryNext(padding + slots, out long last))
                return false;
            if (padding > 0)
                WritePadding(padding);

            ref MessageSlot slot = ref _ring[_next + padding];
            slot.Sequence = sequence;
            slot.TimestampNanos = timestampNanos;
            slot.Length = message.Length;
            slot.SlotCount = (ushort)slots;
            slot.Flags = SlotFlags.None;
            ref byte payload = ref Unsafe.Add(ref Unsafe.As<MessageSlot, byte>(ref slot), MessageSlot.HeaderBytes);
            message.CopyTo(MemoryMarshal.CreateSpan(ref payload, message.Length));
            _ring.Publish(_next, last);
            _next = last + 1;
            return true;
        }
    }

    /// <summary>True where <see cref="TryWrite"/> of a message of this length would succeed now.</summary>
    public bool HasRoomFor(int messageBytes)
    {
        int slots = MessageSlot.SlotsFor(messageBytes);
        int toEnd = _ring.BufferSize - (int)(_next & _mask);
        return _ring.HasAvailableCapacity(slots > toEnd ? toEnd + slots : slots);
    }

    private void WritePadding(int slots)
    {
        ref MessageSlot slot = ref _ring[_next];
        slot.Length = 0;
        slot.SlotCount = (ushort)slots;
        slot.Flags = SlotFlags.Padding;
    }
}
