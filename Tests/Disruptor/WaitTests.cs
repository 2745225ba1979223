using Disruptor;
using Disruptor.Dsl;
using NUnit.Framework;

namespace MarginEngine.Tests.DisruptorTests;

/// <summary>How a consumer waits at its barrier, by each strategy, and what releases it.</summary>
[TestFixtureSource(typeof(Strategies), nameof(Strategies.Names))]
public sealed class WaitTests(string strategy)
{
    [Test]
    public void What_is_available_is_returned_at_once_and_whole()
    {
        using var ring = new TestRing<Stamp>(8, Strategies.Make(strategy));
        SequenceBarrier barrier = ring.Ring.NewBarrier(SequenceWaiterOwner.Unknown);
        ring.Ring.Publish(ring.Ring.Next(5));
        Assert.That(barrier.WaitFor(0).AvailableSequence, Is.EqualTo(4));
        Assert.That(barrier.WaitForPublishedSequence(4).AvailableSequence, Is.EqualTo(4));
    }

    [Test]
    public void A_waiting_consumer_gets_the_event_that_is_published()
    {
        using var ring = new TestRing<Stamp>(8, Strategies.Make(strategy));
        SequenceBarrier barrier = ring.Ring.NewBarrier(SequenceWaiterOwner.Unknown);
        long available = -1;
        Worker consumer = Worker.Start("consumer", () => available = barrier.WaitFor(2).UnsafeAvailableSequence);
        ring.Ring.Publish(ring.Ring.Next());
        ring.Ring.Publish(ring.Ring.Next());
        Assert.That(consumer.IsAlive, Is.True, "it waits for the third");
        ring.Ring.Publish(ring.Ring.Next());
        consumer.Join();
        Assert.That(available, Is.EqualTo(2));
    }

    [Test]
    public void A_consumer_behind_two_others_waits_for_both()
    {
        using var ring = new TestRing<Stamp>(8, Strategies.Make(strategy));
        Sequence left = new(), right = new();
        SequenceBarrier barrier = ring.Ring.NewBarrier(SequenceWaiterOwner.Unknown, left, right);
        ring.Ring.Publish(ring.Ring.Next(4));
        long available = -1;
        Worker consumer = Worker.Start("consumer", () => available = barrier.WaitFor(0).UnsafeAvailableSequence);
        left.SetValue(3);
        Assert.That(consumer.IsAlive, Is.True);
        right.SetValue(1);
        consumer.Join();
        Assert.That(available, Is.EqualTo(1));
    }

    [Test]
    public void Cancelling_releases_a_waiting_consumer_and_every_later_wait()
    {
        using var ring = new TestRing<Stamp>(8, Strategies.Make(strategy));
        SequenceBarrier barrier = ring.Ring.NewBarrier(SequenceWaiterOwner.Unknown);
        Worker consumer = Worker.Start("consumer", () => barrier.WaitFor(0));
        barrier.CancelProcessing();
        Assert.That(consumer.End(), Is.InstanceOf<OperationCanceledException>());
        ring.Ring.Publish(ring.Ring.Next());
        Assert.That(() => barrier.WaitFor(0), Throws.InstanceOf<OperationCanceledException>(), "sticky, although an event is there");
    }

    [Test]
    public void A_token_of_the_caller_releases_its_wait()
    {
        using var ring = new TestRing<Stamp>(8, Strategies.Make(strategy));
        using var source = new CancellationTokenSource();
        SequenceBarrier barrier = ring.Ring.NewBarrier(SequenceWaiterOwner.Unknown);
        Worker consumer = Worker.Start("consumer", () => barrier.WaitFor(0, source.Token));
        source.Cancel();
        Assert.That(consumer.End(), Is.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void A_failed_peer_releases_a_waiting_consumer_with_its_name_and_sequence()
    {
        using var ring = new TestRing<Stamp>(8, Strategies.Make(strategy));
        SequenceBarrier barrier = ring.Ring.NewBarrier(SequenceWaiterOwner.Unknown);
        Worker consumer = Worker.Start("consumer", () => barrier.WaitFor(0));
        ring.Ring.Fail(new RingFaultedException("Journaller", 42, new IOException("disk full")));
        var fault = consumer.End() as RingFaultedException;
        Assert.That(fault?.Sequence, Is.EqualTo(42));
        Assert.That(fault?.Message, Does.Contain("Journaller").And.Contains("42").And.Contains("disk full"));
    }

    [Test]
    public void A_barrier_made_after_the_failure_is_released_too()
    {
        using var ring = new TestRing<Stamp>(8, Strategies.Make(strategy));
        ring.Ring.Fail(new RingFaultedException("Journaller", 42, new IOException("disk full")));
        SequenceBarrier barrier = ring.Ring.NewBarrier(SequenceWaiterOwner.Unknown);
        Assert.That(() => barrier.WaitFor(0), Throws.TypeOf<RingFaultedException>());
    }

    [Test]
    public void Two_threads_play_ping_pong_over_two_rings_and_every_value_is_the_latest()
    {
        const int Rounds = 20_000;
        using var there = new TestRing<Stamp>(2, Strategies.Make(strategy));
        using var back = new TestRing<Stamp>(2, Strategies.Make(strategy));
        SequenceBarrier atThere = there.Ring.NewBarrier(SequenceWaiterOwner.Unknown);
        SequenceBarrier atBack = back.Ring.NewBarrier(SequenceWaiterOwner.Unknown);
        Sequence pong = new(), ping = new();
        there.Ring.AddGatingSequences(pong);
        back.Ring.AddGatingSequences(ping);
        // A sleep is a millisecond, a spin on a shared core a time slice.
        int rounds = strategy is "sleeping" or "busy spin" ? Rounds / 100 : Rounds;
        Worker echo = Worker.Start("echo", () =>
        {
            for (long sequence = 0; sequence < rounds; sequence++)
            {
                atThere.WaitFor(sequence);
                Stamp stamp = there.Ring[sequence];
                pong.SetValue(sequence);
                long claimed = back.Ring.Next();
                back.Ring[claimed] = stamp;
                back.Ring.Publish(claimed);
            }
        });
        for (long sequence = 0; sequence < rounds; sequence++)
        {
            long claimed = there.Ring.Next();
            there.Ring[claimed].Write(claimed);
            there.Ring.Publish(claimed);
            Assert.That(atBack.WaitFor(sequence).AvailableSequence, Is.EqualTo(sequence));
            if (!back.Ring[sequence].IsFrom(sequence))
                Assert.Fail($"round {sequence} came back as {back.Ring[sequence].Sequence}");
            ping.SetValue(sequence);
        }

        echo.Join();
    }

    [Test]
    public void A_strategy_says_whether_it_blocks() =>
        Assert.That(Strategies.Make(strategy).IsBlockingStrategy, Is.EqualTo(strategy is "blocking" or "parking"));
}
