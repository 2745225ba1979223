using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>
/// The stated errors over the whole asked domain: forward / strike 0.05 to 20, one minute to three years, volatility 1 % to 500 %, against
/// the textbook formulas in about 100 bits.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class WideAccuracyTests
{
    private const int Points = 24_000;
    private const int Columns = 8;
    private const int Seed = 20;
    private const double LeastFullDeviation = 1.25e-3;

    /// <summary>
    /// A deviation s divides the rounding of forward / strike, 2^-53, on its way to d1, which moves a Greek by at most as much of its peak:
    /// below 1.25e-3 (a minute at 90 %) no formula that starts from that quotient can have 1e-13.
    /// </summary>
    private static double GreekBound(double deviation) => Math.Max(1e-13, LeastFullDeviation * 1e-13 / deviation);

    [Test]
    public void Values_are_within_1e_15_of_the_larger_of_forward_and_strike()
    {
        var random = new PricingRandom(Seed);
        double worst = 0.0;
        for (int i = 0; i < Points; i++)
        {
            (double forward, double strike, double years, double volatility) = random.WideOption();
            ReferencePrice exact = ReferencePrice.Of(forward, strike, years, volatility);
            (double call, double put) = Black76.Value(forward, strike, years, volatility);
            double error = Math.Max(Difference(exact.Call, call), Difference(exact.Put, put)) / Math.Max(forward, strike);
            Assert.That(error, Is.LessThanOrEqualTo(1e-15), $"F {forward:R} K {strike:R} T {years:R} sigma {volatility:R}, seed {Seed}");
            worst = Math.Max(worst, error);
        }

        TestContext.Out.WriteLine($"largest error {worst:E2} of max(F, K)");
    }

    [Test]
    public void Greeks_singly_and_in_columns_are_within_their_bound_of_the_peaks()
    {
        var random = new PricingRandom(Seed);
        double worst = 0.0;
        double worstBelow = 0.0;
        var column = new GreekColumn();
        for (int i = 0; i < Points; i++)
        {
            (double forward, double strike, double years, double volatility) = random.WideOption();
            ReferencePrice exact = ReferencePrice.Of(forward, strike, years, volatility);
            double single = Math.Max(
                Error(exact, Black76.Greeks(isCall: true, forward, strike, years, volatility), exact.CallDelta, exact.CallRho, forward, strike, years, volatility),
                Error(exact, Black76.Greeks(isCall: false, forward, strike, years, volatility), exact.PutDelta, exact.PutRho, forward, strike, years, volatility));
            (OptionGreeks call, OptionGreeks put) = column.Of(forward, strike, years, volatility);
            double columns = Math.Max(
                Error(exact, call, exact.CallDelta, exact.CallRho, forward, strike, years, volatility),
                Error(exact, put, exact.PutDelta, exact.PutRho, forward, strike, years, volatility));
            double deviation = volatility * Math.Sqrt(years);
            string inputs = $"F {forward:R} K {strike:R} T {years:R} sigma {volatility:R}, seed {Seed}";
            Assert.That(single, Is.LessThanOrEqualTo(GreekBound(deviation)), inputs);
            Assert.That(columns, Is.LessThanOrEqualTo(GreekBound(deviation)), inputs);
            if (deviation >= LeastFullDeviation)
                worst = Math.Max(worst, Math.Max(single, columns));
            else
                worstBelow = Math.Max(worstBelow, Math.Max(single, columns));
        }

        TestContext.Out.WriteLine($"largest error {worst:E2} of the peak, {worstBelow:E2} at deviations below {LeastFullDeviation}");
    }

    [Test]
    public void On_the_path_of_implied_volatility_a_price_keeps_1e_11_of_itself_down_to_1e_40_of_the_forward()
    {
        var random = new PricingRandom(Seed);
        double[] forward = new double[Columns], strike = new double[Columns], years = new double[Columns], price = new double[Columns];
        double[] volatility = new double[Columns], sensitivity = new double[Columns], found = new double[Columns];
        double worstSingle = 0.0;
        double worstColumns = 0.0;
        int far = 0;
        for (int done = 0; done < Points; done += Columns)
        {
            for (int i = 0; i < Columns;)
            {
                (forward[i], strike[i], years[i], volatility[i]) = random.WideOption();
                ReferencePrice exact = ReferencePrice.Of(forward[i], strike[i], years[i], volatility[i]);
                price[i] = (double)(forward[i] > strike[i] ? exact.Put : exact.Call);
                sensitivity[i] = volatility[i] * (double)exact.Vega / price[i];

                // A price that fills its bound to the last bits does not tell its volatility.
                if (price[i] >= 1e-40 * forward[i] && sensitivity[i] > 0.01)
                {
                    far += price[i] < 1e-20 * forward[i] ? 1 : 0;
                    i++;
                }
            }

            ImpliedVolatility.OfOutOfTheMoney(forward, strike, years, price, found);
            for (int i = 0; i < Columns; i++)
            {
                // What the volatility found is off, as a share of the price: the error of the price that the solver computes with.
                double single = sensitivity[i] * Math.Abs(ImpliedVolatility.OfOutOfTheMoney(forward[i], strike[i], years[i], price[i]) / volatility[i] - 1.0);
                double columns = sensitivity[i] * Math.Abs(found[i] / volatility[i] - 1.0);
                string inputs = $"F {forward[i]:R} K {strike[i]:R} T {years[i]:R} sigma {volatility[i]:R} price {price[i]:R}, seed {Seed}";
                Assert.That(single, Is.LessThanOrEqualTo(1e-11), inputs);
                Assert.That(columns, Is.LessThanOrEqualTo(1e-11), inputs);
                worstSingle = Math.Max(worstSingle, single);
                worstColumns = Math.Max(worstColumns, columns);
            }
        }

        TestContext.Out.WriteLine($"largest relative error {worstSingle:E2} singly, {worstColumns:E2} in columns; {far} prices below 1e-20 of the forward");
        Assert.That(far, Is.GreaterThan(500));
    }

    private static double Error(
        in ReferencePrice exact, in OptionGreeks greeks, DoubleDouble delta, DoubleDouble rho, double forward, double strike, double years, double volatility)
    {
        double root = Math.Sqrt(years);
        double deviation = volatility * root;
        double peak = 1.0 / Math.Sqrt(2.0 * Math.PI);
        double vega = peak * forward * root;
        double far = Math.Max(1.0, 0.5 * deviation);
        double error = Difference(delta, greeks.Delta);
        error = Math.Max(error, Difference(rho, greeks.Rho) / (strike * years));
        error = Math.Max(error, Difference(exact.Gamma, greeks.Gamma) / (peak / (forward * deviation)));
        error = Math.Max(error, Difference(exact.Vega, greeks.Vega) / vega);
        error = Math.Max(error, Difference(exact.Theta, greeks.Theta) / (vega * volatility / (2.0 * years)));
        error = Math.Max(error, Difference(exact.Vanna, greeks.Vanna) / (far * peak / volatility));
        return Math.Max(error, Difference(exact.Volga, greeks.Volga) / (far * far * vega / volatility));
    }

    private static double Difference(DoubleDouble exact, double value) => Math.Abs((double)(exact - value));

    /// <summary>One option through the column form.</summary>
    private sealed class GreekColumn
    {
        private readonly double[][] _inputs = [.. Enumerable.Range(0, 4).Select(_ => new double[Columns])];
        private readonly double[][] _outputs = [.. Enumerable.Range(0, 11).Select(_ => new double[Columns])];

        public (OptionGreeks Call, OptionGreeks Put) Of(double forward, double strike, double years, double volatility)
        {
            double[] values = [forward, strike, years, volatility];
            for (int i = 0; i < values.Length; i++)
                Array.Fill(_inputs[i], values[i]);
            Black76.Greeks(_inputs[0], _inputs[1], _inputs[2], _inputs[3], new GreekColumns
            {
                Call = _outputs[0],
                Put = _outputs[1],
                CallDelta = _outputs[2],
                PutDelta = _outputs[3],
                Gamma = _outputs[4],
                Vega = _outputs[5],
                Theta = _outputs[6],
                CallRho = _outputs[7],
                PutRho = _outputs[8],
                Vanna = _outputs[9],
                Volga = _outputs[10],
            });
            double At(int column) => _outputs[column][^1];
            return (new OptionGreeks(At(0), At(2), At(4), At(5), At(6), At(7), At(9), At(10)), new OptionGreeks(At(1), At(3), At(4), At(5), At(6), At(8), At(9), At(10)));
        }
    }
}
