using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>What a grid says between and beyond its nodes, and which grids are let in: the proof against call prices.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class VarianceGridTests
{
    private const int Seed = 1904;
    private static readonly GridNodes Good = GridNodes.Of((-0.4, 0.7), (-0.1, 0.52), (0.0, 0.5), (0.2, 0.54), (0.5, 0.66));

    [TestCase(-0.4, 0.49)]
    [TestCase(0.0, 0.25)]
    [TestCase(0.5, 0.4356)]
    [TestCase(-0.25, 0.5 * (0.49 + 0.2704), TestName = "half way between two nodes")]
    [TestCase(-0.7, 0.49 + 0.2196, TestName = "beyond the lowest node the first segment goes on")]
    [TestCase(0.8, 0.4356 + 0.144, TestName = "beyond the highest node the last segment goes on")]
    public void The_square_of_volatility_is_linear_in_log_moneyness(double k, double variance) =>
        Assert.That(Good.View.YearlyVariance(k), Is.EqualTo(variance).Within(1e-12));

    [Test]
    public void A_segment_that_falls_outward_does_not_go_on()
    {
        GridNodes falling = GridNodes.Of((-0.1, 0.6), (0.1, 0.5));
        Assert.That(falling.View.YearlyVariance(3.0), Is.EqualTo(0.25));
        Assert.That(falling.View.YearlyVariance(-0.3), Is.EqualTo(0.47).Within(1e-12), "the other end rises outward");
    }

    private static readonly (string Name, GridNodes Grid, double Years, GridFault Fault)[] Edges =
    [
        ("usual", Good, 0.25, GridFault.None),
        ("two level nodes", GridNodes.Of((-1, 0.5), (1, 0.5)), 1.0, GridFault.None),
        ("two nodes at one k", GridNodes.Of((0, 0.5), (0, 0.6)), 1.0, GridFault.NodesOutOfOrder),
        ("nodes that turn back", GridNodes.Of((0, 0.5), (0.1, 0.5), (0.05, 0.5)), 1.0, GridFault.NodesOutOfOrder),
        ("a hump", GridNodes.Of((-0.1, 0.5), (0, 0.5001), (0.1, 0.5)), 1.0, GridFault.Concave),
        ("a hump of the last digit", GridNodes.Of((-0.1, 0.5), (0, 0.50000001), (0.1, 0.5)), 1.0, GridFault.None),
        ("a hump of two digits", GridNodes.Of((-0.1, 0.5), (0, 0.50000003), (0.1, 0.5)), 1.0, GridFault.Concave),
        ("a cliff", GridNodes.Of((-0.1, 0.5), (0, 0.5), (0.01, 2.0)), 1.0, GridFault.Butterfly),
        ("a steep line at the money", GridNodes.Of((-0.1, 0.1), (0.1, 0.5)), 1.0, GridFault.Butterfly),
        ("the same with a day to go", GridNodes.Of((-0.1, 0.1), (0.1, 0.5)), 1.0 / 365.0, GridFault.None),
        ("a steep line at the money with no time left", GridNodes.Of((-0.1, 0.1), (0.1, 5.0)), 0.0, GridFault.None),
        ("a wing just below 2", GridNodes.Of((-1, 2.0), (0, 2.0), (1, 2.44948974)), 0.999999, GridFault.None),
        ("a wing of 2", GridNodes.Of((-1, 2.0), (0, 2.0), (1, 2.44948974)), 1.0001, GridFault.WingTooSteep),
    ];

    [TestCaseSource(nameof(Edges))]
    public void A_grid_at_the_edge((string Name, GridNodes Grid, double Years, GridFault Fault) edge) =>
        Assert.That(edge.Grid.View.Check(edge.Years), Is.EqualTo(edge.Fault), $"{edge.Name}: {edge.Grid}");

    [Test]
    public void Vogts_smile_is_refused_as_a_grid_too()
    {
        SviSlice vogt = new(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153);
        GridNodes grid = GridNodes.Of(vogt, 1.0, Enumerable.Range(0, 61).Select(node => -1.5 + (node * 0.05)));
        Assert.That(grid.View.Check(1.0), Is.EqualTo(GridFault.Butterfly));
    }

    [Test]
    public void The_proof_and_call_prices_agree()
    {
        PricingRandom random = new(Seed);
        int admitted = 0, refused = 0, steep = 0;
        for (int draw = 0; draw < 3_000; draw++)
        {
            GridNodes grid = Draw(random);
            double years = random.LogBetween(0.003, 3.0);
            GridFault fault = grid.View.Check(years);
            if (fault == GridFault.WingTooSteep)
            {
                steep++;
                continue;
            }

            (double least, double at) = LeastButterfly(grid, years);
            (double density, double densityAt) = LeastDensity(grid, years, fault == GridFault.None ? 60 : 2_000);
            string inputs = $"{grid}, {years:R} years: {fault}, butterfly {least:R} at k = {at:R}, density {density:R} at k = {densityAt:R}, seed {Seed}";
            if (fault == GridFault.None)
            {
                admitted++;
                Assert.That(least, Is.GreaterThan(-1e-6), inputs);
                Assert.That(density, Is.GreaterThan(-1e-5), inputs);
            }
            else
            {
                refused++;
                Assert.That(Math.Min(least, density), Is.LessThan(1e-7), inputs);
            }
        }

        TestContext.Out.WriteLine($"{admitted} admitted, {refused} refused, {steep} too steep");
        Assert.That(Math.Min(admitted, refused), Is.GreaterThan(300), $"{admitted} admitted, {refused} refused");
    }

    [Test]
    public void A_grid_that_was_admitted_stays_so_as_time_passes()
    {
        PricingRandom random = new(Seed + 1);
        int admitted = 0;
        for (int draw = 0; draw < 3_000; draw++)
        {
            GridNodes grid = Draw(random);
            double years = random.LogBetween(0.003, 3.0);
            if (grid.View.Check(years) != GridFault.None)
                continue;
            admitted++;
            for (int step = 0; step < 40; step++)
                Assert.That(grid.View.Check(years *= 0.8), Is.EqualTo(GridFault.None), $"{grid}, {years:R} years, seed {Seed + 1}");
        }

        Assert.That(admitted, Is.GreaterThan(300));
    }

    [Test]
    public void Ten_thousand_arbitrage_free_smiles_are_admitted_however_they_are_sampled()
    {
        PricingRandom random = new(Seed + 2);
        int taken = 0;
        while (taken < 10_000)
        {
            Ssvi surface = new(random);
            double theta = random.LogBetween(1e-5, 3.0), years = random.LogBetween(0.001, 4.0), reach = random.Between(0.3, 8.0);
            int count = (int)random.Between(2, 65);

            // Nodes at random, none so near to the next that the digits of a volatility turn the line between them.
            double[] at = [.. Enumerable.Range(0, count).Select(_ => random.Between(-reach, reach) * Math.Sqrt(theta)).Order()];
            if (at.Zip(at.Skip(1), (left, right) => right - left).Min() < 1e-4 * Math.Sqrt(theta))
                continue;
            taken++;
            GridNodes grid = GridNodes.Of(surface.Slice(theta), years, at);
            Assert.That(grid.View.Check(years), Is.EqualTo(GridFault.None), $"{surface}, theta {theta:R}, {years:R} years: {grid}, seed {Seed + 2}");
        }
    }

    // Convex in k at every node but for now and then one, with slopes from gentle to absurd.
    private static GridNodes Draw(PricingRandom random)
    {
        int count = (int)random.Between(2, 12);
        double k = random.Between(-1.0, 0.1), variance = random.LogBetween(0.05, 1.5), slope = -random.LogBetween(0.01, 1.0);
        List<(double, double)> nodes = [];
        for (int node = 0; node < count && variance > 1e-3; node++)
        {
            nodes.Add((k, Math.Sqrt(variance)));
            double step = random.LogBetween(0.02, 0.4);
            k += step;
            variance += slope * step;
            slope += random.Between(0.0, 1.0) < 0.03 ? -0.05 : random.LogBetween(0.01, 1.5);
        }

        return nodes.Count >= 2 ? GridNodes.Of([.. nodes]) : Good;
    }

    // Where prices vanish butterflies cannot be seen in them, but in g(k) = (1 - k w'/2w)^2 - w'^2 (1/w + 1/4)/4 + w''/2, by differences.
    private static (double Least, double At) LeastDensity(GridNodes grid, double years, int steps)
    {
        const double Step = 1e-5;
        (double least, double at) = (double.PositiveInfinity, 0.0);
        foreach (double k in Points(grid.View, steps))
        {
            VarianceGrid view = grid.View;
            double before = years * view.YearlyVariance(k - Step), w = years * view.YearlyVariance(k), after = years * view.YearlyVariance(k + Step);
            double slope = (after - before) / (2.0 * Step), bend = (after - (2.0 * w) + before) / (Step * Step), first = 1.0 - (k * slope / (2.0 * w));
            double density = (first * first) - (slope * slope * ((1.0 / w) + 0.25) / 4.0) + (0.5 * bend);
            if (density < least)
                (least, at) = (density, k);
        }

        return (least, at);
    }

    private static List<double> Points(VarianceGrid grid, int steps)
    {
        List<double> points = [];
        for (int segment = -1; segment < grid.Count; segment++)
        {
            double left = segment < 0 ? grid.LogMoneyness(0) - 3.0 : grid.LogMoneyness(segment);
            double right = segment == grid.Count - 1 ? grid.LogMoneyness(segment) + 3.0 : grid.LogMoneyness(segment + 1);
            for (int step = 0; step <= steps; step++)
                points.Add(left + ((right - left) * step / steps));
        }

        return points;
    }

    // Least density of ln(strike) over strikes on lines and at nodes, from call prices alone: (C(K-h) - 2 C(K) + C(K+h)) K / h^2, relative to that
    // of a smile that is level there, so that far wings count as much as the middle.
    private static (double Least, double At) LeastButterfly(GridNodes grid, double years)
    {
        (double least, double at) = (double.PositiveInfinity, 0.0);
        foreach (double k in Points(grid.View, steps: 60))
        {
            double level = Butterfly(k, _ => Math.Sqrt(grid.View.YearlyVariance(k)), years);
            if (level < 1e-3)
                continue;
            double share = Butterfly(k, point => Math.Sqrt(grid.View.YearlyVariance(point)), years) / level;
            if (share < least)
                (least, at) = (share, k);
        }

        return (least, at);
    }

    private static double Butterfly(double k, Func<double, double> volatility, double years)
    {
        const double Width = 1e-3;
        double strike = Math.Exp(k), low = strike * (1.0 - Width), high = strike * (1.0 + Width);
        double sum = Price(low, volatility, years) + Price(high, volatility, years) - (2.0 * Price(strike, volatility, years));
        return sum / (strike * Width * Width);
    }

    private static double Price(double strike, Func<double, double> volatility, double years)
    {
        (double call, _) = Black76.Value(1.0, strike, years, volatility(Math.Log(strike)));
        return call;
    }
}
