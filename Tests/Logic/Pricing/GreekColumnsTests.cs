using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Values and Greeks in columns: the bits of the values, the bounds of the Greeks, the options without a future, and every width.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class GreekColumnsTests
{
    private const int Seed = 761;
    private const int Rows = 1024;
    private static readonly double RootTwoPi = Math.Sqrt(2.0 * Math.PI);

    [TearDown]
    public void Back_to_the_widest() => Kernel.UseLaneWidth(Kernel.WidestLanes());

    [Test]
    public void Values_have_the_bits_of_the_single_value_and_greeks_are_within_1e_13_of_their_peaks_of_the_single_greeks()
    {
        var random = new PricingRandom(Seed);
        double worst = 0.0;
        for (int round = 0; round < 40; round++)
        {
            var columns = new Columns(Rows);
            columns.Fill(random.Option);
            columns.Compute();
            for (int i = 0; i < Rows; i++)
            {
                (double forward, double strike, double years, double volatility) = columns.Option(i);
                string inputs = $"F {forward:R} K {strike:R} T {years:R} sigma {volatility:R}, seed {Seed}";
                Assert.That((columns.Call[i], columns.Put[i]), Is.EqualTo(Black76.Value(forward, strike, years, volatility)), inputs);
                OptionGreeks call = Black76.Greeks(isCall: true, forward, strike, years, volatility);
                OptionGreeks put = Black76.Greeks(isCall: false, forward, strike, years, volatility);
                double root = Math.Sqrt(years);
                double vega = forward * root / RootTwoPi;
                double error = Math.Max(Math.Abs(call.Delta - columns.CallDelta[i]), Math.Abs(put.Delta - columns.PutDelta[i]));
                error = Math.Max(error, Math.Abs(call.Gamma - columns.Gamma[i]) * forward * volatility * root * RootTwoPi);
                error = Math.Max(error, Math.Abs(call.Vega - columns.Vega[i]) / vega);
                error = Math.Max(error, Math.Abs(call.Theta - columns.Theta[i]) * 2.0 * years / (vega * volatility));
                error = Math.Max(error, Math.Abs(call.Rho - columns.CallRho[i]) / (strike * years));
                error = Math.Max(error, Math.Abs(put.Rho - columns.PutRho[i]) / (strike * years));
                error = Math.Max(error, Math.Abs(call.Vanna - columns.Vanna[i]) * volatility * RootTwoPi);
                error = Math.Max(error, Math.Abs(call.Volga - columns.Volga[i]) * volatility / vega);
                Assert.That(error, Is.LessThanOrEqualTo(1e-13), inputs);
                worst = Math.Max(worst, error);
            }
        }

        TestContext.Out.WriteLine($"largest difference {worst:E2}");
    }

    [Test]
    public void Every_width_gives_the_same_bits()
    {
        var random = new PricingRandom(Seed);
        for (int round = 0; round < 60; round++)
        {
            var columns = new Columns(Rows);
            columns.Fill(() => random.Between(0.0, 1.0) < 0.25 ? random.Wild() : random.Option());
            double[][] expected = columns.At(1);
            foreach (int width in new[] { 2, 4, 8 })
            {
                double[][] results = columns.At(width);
                for (int column = 0; column < expected.Length; column++)
                {
                    for (int i = 0; i < Rows; i++)
                    {
                        if (BitConverter.DoubleToInt64Bits(expected[column][i]) != BitConverter.DoubleToInt64Bits(results[column][i])
                            && !(double.IsNaN(expected[column][i]) && double.IsNaN(results[column][i])))
                        {
                            Assert.Fail($"column {column} at width {width}: {expected[column][i]:R}, {results[column][i]:R} for {columns.Option(i)}, seed {Seed}");
                        }
                    }
                }
            }
        }
    }

    [TestCase(0.0, 0.5)]
    [TestCase(-1.0, 0.5)]
    [TestCase(1.0, 0.0)]
    [TestCase(1.0, -0.5)]
    [TestCase(double.Epsilon, double.Epsilon)]
    public void An_option_without_time_or_volatility_has_what_the_single_greeks_say(double years, double volatility)
    {
        var columns = new Columns(8);
        double[] strikes = [90.0, 100.0, 110.0, 99.99999999999999, 1e-12, 1e12, 100.0, 50.0];
        int next = 0;
        columns.Fill(() => (100.0, strikes[next++], years, volatility));
        columns.Compute();
        for (int i = 0; i < 8; i++)
        {
            OptionGreeks call = Black76.Greeks(isCall: true, 100.0, strikes[i], years, volatility);
            OptionGreeks put = Black76.Greeks(isCall: false, 100.0, strikes[i], years, volatility);
            Assert.That((columns.Call[i], columns.CallDelta[i], columns.CallRho[i]), Is.EqualTo((call.Value, call.Delta, call.Rho)), $"call {strikes[i]}");
            Assert.That((columns.Put[i], columns.PutDelta[i], columns.PutRho[i]), Is.EqualTo((put.Value, put.Delta, put.Rho)), $"put {strikes[i]}");
            double[] rest = [columns.Gamma[i], columns.Vega[i], columns.Theta[i], columns.Vanna[i], columns.Volga[i]];
            Assert.That(rest, Is.All.Zero, $"strike {strikes[i]}");
        }
    }

    [Test]
    public void Any_option_within_the_stated_range_has_numbers()
    {
        var random = new PricingRandom(Seed);
        for (int round = 0; round < 100; round++)
        {
            var columns = new Columns(Rows);
            columns.Fill(random.Wild);
            columns.Compute();
            for (int i = 0; i < Rows; i++)
            {
                (double forward, double _, double years, double volatility) = columns.Option(i);
                double deviation = volatility * Math.Sqrt(Math.Max(years, 0.0));
                if (deviation > 1e150 || forward * deviation is > 0.0 and (< 1e-300 or > 1e300))
                    continue;
                bool holds = columns.CallDelta[i] is >= 0.0 and <= 1.0 && columns.PutDelta[i] is >= -1.0 and <= 0.0
                    && columns.Gamma[i] >= 0.0 && columns.Vega[i] >= 0.0 && columns.Theta[i] <= 0.0 && columns.CallRho[i] >= 0.0
                    && columns.PutRho[i] <= 0.0 && !double.IsNaN(columns.Vanna[i]) && !double.IsNaN(columns.Volga[i]);
                if (!holds)
                    Assert.Fail($"{columns.Option(i)} gives {string.Join(' ', columns.Results.Select(column => $"{column[i]:R}"))}, seed {Seed}");
            }
        }
    }

    [Test]
    public void A_number_that_is_none_stays_none([Values(0, 1, 2, 3)] int input)
    {
        var columns = new Columns(8);
        columns.Fill(() => (input == 0 ? double.NaN : 100.0, input == 1 ? double.NaN : 90.0, input == 2 ? double.NaN : 1.0, input == 3 ? double.NaN : 0.5));
        columns.Compute();
        Assert.That(columns.Call.Concat(columns.CallDelta).Concat(columns.Vega).Concat(columns.Gamma), Is.All.NaN);
    }

    [Test]
    public void Columns_of_unequal_length_or_without_padding_are_refused()
    {
        Assert.That(() => new Columns(12).Compute(), Throws.ArgumentException);
        var columns = new Columns(16) { Volga = new double[8] };
        Assert.That(columns.Compute, Throws.ArgumentException);
        Assert.That(() => new Columns(0).Compute(), Throws.Nothing);
    }

    [Test]
    public void Greeks_in_columns_allocate_nothing()
    {
        var columns = new Columns(136);
        columns.Fill(new PricingRandom(Seed).Option);
        long before = 0;
        for (int turn = 0; turn < 400; turn++)
        {
            if (turn == 300)
                before = GC.GetAllocatedBytesForCurrentThread();
            columns.Compute();
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private sealed class Columns(int rows)
    {
        private readonly double[] _forward = new double[rows];
        private readonly double[] _strike = new double[rows];
        private readonly double[] _years = new double[rows];
        private readonly double[] _volatility = new double[rows];

        public double[] Call { get; } = new double[rows];

        public double[] Put { get; } = new double[rows];

        public double[] CallDelta { get; } = new double[rows];

        public double[] PutDelta { get; } = new double[rows];

        public double[] Gamma { get; } = new double[rows];

        public double[] Vega { get; } = new double[rows];

        public double[] Theta { get; } = new double[rows];

        public double[] CallRho { get; } = new double[rows];

        public double[] PutRho { get; } = new double[rows];

        public double[] Vanna { get; } = new double[rows];

        public double[] Volga { get; init; } = new double[rows];

        public double[][] Results => [Call, Put, CallDelta, PutDelta, Gamma, Vega, Theta, CallRho, PutRho, Vanna, Volga];

        public (double Forward, double Strike, double Years, double Volatility) Option(int i) => (_forward[i], _strike[i], _years[i], _volatility[i]);

        public void Fill(Func<(double Forward, double Strike, double Years, double Volatility)> draw)
        {
            for (int i = 0; i < _forward.Length; i++)
                (_forward[i], _strike[i], _years[i], _volatility[i]) = draw();
        }

        public double[][] At(int width)
        {
            Kernel.UseLaneWidth(width);
            Compute();
            return [.. Results.Select(column => (double[])column.Clone())];
        }

        public void Compute() => Black76.Greeks(_forward, _strike, _years, _volatility, new GreekColumns
        {
            Call = Call,
            Put = Put,
            CallDelta = CallDelta,
            PutDelta = PutDelta,
            Gamma = Gamma,
            Vega = Vega,
            Theta = Theta,
            CallRho = CallRho,
            PutRho = PutRho,
            Vanna = Vanna,
            Volga = Volga,
        });
    }
}
