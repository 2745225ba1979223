using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>The error bounds that Black76 states for values and Greeks, against the textbook formula in about 100 bits.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class Black76AccuracyTests
{
    private const int Points = 20_000;
    private const int Seed = 76;

    [Test]
    public void Values_are_within_1e_15_of_the_larger_of_forward_and_strike()
    {
        var random = new PricingRandom(Seed);
        double worst = 0.0;
        for (int i = 0; i < Points; i++)
        {
            (double forward, double strike, double years, double volatility) = random.Option();
            ReferencePrice exact = ReferencePrice.Of(forward, strike, years, volatility);
            (double call, double put) = Black76.Value(forward, strike, years, volatility);
            double scale = Math.Max(forward, strike);
            double error = Math.Max(Difference(exact.Call, call), Difference(exact.Put, put)) / scale;
            Assert.That(error, Is.LessThanOrEqualTo(1e-15), $"F {forward:R} K {strike:R} T {years:R} sigma {volatility:R}, seed {Seed}");
            worst = Math.Max(worst, error);
        }

        TestContext.Out.WriteLine($"largest error {worst:E2} of max(F, K)");
    }

    [Test]
    public void Out_of_the_money_values_keep_six_digits_down_to_1e_300()
    {
        var random = new PricingRandom(Seed);
        double worst = 0.0;
        int far = 0;
        for (int i = 0; i < Points; i++)
        {
            (double forward, double strike, double years, double volatility) = random.Option();
            ReferencePrice exact = ReferencePrice.Of(forward, strike, years, volatility);
            (double call, double put) = Black76.Value(forward, strike, years, volatility);
            DoubleDouble outside = forward > strike ? exact.Put : exact.Call;
            if ((double)outside < 1e-300 * Math.Max(forward, strike))
                continue;
            double error = Difference(outside, forward > strike ? put : call) / (double)outside;
            Assert.That(error, Is.LessThanOrEqualTo(3e-6), $"F {forward:R} K {strike:R} T {years:R} sigma {volatility:R}, seed {Seed}");
            worst = Math.Max(worst, error);
            far += (double)outside < 1e-20 * forward ? 1 : 0;
        }

        TestContext.Out.WriteLine($"largest relative error {worst:E2}; {far} values below 1e-20 of the forward");
        Assert.That(far, Is.GreaterThan(1000));
    }

    [Test]
    public void Rows_that_share_the_logarithms_keep_the_bound()
    {
        var random = new PricingRandom(Seed);
        Span<double> factor = stackalloc double[16];
        Span<double> logFactor = stackalloc double[16];
        Span<double> sigma = stackalloc double[16];
        Span<double> call = stackalloc double[16];
        Span<double> put = stackalloc double[16];
        double worst = 0.0;
        for (int i = 0; i < Points / 10; i++)
        {
            (double forward, double strike, double years, double volatility) = random.Option();
            for (int row = 0; row < 16; row++)
            {
                factor[row] = random.Between(0.34, 6.0);
                logFactor[row] = Functions.Log(factor[row]);
                sigma[row] = volatility * random.Between(0.5, 2.0);
            }

            Black76.ValueRows(forward, strike, years, factor, logFactor, sigma, call, put);
            for (int row = 0; row < 16; row++)
            {
                DoubleDouble shocked = (DoubleDouble)forward * factor[row];
                ReferencePrice exact = ReferencePrice.Of(shocked, strike, DoubleDouble.Log(shocked / strike), years, sigma[row]);
                double error = Math.Max(Difference(exact.Call, call[row]), Difference(exact.Put, put[row])) / Math.Max((double)shocked, strike);
                Assert.That(error, Is.LessThanOrEqualTo(1e-15), $"F {forward:R} x {factor[row]:R} K {strike:R} T {years:R} sigma {sigma[row]:R}, seed {Seed}");
                worst = Math.Max(worst, error);
            }
        }

        TestContext.Out.WriteLine($"largest error {worst:E2} of max(F, K)");
    }

    [Test]
    public void Greeks_are_within_1e_13_of_their_peaks()
    {
        var random = new PricingRandom(Seed);
        double worst = 0.0;
        for (int i = 0; i < Points; i++)
        {
            (double forward, double strike, double years, double volatility) = random.Option();
            ReferencePrice exact = ReferencePrice.Of(forward, strike, years, volatility);
            OptionGreeks call = Black76.Greeks(isCall: true, forward, strike, years, volatility);
            OptionGreeks put = Black76.Greeks(isCall: false, forward, strike, years, volatility);
            double root = Math.Sqrt(years);
            double peak = 1.0 / Math.Sqrt(2.0 * Math.PI);
            double error = Math.Max(Difference(exact.CallDelta, call.Delta), Difference(exact.CallDelta - DoubleDouble.One, put.Delta));
            error = Math.Max(error, Difference(exact.Gamma, call.Gamma) / (peak / (forward * volatility * root)));
            error = Math.Max(error, Difference(exact.Vega, call.Vega) / (peak * forward * root));
            error = Math.Max(error, Difference(exact.Theta, call.Theta) / (peak * forward * volatility / (2.0 * root)));
            Assert.That(error, Is.LessThanOrEqualTo(1e-13), $"F {forward:R} K {strike:R} T {years:R} sigma {volatility:R}, seed {Seed}");
            Assert.That((put.Gamma, put.Vega, put.Theta), Is.EqualTo((call.Gamma, call.Vega, call.Theta)), "at rate zero a put has its call's");
            worst = Math.Max(worst, error);
        }

        TestContext.Out.WriteLine($"largest error {worst:E2}");
    }

    [Test]
    public void Vanna_volga_rho_and_discounted_theta_are_the_slopes_of_what_they_name()
    {
        var random = new PricingRandom(Seed);
        for (int i = 0; i < 2_000; i++)
        {
            bool isCall = i % 2 == 0;
            double strike = random.LogBetween(100.0, 1e5);
            double forward = strike * random.LogBetween(0.7, 1.4);
            double years = random.LogBetween(0.02, 2.0);
            double volatility = random.LogBetween(0.2, 1.5);
            double rate = random.Between(0.0, 0.1);
            OptionGreeks greeks = Black76.Greeks(isCall, forward, strike, years, volatility, rate);
            string inputs = $"F {forward:R} K {strike:R} T {years:R} sigma {volatility:R} r {rate:R}, seed {Seed}";

            const double Step = 1e-4;
            OptionGreeks At(double change) => Black76.Greeks(isCall, forward, strike, years, volatility + change, rate);
            double vanna = (At(Step).Delta - At(-Step).Delta) / (2.0 * Step);
            double volga = (At(Step).Vega - At(-Step).Vega) / (2.0 * Step);
            Assert.That(greeks.Vanna, Is.EqualTo(vanna).Within(2e-6 * (1.0 + Math.Abs(vanna))), inputs);
            Assert.That(greeks.Volga, Is.EqualTo(volga).Within(2e-5 * (forward + Math.Abs(volga))), inputs);

            double Spot(double change) => Black76.Greeks(isCall, forward * Math.Exp(change * years), strike, years, volatility, rate + change).Value;
            double rho = (Spot(Step) - Spot(-Step)) / (2.0 * Step);
            Assert.That(greeks.Rho, Is.EqualTo(rho).Within(1e-6 * forward), inputs);

            double moment = 1e-5 * years;
            double Later(double passed) => Black76.Greeks(isCall, forward, strike, years - passed, volatility, rate).Value;
            double theta = (Later(moment) - Later(-moment)) / (2.0 * moment);
            Assert.That(greeks.Theta, Is.EqualTo(theta).Within(1e-6 * forward), inputs);
            Assert.That(greeks.ThetaPerDay, Is.EqualTo(greeks.Theta / 365.0), inputs);
        }
    }

    private static double Difference(DoubleDouble exact, double value) => Math.Abs((double)(exact - value));
}
