// The consuming side of a ring of message slots, driven by its stage's own loop: look, use, advance, release.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Disruptor;

namespace MarginEngine.Pipeline;

/// <summary>A message as it lies in the ring: valid until its reader releases it.</summary>
public readonly ref struct SlotMessage
{
    internal SlotMessage(ref MessageSlot slot)
        : this(ref slot, slot.Length)
    {
    }

    internal SlotMessage(ref MessageSlot slot, int length)
    {
        Sequence = slot.Sequence;
        TimestampNanos = slot.TimestampNanos;
        Bytes = MemoryMarshal.CreateReadOnlySpan(
            ref Unsafe.Add(ref Unsafe.As<MessageSlot, byte>(ref slot), MessageSlot.HeaderBytes), length);
    }

    public long Sequence { get; }

    public long TimestampNanos { get; }

    public ReadOnlySpan<byte> Bytes { get; }
}

/// <summary>
/// A consumer that its stage polls. It differs from a <see cref="ValueEventPoller{T}"/> in two things a gated stage needs: it can
/// look at a message and leave it for later, and it decides itself when slots go back to the producer (early release).
/// </summary>
public sealed class SlotReader
{
    private readonly UnmanagedRingBuffer<MessageSlot> _ring;
    private readonly Sequence[] _upstream;
    private long _next;
    private long _available;

    /// <param name="ring">The ring; <see cref="Released"/> must be among its gating sequences, or those of a later reader must.</param>
    /// <param name="upstream">Progress of the stages to stay behind; none: behind the producer only.</param>
    public SlotReader(UnmanagedRingBuffer<MessageSlot> ring, params Sequence[] upstream)
    {
        _ring = ring;
        _upstream = upstream;
        _available = ring.Cursor;
        _next = _available + 1;
        Released = new Sequence(_available);
    }

    /// <summary>Last slot given back: the producer may overwrite it, later stages may read it.</summary>
    public Sequence Released { get; }

    /// <summary>Ring sequence of the last slot that <see cref="Advance"/> passed.</summary>
    public long Position => unchecked(_next - 1);

    /// <summary>Slots published and not yet passed by this reader.</summary>
    public long Backlog => _ring.Cursor - Position;

    /// <summary>Shows the next message without passing it; false when there is none yet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryPeek(out SlotMessage message)
    {
        while (_next <= _available || Refresh())
        {
            ref MessageSlot slot = ref _ring[_next];
            if ((slot.Flags & SlotFlags.Padding) == 0)
            {
                message = new SlotMessage(ref slot);
                return true;
            }

            _next = unchecked(_next + slot.SlotCount);
        }

        message = default;
        return false;
    }

    /// <summary>Passes the message that <see cref="TryPeek"/> showed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Advance() => _next = unchecked(_next + _ring[_next].SlotCount);

    /// <summary>Gives back everything passed so far.</summary>
    public void Release()
    {
        if (Released.Value != Position)
            Released.SetValue(Position);
    }

    private bool Refresh()
    {
        long available = _ring.Cursor;
        foreach (Sequence stage in _upstream)
            available = Math.Min(available, stage.Value);
        _available = available;
        return _next <= available;
    }
}
