using Disruptor;
using Disruptor.Dsl;
using NUnit.Framework;

namespace MarginEngine.Tests.DisruptorTests;

/// <summary>Stopping without losing an event in silence.</summary>
public sealed class ShutdownTests
{
    [TestCaseSource(typeof(Strategies), nameof(Strategies.Names))]
    public void Shutdown_hands_over_everything_that_was_published(string strategy)
    {
        for (int events = 0; events < 40; events++)
        {
            using var test = new TestDisruptor(16, Strategies.Make(strategy));
            ProbeHandler first = new(), last = new();
            test.Disruptor.HandleEventsWith(first).Then(last);
            test.Start();
            test.Publish(events);
            Deadline.Of(test.Disruptor.Shutdown(TimeSpan.FromMinutes(1)), $"the drain of {events} events");
            Assert.That(last.Seen, Has.Count.EqualTo(events));
            Assert.That(test.Disruptor.IsRunning, Is.False);
            Deadline.Of(test.Disruptor.Completion, "the completion");
        }
    }

    [Test]
    public void A_producer_that_is_not_stopped_gets_an_exception_and_nothing_it_published_before_is_lost()
    {
        for (int round = 0; round < 200; round++)
        {
            using var test = new TestDisruptor(16, Strategies.Make("parking"));
            var handler = new ProbeHandler();
            test.Disruptor.HandleEventsWith(handler);
            test.Start();
            long published = -1;
            Worker producer = Worker.Start("producer", () =>
            {
                while (true)
                {
                    long sequence = test.Ring.Next();
                    test.Ring[sequence].Write(sequence);
                    test.Ring.Publish(sequence);
                    published = sequence;
                }
            });
            Thread.SpinWait(round * 50);
            Deadline.Of(test.Disruptor.Shutdown(), $"the drain in round {round}");
            Assert.That(producer.End(), Is.TypeOf<RingClosedException>(), $"round {round}");
            Assert.That(handler.Seen.Count, Is.GreaterThanOrEqualTo(published + 1), $"round {round}");
        }
    }

    /// <summary>
    /// Publish stores the cursor and looks at the stop word without a fence between: closing must still find every sequence whose
    /// publication did not throw.
    /// </summary>
    [Test]
    public void Closing_against_a_running_producer_misses_no_publication()
    {
        int rounds = 20_000 * StressTests.Scale;
        SingleProducerSequencer? current = null;
        long published = -1;
        int finished = 0;
        Worker producer = Worker.Start("producer", () =>
        {
            for (int round = 0; round < rounds; round++)
            {
                SingleProducerSequencer? ring;
                while ((ring = Volatile.Read(ref current)) is null)
                    Thread.Yield();
                long last = -1;
                try
                {
                    while (true)
                    {
                        long sequence = ring.Next();
                        ring.Publish(sequence);
                        last = sequence;
                    }
                }
                catch (RingClosedException)
                {
                    published = last;
                    Volatile.Write(ref current, null);
                    Volatile.Write(ref finished, round + 1);
                }
            }
        });
        for (int round = 0; round < rounds; round++)
        {
            var ring = new SingleProducerSequencer(64, new YieldingWaitStrategy());
            Volatile.Write(ref current, ring);
            for (int look = round % 500; look > 0 && ring.Cursor < 0; look--)
                Thread.SpinWait(1);
            long closed = ring.Close("test");
            Deadline.Until(() => Volatile.Read(ref finished) > round, $"the producer's end of round {round}");
            Assert.That(closed, Is.GreaterThanOrEqualTo(published), $"round {round}");
        }

        producer.Join();
    }

    [Test]
    public void A_drain_that_takes_too_long_says_how_far_it_is_and_goes_on()
    {
        using var test = new TestDisruptor(16);
        using var held = new ManualResetEventSlim();
        var handler = new ProbeHandler { OnEach = (sequence, _) => { if (sequence == 2) held.Wait(); } };
        test.Disruptor.HandleEventsWith(handler);
        test.Publish(5);
        test.Start();
        var late = Deadline.FaultOf<TimeoutException>(test.Disruptor.Shutdown(TimeSpan.FromMilliseconds(5)));
        Assert.That(late.Message, Does.Contain("of 4"));
        Assert.That(test.Disruptor.IsRunning, Is.True);
        held.Set();
        Deadline.Of(test.Disruptor.Shutdown(), "the second attempt");
        Assert.That(handler.Seen, Has.Count.EqualTo(5));
    }

    [Test]
    public void An_OnShutdown_that_does_not_return_is_a_timeout_too()
    {
        using var test = new TestDisruptor(16);
        using var held = new ManualResetEventSlim();
        test.Disruptor.HandleEventsWith(new ProbeHandler { ShuttingDown = held.Wait });
        test.Publish(5);
        test.Start();
        Deadline.Until(() => test.Ring.GetMinimumGatingSequence() == 4, "the events");
        var late = Deadline.FaultOf<TimeoutException>(test.Disruptor.Shutdown(TimeSpan.FromMilliseconds(5)));
        Assert.That(late.Message, Does.Contain("OnShutdown"));
        held.Set();
        Deadline.Of(test.Disruptor.Shutdown(), "the second attempt");
    }

    [Test]
    public void Halt_ends_after_the_current_batch_and_releases_a_blocked_producer()
    {
        using var test = new TestDisruptor(4);
        using var held = new ManualResetEventSlim();
        var handler = new ProbeHandler { BatchLimit = 1, OnEach = (sequence, _) => { if (sequence == 1) held.Wait(); } };
        test.Disruptor.HandleEventsWith(handler);
        test.Start();
        Worker producer = Worker.Start("producer", () => test.Publish(100));
        Deadline.Until(() => handler.Handled == 0 && test.Ring.GetRemainingCapacity() == 0, "a full ring");
        Task halted = test.Disruptor.Halt();
        Assert.That(producer.End(), Is.TypeOf<RingClosedException>());
        Assert.That(halted.IsCompleted, Is.False, "the handler is in its batch");
        held.Set();
        Deadline.Of(halted, "the halt");
        Assert.That(handler.Seen, Is.EqualTo(new long[] { 0, 1 }), "the batch it was in, and no more");
        Deadline.Of(test.Disruptor.Completion, "the completion");
        Assert.That(
            () => Deadline.Of(test.Disruptor.Shutdown(), "a shutdown"),
            Throws.InvalidOperationException.With.Message.Contains("up to sequence 1 of"),
            "the events left are named, not forgotten");
    }

    [Test]
    public void A_poller_that_gates_the_ring_by_itself_is_waited_for()
    {
        using var test = new TestDisruptor(16);
        test.Disruptor.HandleEventsWith(new ProbeHandler());
        SlotPoller<Stamp> poller = test.Ring.NewPoller();
        test.Ring.AddGatingSequences(poller.Sequence);
        test.Start();
        test.Publish(5);
        Task shutdown = test.Disruptor.Shutdown();
        var handler = new ProbeHandler();
        Deadline.Until(() => test.Disruptor.Cursor == 4, "the events");
        Assert.That(shutdown.IsCompleted, Is.False);
        poller.Poll(ref handler);
        Deadline.Of(shutdown, "the drain");
        Assert.That(handler.Seen, Has.Count.EqualTo(5));
    }

    [Test]
    public void A_disruptor_that_was_never_started_does_not_wait_for_ever()
    {
        using var test = new TestDisruptor(16);
        test.Disruptor.HandleEventsWith(new ProbeHandler());
        test.Publish(1);
        Assert.That(
            () => Deadline.Of(test.Disruptor.Shutdown(), "the shutdown"),
            Throws.InvalidOperationException.With.Message.Contains("no consumer"));
    }

    [Test]
    public void Halt_shutdown_and_dispose_can_be_repeated()
    {
        using var test = new TestDisruptor(16);
        test.Disruptor.HandleEventsWith(new ProbeHandler());
        test.Start();
        test.Publish(3);
        Deadline.Of(test.Disruptor.Shutdown(), "the first shutdown");
        Deadline.Of(test.Disruptor.Shutdown(), "the second shutdown");
        Deadline.Of(test.Disruptor.Halt(), "a halt after it");
        test.Disruptor.Dispose();
        test.Disruptor.Dispose();
    }

    [Test]
    public void Dispose_waits_for_the_handlers_to_end()
    {
        using var test = new TestDisruptor(16);
        bool ended = false;
        test.Disruptor.HandleEventsWith(new ProbeHandler { ShuttingDown = () => Volatile.Write(ref ended, true) });
        test.Start();
        test.Disruptor.Dispose();
        Assert.That(Volatile.Read(ref ended), Is.True);
    }
}
