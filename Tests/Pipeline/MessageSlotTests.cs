// Messages of every length through a ring of slots: in order, in one piece, over the ring's end, and held when it is full.
using Disruptor;
using MarginEngine.Pipeline;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
public sealed class MessageSlotTests
{
    [Test]
    public void A_slot_is_four_cache_lines_and_its_header_a_tenth_of_it()
    {
        Assert.That(System.Runtime.CompilerServices.Unsafe.SizeOf<MessageSlot>(), Is.EqualTo(256));
        Assert.That(MessageSlot.HeaderBytes, Is.EqualTo(24));
    }

    [TestCase(0, 1)]
    [TestCase(1, 1)]
    [TestCase(232, 1)]
    [TestCase(233, 2)]
    [TestCase(488, 2)]
    [TestCase(489, 3)]
    [TestCase(32 * 1024, 129)]
    public void A_message_takes_as_many_slots_as_its_bytes_and_one_header_need(int bytes, int slots) =>
        Assert.That(MessageSlot.SlotsFor(bytes), Is.EqualTo(slots));

    [Test]
    public void Messages_of_any_length_come_out_as_they_went_in_over_many_wraps([Values(8, 16, 64)] int ringSlots, [Values(1, 7, 42)] int seed)
    {
        var random = new Random(seed);
        int longest = (ringSlots / 2) * MessageSlot.SlotBytes - MessageSlot.HeaderBytes;
        UnmanagedRingBuffer<MessageSlot> ring = Rings.Create(ringSlots);
        var reader = new SlotReader(ring);
        ring.AddGatingSequences(reader.Released);
        var writer = new SlotWriter(ring, longest);
        var waiting = new Queue<(long Sequence, byte[] Bytes)>();
        for (long sequence = 1; sequence <= 5_000; sequence++)
        {
            byte[] message = new byte[random.Next(longest + 1)];
            random.NextBytes(message);
            while (!writer.TryWrite(sequence, sequence * 10, message))
            {
                Assert.That(waiting, Is.Not.Empty, $"an empty ring refused {message.Length} bytes, seed {seed}");
                ReadOne(reader, waiting);
            }

            waiting.Enqueue((sequence, message));
        }

        while (waiting.Count > 0)
            ReadOne(reader, waiting);
        Assert.That(reader.TryPeek(out _), Is.False);
    }

    [Test]
    public void A_message_that_would_wrap_starts_at_the_beginning_of_the_ring_and_leaves_padding_behind()
    {
        (SlotWriter writer, SlotReader reader, UnmanagedRingBuffer<MessageSlot> ring) = NewRing(8);
        for (int i = 1; i <= 3; i++)
            Pass(writer, reader, i, 300); // six slots of eight
        Assert.That(writer.TryWrite(4, 0, new byte[600]), Is.True); // three slots: two of padding, then 0 to 2
        Assert.That(ring.Cursor, Is.EqualTo(6 + 2 + 3 - 1));
        Assert.That(reader.TryPeek(out SlotMessage message), Is.True);
        Assert.That((message.Sequence, message.Bytes.Length), Is.EqualTo((4L, 600)));
    }

    [Test]
    public void A_full_ring_refuses_and_changes_nothing()
    {
        (SlotWriter writer, SlotReader reader, UnmanagedRingBuffer<MessageSlot> ring) = NewRing(8);
        for (int i = 1; i <= 8; i++)
            Assert.That(writer.TryWrite(i, 0, new byte[10]), Is.True);
        long cursor = ring.Cursor;
        Assert.That(writer.HasRoomFor(10), Is.False);
        Assert.That(writer.TryWrite(9, 0, new byte[10]), Is.False);
        Assert.That(ring.Cursor, Is.EqualTo(cursor));
        ReadOne(reader, new Queue<(long, byte[])>([(1, new byte[10])]));
        Assert.That(writer.HasRoomFor(10), Is.True);
        Assert.That(writer.TryWrite(9, 0, new byte[10]), Is.True);
    }

    [Test]
    public void A_peeked_message_stays_until_it_is_passed_and_its_slot_until_it_is_released()
    {
        (SlotWriter writer, SlotReader reader, _) = NewRing(8);
        for (int i = 1; i <= 8; i++)
            writer.TryWrite(i, 0, new byte[10]);
        Assert.That(reader.TryPeek(out SlotMessage first), Is.True);
        Assert.That(reader.TryPeek(out SlotMessage again), Is.True);
        Assert.That(again.Sequence, Is.EqualTo(first.Sequence));
        reader.Advance();
        Assert.That(writer.HasRoomFor(10), Is.False, "passed, but not released");
        reader.Release();
        Assert.That(writer.HasRoomFor(10), Is.True);
    }

    [Test]
    public void A_reader_stays_behind_the_stages_it_was_placed_behind()
    {
        UnmanagedRingBuffer<MessageSlot> ring = Rings.Create(8);
        var first = new SlotReader(ring);
        var second = new SlotReader(ring, first.Released);
        ring.AddGatingSequences(first.Released, second.Released);
        var writer = new SlotWriter(ring, 600);
        writer.TryWrite(1, 0, new byte[600]);
        Assert.That(second.TryPeek(out _), Is.False);
        Assert.That(first.TryPeek(out _), Is.True);
        first.Advance();
        first.Release();
        Assert.That(second.TryPeek(out SlotMessage message), Is.True);
        Assert.That(message.Sequence, Is.EqualTo(1));
    }

    [Test]
    public void A_ring_too_small_for_the_longest_message_is_refused() =>
        Assert.That(
            () => new SlotWriter(Rings.Create(8), 5 * MessageSlot.SlotBytes),
            Throws.ArgumentException.With.Message.Contains("8 slots is too small for messages of 1280 bytes: it needs 12"));

    private static (SlotWriter Writer, SlotReader Reader, UnmanagedRingBuffer<MessageSlot> Ring) NewRing(int slots)
    {
        UnmanagedRingBuffer<MessageSlot> ring = Rings.Create(slots);
        var reader = new SlotReader(ring);
        ring.AddGatingSequences(reader.Released);
        return (new SlotWriter(ring, 900), reader, ring);
    }

    private static void Pass(SlotWriter writer, SlotReader reader, long sequence, int bytes)
    {
        Assert.That(writer.TryWrite(sequence, 0, new byte[bytes]), Is.True);
        Assert.That(reader.TryPeek(out _), Is.True);
        reader.Advance();
        reader.Release();
    }

    private static void ReadOne(SlotReader reader, Queue<(long Sequence, byte[] Bytes)> waiting)
    {
        (long sequence, byte[] bytes) = waiting.Dequeue();
        Assert.That(reader.TryPeek(out SlotMessage message), Is.True);
        Assert.That(message.Sequence, Is.EqualTo(sequence));
        Assert.That(message.Bytes.SequenceEqual(bytes), Is.True, $"message {sequence} of {bytes.Length} bytes changed");
        reader.Advance();
        reader.Release();
    }
}
