using Disruptor;
using Disruptor.Dsl;
using Disruptor.Processing;
using NUnit.Framework;

namespace MarginEngine.Tests.DisruptorTests;

/// <summary>Who runs behind whom: chains, diamonds, groups, and pollers among them.</summary>
public sealed class GraphTests
{
    private const int Events = 5_000;

    [TestCaseSource(typeof(Strategies), nameof(Strategies.Names))]
    public void In_a_chain_each_stage_sees_an_event_after_the_one_before(string strategy)
    {
        using var test = new TestDisruptor(8, Strategies.Make(strategy));
        var first = new ProbeHandler();
        var second = new ProbeHandler { OnEach = (sequence, _) => Assert.That(first.Handled, Is.GreaterThanOrEqualTo(sequence)) };
        var third = new ProbeHandler { OnEach = (sequence, _) => Assert.That(second.Handled, Is.GreaterThanOrEqualTo(sequence)) };
        test.Disruptor.HandleEventsWith(first).Then(second).Then(third);
        RunThrough(test, strategy);
        Assert.That(third.Seen, Is.EqualTo(first.Seen));
    }

    [TestCaseSource(typeof(Strategies), nameof(Strategies.Names))]
    public void In_a_diamond_the_last_stage_sees_an_event_after_both_sides(string strategy)
    {
        using var test = new TestDisruptor(8, Strategies.Make(strategy));
        ProbeHandler left = new(), right = new();
        var join = new ProbeHandler
        {
            OnEach = (sequence, _) => Assert.That(Math.Min(left.Handled, right.Handled), Is.GreaterThanOrEqualTo(sequence)),
        };
        test.Disruptor.HandleEventsWith(left, right).Then(join);
        RunThrough(test, strategy);
        Assert.That(join.Seen, Is.EqualTo(left.Seen).And.EqualTo(right.Seen));
    }

    [Test]
    public void After_and_And_make_any_graph()
    {
        using var test = new TestDisruptor(8);
        ProbeHandler journal = new(), copy = new(), decide = new();
        var publish = new ProbeHandler
        {
            OnEach = (sequence, _) =>
                Assert.That(Math.Min(Math.Min(journal.Handled, copy.Handled), decide.Handled), Is.GreaterThanOrEqualTo(sequence)),
        };
        ValueEventHandlerGroup<Stamp> kept = test.Disruptor.HandleEventsWith(journal, copy);
        test.Disruptor.HandleEventsWith(decide); // runs ahead of the journal
        test.Disruptor.After(decide).And(kept).Then(publish);
        Assert.That(test.Disruptor.GetDependentSequencesFor(publish).DependentSequenceCount, Is.EqualTo(3));
        RunThrough(test, "yielding");
        Assert.That(publish.Seen, Has.Count.EqualTo(Events));
    }

    [Test]
    public void Only_the_ends_of_chains_hold_the_producer_back()
    {
        using var test = new TestDisruptor(4);
        ProbeHandler first = new(), last = new();
        test.Disruptor.HandleEventsWith(first).Then(last);
        test.Publish(4);
        Assert.That(test.Ring.TryNext(out _), Is.False);
        last.Callback!.SetValue(0); // as no real last stage could, while the first one has done nothing
        Assert.That(test.Ring.TryNext(out _), Is.True, "the first stage is not looked at");
        first.Callback!.SetValue(3);
        Assert.That(test.Ring.TryNext(out _), Is.False, "nor does it make room");
    }

    [Test]
    public void Processors_of_ones_own_join_the_graph()
    {
        using var test = new TestDisruptor(8);
        ProbeHandler first = new(), second = new(), third = new();
        IValueEventProcessor<Stamp> processor =
            EventProcessorFactory.Create(test.Ring, test.Ring.NewBarrier(SequenceWaiterOwner.EventHandler(first)), first);
        test.Disruptor.HandleEventsWith(processor)
            .Then((ring, barrier) => ring.CreateEventProcessor(barrier, second))
            .Then(third);
        RunThrough(test, "yielding");
        Assert.That(third.Seen, Is.EqualTo(first.Seen).And.EqualTo(second.Seen));
    }

    [Test]
    public void A_barrier_of_a_group_is_for_consumers_outside()
    {
        using var test = new TestDisruptor(8);
        var handler = new ProbeHandler();
        SequenceBarrier barrier = test.Disruptor.HandleEventsWith(handler).AsSequenceBarrier();
        test.Start();
        test.Publish(3);
        Assert.That(barrier.WaitFor(2).AvailableSequence, Is.EqualTo(2));
        Assert.That(handler.Handled, Is.EqualTo(2));
    }

    [Test]
    public void A_poller_stands_between_two_handlers_and_gates_like_them()
    {
        using var test = new TestDisruptor(8);
        ProbeHandler before = new(), polled = new();
        var behind = new ProbeHandler { OnEach = (sequence, _) => Assert.That(polled.Handled, Is.GreaterThanOrEqualTo(sequence)) };
        test.Disruptor.HandleEventsWith(before);
        SlotPoller<Stamp> poller = test.Ring.NewPoller(before.Callback!);
        test.Disruptor.HandleEventsWith(poller).Then(behind);
        Worker loop = Worker.Start("poll loop", () =>
        {
            ProbeHandler handler = polled;
            while (poller.IsRunning)
            {
                if (poller.Poll(ref handler) != EventPoller.PollState.Processing)
                    Thread.Yield();
            }
        });
        RunThrough(test, "yielding");
        loop.Join(); // the shutdown halted the poller, and only then
        Assert.That(polled.Seen, Is.EqualTo(before.Seen).And.EqualTo(behind.Seen));
        Assert.That(polled.Seen, Has.Count.EqualTo(Events));
    }

    [Test]
    public void Handlers_cannot_be_added_after_the_start()
    {
        using var test = new TestDisruptor(8);
        ValueEventHandlerGroup<Stamp> group = test.Disruptor.HandleEventsWith(new ProbeHandler());
        test.Start();
        Assert.That(() => test.Disruptor.HandleEventsWith(new ProbeHandler()), Throws.InvalidOperationException);
        Assert.That(() => group.Then(new ProbeHandler()), Throws.InvalidOperationException);
        Assert.That(() => test.Disruptor.Start(), Throws.InvalidOperationException);
    }

    [Test]
    public void A_handler_that_was_not_added_is_named()
    {
        using var test = new TestDisruptor(8);
        Assert.That(() => test.Disruptor.After(new ProbeHandler()), Throws.ArgumentException.With.Message.Contains(nameof(ProbeHandler)));
        Assert.That(() => test.Disruptor.GetSequenceValueFor(new ProbeHandler()), Throws.ArgumentException);
    }

    private static void RunThrough(TestDisruptor test, string strategy)
    {
        test.Start();
        test.Publish(strategy == "busy spin" ? Events / 50 : Events); // four spinning threads need their time slices on two cores
        Deadline.Of(test.Disruptor.Shutdown(), "the drain");
    }
}
