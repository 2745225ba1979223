using MathNet.Numerics.Distributions;

namespace MarginEngine.Bench;

/// <summary>The textbook formula over usual normal distributions, one option a call: baselines of PricingBench.</summary>
internal static class ScalarBlack
{
    public static (double Call, double Put) WithMathNet(double forward, double strike, double years, double volatility)
    {
        double deviation = volatility * Math.Sqrt(years);
        double d1 = Math.Log(forward / strike) / deviation + 0.5 * deviation;
        double call = forward * Normal.CDF(0.0, 1.0, d1) - strike * Normal.CDF(0.0, 1.0, d1 - deviation);
        return (call, call - (forward - strike));
    }

    public static (double Call, double Put) WithHart(double forward, double strike, double years, double volatility)
    {
        double deviation = volatility * Math.Sqrt(years);
        double d1 = Math.Log(forward / strike) / deviation + 0.5 * deviation;
        double call = forward * Hart(d1) - strike * Hart(d1 - deviation);
        return (call, call - (forward - strike));
    }

    /// <summary>The rational function of this product's kernel with the exponential of <see cref="Math"/>: what its formula is worth without vectors.</summary>
    public static (double Call, double Put) WithRational(double forward, double strike, double years, double volatility)
    {
        double deviation = volatility * Math.Sqrt(years);
        double d1 = Math.Log(forward / strike) / deviation + 0.5 * deviation;
        double call = forward * Rational(d1) - strike * Rational(d1 - deviation);
        return (call, call - (forward - strike));
    }

    private static double Rational(double x)
    {
        double z = Math.Abs(x) * TensorBlack.DeviationScale;
        double p = TensorBlack.Numerator[0];
        foreach (double coefficient in TensorBlack.Numerator[1..])
            p = p * z + coefficient;
        double q = 1.0;
        foreach (double coefficient in TensorBlack.Denominator)
            q = q * z + coefficient;
        double tail = Math.Exp(-0.5 * x * x) * p / q;
        return x > 0.0 ? 1.0 - tail : tail;
    }

    /// <summary>Hart (1968), algorithm 5666, as widely used in finance; the continued fraction beyond 7.07 standard deviations.</summary>
    private static double Hart(double x)
    {
        double a = Math.Abs(x);
        double tail = 0.0;
        if (a <= 37.0)
        {
            double e = Math.Exp(-0.5 * a * a);
            if (a < 7.07106781186547)
            {
                double p = 3.52624965998911E-02 * a + 0.700383064443688;
                p = p * a + 6.37396220353165;
                p = p * a + 33.912866078383;
                p = p * a + 112.079291497871;
                p = p * a + 221.213596169931;
                p = p * a + 220.206867912376;
                double q = 8.83883476483184E-02 * a + 1.75566716318264;
                q = q * a + 16.064177579207;
                q = q * a + 86.7807322029461;
                q = q * a + 296.564248779674;
                q = q * a + 637.333633378831;
                q = q * a + 793.826512519948;
                q = q * a + 440.413735824752;
                tail = e * p / q;
            }
            else
            {
                double fraction = a + 1.0 / (a + 2.0 / (a + 3.0 / (a + 4.0 / (a + 0.65))));
                tail = e / fraction / 2.506628274631;
            }
        }

        return x > 0.0 ? 1.0 - tail : tail;
    }
}
