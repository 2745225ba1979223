using System.Runtime.InteropServices;
using Disruptor;
using NUnit.Framework;

namespace MarginEngine.Tests.DisruptorTests;

/// <summary>Consumers that sleep: that they do, that nothing fails to wake them, that waking one does not disturb the others.</summary>
public sealed class ParkingTests
{
    private static readonly bool[] Monitors = [false, true];

    [TestCaseSource(nameof(Monitors))]
    public void A_release_before_the_wait_is_not_lost(bool monitor)
    {
        var spot = new ParkingSpot(monitor);
        for (int i = 0; i < 1000; i++)
        {
            spot.Arm();
            spot.Release();
            Assert.That(spot.Wait(Timeout.InfiniteTimeSpan), Is.True, $"round {i}");
        }
    }

    [TestCaseSource(nameof(Monitors))]
    public void A_wait_ends_with_its_timeout(bool monitor)
    {
        var spot = new ParkingSpot(monitor);
        spot.Arm();
        Assert.That(spot.Wait(TimeSpan.FromMilliseconds(2)), Is.False);
        Assert.That(spot.IsArmed, Is.True);
    }

    [TestCaseSource(nameof(Monitors))]
    public void A_sleeping_thread_is_woken_every_time(bool monitor)
    {
        const int Rounds = 20_000;
        var spot = new ParkingSpot(monitor);
        int woken = 0;
        Worker sleeper = Worker.Start("sleeper", () =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                spot.Arm();
                spot.Wait(Timeout.InfiniteTimeSpan);
                Volatile.Write(ref woken, i + 1);
            }
        });
        for (int i = 0; i < Rounds; i++)
        {
            Deadline.Until(() => spot.IsArmed, $"arming in round {i}");
            spot.Release();
            Deadline.Until(() => Volatile.Read(ref woken) > i, $"waking in round {i}");
        }

        sleeper.Join();
    }

    /// <summary>
    /// The race that a strategy without a fence in Publish must win: the consumer goes to sleep while the event is published. Every
    /// event is published on its own and the next only after it was seen, so that one lost wake-up stops the test.
    /// </summary>
    [TestCase("blocking", false)]
    [TestCase("blocking", true)]
    [TestCase("parking", false)]
    public void No_wake_up_is_lost_between_going_to_sleep_and_a_publication(string strategy, bool monitor)
    {
        long rounds = 60_000L * StressTests.Scale;
        var waiters = new ParkingSequenceWaiterList();
        Sequence cursor = new(), consumed = new();
        int spins = strategy == "parking" ? 20 : 0;
        var group = new DependentSequenceGroup(cursor);
        using var waiter = new ParkingSequenceWaiter(waiters, group, spins, 0, Timeout.InfiniteTimeSpan, new ParkingSpot(monitor));
        Worker consumer = Worker.Start("consumer", () =>
        {
            for (long sequence = 0; sequence < rounds; sequence++)
            {
                waiter.WaitFor(sequence, CancellationToken.None);
                consumed.SetValue(sequence);
            }
        });
        long turns = 0;
        for (long sequence = 0; sequence < rounds; sequence++)
        {
            cursor.SetValue(sequence);
            long expected = sequence;
            SpinUntil(() => consumed.Value >= expected, $"the consumer to see {expected} of {rounds}");

            // Vary the moment of the next publication against the consumer's way to sleep, in steps of a nanosecond or so.
            for (long turn = sequence % 4000; turn > 0; turn--)
                Volatile.Write(ref turns, turn);
        }

        consumer.Join();
    }

    /// <summary>Two upstream threads finish at the same moment: one of them must see that the sleeper now has both.</summary>
    [Test]
    public void A_consumer_of_two_sequences_is_woken_by_the_later_one()
    {
        int rounds = 20_000 * StressTests.Scale;
        Sequence cursor = new(), left = new(), right = new(), consumed = new();
        var group = new DependentSequenceGroup(cursor, left, right);
        using var waiter = new ParkingSequenceWaiter(
            new ParkingSequenceWaiterList(), group, 0, 0, Timeout.InfiniteTimeSpan, new ParkingSpot());
        Worker consumer = Worker.Start("consumer", () =>
        {
            for (long sequence = 0; sequence < rounds; sequence++)
            {
                waiter.WaitFor(sequence, CancellationToken.None);
                consumed.SetValue(sequence);
            }
        });
        Worker[] upstream = [.. new[] { left, right }.Select((own, number) => Worker.Start($"upstream {number}", () =>
        {
            for (long sequence = 0; sequence < rounds; sequence++)
            {
                long before = sequence - 1;
                SpinUntil(() => consumed.Value >= before, $"the consumer to see {before} of {rounds}");
                own.SetValue(sequence);
            }
        }))];
        Array.ForEach(upstream, worker => worker.Join());
        consumer.Join();
    }

    [TestCase("blocking")]
    [TestCase("parking")]
    [Platform(Include = "Linux", Reason = "asks the kernel for the state of the threads")]
    public void Every_idle_stage_of_a_chain_sleeps(string strategy)
    {
        using var test = new TestDisruptor(8, Strategies.Make(strategy));
        var threads = new List<int>();
        void NoteThread()
        {
            lock (threads)
                threads.Add(GetThreadId());
        }

        ProbeHandler[] chain = [.. Enumerable.Range(0, 3).Select(_ => new ProbeHandler { Starting = NoteThread })];
        test.Disruptor.HandleEventsWith(chain[0]).Then(chain[1]).Then(chain[2]);
        test.Start();
        test.Publish(3);
        Deadline.Until(() => chain[2].Handled == 2, "three events through the chain");
        int looks = 0;
        Deadline.Until(() => (looks = threads.TrueForAll(IsAsleep) ? looks + 1 : 0) == 50, "all three stages to sleep and stay asleep");
        test.Publish(1);
        Deadline.Until(() => chain[2].Handled == 3, "the event that wakes one stage after the other");
    }

    [Test]
    public void A_stage_that_waits_for_its_upstream_is_not_woken_by_the_producer()
    {
        Sequence cursor = new(), upstream = new();
        var spot = new ParkingSpot();
        using var waiter = new ParkingSequenceWaiter(
            new ParkingSequenceWaiterList(), new DependentSequenceGroup(cursor, upstream), 0, 0, Timeout.InfiniteTimeSpan, spot);
        Worker consumer = Worker.Start("consumer", () => waiter.WaitFor(5, CancellationToken.None));
        Deadline.Until(() => spot.IsArmed, "the consumer to sleep");
        cursor.SetValue(100);
        upstream.SetValue(4);
        Assert.That(spot.IsArmed, Is.True, "neither the cursor nor an upstream that is too far behind releases it");
        upstream.SetValue(5);
        consumer.Join();
    }

    [Test]
    public void A_parked_consumer_times_out_and_tells_its_handler()
    {
        using var test = new TestDisruptor(8, new ParkingWaitStrategy(0, 0, TimeSpan.FromMilliseconds(1)));
        int timeouts = 0;
        long at = -2;
        var handler = new ProbeHandler { TimingOut = sequence => { at = sequence; Interlocked.Increment(ref timeouts); } };
        test.Disruptor.HandleEventsWith(handler);
        test.Start();
        test.Publish(3);
        Deadline.Until(() => handler.Handled == 2, "the events");
        int before = Volatile.Read(ref timeouts);
        Deadline.Until(() => Volatile.Read(ref timeouts) >= before + 3, "timeouts while idle");
        Assert.That(Volatile.Read(ref at), Is.EqualTo(2), "the last sequence handled");
        test.Publish(1);
        Deadline.Until(() => handler.Handled == 3, "an event after timeouts");
    }

    [Test]
    public void Early_release_wakes_a_parked_stage_behind()
    {
        using var test = new TestDisruptor(8, new BlockingWaitStrategy());
        using var held = new ManualResetEventSlim();
        ProbeHandler? first = null;
        var second = new ProbeHandler();
        first = new ProbeHandler
        {
            OnEach = (sequence, _) =>
            {
                if (sequence != 2)
                    return;
                first!.Callback!.SetValue(1); // events 0 and 1 are done, although the batch is not
                held.Wait();
            },
        };
        test.Disruptor.HandleEventsWith(first).Then(second);
        test.Ring.Next(4);
        for (long sequence = 0; sequence < 4; sequence++)
            test.Ring[sequence].Write(sequence);
        test.Start();
        test.Ring.Publish(0, 3);
        Deadline.Until(() => second.Handled == 1, "the second stage to get what was released early");
        Assert.That(first.Handled, Is.EqualTo(1), "the first is still in its batch");
        held.Set();
        Deadline.Until(() => second.Handled == 3, "the rest");
    }

    [TestCase(-1, 0)]
    [TestCase(0, -1)]
    public void Negative_counts_are_refused(int spins, int yields)
    {
        Assert.That(() => new ParkingWaitStrategy(spins, yields, Timeout.InfiniteTimeSpan), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new SleepingWaitStrategy(spins, yields), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [TestCase(0)]
    [TestCase(-5)]
    public void A_timeout_that_is_not_positive_is_refused(int milliseconds) =>
        Assert.That(
            () => new ParkingWaitStrategy(0, 0, TimeSpan.FromMilliseconds(milliseconds)), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void SignalAllWhenBlocking_makes_a_sleeper_look_at_its_token()
    {
        var strategy = new BlockingWaitStrategy();
        using var source = new CancellationTokenSource();
        using ISequenceWaiter waiter = strategy.NewSequenceWaiter(SequenceWaiterOwner.Unknown, new DependentSequenceGroup(new Sequence()));
        Worker consumer = Worker.Start("consumer", () => waiter.WaitFor(0, source.Token));
        strategy.SignalAllWhenBlocking();
        Assert.That(consumer.IsAlive, Is.True, "a signal alone is no event");
        source.Cancel();
        strategy.SignalAllWhenBlocking();
        Assert.That(consumer.End(), Is.InstanceOf<OperationCanceledException>());
    }

    /// <summary>Looks without giving up the processor for as long as a peer on another core needs, then politely.</summary>
    private static void SpinUntil(Func<bool> condition, string what)
    {
        for (int look = 0; look < 20_000; look++)
        {
            if (condition())
                return;
        }

        Deadline.Until(condition, what);
    }

    /// <summary>True when the kernel has the thread in interruptible sleep: the third field of its stat line is S.</summary>
    private static bool IsAsleep(int threadId)
    {
        string stat = File.ReadAllText($"/proc/self/task/{threadId}/stat");
        return stat[(stat.LastIndexOf(')') + 2)..][0] == 'S';
    }

    [DllImport("libc", EntryPoint = "gettid")]
    private static extern int GetThreadId();
}
