// The last messages before a fault, read back from the input ring where they still lie: recording costs nothing.
using System.Globalization;
using System.Text;
using Disruptor;
using MarginEngine.Codecs;

namespace MarginEngine.Pipeline;

/// <summary>Called once, after a fault, on the thread that failed; other stages may still be running.</summary>
internal static class FlightRecord
{
    private const int ShownBytes = 48;

    /// <summary>One line a message, newest last: sequence, stamp, template, source and the first bytes.</summary>
    /// <param name="ring">The input ring.</param>
    /// <param name="messages">Messages to show at most.</param>
    public static string Take(UnmanagedRingBuffer<MessageSlot> ring, int messages)
    {
        // Messages start at unknown slots, so the ring is walked forward from its oldest slot that looks like a header. Others may
        // still be writing: everything is read from copies that were checked.
        var lines = new Queue<string>();
        long cursor = ring.Cursor;
        long next = Math.Max(0, cursor - ring.BufferSize + 1);
        long expected = 0;
        while (next <= cursor && messages > 0)
        {
            MessageSlot slot = ring[next];
            int slots = SlotsOf(slot);
            bool fits = slots > 0 && next + slots <= cursor + 1 && (next & (ring.BufferSize - 1)) + slots <= ring.BufferSize;
            if (!fits || expected != 0 && slot.Flags == SlotFlags.None && slot.Sequence != expected)
            {
                next++;
                expected = 0;
                continue;
            }

            if (slot.Flags == SlotFlags.None)
            {
                lines.Enqueue(Line(slot, new SlotMessage(ref ring[next], slot.Length).Bytes));
                expected = slot.Sequence + 1;
                if (lines.Count > messages)
                    lines.Dequeue();
            }

            next += slots;
        }

        return string.Join('\n', lines);
    }

    private static int SlotsOf(in MessageSlot slot) => slot.Flags switch
    {
        SlotFlags.Padding => slot.Length == 0 ? slot.SlotCount : 0,
        SlotFlags.None when slot.Length > 0 && slot.SlotCount == MessageSlot.SlotsFor(slot.Length) => slot.SlotCount,
        _ => 0,
    };

    private static string Line(in MessageSlot slot, ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{slot.Sequence} at {slot.TimestampNanos} {Schema.NameOf(Frame.TemplateId(bytes))}");
        if (Frame.TryReadOrigin(bytes, out MessageOrigin origin))
            text.Append(CultureInfo.InvariantCulture, $" source {origin.Source}/{origin.Sequence}");
        text.Append(CultureInfo.InvariantCulture, $" {bytes.Length} bytes ");
        text.Append(Convert.ToHexStringLower(bytes[..Math.Min(bytes.Length, ShownBytes)]));
        return text.ToString();
    }
}
