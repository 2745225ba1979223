using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Smiles come back from their own volatilities; what is not arbitrage-free is fitted by something that is.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class SviCalibrationTests
{
    private static SmileQuote[] QuotesOf(in SviSlice slice, double years, int count = 41, double reach = 1.0)
    {
        var quotes = new SmileQuote[count];
        for (int i = 0; i < count; i++)
        {
            double k = reach * ((2.0 * i / (count - 1)) - 1.0);
            quotes[i] = new SmileQuote(k, Math.Sqrt(slice.TotalVariance(k) / years));
        }

        return quotes;
    }

    private static readonly SviSlice[] Smiles =
    [
        new(0.04, 0.1, -0.3, 0.02, 0.2),
        new(0.002, 0.02, -0.7, -0.01, 0.05),
        new(0.01, 0.4, 0.1, 0.05, 0.3),
        new(0.3, 0.3, 0.0, 0.0, 1.0),
        new(0.0001, 0.01, 0.5, 0.03, 0.08),
    ];

    [TestCaseSource(nameof(Smiles))]
    public void A_smile_comes_back_from_its_own_volatilities(SviSlice smile)
    {
        Assert.That(smile.Check(), Is.EqualTo(SviFault.None), "the example itself");
        Assert.That(SviCalibration.TryFit(QuotesOf(smile, 0.25), 0.25, null, out SmileFit fit));
        Assert.That(fit.Largest, Is.LessThan(1E-5), $"{fit}");
        Assert.That(fit.Slice.Check(), Is.EqualTo(SviFault.None));
    }

    [Test]
    public void Vogts_smile_is_fitted_by_one_without_arbitrage()
    {
        SviSlice vogt = new(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153);
        Assert.That(vogt.Check(), Is.EqualTo(SviFault.Butterfly));
        Assert.That(SviCalibration.TryFit(QuotesOf(vogt, 1.0), 1.0, null, out SmileFit fit));
        Assert.That(fit.Slice.Check(), Is.EqualTo(SviFault.None));
        Assert.That(fit.Largest, Is.InRange(1E-4, 0.02), "it cannot be met exactly, and nearly can");
    }

    [Test]
    public void A_smile_quoted_above_the_next_expiry_is_fitted_below_it()
    {
        SviSlice later = new(0.03, 0.1, -0.3, 0.0, 0.2);
        SviSlice quoted = new(0.04, 0.12, -0.3, 0.0, 0.2);
        Assert.That(SviSlice.CheckCalendar(quoted, later), Is.EqualTo(SviFault.Calendar));
        Assert.That(SviCalibration.TryFit(QuotesOf(quoted, 0.5), 0.5, later, out SmileFit fit));
        Assert.That(SviSlice.CheckCalendar(fit.Slice, later), Is.EqualTo(SviFault.None));
        double gap = QuotesOf(quoted, 0.5).Zip(QuotesOf(later, 0.5), (above, below) => above.Volatility - below.Volatility).Max();
        Assert.That(fit.Largest, Is.LessThan(1.05 * gap), $"no further off than the next expiry's smile: {fit}");
    }

    [Test]
    public void A_surface_is_fitted_from_its_end_and_an_expiry_without_quotes_is_left_out()
    {
        SviSlice[] smiles = [new(0.001, 0.02, -0.4, 0.0, 0.05), new(0.01, 0.05, -0.4, 0.0, 0.1), new(0.04, 0.1, -0.3, 0.0, 0.2)];
        double[] years = [0.02, 0.1, 0.3];
        SmileFit?[] fits = SviCalibration.FitSurface([.. smiles.Select((smile, i) => (years[i], i == 1 ? [] : QuotesOf(smile, years[i])))]);
        Assert.That(fits[1], Is.Null);
        Assert.That((fits[0]!.Value.Largest, fits[2]!.Value.Largest), Is.EqualTo((0.0, 0.0)).Within(1E-4));
        Assert.That(SviSlice.CheckCalendar(fits[0]!.Value.Slice, fits[2]!.Value.Slice), Is.EqualTo(SviFault.None));
        Assert.That(() => SviCalibration.FitSurface([(0.2, []), (0.1, [])]), Throws.ArgumentException);
    }

    [Test]
    public void One_wild_quote_of_little_weight_does_not_bend_the_smile()
    {
        SmileQuote[] quotes = QuotesOf(Smiles[0], 0.25);
        quotes[10] = quotes[10] with { Volatility = 4.0, Weight = 1E-9 };
        Assert.That(SviCalibration.TryFit(quotes, 0.25, null, out SmileFit fit));
        Assert.That(Math.Sqrt(fit.Slice.TotalVariance(0.0) / 0.25), Is.EqualTo(Math.Sqrt(Smiles[0].TotalVariance(0.0) / 0.25)).Within(1E-3));
        Assert.That(fit.LargestAt, Is.EqualTo(quotes[10].LogMoneyness), "the report names it");
    }

    [TestCase(3)]
    [TestCase(4)]
    [TestCase(5)]
    public void Few_quotes_are_enough(int count)
    {
        Assert.That(SviCalibration.TryFit(QuotesOf(Smiles[0], 0.25, count), 0.25, null, out SmileFit fit));
        Assert.That(fit.Largest, Is.LessThan(1E-3));
    }

    [Test]
    public void A_level_smile_is_fitted() =>
        Assert.That(
            SviCalibration.TryFit([.. Enumerable.Range(-5, 11).Select(k => new SmileQuote(k * 0.1, 0.6))], 0.1, null, out SmileFit fit) && fit.Largest < 1E-6,
            $"{fit}");

    [Test]
    public void What_cannot_be_a_smile_is_no_fit()
    {
        Assert.That(SviCalibration.TryFit([], 0.25, null, out _), Is.False);
        Assert.That(SviCalibration.TryFit(QuotesOf(Smiles[0], 0.25, 2), 0.25, null, out _), Is.False, "two quotes");
        Assert.That(SviCalibration.TryFit(QuotesOf(Smiles[0], 0.25), 0.0, null, out _), Is.False, "no time");
        Assert.That(SviCalibration.TryFit(QuotesOf(Smiles[0], 0.25), double.NaN, null, out _), Is.False);
        SmileQuote[] broken = [new(0, double.NaN), new(0.1, -1), new(double.PositiveInfinity, 0.5), new(0.2, 0.5, 0), new(0.3, 0.5, double.NaN)];
        Assert.That(SviCalibration.TryFit(broken, 0.25, null, out _), Is.False, "no usable quote");
    }

    [Test]
    public void Whatever_is_quoted_the_fit_may_enter_the_book()
    {
        const int Seed = 41;
        var random = new Random(Seed);
        for (int i = 0; i < 150; i++)
        {
            SmileQuote[] quotes = [.. Enumerable.Range(0, random.Next(3, 40)).Select(_ =>
                new SmileQuote((4.0 * random.NextDouble()) - 2.0, Math.Exp((4.0 * random.NextDouble()) - 3.0), random.NextDouble()))];
            double years = Math.Exp((8.0 * random.NextDouble()) - 7.0);
            if (SviCalibration.TryFit(quotes, years, null, out SmileFit fit))
                Assert.That(fit.Slice.Check(), Is.EqualTo(SviFault.None), $"seed {Seed}, {i}: {fit}");
        }
    }

    /// <summary>
    /// Surfaces of Gatheral and Jacquier's power law, w = theta/2 (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2)), phi = eta theta^-gamma (1 + theta)^(gamma - 1),
    /// which are free of arbitrage for gamma in (0, 1/2] and eta (1 + |rho|) at most 2: every slice and pair of slices must be let in.
    /// </summary>
    [Test]
    public void Ten_thousand_arbitrage_free_surfaces_are_accepted()
    {
        const int Seed = 20_260_204;
        var random = new Random(Seed);
        for (int i = 0; i < 10_000; i++)
        {
            double rho = (1.9 * random.NextDouble()) - 0.95;
            double eta = 2.0 / (1.0 + Math.Abs(rho)) * random.NextDouble();
            double gamma = 0.5 * (0.02 + (0.98 * random.NextDouble()));
            double theta = Math.Exp((7.0 * random.NextDouble()) - 7.0);
            SviSlice? earlier = null;
            for (int expiry = 0; expiry < 3; expiry++, theta *= 1.0 + random.NextDouble())
            {
                double phi = eta * Math.Pow(theta, -gamma) * Math.Pow(1.0 + theta, gamma - 1.0);
                if (phi < 1E-6)
                    continue;
                double rest = Math.Sqrt(1.0 - (rho * rho));
                SviSlice slice = new(0.5 * theta * (1.0 - (rho * rho)), 0.5 * theta * phi, rho, -rho / phi, rest / phi);
                Assert.That(slice.Check(), Is.EqualTo(SviFault.None), $"seed {Seed}, {i}: {slice}");
                if (earlier is { } before)
                    Assert.That(SviSlice.CheckCalendar(before, slice), Is.EqualTo(SviFault.None), $"seed {Seed}, {i}: {before} then {slice}");
                earlier = slice;
            }
        }
    }
}
