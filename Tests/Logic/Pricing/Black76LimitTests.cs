using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>What must hold whatever the inputs: parity, intrinsic values, bounds, order, and no NaN.</summary>
[TestFixture]
internal sealed class Black76LimitTests
{
    private const int Seed = 7676;

    [TestCase(100.0, 90.0, 0.0, 0.5, 10.0, 0.0)]
    [TestCase(100.0, 90.0, -3.0, 0.5, 10.0, 0.0)]
    [TestCase(100.0, 90.0, 1.0, 0.0, 10.0, 0.0)]
    [TestCase(100.0, 90.0, 1.0, -0.5, 10.0, 0.0)]
    [TestCase(90.0, 100.0, 0.0, 0.5, 0.0, 10.0)]
    [TestCase(100.0, 100.0, 0.0, 0.5, 0.0, 0.0)]
    [TestCase(100.0, 100.0, 1.0, 0.0, 0.0, 0.0)]
    [TestCase(100.0, 100.0, double.NegativeInfinity, 0.0, 0.0, 0.0)]
    [TestCase(0.0, 100.0, 1.0, 4.0, 0.0, 100.0)]
    [TestCase(100.0, 0.0, 1.0, 4.0, 100.0, 0.0)]
    [TestCase(100.0, 90.0, double.Epsilon, double.Epsilon, 10.0, 0.0)]
    [TestCase(1e300, 1e-300, 1.0, 0.5, 1e300, 0.0)]
    [TestCase(1e-300, 1e300, 1.0, 0.5, 0.0, 1e300)]
    [TestCase(3.4e38, 1e-18, 1.0, 1.0, 3.4e38, 0.0)]
    [TestCase(1e-18, 3.4e38, 1.0, 1.0, 0.0, 3.4e38)]
    public void Without_time_or_volatility_or_with_a_hopeless_ratio_the_values_are_intrinsic(
        double forward, double strike, double years, double volatility, double call, double put) =>
        Assert.That(Black76.Value(forward, strike, years, volatility), Is.EqualTo((call, put)));

    /// <summary>Columns look for ratios without an ordinary logarithm a block at a time: one must neither hide nor change its neighbours.</summary>
    [TestCase(0.0, 100.0)]
    [TestCase(100.0, 0.0)]
    [TestCase(1e-300, 1e300)]
    [TestCase(1e-155, 1e155)]
    [TestCase(1e300, 1e-300)]
    [TestCase(1.7e308, 1.0)]
    [TestCase(double.NaN, 100.0)]
    [TestCase(100.0, double.PositiveInfinity)]
    [TestCase(-100.0, 100.0)]
    [TestCase(double.NegativeInfinity, 100.0)]
    public void One_extreme_option_among_others_in_columns_has_the_bits_that_it_has_alone_and_so_have_the_others(double forward, double strike)
    {
        const int Options = 264;
        double[] forwards = new double[Options], strikes = new double[Options], years = new double[Options], volatility = new double[Options];
        double[] call = new double[Options], put = new double[Options];
        var random = new PricingRandom(Seed);
        for (int place = 0; place < Options; place += 7)
        {
            for (int i = 0; i < Options; i++)
                (forwards[i], strikes[i], years[i], volatility[i]) = random.Option();
            (forwards[place], strikes[place]) = (forward, strike);
            Black76.Value(forwards, strikes, years, volatility, call, put);
            for (int i = 0; i < Options; i++)
            {
                (double Call, double Put) alone = Black76.Value(forwards[i], strikes[i], years[i], volatility[i]);
                Assert.That((call[i], put[i]), Is.EqualTo(alone), $"option {i}, extreme {place}: F {forwards[i]:R} K {strikes[i]:R}, seed {Seed}");
            }
        }
    }

    [TestCase(1000.0, 700.0, 1.0, 25.0)]
    [TestCase(1000.0, 700.0, 1.0, 1e300)]
    [TestCase(1000.0, 700.0, double.MaxValue, double.MaxValue)]
    [TestCase(1000.0, 1000.0, double.PositiveInfinity, 1.0)]
    public void With_endless_volatility_a_call_is_the_forward_and_a_put_the_strike(double forward, double strike, double years, double volatility)
    {
        (double call, double put) = Black76.Value(forward, strike, years, volatility);
        Assert.That((call, put), Is.EqualTo((forward, strike)));
    }

    [TestCase(double.NaN, 100.0, 1.0, 0.5)]
    [TestCase(100.0, double.NaN, 1.0, 0.5)]
    [TestCase(100.0, 90.0, double.NaN, 0.5)]
    [TestCase(100.0, 90.0, 1.0, double.NaN)]
    [TestCase(0.0, 0.0, 1.0, 0.5)]
    public void A_number_that_is_none_stays_none(double forward, double strike, double years, double volatility)
    {
        (double call, double put) = Black76.Value(forward, strike, years, volatility);
        Assert.That((call, put), Is.EqualTo((double.NaN, double.NaN)));
        double[] columns = new double[8];
        double[] calls = new double[8];
        double[] puts = new double[8];
        double[] Column(double value) => [.. columns.Select(_ => value)];
        foreach (int width in new[] { 1, 2, 4, 8 })
        {
            Kernel.UseLaneWidth(width);
            Black76.Value(Column(forward), Column(strike), Column(years), Column(volatility), calls, puts);
            Assert.That(calls.Concat(puts), Is.All.NaN, $"width {width}");
            Black76.ValueRows(forward, strike, years, Column(1.0), Column(0.0), Column(volatility), calls, puts);
            Assert.That(calls.Concat(puts), Is.All.NaN, $"rows, width {width}");
        }

        Kernel.UseLaneWidth(Kernel.WidestLanes());
        OptionGreeks greeks = Black76.Greeks(isCall: true, forward, strike, years, volatility);
        Assert.That(greeks.Value, Is.NaN);
        if (forward != 0.0)
            Assert.That((greeks.Delta, greeks.Vega), Is.EqualTo((double.NaN, double.NaN)));
    }

    [Test]
    public void Any_finite_positive_input_gives_values_within_their_bounds()
    {
        var random = new PricingRandom(Seed);
        for (int i = 0; i < 200_000; i++)
        {
            (double forward, double strike, double years, double volatility) = random.Wild();
            (double call, double put) = Black76.Value(forward, strike, years, volatility);
            double outside = forward > strike ? put : call;
            double inside = forward > strike ? call : put;
            double intrinsic = Math.Abs(forward - strike);
            bool holds = outside >= 0.0 && outside <= Math.Min(forward, strike) && inside >= intrinsic && inside == outside + intrinsic;
            if (!holds)
                Assert.Fail($"F {forward:R} K {strike:R} T {years:R} sigma {volatility:R} gives {call:R} and {put:R}, seed {Seed}");
        }
    }

    [Test]
    public void Greeks_of_any_finite_positive_input_are_numbers()
    {
        var random = new PricingRandom(Seed);
        for (int i = 0; i < 100_000; i++)
        {
            (double forward, double strike, double years, double volatility) = random.Wild();
            OptionGreeks call = Black76.Greeks(isCall: true, forward, strike, years, volatility);
            OptionGreeks put = Black76.Greeks(isCall: false, forward, strike, years, volatility);
            bool holds = call.Delta is >= 0.0 and <= 1.0 && put.Delta is >= -1.0 and <= 0.0 && call.Gamma >= 0.0 && call.Vega >= 0.0
                && call.Theta <= 0.0 && !double.IsNaN(call.Rho) && !double.IsNaN(call.Vanna) && !double.IsNaN(call.Volga)
                && Math.Abs(call.Delta - put.Delta - 1.0) < 1e-15;
            if (!holds)
                Assert.Fail($"F {forward:R} K {strike:R} T {years:R} sigma {volatility:R} gives {call} and {put}, seed {Seed}");
        }
    }

    [TestCase(true, 110.0, 100.0, 1.0)]
    [TestCase(true, 90.0, 100.0, 0.0)]
    [TestCase(true, 100.0, 100.0, 0.5)]
    [TestCase(false, 110.0, 100.0, 0.0)]
    [TestCase(false, 90.0, 100.0, -1.0)]
    [TestCase(false, 100.0, 100.0, -0.5)]
    public void An_expired_option_has_the_delta_of_its_payoff_and_nothing_else(bool isCall, double forward, double strike, double delta)
    {
        double value = Math.Max(isCall ? forward - strike : strike - forward, 0.0);
        Assert.That(Black76.Greeks(isCall, forward, strike, 0.0, 0.5), Is.EqualTo(new OptionGreeks(value, delta, 0, 0, 0, 0, 0, 0)));
        Assert.That(Black76.Greeks(isCall, forward, strike, -0.1, 0.5, 0.05).Value, Is.EqualTo(value), "an expired option is not discounted");
    }

    [Test]
    public void A_value_never_falls_with_volatility_by_more_than_rounding()
    {
        var random = new PricingRandom(Seed);
        for (int i = 0; i < 2_000; i++)
        {
            (double forward, double strike, double years, double _) = random.Option();
            double last = 0.0;
            for (double volatility = 0.01; volatility < 8.0; volatility *= 1.05)
            {
                double call = Black76.Value(forward, strike, years, volatility).Call;
                Assert.That(call, Is.GreaterThanOrEqualTo(last - 1e-15 * Math.Max(forward, strike)), $"F {forward:R} K {strike:R} T {years:R} sigma {volatility:R}, seed {Seed}");
                last = call;
            }
        }
    }

    [Test]
    public void A_call_and_the_put_with_forward_and_strike_exchanged_are_one_number()
    {
        var random = new PricingRandom(Seed);
        for (int i = 0; i < 20_000; i++)
        {
            (double forward, double strike, double years, double volatility) = random.Option();
            double call = Black76.Value(forward, strike, years, volatility).Call;
            double put = Black76.Value(strike, forward, years, volatility).Put;
            Assert.That(put, Is.EqualTo(call).Within(1e-15 * Math.Max(forward, strike)), $"F {forward:R} K {strike:R} T {years:R} sigma {volatility:R}, seed {Seed}");
        }
    }

    [Test]
    public void Columns_and_a_row_without_a_shock_have_the_bits_of_the_single_value()
    {
        var random = new PricingRandom(Seed);
        double[] forward = new double[64], strike = new double[64], years = new double[64], volatility = new double[64];
        double[] call = new double[64], put = new double[64], rowCall = new double[64], rowPut = new double[64];
        double[] ones = new double[64], zeros = new double[64];
        Array.Fill(ones, 1.0);
        for (int turn = 0; turn < 500; turn++)
        {
            for (int i = 0; i < 64; i++)
                (forward[i], strike[i], years[i], volatility[i]) = (i & 1) == 0 ? random.Option() : random.Wild();
            Black76.Value(forward, strike, years, volatility, call, put);
            for (int i = 0; i < 64; i++)
            {
                (double oneCall, double onePut) = Black76.Value(forward[i], strike[i], years[i], volatility[i]);
                string inputs = $"F {forward[i]:R} K {strike[i]:R} T {years[i]:R} sigma {volatility[i]:R}, seed {Seed}";
                Assert.That((call[i], put[i]), Is.EqualTo((oneCall, onePut)), inputs);
            }

            Black76.ValueRows(forward[0], strike[0], years[0], ones, zeros, volatility, rowCall, rowPut);
            for (int i = 0; i < 64; i++)
                Assert.That((rowCall[i], rowPut[i]), Is.EqualTo(Black76.Value(forward[0], strike[0], years[0], volatility[i])), $"row {i}, seed {Seed}");
        }
    }

    [TestCase(7, 7)]
    [TestCase(12, 12)]
    [TestCase(16, 8)]
    [TestCase(8, 16)]
    public void Columns_of_unequal_length_or_without_padding_are_refused(int rows, int outputs)
    {
        double[] column = new double[rows];
        double[] output = new double[outputs];
        Assert.That(() => Black76.Value(column, column, column, column, output, output), Throws.ArgumentException);
        Assert.That(() => Black76.ValueRows(1.0, 1.0, 1.0, column, column, column, output, output), Throws.ArgumentException);
    }

    [Test]
    public void No_columns_are_no_work() =>
        Assert.That(() => Black76.Value([], [], [], [], [], []), Throws.Nothing);

    [Test]
    public void Pricing_allocates_nothing()
    {
        double[] column = new double[64];
        double[] call = new double[64];
        double[] put = new double[64];
        Array.Fill(column, 1.25);
        double sum = 0.0;
        long before = 0;
        for (int turn = 0; turn < 3_000; turn++)
        {
            if (turn == 2_000)
                before = GC.GetAllocatedBytesForCurrentThread();
            Black76.Value(column, column, column, column, call, put);
            Black76.ValueRows(1.5, 1.25, 0.5, column, column, column, call, put);
            sum += Black76.Greeks(isCall: true, 1.5, 1.25, 0.5, 0.8, 0.01).Theta;
            var slice = new SviSlice(0.04, 0.1, -0.3, 0.02, 0.2);
            sum += (int)slice.Check() + (int)SviSlice.CheckCalendar(slice, new SviSlice(0.05, 0.11, -0.25, 0.0, 0.2));
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero, $"sum {sum}");
    }
}
