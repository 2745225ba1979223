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
        IReadOnlyList<PricingBench.Line> lines = PricingBench.Run(new PricingBench.Settings(Repeats: 2), output);
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
}
