using Disruptor;
using Disruptor.Dsl;
using NUnit.Framework;

namespace MarginEngine.Tests.DisruptorTests;

/// <summary>The pull model: several stages on the caller's thread.</summary>
public sealed class PollerTests
{
    [Test]
    public void A_poll_tells_idle_from_gating_from_processing()
    {
        using var ring = new TestRing<Stamp>(8);
        SlotPoller<Stamp> first = ring.Ring.NewPoller();
        SlotPoller<Stamp> second = ring.Ring.NewPoller(first.Sequence);
        var handler = new ProbeHandler();
        Assert.That(first.Poll(ref handler), Is.EqualTo(EventPoller.PollState.Idle));
        Assert.That(second.Poll(ref handler), Is.EqualTo(EventPoller.PollState.Idle));
        Publish(ring, 1);
        Assert.That(second.Poll(ref handler), Is.EqualTo(EventPoller.PollState.Gating), "the first has not been there");
        Assert.That(first.Poll(ref handler), Is.EqualTo(EventPoller.PollState.Processing));
        Assert.That(second.Poll(ref handler), Is.EqualTo(EventPoller.PollState.Processing));
        Assert.That(second.Poll(ref handler), Is.EqualTo(EventPoller.PollState.Idle));
        Assert.That(handler.Seen, Is.EqualTo(new long[] { 0, 0 }));
    }

    [Test]
    public void Stages_polled_in_any_order_keep_their_order_per_event()
    {
        using var ring = new TestRing<Stamp>(8);
        SlotPoller<Stamp> left = ring.Ring.NewPoller();
        SlotPoller<Stamp> right = ring.Ring.NewPoller();
        SlotPoller<Stamp> join = ring.Ring.NewPoller(left.Sequence, right.Sequence);
        ring.Ring.AddGatingSequences(join.Sequence);
        ProbeHandler onLeft = new(), onRight = new();
        var onJoin = new ProbeHandler
        {
            OnEach = (sequence, _) => Assert.That(Math.Min(onLeft.Handled, onRight.Handled), Is.GreaterThanOrEqualTo(sequence)),
        };
        const int Seed = 11;
        var random = new Random(Seed);
        int published = 0;
        for (int turn = 0; turn < 20_000; turn++)
        {
            switch (random.Next(4))
            {
                case 0: left.Poll(ref onLeft, random.Next(1, 5)); break;
                case 1: right.Poll(ref onRight); break;
                case 2: join.Poll(ref onJoin, random.Next(1, 3)); break;
                default:
                    if (ring.Ring.HasAvailableCapacity(1))
                    {
                        Publish(ring, 1);
                        published++;
                    }

                    break;
            }
        }

        Assert.That(published, Is.GreaterThan(1000), $"seed {Seed}");
        Assert.That(onJoin.Seen, Is.EqualTo(Enumerable.Range(0, onJoin.Seen.Count)), $"seed {Seed}");
        Assert.That(onJoin.Seen.Count, Is.InRange(published - 8, published), $"seed {Seed}: at most one ring is left");
    }

    [TestCase(1, new long[] { 1, 1, 1, 1, 1 })]
    [TestCase(2, new long[] { 2, 2, 1 })]
    [TestCase(99, new long[] { 5 })]
    public void A_poll_is_cut_at_the_limit_and_released_whole(int limit, long[] sizes)
    {
        using var ring = new TestRing<Stamp>(8);
        SlotPoller<Stamp> poller = ring.Ring.NewPoller();
        var handler = new ProbeHandler();
        Publish(ring, 5);
        long released = -1;
        foreach (long size in sizes)
        {
            poller.Poll(ref handler, limit);
            Assert.That(poller.Sequence.Value, Is.EqualTo(released += size));
        }

        Assert.That(handler.BatchSizes, Is.EqualTo(sizes));
        Assert.That(handler.BatchEnds, Has.Count.EqualTo(sizes.Length));
    }

    [Test]
    public void A_limit_that_could_never_progress_is_refused()
    {
        using var ring = new TestRing<Stamp>(8);
        SlotPoller<Stamp> poller = ring.Ring.NewPoller();
        Publish(ring, 1);
        var handler = new ProbeHandler();
        Assert.That(() => poller.Poll(ref handler, 0), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void A_delegate_ends_the_poll_by_returning_false()
    {
        using var ring = new TestRing<Stamp>(8);
        var sequencer = new SingleProducerSequencer(8, new YieldingWaitStrategy());
        using var memory = UnmanagedRingBufferMemory.Allocate(8, 64);
        var own = new UnmanagedRingBuffer<Stamp>(memory.PointerToFirstEvent, memory.EventSize, sequencer);
        ValueEventPoller<Stamp> poller = sequencer.NewPoller(own);
        own.Publish(own.Next(5));
        var seen = new List<(long, bool)>();
        bool UntilTwo(ref Stamp data, long sequence, bool endOfBatch)
        {
            seen.Add((sequence, endOfBatch));
            return sequence != 2;
        }

        Assert.That(poller.Poll(UntilTwo), Is.EqualTo(EventPoller.PollState.Processing));
        Assert.That(poller.Sequence.Value, Is.EqualTo(2));
        Assert.That(poller.Poll(UntilTwo), Is.EqualTo(EventPoller.PollState.Processing));
        Assert.That(seen, Is.EqualTo(new[] { (0L, false), (1L, false), (2L, false), (3L, false), (4L, true) }));
        Assert.That(poller.Poll(UntilTwo), Is.EqualTo(EventPoller.PollState.Idle));
    }

    [Test]
    public void A_delegate_that_throws_keeps_what_was_done_before()
    {
        using var ring = new TestRing<Stamp>(8);
        ValueEventPoller<Stamp> poller = ring.Ring.NewPoller();
        Publish(ring, 5);
        bool fails = true;
        bool ThrowAtThree(ref Stamp data, long sequence, bool endOfBatch) =>
            sequence == 3 && fails ? throw new IOException("three") : true;

        Assert.That(() => poller.Poll(ThrowAtThree), Throws.TypeOf<IOException>());
        Assert.That(poller.Sequence.Value, Is.EqualTo(2));
        fails = false;
        poller.Poll(ThrowAtThree);
        Assert.That(poller.Sequence.Value, Is.EqualTo(4));
    }

    [Test]
    public void A_handler_that_throws_releases_nothing_of_its_batch_and_is_found()
    {
        using var ring = new TestRing<Stamp>(8);
        SlotPoller<Stamp> poller = ring.Ring.NewPoller();
        var handler = new ProbeHandler { OnEach = (sequence, _) => { if (sequence == 3) throw new IOException("three"); } };
        Publish(ring, 2);
        poller.Poll(ref handler);
        Publish(ring, 3);
        Assert.That(() => poller.Poll(ref handler), Throws.TypeOf<IOException>());
        Assert.That(poller.Sequence.Value, Is.EqualTo(1), "what a journaller has not flushed must not be released");
        Assert.That(poller.FailedSequence, Is.EqualTo(3));
    }

    [Test]
    public void A_polled_handler_releases_early_through_the_pollers_sequence()
    {
        using var ring = new TestRing<Stamp>(8);
        SlotPoller<Stamp> first = ring.Ring.NewPoller();
        SlotPoller<Stamp> second = ring.Ring.NewPoller(first.Sequence);
        var onSecond = new ProbeHandler();
        var onFirst = new ProbeHandler
        {
            OnEach = (sequence, _) =>
            {
                first.Sequence.SetValue(sequence - 1);
                second.Poll(ref onSecond);
            },
        };
        Publish(ring, 5);
        first.Poll(ref onFirst);
        Assert.That(onSecond.Seen, Is.EqualTo(new long[] { 0, 1, 2, 3 }), "polled within the first one's batch");
    }

    [Test]
    public void A_message_of_several_slots_is_seen_whole_or_not_at_all()
    {
        using var ring = new TestRing<Stamp>(8);
        SlotPoller<Stamp> poller = ring.Ring.NewPoller();
        ring.Ring.AddGatingSequences(poller.Sequence);
        var handler = new ProbeHandler();
        const int Seed = 5;
        var random = new Random(Seed);
        long expected = 0;
        for (int message = 0; message < 2_000; message++)
        {
            int slots = random.Next(1, 9);
            Assert.That(ring.Ring.TryNext(slots, out long hi), Is.True, $"seed {Seed}, message {message}");
            long lo = hi - slots + 1;
            for (long sequence = lo; sequence <= hi; sequence++)
                ring.Ring[sequence].Write(sequence);
            Assert.That(poller.Poll(ref handler), Is.EqualTo(EventPoller.PollState.Idle), $"seed {Seed}, message {message}: unpublished");
            ring.Ring.Publish(lo, hi);
            poller.Poll(ref handler);
            expected += slots;
            Assert.That(handler.Handled, Is.EqualTo(expected - 1), $"seed {Seed}, message {message}");
        }

        Assert.That(handler.BatchSizes, Has.Count.EqualTo(2_000));
    }

    private static void Publish(TestRing<Stamp> ring, int count)
    {
        for (int i = 0; i < count; i++)
        {
            long sequence = ring.Ring.Next();
            ring.Ring[sequence].Write(sequence);
            ring.Ring.Publish(sequence);
        }
    }
}
