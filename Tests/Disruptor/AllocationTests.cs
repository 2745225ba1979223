using Disruptor;
using Disruptor.Dsl;
using NUnit.Framework;

namespace MarginEngine.Tests.DisruptorTests;

/// <summary>Not a byte is allocated after the start, on any thread of the ring.</summary>
public sealed class AllocationTests
{
    private const int Events = 1_000_000;

    [TestCase("yielding")]
    [TestCase("sleeping")]
    [TestCase("blocking")]
    [TestCase("parking")]
    public void Neither_producer_nor_handlers_allocate_over_a_million_events(string strategy)
    {
        using var test = new TestDisruptor(1024, Strategies.Make(strategy));
        MeteredHandler first = new(), second = new();
        test.Disruptor.HandleEventsWith(first).Then(second);
        test.Start();
        Publish(test.Ring, 1000); // first calls
        long before = GC.GetAllocatedBytesForCurrentThread();
        Publish(test.Ring, Events);
        long produced = GC.GetAllocatedBytesForCurrentThread() - before;
        Deadline.Of(test.Disruptor.Shutdown(), "the drain");
        Assert.That(produced, Is.Zero, "bytes of the producer");
        Assert.That((first.Bytes, second.Bytes), Is.EqualTo((0L, 0L)), "bytes of the handlers");
        Assert.That(first.Bad + second.Bad, Is.Zero);
    }

    [Test]
    public void Polling_three_stages_on_one_thread_does_not_allocate()
    {
        using var ring = new TestRing<Stamp>(1024);
        SlotPoller<Stamp> first = ring.Ring.NewPoller();
        SlotPoller<Stamp> second = ring.Ring.NewPoller(first.Sequence);
        SlotPoller<Stamp> third = ring.Ring.NewPoller(second.Sequence);
        ring.Ring.AddGatingSequences(third.Sequence);
        long count = 0;
        EventPoller.ValueHandler<Stamp> byDelegate = (ref Stamp data, long sequence, bool _) =>
        {
            count++;
            return data.IsFrom(sequence);
        };
        var counting = new CountingHandler();
        for (int round = 0; round < 2; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < Events; i++)
            {
                Publish(ring.Ring, 1);
                first.Poll(ref counting, 16);
                second.Poll(byDelegate);
                third.Poll(ref counting);
            }

            if (round == 1)
                Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        }

        Assert.That((counting.Count, counting.Bad, count), Is.EqualTo((4L * Events, 0L, 2L * Events)));
    }

    private static void Publish(UnmanagedRingBuffer<Stamp> ring, int count)
    {
        for (int i = 0; i < count; i++)
        {
            long sequence = ring.Next();
            ring[sequence].Write(sequence);
            ring.Publish(sequence);
        }
    }

    private struct CountingHandler : IValueEventHandler<Stamp>
    {
        internal long Count;
        internal long Bad;

        public void OnEvent(ref Stamp data, long sequence, bool endOfBatch)
        {
            Count++;
            if (!data.IsFrom(sequence))
                Bad++;
        }
    }

    /// <summary>Counts what its own thread allocates from its thousandth event on.</summary>
    private sealed class MeteredHandler : IValueEventHandler<Stamp>
    {
        private long _before;

        internal long Bytes { get; private set; } = -1;

        internal long Bad { get; private set; }

        public void OnEvent(ref Stamp data, long sequence, bool endOfBatch)
        {
            if (!data.IsFrom(sequence))
                Bad++;
            if (sequence == 999)
                _before = GC.GetAllocatedBytesForCurrentThread();
            if (sequence == Events)
                Bytes = GC.GetAllocatedBytesForCurrentThread() - _before;
        }
    }
}
