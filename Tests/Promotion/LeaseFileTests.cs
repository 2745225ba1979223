// A lease in a file, between two nodes whose clocks are turned by hand.
using MarginEngine.Promotion;
using MarginEngine.Tests.PipelineTests;
using NUnit.Framework;

namespace MarginEngine.Tests.PromotionTests;

[Parallelizable(ParallelScope.Self)]
public sealed class LeaseFileTests
{
    private const long Ttl = 1_000_000_000;
    private const long Look = Ttl / 20;

    [Test]
    public void It_is_granted_to_one_node_with_the_next_epoch()
    {
        using var bench = new Bench();
        Assert.That(bench.Left.Poll(0), Is.EqualTo(new LeaseView(LeaseState.Free, 0, "", 0, "")));
        bench.Right.Poll(0);
        bench.Left.Acquire(0);
        bench.Right.Acquire(0);
        Assert.That(bench.Left.Poll(Look), Is.EqualTo(new LeaseView(LeaseState.Mine, 1, "left", Look + Ttl, "")));
        Assert.That(bench.Right.Poll(Look).State, Is.EqualTo(LeaseState.Others));
        Assert.That(bench.Right.Poll(2 * Look), Is.EqualTo(new LeaseView(LeaseState.Others, 1, "left", 0, "")));
    }

    [Test]
    public void Renewed_it_stays_and_is_valid_from_before_each_renewal()
    {
        using var bench = new Bench();
        bench.Take(bench.Left, 0);
        for (long now = Look; now < 10 * Ttl; now += Look)
        {
            LeaseView view = bench.Left.Poll(now);
            Assert.That(view.State, Is.EqualTo(LeaseState.Mine), $"{now}");
            Assert.That(view.ValidUntilNanos, Is.GreaterThan(now + Ttl / 2).And.LessThanOrEqualTo(now + Ttl), $"{now}");
            Assert.That(bench.Right.Poll(now).State, Is.Not.EqualTo(LeaseState.Free), $"{now}");
        }
    }

    [Test]
    public void Not_renewed_it_is_free_for_the_other_only_after_the_holder_has_given_it_up()
    {
        using var bench = new Bench();
        long until = bench.Take(bench.Left, 0).ValidUntilNanos;
        long free = 0;
        for (long now = 0; free == 0 && now < 5 * Ttl; now += Look)
        {
            if (bench.Right.Poll(now).State == LeaseState.Free)
                free = now;
        }

        Assert.That(free, Is.GreaterThan(until));
        Assert.That(bench.Take(bench.Right, free).Epoch, Is.EqualTo(2));
        Assert.That(bench.Left.Poll(free + Look), Is.EqualTo(new LeaseView(LeaseState.Others, 2, "right", until, "")), "the old holder sees who has it");
    }

    [Test]
    public void A_watcher_that_was_stopped_between_the_time_and_the_reading_does_not_take_a_fresh_renewal_for_an_old_one()
    {
        using var bench = new Bench();
        bench.Take(bench.Left, 0);
        bench.Right.Poll(0);
        // The right node's process stops with its time of 10 Look in hand, and reads long after, right behind a renewal.
        for (long now = Look; now <= 4 * Ttl; now += Look)
            bench.Left.Poll(now);
        bench.Right.Poll(10 * Look);
        Assert.That(bench.Right.Poll(4 * Ttl + Look).State, Is.EqualTo(LeaseState.Others));
        Assert.That(bench.Right.Poll(4 * Ttl + 2 * Look).State, Is.EqualTo(LeaseState.Others));
    }

    [Test]
    public void Given_back_it_is_free_at_once()
    {
        using var bench = new Bench();
        bench.Take(bench.Left, 0);
        bench.Left.Release();
        Assert.That(bench.Left.Poll(Look).State, Is.EqualTo(LeaseState.Free));
        Assert.That(bench.Right.Poll(Look), Is.EqualTo(new LeaseView(LeaseState.Free, 1, "left", 0, "")));
        Assert.That(bench.Take(bench.Right, 2 * Look).Epoch, Is.EqualTo(2));
    }

    [Test]
    public void Whoever_decided_on_an_older_grant_gets_nothing()
    {
        using var bench = new Bench();
        bench.Take(bench.Left, 0);
        bench.Left.Release();
        bench.Left.Poll(Look);
        bench.Right.Acquire(0);
        Assert.That(bench.Right.Poll(Look).State, Is.EqualTo(LeaseState.Free));
        bench.Right.Acquire(0);
        Assert.That(bench.Right.Poll(2 * Look).State, Is.EqualTo(LeaseState.Free), "epoch 0 is over");
        bench.Right.Acquire(1);
        Assert.That(bench.Right.Poll(3 * Look).State, Is.EqualTo(LeaseState.Mine));
    }

    [Test]
    public void Without_its_directory_the_witness_is_unreachable_and_a_held_lease_runs_out()
    {
        using var bench = new Bench();
        bench.Take(bench.Left, 0);
        Directory.Move(bench.Directory, bench.Directory + ".away");
        LeaseView view = bench.Left.Poll(Ttl / 2);
        Assert.That((view.State, view.ValidUntilNanos), Is.EqualTo((LeaseState.Mine, Ttl)), "what was granted holds to its end");
        Assert.That(view.Problem, Is.Not.Empty);
        Assert.That(bench.Left.Poll(Ttl).State, Is.EqualTo(LeaseState.Unreachable));
        Assert.That(bench.Right.Poll(Ttl).State, Is.EqualTo(LeaseState.Unreachable));
        Directory.Move(bench.Directory + ".away", bench.Directory);
        Assert.That(bench.Left.Poll(2 * Ttl).State, Is.EqualTo(LeaseState.Free), "nobody else took it meanwhile: it has to be taken anew");
    }

    [Test]
    public void The_keeper_holds_it_for_nine_tenths_of_its_time_and_says_why_it_does_not()
    {
        using var bench = new Bench();
        var clock = new ManualClock { MonotonicNanos = 5 * Ttl };
        using var keeper = new LeaseKeeper(bench.Left, clock);
        Assert.That(keeper.Check, Throws.InstanceOf<LeaseLostException>());
        keeper.Poll();
        keeper.Acquire(0);
        keeper.Poll();
        long taken = clock.MonotonicNanos;
        clock.MonotonicNanos = taken + Ttl / 10 * 9 - 1;
        Assert.That(keeper.IsHeld, Is.True);
        clock.MonotonicNanos++;
        Assert.That(keeper.Check, Throws.InstanceOf<LeaseLostException>().With.Message.Contains("lease of 1000 ms is not held any more").And.Message.Contains("not renewed in time"));
        keeper.Poll();
        Assert.That(keeper.IsHeld, Is.True, "nobody else took it: renewed, it holds again");
        keeper.Release();
        Assert.That(keeper.IsHeld, Is.False, "from the call on");
        keeper.Poll();
        Assert.That(keeper.View.State, Is.EqualTo(LeaseState.Free));
    }

    private sealed class Bench : IDisposable
    {
        private readonly TestDirectory _directory = new();

        public Bench()
        {
            Directory = _directory.Journal("witness");
            System.IO.Directory.CreateDirectory(Directory);
            string path = Path.Combine(Directory, "lease");
            (Left, Right) = (new LeaseFile(path, "left", Ttl), new LeaseFile(path, "right", Ttl));
        }

        public string Directory { get; }

        public LeaseFile Left { get; }

        public LeaseFile Right { get; }

        /// <summary>Looks and takes it, at one moment.</summary>
        public LeaseView Take(LeaseFile lease, long now)
        {
            lease.Acquire(lease.Poll(now).Epoch);
            LeaseView view = lease.Poll(now);
            Assert.That(view.State, Is.EqualTo(LeaseState.Mine));
            return view;
        }

        public void Dispose()
        {
            Left.Dispose();
            Right.Dispose();
            _directory.Dispose();
        }
    }
}
