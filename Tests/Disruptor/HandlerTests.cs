using Disruptor;
using Disruptor.Dsl;
using Disruptor.Processing;
using NUnit.Framework;

namespace MarginEngine.Tests.DisruptorTests;

/// <summary>What a handler sees: order, batches, their limit and end, its life cycle.</summary>
public sealed class HandlerTests
{
    [TestCaseSource(typeof(Strategies), nameof(Strategies.Names))]
    public void Every_event_comes_once_and_in_order(string strategy)
    {
        using var test = new TestDisruptor(16, Strategies.Make(strategy));
        var handler = new ProbeHandler();
        test.Disruptor.HandleEventsWith(handler);
        test.Start();
        test.Publish(1000);
        Deadline.Of(test.Disruptor.Shutdown(), "the drain");
        Assert.That(handler.Seen, Is.EqualTo(Enumerable.Range(0, 1000)));
    }

    [Test]
    public void What_is_published_together_is_one_batch_and_its_last_event_ends_it()
    {
        using var test = new TestDisruptor(16);
        var handler = new ProbeHandler();
        test.Disruptor.HandleEventsWith(handler);
        test.Publish(5); // before the start: all five are there when the handler looks
        test.Start();
        Deadline.Until(() => handler.Handled == 4, "the first batch");
        using (UnmanagedRingBuffer<Stamp>.UnpublishedEventBatchScope scope = test.Disruptor.PublishEvents(3))
        {
            for (int i = 0; i < 3; i++)
                scope.Event(i).Write(scope.StartSequence + i);
        }

        Deadline.Of(test.Disruptor.Shutdown(), "the drain");
        Assert.That(handler.BatchSizes, Is.EqualTo(new long[] { 5, 3 }));
        Assert.That(handler.BatchEnds, Is.EqualTo(new long[] { 4, 7 }));
    }

    [TestCase(1, new long[] { 1, 1, 1, 1, 1, 1, 1 })]
    [TestCase(3, new long[] { 3, 3, 1 })]
    [TestCase(7, new long[] { 7 })]
    [TestCase(int.MaxValue, new long[] { 7 })]
    public void A_batch_is_cut_at_the_handlers_limit(int limit, long[] sizes)
    {
        using var test = new TestDisruptor(16);
        var handler = new ProbeHandler { BatchLimit = limit };
        test.Disruptor.HandleEventsWith(handler);
        test.Publish(7);
        test.Start();
        Deadline.Of(test.Disruptor.Shutdown(), "the drain");
        Assert.That(handler.BatchSizes, Is.EqualTo(sizes));
        Assert.That(handler.BatchEnds, Is.EqualTo(sizes.Select((_, i) => sizes.Take(i + 1).Sum() - 1)));
    }

    [TestCase(0)]
    [TestCase(-1)]
    public void A_limit_that_could_never_progress_is_refused(int limit)
    {
        using var test = new TestDisruptor(16);
        Assert.That(
            () => test.Disruptor.HandleEventsWith(new ProbeHandler { BatchLimit = limit }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("MaxBatchSize"));
    }

    [Test]
    public void A_cut_batch_is_released_at_the_cut()
    {
        using var test = new TestDisruptor(16);
        using var held = new ManualResetEventSlim();
        var handler = new ProbeHandler { BatchLimit = 3, OnEach = (sequence, _) => { if (sequence == 4) held.Wait(); } };
        test.Disruptor.HandleEventsWith(handler);
        test.Publish(7);
        test.Start();
        Deadline.Until(() => handler.Handled == 3, "the handler to reach the held event");
        Assert.That(test.Disruptor.GetSequenceValueFor(handler), Is.EqualTo(2), "the first three are released, the second batch is not");
        held.Set();
        Deadline.Of(test.Disruptor.Shutdown(), "the drain");
    }

    [Test]
    public void Early_release_lets_the_producer_go_on_within_a_batch()
    {
        using var test = new TestDisruptor(4);
        using var held = new ManualResetEventSlim();
        ProbeHandler? handler = null;
        handler = new ProbeHandler
        {
            OnEach = (sequence, _) =>
            {
                if (sequence != 3)
                    return;
                handler!.Callback!.SetValue(1);
                held.Wait();
            },
        };
        test.Disruptor.HandleEventsWith(handler);
        test.Publish(4);
        Assert.That(test.Ring.TryNext(out _), Is.False);
        test.Start();
        Deadline.Until(() => handler.Handled == 2, "the handler to reach the held event");
        Deadline.Until(() => test.Ring.HasAvailableCapacity(2), "room for the two events released early");
        Assert.That(test.Ring.HasAvailableCapacity(3), Is.False);
        held.Set();
        Deadline.Of(test.Disruptor.Shutdown(), "the drain");
    }

    [Test]
    public void Start_and_shutdown_are_called_once_on_the_handlers_own_thread()
    {
        using var test = new TestDisruptor(16);
        var calls = new List<(string Name, int Thread)>();
        ProbeHandler handler = new()
        {
            Starting = () => calls.Add(("start", Environment.CurrentManagedThreadId)),
            OnEach = (_, _) => calls.Add(("event", Environment.CurrentManagedThreadId)),
            ShuttingDown = () => calls.Add(("shutdown", Environment.CurrentManagedThreadId)),
        };
        test.Disruptor.HandleEventsWith(handler);
        test.Publish(1);
        test.Start();
        Deadline.Of(test.Disruptor.Shutdown(), "the drain");
        Assert.That(calls.Select(call => call.Name), Is.EqualTo(new[] { "start", "event", "shutdown" }));
        Assert.That(calls.Select(call => call.Thread).Distinct().Count(), Is.EqualTo(1));
        Assert.That(calls[0].Thread, Is.Not.EqualTo(Environment.CurrentManagedThreadId));
    }

    [Test]
    public void Start_ends_when_every_OnStart_has_run()
    {
        using var test = new TestDisruptor(16);
        using var held = new ManualResetEventSlim();
        test.Disruptor.HandleEventsWith(new ProbeHandler(), new ProbeHandler { Starting = held.Wait });
        Task started = test.Disruptor.Start();
        Assert.That(started.IsCompleted, Is.False);
        held.Set();
        Deadline.Of(started, "the start");
    }

    [Test]
    public void A_processor_can_be_halted_and_started_again_where_it_stopped()
    {
        using var ring = new TestRing<Stamp>(16);
        var handler = new ProbeHandler();
        IValueEventProcessor<Stamp> processor =
            EventProcessorFactory.Create(ring.Ring, ring.Ring.NewBarrier(SequenceWaiterOwner.EventHandler(handler)), handler);
        ring.Ring.AddGatingSequences(processor.Sequence);
        for (int round = 0; round < 5; round++)
        {
            Deadline.Of(processor.Start(), $"start {round}");
            Assert.That(() => processor.Start(), Throws.InvalidOperationException, "it is running");
            for (int i = 0; i < 10; i++)
            {
                long sequence = ring.Ring.Next();
                ring.Ring[sequence].Write(sequence);
                ring.Ring.Publish(sequence);
            }

            Deadline.Until(() => processor.Sequence.Value == ring.Ring.Cursor, $"the events of round {round}");
            Deadline.Of(processor.Halt(), $"halt {round}");
            Assert.That(processor.IsRunning, Is.False);
        }

        processor.Dispose();
        Assert.That(handler.Seen, Is.EqualTo(Enumerable.Range(0, 50)));
    }

    [Test]
    public void A_struct_handler_is_compiled_into_its_own_processor()
    {
        using var ring = new TestRing<Stamp>(16);
        var sums = new long[2];
        var processor = new ValueEventProcessor<Stamp, SummingHandler>(
            ring.Ring, ring.Ring.NewBarrier(SequenceWaiterOwner.Unknown), new SummingHandler(sums));
        ring.Ring.AddGatingSequences(processor.Sequence);
        Deadline.Of(processor.Start(), "the start");
        for (int i = 0; i < 100; i++)
        {
            long sequence = ring.Ring.Next();
            ring.Ring[sequence].Write(sequence);
            ring.Ring.Publish(sequence);
        }

        Deadline.Until(() => processor.Sequence.Value == 99, "the events");
        Deadline.Of(processor.Halt(), "the halt");
        Assert.That(sums, Is.EqualTo(new long[] { 4950, 99 }), "sum, and the sequence seen through the callback kept in the struct");
    }

    private struct SummingHandler(long[] sums) : IValueEventHandler<Stamp>, IEventProcessorSequenceAware
    {
        private Sequence? _own;

        public void SetSequenceCallback(Sequence sequenceCallback) => _own = sequenceCallback;

        public readonly void OnEvent(ref Stamp data, long sequence, bool endOfBatch)
        {
            sums[0] += data.Sequence;
            _own!.SetValue(sequence);
            sums[1] = _own.Value;
        }
    }

    private struct Boxless : IValueEventHandler<Stamp>
    {
        public readonly void OnEvent(ref Stamp data, long sequence, bool endOfBatch)
        {
        }
    }

    [Test]
    public void Only_a_handler_with_its_own_OnBatchStart_is_told_of_batches()
    {
        Assert.That(BatchStart<Stamp, Boxless>.IsImplemented, Is.False, "the call would box the struct");
        Assert.That(BatchStart<Stamp, ProbeHandler>.IsImplemented, Is.True);
        Assert.That(BatchStart<Stamp, IValueEventHandler<Stamp>>.IsImplemented, Is.True, "anything can be behind the interface");
    }

    [Test]
    public void A_scheduler_that_gives_no_thread_leaves_the_processor_startable()
    {
        using var ring = new TestRing<Stamp>(16);
        var handler = new ProbeHandler();
        IEventProcessor processor = ring.Ring.CreateEventProcessor(ring.Ring.NewBarrier(SequenceWaiterOwner.Unknown), handler);
        var broken = new HandlerThreadScheduler((_, _) => throw new IOException("no thread"));
        Assert.That(() => processor.Start(broken), Throws.TypeOf<TaskSchedulerException>());
        Assert.That(processor.IsRunning, Is.False);
        Deadline.Of(processor.Halt(), "a halt of what never ran");
        Deadline.Of(processor.Start(), "the start");
        Deadline.Of(processor.Halt(), "the halt");
    }

    [Test]
    public void Threads_come_from_the_programs_starter_and_are_named_after_the_handler()
    {
        using var memory = UnmanagedRingBufferMemory.Allocate(16, 64);
        var threads = new List<Thread>();
        var scheduler = new HandlerThreadScheduler((body, name) =>
        {
            var thread = new Thread(() => body()) { Name = name, IsBackground = false };
            threads.Add(thread);
            thread.Start();
        });
        var disruptor = new UnmanagedDisruptor<Stamp>(
            memory.PointerToFirstEvent, 64, 16, scheduler, ProducerType.Single, new ParkingWaitStrategy());
        var ran = new List<Thread>();
        disruptor.HandleEventsWith(new ProbeHandler { Starting = () => ran.Add(Thread.CurrentThread) });
        Deadline.Of(disruptor.Start(), "the start");
        Deadline.Of(disruptor.Shutdown(), "the shutdown");
        Assert.That(ran, Is.EqualTo(threads));
        Assert.That(threads.ConvertAll(thread => thread.Name), Is.EqualTo(new[] { nameof(ProbeHandler) }));
        Deadline.Until(() => !threads[0].IsAlive, "the end of the thread");
    }
}
