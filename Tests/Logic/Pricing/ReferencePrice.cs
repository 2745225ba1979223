namespace MarginEngine.Tests.LogicTests;

/// <summary>Black-76 from its textbook formula in about 100 bits, at rate zero: what the kernels are measured against.</summary>
internal readonly record struct ReferencePrice(
    DoubleDouble Call,
    DoubleDouble Put,
    DoubleDouble CallDelta,
    DoubleDouble PutDelta,
    DoubleDouble Gamma,
    DoubleDouble Vega,
    DoubleDouble Theta,
    DoubleDouble CallRho,
    DoubleDouble PutRho,
    DoubleDouble Vanna,
    DoubleDouble Volga)
{
    /// <summary>
    /// The out-of-the-money value is formed from tail probabilities, so that what it loses by their difference stays below 2^-80 of them.
    /// </summary>
    public static ReferencePrice Of(double forward, double strike, double years, double volatility) =>
        Of(forward, strike, DoubleDouble.Log((DoubleDouble)forward / strike), years, volatility);

    public static ReferencePrice Of(DoubleDouble forward, double strike, DoubleDouble logRatio, double years, double volatility)
    {
        DoubleDouble root = DoubleDouble.Sqrt(years);
        DoubleDouble deviation = root * volatility;
        DoubleDouble d1 = Held(logRatio / deviation + DoubleDouble.Scale(deviation, -1));
        DoubleDouble d2 = Held(logRatio / deviation - DoubleDouble.Scale(deviation, -1));
        DoubleDouble call;
        DoubleDouble put;
        if (logRatio.High <= 0.0)
        {
            call = forward * DoubleDouble.NormalCdf(d1) - DoubleDouble.NormalCdf(d2) * strike;
            put = call - forward + strike;
        }
        else
        {
            put = DoubleDouble.NormalCdf(-d2) * strike - forward * DoubleDouble.NormalCdf(-d1);
            call = put + forward - strike;
        }

        DoubleDouble density = DoubleDouble.Exp(DoubleDouble.Scale(d1 * d1, -1) * -1.0) / DoubleDouble.RootTwoPi;
        DoubleDouble vega = forward * density * root;
        return new ReferencePrice(
            call,
            put,
            DoubleDouble.NormalCdf(d1),
            -DoubleDouble.NormalCdf(-d1),
            density / (forward * deviation),
            vega,
            -(forward * density * volatility / DoubleDouble.Scale(root, 1)),
            DoubleDouble.NormalCdf(d2) * strike * years,
            -(DoubleDouble.NormalCdf(-d2) * strike * years),
            -(density * d2 / volatility),
            vega * d1 * d2 / volatility);
    }

    /// <summary>60 standard deviations leave 1e-784: nothing in double, and farther the exponents leave the range of an integer.</summary>
    private static DoubleDouble Held(DoubleDouble d) => d.High > 60.0 ? 60.0 : d.High < -60.0 ? -60.0 : d;
}
