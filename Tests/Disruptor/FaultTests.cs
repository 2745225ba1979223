using Disruptor;
using Disruptor.Dsl;
using NUnit.Framework;

namespace MarginEngine.Tests.DisruptorTests;

/// <summary>A handler that throws: nobody is left hanging, and everybody learns which handler and which sequence it was.</summary>
public sealed class FaultTests
{
    private const long Bad = 5;

    [TestCaseSource(typeof(Strategies), nameof(Strategies.Names))]
    public void A_producer_blocked_on_the_full_ring_is_released_with_the_failed_sequence(string strategy)
    {
        using var test = new TestDisruptor(8, Strategies.Make(strategy));
        using var full = new ManualResetEventSlim();
        var failing = new FailingHandler
        {
            OnEach = (sequence, _) =>
            {
                if (sequence != Bad)
                    return;
                full.Wait();
                throw new IOException("disk full");
            },
        };
        test.Disruptor.HandleEventsWith(failing);
        test.Start();
        Worker producer = Worker.Start("producer", () => test.Publish(100));
        Deadline.Until(() => test.Ring.GetRemainingCapacity() == 0, "a full ring");
        full.Set();
        var fault = producer.End() as RingFaultedException;
        AssertNamed(fault, "disk full");
        AssertNamed(Deadline.FaultOf<RingFaultedException>(test.Disruptor.Completion), "disk full");
    }

    [TestCaseSource(typeof(Strategies), nameof(Strategies.Names))]
    public void Stages_before_beside_and_behind_end_too(string strategy)
    {
        using var test = new TestDisruptor(8, Strategies.Make(strategy));
        int ended = 0;
        ProbeHandler Peer() => new() { ShuttingDown = () => Interlocked.Increment(ref ended) };
        var failing = new FailingHandler { OnEach = FailAtBad };
        ProbeHandler before = Peer(), beside = Peer(), behind = Peer();
        test.Disruptor.HandleEventsWith(before).Then(failing, beside).Then(behind);
        test.Start();
        Worker producer = Worker.Start("producer", () => test.Publish(100));
        AssertNamed(producer.End() as RingFaultedException, "bad event");
        Deadline.Until(() => !test.Disruptor.IsRunning, "the end of every stage");
        Assert.That(Volatile.Read(ref ended), Is.EqualTo(3), "each peer's OnShutdown");
        Assert.That(behind.Handled, Is.LessThan(Bad), "nothing passes the failed event");
        Assert.That(test.Disruptor.GetSequenceValueFor(failing), Is.LessThan(Bad));
    }

    [Test]
    public void Every_later_call_of_the_producer_throws()
    {
        using var test = new TestDisruptor(8);
        test.Disruptor.HandleEventsWith(new FailingHandler { OnEach = FailAtBad });
        test.Start();
        long claimed = test.Ring.Next(6);
        for (long sequence = 0; sequence <= claimed; sequence++)
            test.Ring[sequence].Write(sequence);
        test.Ring.Publish(0, claimed);
        Deadline.FaultOf<RingFaultedException>(test.Disruptor.Completion);
        UnmanagedRingBuffer<Stamp> ring = test.Ring;
        Assert.Multiple(() =>
        {
            Assert.That(() => ring.Next(), Throws.TypeOf<RingFaultedException>());
            Assert.That(() => ring.Next(2), Throws.TypeOf<RingFaultedException>());
            Assert.That(() => ring.TryNext(out _), Throws.TypeOf<RingFaultedException>(), "false would look like a full ring");
            Assert.That(() => ring.TryNext(2, out _), Throws.TypeOf<RingFaultedException>());
            Assert.That(() => ring.PublishEvent(), Throws.TypeOf<RingFaultedException>());
            Assert.That(() => ring.Publish(6), Throws.TypeOf<RingFaultedException>(), "an event claimed before the failure");
        });
        AssertNamed(ring.Fault, "bad event");
    }

    [Test]
    public void Shutdown_does_not_claim_success_over_unhandled_events()
    {
        using var test = new TestDisruptor(16);
        test.Disruptor.HandleEventsWith(new FailingHandler { OnEach = FailAtBad });
        test.Publish(10);
        Deadline.Of(test.Disruptor.Start(), "the start");
        var fault = Deadline.FaultOf<RingFaultedException>(test.Disruptor.Shutdown(TimeSpan.FromMinutes(1)));
        AssertNamed(fault, "bad event");
    }

    [Test]
    public void Completion_carries_the_handlers_own_exception()
    {
        using var test = new TestDisruptor(16);
        var cause = new IOException("the original");
        test.Disruptor.HandleEventsWith(new FailingHandler { OnEach = (_, _) => throw cause });
        test.Start();
        test.Publish(1);
        Assert.That(Deadline.FaultOf<RingFaultedException>(test.Disruptor.Completion).InnerException, Is.SameAs(cause));
    }

    [Test]
    public void The_first_failure_counts()
    {
        using var ring = new TestRing<Stamp>(8);
        ring.Ring.Fail(new RingFaultedException("First", 1, new IOException("one")));
        ring.Ring.Fail(new RingFaultedException("Second", 2, new IOException("two")));
        Assert.That(ring.Ring.Fault!.HandlerName, Is.EqualTo("First"));
        Assert.That(Deadline.FaultOf<RingFaultedException>(ring.Ring.Faulted).Sequence, Is.EqualTo(1));
    }

    [Test]
    public void Nothing_of_the_failed_batch_is_released()
    {
        using var test = new TestDisruptor(16);
        var failing = new FailingHandler { OnEach = FailAtBad };
        var behind = new ProbeHandler();
        test.Disruptor.HandleEventsWith(failing).Then(behind);
        test.Publish(10); // one batch
        test.Start();
        Deadline.FaultOf<RingFaultedException>(test.Disruptor.Completion);
        Deadline.Until(() => !test.Disruptor.IsRunning, "the end of both stages");
        Assert.That(behind.Seen, Is.Empty, "a batch that was not flushed must not be seen behind");
    }

    [Test]
    public void An_OnStart_that_throws_fails_the_start()
    {
        using var test = new TestDisruptor(16);
        test.Disruptor.HandleEventsWith(new ProbeHandler(), new FailingHandler { Starting = () => throw new IOException("no file") });
        var fault = Deadline.FaultOf<RingFaultedException>(test.Disruptor.Start());
        Assert.That((fault.HandlerName, fault.Sequence), Is.EqualTo((nameof(FailingHandler), 0L)));
        AssertNamed(Deadline.FaultOf<RingFaultedException>(test.Disruptor.Completion), "no file", 0);
        Deadline.Until(() => !test.Disruptor.IsRunning, "the end of both handlers");
    }

    [Test]
    public void An_OnShutdown_that_throws_fails_the_shutdown()
    {
        using var test = new TestDisruptor(16);
        test.Disruptor.HandleEventsWith(new FailingHandler { ShuttingDown = () => throw new IOException("not closed") });
        test.Start();
        test.Publish(3);
        AssertNamed(Deadline.FaultOf<RingFaultedException>(test.Disruptor.Shutdown()), "not closed", 3);
    }

    [Test]
    public void An_OnTimeout_that_throws_stops_the_ring()
    {
        using var test = new TestDisruptor(16, new ParkingWaitStrategy(0, 0, TimeSpan.FromMilliseconds(1)));
        test.Disruptor.HandleEventsWith(new FailingHandler { TimingOut = _ => throw new IOException("late") });
        test.Start();
        AssertNamed(Deadline.FaultOf<RingFaultedException>(test.Disruptor.Completion), "late", 0);
    }

    [Test]
    public void An_exception_handler_that_returns_skips_the_event()
    {
        using var test = new TestDisruptor(16);
        var failing = new FailingHandler { OnEach = FailAtBad };
        var skipped = new List<long>();
        test.Disruptor.SetDefaultExceptionHandler(new SkippingExceptionHandler(skipped));
        test.Disruptor.HandleEventsWith(failing);
        test.Publish(10);
        test.Start();
        Deadline.Of(test.Disruptor.Shutdown(), "the drain");
        Assert.That(skipped, Is.EqualTo(new[] { Bad }));
        Assert.That(failing.Seen, Is.EqualTo(Enumerable.Range(0, 10).Where(sequence => sequence != Bad)));
        Deadline.Of(test.Disruptor.Completion, "a normal end");
    }

    [Test]
    public void A_handlers_own_exception_handler_stands_above_the_default()
    {
        using var test = new TestDisruptor(16);
        var failing = new FailingHandler { OnEach = FailAtBad };
        List<long> own = [], common = [];
        test.Disruptor.HandleEventsWith(failing);
        test.Disruptor.SetExceptionHandler(failing, new SkippingExceptionHandler(own));
        test.Disruptor.SetDefaultExceptionHandler(new SkippingExceptionHandler(common));
        test.Publish(10);
        test.Start();
        Deadline.Of(test.Disruptor.Shutdown(), "the drain");
        Assert.That((own.Count, common.Count), Is.EqualTo((1, 0)));
    }

    [Test]
    public void An_exception_handler_that_throws_stops_the_ring_with_the_handlers_exception()
    {
        using var test = new TestDisruptor(16);
        test.Disruptor.SetDefaultExceptionHandler(new SkippingExceptionHandler(null));
        test.Disruptor.HandleEventsWith(new FailingHandler { OnEach = FailAtBad });
        test.Publish(10);
        Deadline.Of(test.Disruptor.Start(), "the start");
        AssertNamed(Deadline.FaultOf<RingFaultedException>(test.Disruptor.Completion), "bad event");
    }

    [Test]
    public void A_failed_poll_loop_stops_the_threads_of_the_same_ring()
    {
        using var test = new TestDisruptor(8, new BlockingWaitStrategy());
        var first = new ProbeHandler();
        test.Disruptor.HandleEventsWith(first);
        SlotPoller<Stamp> poller = test.Ring.NewPoller(first.Callback!);
        test.Disruptor.HandleEventsWith(poller);
        test.Start();
        Worker loop = Worker.Start("poll loop", () =>
        {
            var handler = new FailingHandler { OnEach = FailAtBad };
            try
            {
                while (true)
                    poller.Poll(ref handler);
            }
            catch (Exception ex)
            {
                test.Ring.Fail(new RingFaultedException(nameof(FailingHandler), poller.FailedSequence, ex));
            }
        });
        Worker producer = Worker.Start("producer", () => test.Publish(100));
        AssertNamed(producer.End() as RingFaultedException, "bad event");
        AssertNamed(Deadline.FaultOf<RingFaultedException>(test.Disruptor.Completion), "bad event");
        loop.Join();
    }

    [Test]
    public void A_fault_is_seen_over_a_close()
    {
        using var ring = new TestRing<Stamp>(8);
        ring.Ring.Close("closing");
        Assert.That(() => ring.Ring.Next(), Throws.TypeOf<RingClosedException>());
        ring.Ring.Fail(new RingFaultedException("Late", 3, new IOException("three")));
        Assert.That(() => ring.Ring.Next(), Throws.TypeOf<RingFaultedException>());
        ring.Ring.Close("closing again");
        Assert.That(() => ring.Ring.Next(), Throws.TypeOf<RingFaultedException>());
    }

    private static void FailAtBad(long sequence, bool endOfBatch)
    {
        if (sequence == Bad)
            throw new IOException("bad event");
    }

    private static void AssertNamed(RingFaultedException? fault, string cause, long sequence = Bad)
    {
        Assert.That(fault, Is.Not.Null);
        Assert.That(fault!.HandlerName, Is.EqualTo(nameof(FailingHandler)));
        Assert.That(fault.Sequence, Is.EqualTo(sequence));
        Assert.That(fault.Message, Does.Contain(nameof(FailingHandler)).And.Contains($"{sequence}").And.Contains(cause));
    }

    private sealed class FailingHandler : ProbeHandler
    {
    }

    /// <summary>Skips and notes; without a list it throws itself.</summary>
    private sealed class SkippingExceptionHandler(List<long>? skipped) : IValueExceptionHandler<Stamp>
    {
        public void HandleEventException(Exception ex, long sequence, ref Stamp evt)
        {
            Assert.That(evt.IsFrom(sequence), Is.True);
            (skipped ?? throw new InvalidOperationException("no list")).Add(sequence);
        }

        public void HandleOnTimeoutException(Exception ex, long sequence) => throw ex;

        public void HandleOnStartException(Exception ex) => throw ex;

        public void HandleOnShutdownException(Exception ex) => throw ex;
    }
}
