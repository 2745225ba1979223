namespace MarginEngine.Tests.LogicTests;

/// <summary>Black-76 from its textbook formula in about 100 bits, at rate zero: what the kernels are measured against.</summary>
internal readonly record struct ReferencePrice(
    DoubleDouble Call, DoubleDouble Put, DoubleDouble CallDelta, DoubleDouble Gamma, DoubleDouble Vega, DoubleDouble Theta)
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
        DoubleDouble d1 = logRatio / deviation + DoubleDouble.Scale(deviation, -1);
        DoubleDouble d2 = d1 - deviation;
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
            density / (forward * deviation),
            vega,
            -(forward * density * volatility / DoubleDouble.Scale(root, 1)));
    }
}
