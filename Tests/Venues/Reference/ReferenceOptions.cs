namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// Option arithmetic of the reference margins: textbook formulas in double, one option at a time, nothing shared with the engine.
/// Called by the venue files of this folder and proved against published prices.
/// </summary>
internal static class ReferenceOptions
{
    public const double SecondsPerYear = 365.0 * 86_400.0;

    public const double PolynomialError = 7.5e-8;

    private const double TailStart = 3.0;

    /// <summary>
    /// Standard normal distribution function. Below 3 in size the series Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/(3*5) + ..), beyond it the
    /// continued fraction 1 - Phi(x) = phi(x) / (x + 1/(x + 2/(x + ..))). Error about 1e-16 absolute, about 1e-14 relative in the tails.
    /// </summary>
    public static double NormalCdf(double x)
    {
        if (double.IsNaN(x))
            return double.NaN;
        if (Math.Abs(x) > TailStart)
            return x > 0 ? 1.0 - UpperTail(x) : UpperTail(-x);
        double term = x;
        double sum = x;
        for (int i = 3; Math.Abs(term) > 1e-20; i += 2)
        {
            term *= x * x / i;
            sum += term;
        }

        return 0.5 + NormalDensity(x) * sum;
    }

    /// <summary>
    /// Abramowitz and Stegun 26.2.17: 1 - phi(x) (b1 t + .. + b5 t^5), t = 1/(1 + 0.2316419 x), for x >= 0 and by symmetry below. Error below
    /// <see cref="PolynomialError"/>.
    /// </summary>
    public static double PolynomialNormalCdf(double x)
    {
        double t = 1.0 / (1.0 + 0.2316419 * Math.Abs(x));
        double sum = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
        double upper = NormalDensity(x) * sum;
        return x >= 0.0 ? 1.0 - upper : upper;
    }

    public static double NormalDensity(double x) => Math.Exp(-0.5 * x * x) / Math.Sqrt(2.0 * Math.PI);

    /// <summary>
    /// Undiscounted Black-76 value in the units of <paramref name="forward"/>: F N(d1) - K N(d2), and K N(-d2) - F N(-d1) for a put, with
    /// d1 = ln(F/K)/s + s/2, d2 = d1 - s, s = volatility * sqrt(years). Without time, volatility, forward or strike it is the intrinsic value.
    /// </summary>
    public static double Black76(double forward, double strike, double years, double volatility, bool isCall)
        => Black76(forward, strike, years, volatility, isCall, NormalCdf);

    /// <summary>The same with another normal distribution function, for venues whose own is an approximation.</summary>
    public static double Black76(double forward, double strike, double years, double volatility, bool isCall, Func<double, double> cdf)
    {
        double deviation = volatility * Math.Sqrt(Math.Max(years, 0.0));
        if (deviation <= 0.0 || forward <= 0.0 || strike <= 0.0)
            return Intrinsic(forward, strike, isCall);
        double d1 = Math.Log(forward / strike) / deviation + deviation / 2.0;
        double d2 = d1 - deviation;
        return isCall
            ? forward * cdf(d1) - strike * cdf(d2)
            : strike * cdf(-d2) - forward * cdf(-d1);
    }

    public static double Intrinsic(double underlying, double strike, bool isCall)
        => Math.Max(isCall ? underlying - strike : strike - underlying, 0.0);

    private static double UpperTail(double x)
    {
        double fraction = x;
        for (int i = 150; i >= 1; i--)
        {
            fraction = x + i / fraction;
        }

        return NormalDensity(x) / fraction;
    }
}
