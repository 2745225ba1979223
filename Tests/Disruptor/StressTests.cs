using Disruptor;
using Disruptor.Dsl;
using NUnit.Framework;

namespace MarginEngine.Tests.DisruptorTests;

/// <summary>
/// Tens of millions of hops between threads, every value checked: a slot read one lap early or late, torn, or before its
/// upstream stage is a failure. RING_STRESS_SCALE multiplies the number of events.
/// </summary>
public sealed class StressTests
{
    /// <summary>1 in a normal test run.</summary>
    internal static readonly int Scale =
        int.TryParse(Environment.GetEnvironmentVariable("RING_STRESS_SCALE"), out int scale) && scale > 0 ? scale : 1;

    [TestCase("yielding", 4096, 1, 6_000_000)]
    [TestCase("yielding", 1, 1, 30_000)]
    [TestCase("yielding", 2, 1, 100_000)]
    [TestCase("yielding", 64, 7, 4_000_000)]
    [TestCase("busy spin", 1024, 1, 1_000_000)]
    [TestCase("parking", 1024, 1, 6_000_000)]
    [TestCase("parking", 2, 2, 100_000)]
    [TestCase("blocking", 1024, 10, 3_000_000)]
    public void One_to_one(string strategy, int ring, int batch, int events)
    {
        using var test = new TestDisruptor(ring, Strategies.Make(strategy));
        var last = new CheckingHandler(0);
        test.Disruptor.HandleEventsWith(last);
        Run(test, events, batch, last);
    }

    [TestCase("yielding", 1024, 1, 2_000_000)]
    [TestCase("yielding", 4, 1, 30_000)]
    [TestCase("parking", 1024, 5, 1_500_000)]
    [TestCase("blocking", 256, 16, 1_000_000)]
    public void A_chain_of_three(string strategy, int ring, int batch, int events)
    {
        using var test = new TestDisruptor(ring, Strategies.Make(strategy));
        CheckingHandler first = new(1), second = new(2), third = new(3);
        test.Disruptor.HandleEventsWith(first).Then(second).Then(third);
        Run(test, events, batch, first, second, third);
    }

    [TestCase("yielding", 1024, 1, 1_500_000)]
    [TestCase("yielding", 2, 1, 15_000)]
    [TestCase("parking", 512, 3, 1_500_000)]
    [TestCase("blocking", 512, 16, 1_000_000)]
    public void A_diamond(string strategy, int ring, int batch, int events)
    {
        using var test = new TestDisruptor(ring, Strategies.Make(strategy));
        CheckingHandler left = new(1), right = new(-1), join = new(2);
        test.Disruptor.HandleEventsWith(left, right).Then(join);
        Run(test, events, batch, left, right, join);
    }

    [TestCase("yielding", 256, 3_000_000)]
    [TestCase("parking", 256, 3_000_000)]
    public void Early_release_with_a_batch_limit(string strategy, int ring, int events)
    {
        using var test = new TestDisruptor(ring, Strategies.Make(strategy));
        var first = new CheckingHandler(1) { BatchLimit = 50, ReleaseEvery = 7 };
        var second = new CheckingHandler(2) { BatchLimit = 3 };
        test.Disruptor.HandleEventsWith(first).Then(second);
        Run(test, events, 1, first, second);
    }

    [TestCase(1024, 1, 4_000_000)]
    [TestCase(8, 3, 300_000)]
    public void Three_stages_polled_on_one_thread(int ring, int batch, int events)
    {
        using var test = new TestDisruptor(ring);
        SlotPoller<Stamp> first = test.Ring.NewPoller();
        SlotPoller<Stamp> second = test.Ring.NewPoller(first.Sequence);
        SlotPoller<Stamp> third = test.Ring.NewPoller(second.Sequence);
        test.Disruptor.HandleEventsWith(third);
        CheckingHandler one = new(1), two = new(2), three = new(3);
        Worker loop = Worker.Start("poll loop", () =>
        {
            while (third.IsRunning)
            {
                first.Poll(ref one, 64);
                second.Poll(ref two, 64);
                if (third.Poll(ref three, 64) == EventPoller.PollState.Idle)
                    Thread.Yield();
            }
        });
        Run(test, events, batch, one, two, three);
        loop.Join();
    }

    [TestCase("parking", 512, 2_000_000)]
    public void A_handler_thread_before_and_behind_a_polled_stage(string strategy, int ring, int events)
    {
        using var test = new TestDisruptor(ring, Strategies.Make(strategy));
        CheckingHandler one = new(1), two = new(2), three = new(3);
        test.Disruptor.HandleEventsWith(one);
        SlotPoller<Stamp> poller = test.Ring.NewPoller(one.Callback!);
        test.Disruptor.HandleEventsWith(poller).Then(three);
        Worker loop = Worker.Start("poll loop", () =>
        {
            while (poller.IsRunning)
            {
                if (poller.Poll(ref two, 100) != EventPoller.PollState.Processing)
                    Thread.Yield();
            }
        });
        Run(test, events, 1, one, two, three);
        loop.Join();
    }

    [Test]
    public void Consumers_join_and_leave_a_running_ring()
    {
        using var test = new TestDisruptor(64);
        var constant = new CheckingHandler(0);
        test.Disruptor.HandleEventsWith(constant);
        test.Start();
        bool stop = false;
        Worker producer = Worker.Start("producer", () =>
        {
            while (!Volatile.Read(ref stop))
                Publish(test.Ring, 1);
        });
        for (int round = 0; round < 100 * Scale; round++)
        {
            SlotPoller<Stamp> guest = test.Ring.NewPoller();
            test.Ring.AddGatingSequences(guest.Sequence);
            long from = guest.Sequence.Value;
            var handler = new CheckingHandler(0) { Next = from + 1 };
            Deadline.Until(() => { guest.Poll(ref handler); return guest.Sequence.Value >= from + 200; }, $"200 events of guest {round}");
            test.Ring.RemoveGatingSequence(guest.Sequence);
            Assert.That(handler.FirstBad, Is.Null, $"guest {round} from {from}");
        }

        Volatile.Write(ref stop, true);
        producer.Join();
        Deadline.Of(test.Disruptor.Shutdown(), "the drain");
        Assert.That(constant.FirstBad, Is.Null);
    }

    private static void Run(TestDisruptor test, int events, int batch, params CheckingHandler[] handlers)
    {
        long total = (long)events * Scale / batch * batch;
        test.Start();
        Worker producer = Worker.Start("producer", () =>
        {
            for (long sent = 0; sent < total; sent += batch)
                Publish(test.Ring, batch);
        });
        Deadline.Until(() => !producer.IsAlive || test.Ring.Fault is not null, $"the publication of {total} events");
        producer.Join();
        Deadline.Of(test.Disruptor.Shutdown(), $"the drain of {total} events");
        for (int i = 0; i < handlers.Length; i++)
        {
            Assert.That(handlers[i].FirstBad, Is.Null, $"handler {i}");
            Assert.That(handlers[i].Next, Is.EqualTo(total), $"events of handler {i}");
        }
    }

    private static void Publish(UnmanagedRingBuffer<Stamp> ring, int count)
    {
        long hi = ring.Next(count);
        long lo = hi - count + 1;
        for (long sequence = lo; sequence <= hi; sequence++)
        {
            ring[sequence].Write(sequence);
            ring[sequence].First = ring[sequence].Second = ring[sequence].Third = 0;
        }

        ring.Publish(lo, hi);
    }

    /// <summary>
    /// Checks the producer's words and those of every stage before; writes its own. Stage 0 and the right side of a diamond (-1)
    /// write nothing.
    /// </summary>
    private sealed class CheckingHandler(int stage) : IValueEventHandler<Stamp>, IEventProcessorSequenceAware
    {
        internal int? BatchLimit { get; init; }

        internal int ReleaseEvery { get; init; }

        internal long Next { get; set; }

        internal string? FirstBad { get; private set; }

        internal Sequence? Callback { get; private set; }

        public int? MaxBatchSize => BatchLimit;

        public void SetSequenceCallback(Sequence sequenceCallback) => Callback = sequenceCallback;

        public void OnEvent(ref Stamp data, long sequence, bool endOfBatch)
        {
            bool good = sequence == Next
                && data.IsFrom(sequence)
                && (stage < 2 || data.First == Stamp.ProofOf(sequence, 1))
                && (stage < 3 || data.Second == Stamp.ProofOf(sequence, 2));
            if (!good)
                FirstBad ??= $"stage {stage} expected {Next}, got {sequence}; slot: {data.Sequence} {data.First:X} {data.Second:X}";
            switch (stage)
            {
                case 1: data.First = Stamp.ProofOf(sequence, 1); break;
                case 2: data.Second = Stamp.ProofOf(sequence, 2); break;
                case 3: data.Third = Stamp.ProofOf(sequence, 3); break;
            }

            Next = sequence + 1;
            if (ReleaseEvery > 0 && sequence % ReleaseEvery == 0)
                Callback!.SetValue(sequence);
        }
    }
}
