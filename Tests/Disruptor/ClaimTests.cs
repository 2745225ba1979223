using Disruptor;
using Disruptor.Dsl;
using NUnit.Framework;

namespace MarginEngine.Tests.DisruptorTests;

/// <summary>The producer's side: claiming, publishing, and the limit that consumers set.</summary>
public sealed class ClaimTests
{
    [Test]
    public void The_first_claim_is_sequence_zero_and_claims_count_up()
    {
        using var ring = new TestRing<Stamp>(4);
        Assert.That(ring.Ring.Cursor, Is.EqualTo(-1));
        Assert.That(ring.Ring.Next(), Is.Zero);
        Assert.That(ring.Ring.Next(), Is.EqualTo(1));
        Assert.That(ring.Ring.Next(3), Is.EqualTo(4), "the highest of three");
        Assert.That(ring.Ring.Cursor, Is.EqualTo(-1), "nothing is published yet");
        ring.Ring.Publish(0, 4);
        Assert.That(ring.Ring.Cursor, Is.EqualTo(4));
    }

    [Test]
    public void Without_consumers_nothing_holds_the_producer_back()
    {
        using var ring = new TestRing<Stamp>(2);
        for (int i = 0; i < 100; i++)
            ring.Ring.Publish(ring.Ring.Next());
        Assert.That(ring.Ring.Cursor, Is.EqualTo(99));
        Assert.That(ring.Ring.GetMinimumGatingSequence(), Is.EqualTo(99));
    }

    [Test]
    public void A_full_ring_refuses_and_takes_again_as_the_consumer_moves()
    {
        using var ring = new TestRing<Stamp>(4);
        var consumer = new Sequence();
        ring.Ring.AddGatingSequences(consumer);
        Assert.That(ring.Ring.TryNext(4, out long last), Is.True);
        Assert.That(last, Is.EqualTo(3));
        ring.Ring.Publish(0, 3);
        Assert.That(ring.Ring.TryNext(out _), Is.False);
        Assert.That(ring.Ring.GetRemainingCapacity(), Is.Zero);
        consumer.SetValue(1);
        Assert.That(ring.Ring.GetRemainingCapacity(), Is.EqualTo(2));
        Assert.That(ring.Ring.HasAvailableCapacity(2), Is.True);
        Assert.That(ring.Ring.HasAvailableCapacity(3), Is.False);
        Assert.That(ring.Ring.TryNext(3, out _), Is.False, "all or nothing");
        Assert.That(ring.Ring.TryNext(2, out last), Is.True);
        Assert.That(last, Is.EqualTo(5));
    }

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(5)]
    [TestCase(int.MaxValue)]
    [TestCase(int.MinValue)]
    public void A_claim_that_can_never_be_had_is_refused(int count)
    {
        using var ring = new TestRing<Stamp>(4);
        Assert.That(() => ring.Ring.Next(count), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("1 to 4"));
        Assert.That(() => ring.Ring.TryNext(count, out _), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(ring.Ring.Next(), Is.Zero, "nothing was claimed");
    }

    [Test]
    public void A_claim_of_the_whole_ring_waits_for_the_slowest_consumer()
    {
        using var ring = new TestRing<Stamp>(4);
        Sequence fast = new(), slow = new();
        ring.Ring.AddGatingSequences(fast, slow);
        ring.Ring.Publish(ring.Ring.Next());
        long claimed = -1;
        Worker producer = Worker.Start("producer", () => claimed = ring.Ring.Next(4));
        fast.SetValue(0);
        Assert.That(producer.IsAlive, Is.True);
        slow.SetValue(0);
        producer.Join();
        Assert.That(claimed, Is.EqualTo(4));
    }

    [TestCase(0)]
    [TestCase(-8)]
    [TestCase(3)]
    [TestCase(6)]
    public void A_size_that_is_no_power_of_two_is_refused(int size) =>
        Assert.That(() => new SingleProducerSequencer(size), Throws.ArgumentException.With.Message.Contains("power of two"));

    [Test]
    public void Several_producers_are_refused_by_name()
    {
        using var memory = UnmanagedRingBufferMemory.Allocate(4, 64);
        Assert.That(
            () => new UnmanagedRingBuffer<Stamp>(memory, ProducerType.Multi, new YieldingWaitStrategy()),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("Multi"));
    }

    [Test]
    public void A_ring_of_one_slot_works()
    {
        using var ring = new TestRing<Stamp>(1);
        var consumer = new Sequence();
        ring.Ring.AddGatingSequences(consumer);
        for (long i = 0; i < 10; i++)
        {
            Assert.That(ring.Ring.TryNext(out long sequence), Is.True, $"event {i}");
            ring.Ring.Publish(sequence);
            Assert.That(ring.Ring.TryNext(out _), Is.False, $"event {i}");
            consumer.SetValue(sequence);
        }
    }

    [Test]
    public void A_consumer_that_joins_late_starts_at_the_cursor_and_gates_from_there()
    {
        using var ring = new TestRing<Stamp>(4);
        for (int i = 0; i < 10; i++)
            ring.Ring.Publish(ring.Ring.Next());
        var late = new Sequence();
        ring.Ring.AddGatingSequences(late);
        Assert.That(late.Value, Is.EqualTo(9));
        Assert.That(ring.Ring.TryNext(4, out long last), Is.True);
        ring.Ring.Publish(last);
        Assert.That(ring.Ring.TryNext(out _), Is.False);
        Assert.That(ring.Ring.RemoveGatingSequence(late), Is.True);
        Assert.That(ring.Ring.TryNext(out _), Is.True);
        Assert.That(ring.Ring.RemoveGatingSequence(late), Is.False, "it was removed before");
    }

    [Test]
    public void Claim_moves_the_producer_and_forgets_what_it_knew_of_the_consumers()
    {
        var sequencer = new SingleProducerSequencer(4, new YieldingWaitStrategy());
        var consumer = new Sequence();
        sequencer.AddGatingSequences(consumer);
        sequencer.Claim(99);
        consumer.SetValue(99);
        Assert.That(sequencer.Next(), Is.EqualTo(100));
        sequencer.Publish(100);
        Assert.That(sequencer.IsAvailable(100), Is.True);
        Assert.That(sequencer.IsAvailable(101), Is.False);
        Assert.That(sequencer.IsAvailable(96), Is.False, "overwritten");
        sequencer.Claim(9);
        consumer.SetValue(5);
        Assert.That(sequencer.TryNext(out _), Is.False, "one lap ahead of the consumer");
    }

    [Test]
    public void Scopes_publish_what_they_claimed()
    {
        using var ring = new TestRing<Stamp>(8);
        var consumer = new Sequence();
        ring.Ring.AddGatingSequences(consumer);
        using (UnmanagedRingBuffer<Stamp>.UnpublishedEventScope scope = ring.Ring.PublishEvent())
        {
            scope.Event().Write(scope.Sequence);
            Assert.That(ring.Ring.Cursor, Is.EqualTo(-1));
        }

        using (UnmanagedRingBuffer<Stamp>.UnpublishedEventBatchScope scope = ring.Ring.PublishEvents(3))
        {
            Assert.That((scope.StartSequence, scope.EndSequence), Is.EqualTo((1L, 3L)));
            for (int i = 0; i < 3; i++)
                scope.Event(i).Write(scope.StartSequence + i);
            Assert.That(ring.Ring.Cursor, Is.Zero);
        }

        for (long sequence = 0; sequence <= 3; sequence++)
            Assert.That(ring.Ring[sequence].IsFrom(sequence), Is.True, $"event {sequence}");
        Assert.That(ring.Ring.Cursor, Is.EqualTo(3));
    }

    [Test]
    public void A_scope_without_room_is_empty_and_publishes_nothing()
    {
        using var ring = new TestRing<Stamp>(2);
        ring.Ring.AddGatingSequences(new Sequence());
        using (UnmanagedRingBuffer<Stamp>.NullableUnpublishedEventBatchScope scope = ring.Ring.TryPublishEvents(2))
        {
            Assert.That(scope.HasEvents && scope.TryGetEvents(out _), Is.True);
            scope.TryGetEvents(out UnmanagedRingBuffer<Stamp>.EventBatchRef events);
            events.Event(1).Write(events.EndSequence);
        }

        Assert.That(ring.Ring.Cursor, Is.EqualTo(1));
        using (UnmanagedRingBuffer<Stamp>.NullableUnpublishedEventScope scope = ring.Ring.TryPublishEvent())
            Assert.That(scope.HasEvent || scope.TryGetEvent(out _), Is.False);
        using (UnmanagedRingBuffer<Stamp>.NullableUnpublishedEventBatchScope scope = ring.Ring.TryPublishEvents(1))
            Assert.That(scope.HasEvents, Is.False);
        Assert.That(ring.Ring.Cursor, Is.EqualTo(1));
    }

    [Test]
    public void Slots_gives_the_contiguous_part_up_to_the_wrap()
    {
        using var ring = new TestRing<Stamp>(8);
        Span<Stamp> whole = ring.Ring.Slots(8, 15);
        Assert.That(whole.Length, Is.EqualTo(8));
        Span<Stamp> first = ring.Ring.Slots(6, 9);
        Assert.That(first.Length, Is.EqualTo(2), "6 and 7, then the ring wraps");
        first[1].Write(7);
        Assert.That(ring.Ring[7].IsFrom(7), Is.True);
        Assert.That(ring.Ring.Slots(8, 9).Length, Is.EqualTo(2));
        Assert.That(() => { ring.Ring.Slots(9, 8); }, Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Slots_that_lie_apart_are_no_span()
    {
        using var ring = new TestRing<Stamp>(8, slotBytes: 128);
        Assert.That(() => { ring.Ring.Slots(0, 1); }, Throws.TypeOf<NotSupportedException>().With.Message.Contains("apart"));
    }
}
