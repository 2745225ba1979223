using MarginEngine.Bench;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>The pricing bench runs, compares like with like, and leaves the lane width as it was.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class PricingBenchTests
{
    [Test]
    public void Every_candidate_of_a_work_computes_the_same_prices()
    {
        using var output = new StringWriter();
        IReadOnlyList<PricingBench.Line> lines = PricingBench.Run(new PricingBench.Settings(Repeats: 2, Points: 4096), output);
        Assert.That(lines.Select(line => line.Work).Distinct(), Is.EquivalentTo(new[] { "columns", "greeks", "rows", "implied", "aggregation" }));
        foreach (IGrouping<string, PricingBench.Line> work in lines.GroupBy(line => line.Work))
        {
            double expected = work.First().Checksum;
            foreach (PricingBench.Line line in work)
            {
                Assert.That(line.Checksum, Is.EqualTo(expected).Within(1e-10).Percent, line.Candidate);
                Assert.That(line.LeastNanos, Is.Positive, line.Candidate);
            }
        }

        Assert.That(output.ToString().Split('\n').Count(line => line.Contains("reached", StringComparison.Ordinal)), Is.EqualTo(8), "a verdict a target");
        Assert.That(Kernel.LaneWidth, Is.EqualTo(Kernel.WidestLanes()));
    }

    [Test]
    public void Every_solver_gives_volatilities_of_the_wide_domain_back_within_1e_12()
    {
        using var output = new StringWriter();
        foreach (ImpliedAccuracy.Solver solver in ImpliedAccuracy.Write(50_000, output))
        {
            Assert.That(solver.Failures, Is.Zero, solver.Name);
            Assert.That(solver.Worst, Is.InRange(1E-16, 1E-12), solver.Name);
        }
    }

    /// <summary>All four branches of the baseline's guess and all forms of its formula, by prices drawn over the whole range.</summary>
    [Test]
    public void The_baseline_of_implied_volatilities_agrees_with_the_single_solver_from_wing_to_bound()
    {
        const int Seed = 2013;
        var random = new PricingRandom(Seed);
        for (int i = 0; i < 200_000; i++)
        {
            double strike = random.LogBetween(1.0, 1e5), forward = strike * random.LogBetween(0.05, 20.0), years = random.LogBetween(1e-4, 3.0);
            double least = Math.Min(forward, strike);
            double price = least * ((i & 1) == 0 ? random.LogBetween(1E-200, 1.0) : random.Between(0.0, 0.999));
            double expected = ImpliedVolatility.OfOutOfTheMoney(forward, strike, years, price);
            double found = LetsBeRational.OfOutOfTheMoney(forward, strike, years, price);
            double back = LetsBeRational.Value(forward, strike, years, found);
            bool agrees = Math.Abs(found - expected) <= 1E-11 * expected && Math.Abs(back - price) <= 1E-11 * price;
            if (!agrees)
                Assert.Fail($"F {forward:R} K {strike:R} T {years:R} price {price:R}: {found:R}, singly {expected:R}, gives {back:R}, seed {Seed}");
        }
    }
}
