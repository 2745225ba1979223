using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Two expiries of which at least one has a grid: the comparison against a dense scan between the outermost nodes.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class SmileCalendarTests
{
    private const int Seed = 8812;

    [TestCase(true, true)]
    [TestCase(true, false)]
    [TestCase(false, true)]
    public void The_comparison_and_a_dense_scan_agree(bool earlierIsGrid, bool laterIsGrid)
    {
        PricingRandom random = new(Seed);
        int admitted = 0, refused = 0;
        for (int draw = 0; draw < 4_000; draw++)
        {
            double years = random.LogBetween(0.01, 1.0), yearsLater = years * random.Between(1.01, 3.0), theta = random.LogBetween(0.001, 1.0);
            Form earlier = new(new Ssvi(random).Slice(theta), years, earlierIsGrid ? Nodes(random, theta) : null);
            Form later = new(new Ssvi(random).Slice(theta * random.Between(0.9, 3.0)), yearsLater, laterIsGrid ? Nodes(random, theta) : null);
            double[] nodes = [.. earlier.At ?? [], .. later.At ?? []];
            bool isSound = SmileCalendar.IsSound(earlier.Smile(), later.Smile());
            (double least, double at) = LeastGap(earlier, later, nodes.Min(), nodes.Max());
            string inputs = $"{earlier} then {later}: {least:R} at k = {at:R}, seed {Seed}";
            Assert.That(least, isSound ? Is.GreaterThan(-1e-7) : Is.LessThan(1e-6), inputs);
            (admitted, refused) = isSound ? (admitted + 1, refused) : (admitted, refused + 1);
        }

        TestContext.Out.WriteLine($"{admitted} admitted, {refused} refused");
        Assert.That(Math.Min(admitted, refused), Is.GreaterThan(500), $"{admitted} admitted, {refused} refused");
    }

    [Test]
    public void A_slice_that_dips_below_a_grid_between_two_nodes_is_seen()
    {
        // The slice passes above the grid's nodes at 0 and 0.4 and below its line at 0.2, where the slice is lowest.
        GridNodes grid = GridNodes.Of((0.0, 0.4), (0.4, 0.4));
        SviSlice slice = new(0.10, 0.5, 0.0, 0.2, 0.05);
        Assert.That(slice.TotalVariance(0.0), Is.GreaterThan(0.16), "above at the nodes");
        Assert.That(SmileCalendar.IsSound(new Smile(grid.View, 1.0), new Smile(slice, 1.5)), Is.False);
        Assert.That(SmileCalendar.IsSound(new Smile(grid.View, 1.0), new Smile(slice with { A = 0.14 }, 1.5)), Is.True);
    }

    private static double[] Nodes(PricingRandom random, double theta)
    {
        int count = (int)random.Between(2, 40);
        double reach = random.Between(0.5, 5.0) * Math.Sqrt(theta);
        return [.. Enumerable.Range(0, count).Select(node => reach * ((2.0 * node / (count - 1)) - 1.0))];
    }

    private static (double Least, double At) LeastGap(Form earlier, Form later, double from, double to)
    {
        (double least, double at) = (double.PositiveInfinity, 0.0);
        IEnumerable<double> points = Enumerable.Range(0, 2_001).Select(step => from + ((to - from) * step / 2_000.0));
        foreach (double k in points.Concat(earlier.At ?? []).Concat(later.At ?? []))
        {
            double before = earlier.Smile().TotalVariance(k);
            double gap = (later.Smile().TotalVariance(k) - before) / (1.0 + before);
            if (gap < least)
                (least, at) = (gap, k);
        }

        return (least, at);
    }

    private sealed record Form(SviSlice Slice, double Years, double[]? At)
    {
        private readonly GridNodes? _grid = At is null ? null : GridNodes.Of(Slice, Years, At);

        public Smile Smile() => _grid is null ? new Smile(Slice, Years) : new Smile(_grid.View, Years);
    }
}
