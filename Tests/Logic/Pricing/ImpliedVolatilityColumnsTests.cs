using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Columns of implied volatilities: the bound of error, the single solver where the passes do not reach, one result at every width.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class ImpliedVolatilityColumnsTests
{
    /// <summary>One unit in the last place of a price, with room for the rounding of its share of the bound.</summary>
    private const double PriceRounding = 4.5E-16;

    private const int Seed = 20_261_130;

    [TearDown]
    public void Back_to_the_widest() => Kernel.UseLaneWidth(Kernel.WidestLanes());

    [Test]
    public void Prices_of_about_100_bits_give_their_volatility_back_within_1e_12()
    {
        const int Rows = 4096;
        var random = new PricingRandom(Seed);
        double worst = 0.0;
        int tried = 0;
        int singly = 0;
        for (int round = 0; round < 12; round++)
        {
            double[] forward = new double[Rows], strike = new double[Rows], years = new double[Rows];
            double[] volatility = new double[Rows], price = new double[Rows], vega = new double[Rows], found = new double[Rows];
            for (int i = 0; i < Rows;)
            {
                // The textbook formulas in 100 bits are what takes time here: on all cores, in the order of the seed.
                (double Forward, double Strike, double Years, double Volatility)[] drawn = [.. Enumerable.Range(i, Rows - i).Select(_ => random.Option())];
                ReferencePrice[] exact = [.. drawn.AsParallel().AsOrdered().Select(option => ReferencePrice.Of(option.Forward, option.Strike, option.Years, option.Volatility))];
                for (int one = 0; one < drawn.Length; one++)
                {
                    (forward[i], strike[i], years[i], volatility[i]) = drawn[one];
                    price[i] = (double)(strike[i] >= forward[i] ? exact[one].Call : exact[one].Put);
                    vega[i] = (double)exact[one].Vega;
                    if (price[i] >= 1E-12 * forward[i])
                        i++;
                }
            }

            singly += ImpliedVolatility.OfOutOfTheMoney(forward, strike, years, price, found);
            for (int i = 0; i < Rows; i++)
            {
                double error = Math.Abs(found[i] / volatility[i] - 1.0);
                double conditioning = price[i] / (volatility[i] * vega[i]);
                Assert.That(error, Is.LessThanOrEqualTo(1E-12 + conditioning * PriceRounding),
                    $"F {forward[i]:R} K {strike[i]:R} T {years[i]:R} volatility {volatility[i]:R} price {price[i]:R}, seed {Seed}");
                worst = Math.Max(worst, conditioning < 100.0 ? error : 0.0);
                tried++;
            }
        }

        TestContext.Out.WriteLine($"{tried} prices, {singly} solved singly, largest relative error where the price determines it {worst:E1}");
        Assert.That(worst, Is.LessThan(1E-12));
        Assert.That(singly, Is.LessThan(tried / 200));
    }

    [Test]
    public void A_million_prices_of_the_wide_domain_have_a_volatility_that_gives_them_back()
    {
        const int Rows = 8192;
        var random = new PricingRandom(Seed + 1);
        double[] forward = new double[Rows], strike = new double[Rows], years = new double[Rows], volatility = new double[Rows];
        double[] call = new double[Rows], put = new double[Rows], price = new double[Rows], found = new double[Rows];
        int singly = 0;
        for (int done = 0; done < 1_000_000; done += Rows)
        {
            for (int i = 0; i < Rows; i++)
                (forward[i], strike[i], years[i], volatility[i]) = random.Option();
            Black76.Value(forward, strike, years, volatility, call, put);
            for (int i = 0; i < Rows; i++)
            {
                // Below the stated prices another option takes the place: at the money, where there is a price.
                double outside = forward[i] > strike[i] ? put[i] : call[i];
                if (outside < 1E-12 * forward[i])
                {
                    strike[i] = forward[i];
                    outside = Black76.Value(forward[i], strike[i], years[i], volatility[i]).Call;
                }

                price[i] = outside;
            }

            singly += ImpliedVolatility.OfOutOfTheMoney(forward, strike, years, price, found);
            Black76.Value(forward, strike, years, found, call, put);
            for (int i = 0; i < Rows; i++)
            {
                double back = forward[i] > strike[i] ? put[i] : call[i];
                double scale = Math.Max(forward[i], strike[i]);
                if (!(Math.Abs(back - price[i]) <= 2E-15 * scale + 1E-11 * price[i]))
                    Assert.Fail($"F {forward[i]:R} K {strike[i]:R} T {years[i]:R} price {price[i]:R} gives {found[i]:R}, which gives {back:R}, seed {Seed + 1}");
            }
        }

        TestContext.Out.WriteLine($"{singly} of a million solved singly");
    }

    [Test]
    public void Every_width_gives_the_same_bits_and_what_the_single_solver_gives()
    {
        const int Rows = 2048;
        var random = new PricingRandom(Seed + 2);
        double[] forward = new double[Rows], strike = new double[Rows], years = new double[Rows], price = new double[Rows], found = new double[Rows];
        for (int round = 0; round < 20; round++)
        {
            for (int i = 0; i < Rows; i++)
            {
                (forward[i], strike[i], years[i], double _) = (i & 1) == 0 ? random.Option() : random.Wild();
                price[i] = Math.Min(forward[i], strike[i]) * (random.Between(0.0, 1.0) < 0.5 ? random.Between(-0.01, 1.01) : random.LogBetween(1E-300, 1.0));
            }

            double[]? expected = null;
            foreach (int width in new[] { 1, 2, 4, 8 })
            {
                Kernel.UseLaneWidth(width);
                ImpliedVolatility.OfOutOfTheMoney(forward, strike, years, price, found);
                expected ??= [.. found];
                Assert.That(found.Select(BitConverter.DoubleToInt64Bits), Is.EqualTo(expected.Select(BitConverter.DoubleToInt64Bits)), $"width {width}, round {round}, seed {Seed + 2}");
            }

            for (int i = 0; i < Rows; i++)
            {
                double single = ImpliedVolatility.OfOutOfTheMoney(forward[i], strike[i], years[i], price[i]);
                bool agrees = double.IsFinite(single) ? Math.Abs(found[i] - single) <= 2E-12 * single : found[i].Equals(single);
                if (!agrees)
                    Assert.Fail($"F {forward[i]:R} K {strike[i]:R} T {years[i]:R} price {price[i]:R}: {found[i]:R} and singly {single:R}, seed {Seed + 2}");
            }
        }
    }

    [Test]
    public void What_no_volatility_gives_is_not_a_number_and_no_time_value_gives_zero()
    {
        double[] forward = [100, 100, 100, 100, 100, 0, 100, -100, 100, 100, double.NaN, 100, 100, 100, 100, 100];
        double[] strike = [120, 120, 120, 120, 120, 120, double.PositiveInfinity, 120, 0, double.NaN, 120, 120, 120, 120, 120, 100];
        double[] years = [1, 1, 1, 0, -1, 1, 1, 1, 1, 1, 1, double.NaN, double.PositiveInfinity, 1, 1, 1];
        double[] price = [0, 100, -1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, double.NaN, double.PositiveInfinity, 10];
        double[] found = new double[16];
        int singly = ImpliedVolatility.OfOutOfTheMoney(forward, strike, years, price, found);
        Assert.That(found[0], Is.Zero);
        Assert.That(found[1..15], Is.All.NaN);
        Assert.That(Black76.Value(100, 100, 1, found[15]).Call, Is.EqualTo(10).Within(1E-13));
        Assert.That(singly, Is.EqualTo(15));
    }

    [Test]
    public void Columns_of_unequal_length_or_without_padding_are_refused()
    {
        double[] rows = new double[12];
        Assert.That(() => ImpliedVolatility.OfOutOfTheMoney(rows, rows, rows, rows, new double[12]), Throws.ArgumentException);
        rows = new double[16];
        Assert.That(() => ImpliedVolatility.OfOutOfTheMoney(rows, rows, rows, rows, new double[8]), Throws.ArgumentException);
        Assert.That(ImpliedVolatility.OfOutOfTheMoney([], [], [], [], []), Is.Zero);
    }
}
