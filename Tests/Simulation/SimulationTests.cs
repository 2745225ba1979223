// The simulation as a test: many seeds keep every promise, the same seed runs the same way, and each planted defect is found.
// MARGIN_SEEDS sets the number of seeds, MARGIN_FIRST_SEED the first.
using System.Collections.Concurrent;
using MarginEngine.Journal;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.SimulationTests;

[Parallelizable(ParallelScope.Self)]
internal sealed class SimulationTests
{
    private const int MostSeedsForADefect = 200;
    private static readonly int Seeds = Setting("MARGIN_SEEDS", 1_000);
    private static readonly int FirstSeed = Setting("MARGIN_FIRST_SEED", 1);

    [Test, NonParallelizable]
    public void Every_promise_holds_under_every_seed()
    {
        var failures = new ConcurrentBag<FailedSeed>();
        var total = new SimulationCounts();
        Parallel.For(FirstSeed, FirstSeed + Seeds, () => new SimulationCounts(),
            (seed, _, counts) =>
            {
                if (SimulationRun.Of(seed, counts) is { } failed)
                    failures.Add(failed);
                return counts;
            },
            counts =>
            {
                lock (total)
                    total.Add(counts);
            });
        TestContext.Out.WriteLine(
            $"{total.Seeds} seeds from {FirstSeed}: {total.Messages} messages, {total.Restarts} restarts, {total.SimulatedNanos / 1e9:F0} simulated seconds; "
            + string.Join(", ", Enum.GetValues<Fault>().Select(fault => $"{total.Faults[(int)fault]} {fault}")));
        Assert.That(failures.Take(3), Is.Empty, $"{failures.Count} seeds failed");
        if (Seeds >= 200)
            Assert.That(Enum.GetValues<Fault>().Where(fault => total.Faults[(int)fault] == 0), Is.Empty, "faults that never happened prove nothing");
    }

    [Test]
    public void The_same_seed_runs_the_same_way([Values(3, 17, 33, 58)] int seed)
    {
        List<string> first = [], second = [];
        SimulationCounts once = new(), again = new();
        SimulationRun.Of(seed, once, log: first);
        SimulationRun.Of(seed, again, log: second);
        Assert.That(second, Is.EqualTo(first));
        Assert.That((again.Messages, again.SimulatedNanos, again.Network.Sent), Is.EqualTo((once.Messages, once.SimulatedNanos, once.Network.Sent)));
    }

    [Test]
    public void A_planted_defect_is_found([ValueSource(nameof(Defects))] Defect defect)
    {
        var counts = new SimulationCounts();
        for (int seed = 1; seed <= MostSeedsForADefect; seed++)
        {
            if (SimulationRun.Of(seed, counts, defect) is not { } found)
                continue;
            TestContext.Out.WriteLine($"{defect} found by seed {seed}: {found.Promise.Split('\n')[0]}");
            return;
        }

        Assert.Fail($"{defect} was not found in {MostSeedsForADefect} seeds");
    }

    private static IEnumerable<Defect> Defects => Enum.GetValues<Defect>().Where(defect => defect != Defect.None);

    private static int Setting(string name, int fallback) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), out int value) && value > 0 ? value : fallback;
}
