namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// Textbook Greeks in double. Vega, vanna and volga are per 1.0 of volatility, theta and rho per year and per 1.0 of rate. Volatility and time must
/// be positive.
/// </summary>
internal sealed record ReferenceGreeks(double Price, double Delta, double Gamma, double Vega, double Theta, double Vanna, double Volga)
{
    /// <summary>Black-76 with discount e^(-rT), the forward held fixed in theta and in the discount's change.</summary>
    public static ReferenceGreeks OnForward(double forward, double strike, double years, double volatility, double rate, bool isCall)
    {
        double root = Math.Sqrt(years);
        double deviation = volatility * root;
        double d1 = Math.Log(forward / strike) / deviation + deviation / 2.0;
        double d2 = d1 - deviation;
        double discount = Math.Exp(-rate * years);
        double density = ReferenceOptions.NormalDensity(d1);
        double price = discount * ReferenceOptions.Black76(forward, strike, years, volatility, isCall);
        double vega = discount * forward * density * root;
        return new ReferenceGreeks(
            price,
            discount * (isCall ? ReferenceOptions.NormalCdf(d1) : -ReferenceOptions.NormalCdf(-d1)),
            discount * density / (forward * deviation),
            vega,
            -discount * forward * density * volatility / (2.0 * root) + rate * price,
            -discount * density * d2 / volatility,
            vega * d1 * d2 / volatility);
    }
}

/// <summary>Black-Scholes-Merton on a spot with a yield q, with the Greeks that Haug tabulates.</summary>
internal sealed record SpotGreeks(double Price, double Delta, double Gamma, double Vega, double Theta, double Rho, double DividendRho)
{
    public static SpotGreeks Of(double spot, double strike, double years, double volatility, double rate, double yield, bool isCall)
    {
        double side = isCall ? 1.0 : -1.0;
        double root = Math.Sqrt(years);
        double forward = spot * Math.Exp((rate - yield) * years);
        double d1 = Math.Log(forward / strike) / (volatility * root) + volatility * root / 2.0;
        double spotLeg = spot * Math.Exp(-yield * years) * ReferenceOptions.NormalCdf(side * d1);
        double strikeLeg = strike * Math.Exp(-rate * years) * ReferenceOptions.NormalCdf(side * (d1 - volatility * root));
        double density = Math.Exp(-yield * years) * ReferenceOptions.NormalDensity(d1);
        return new SpotGreeks(
            side * (spotLeg - strikeLeg),
            side * spotLeg / spot,
            density / (spot * volatility * root),
            spot * density * root,
            -spot * density * volatility / (2.0 * root) + side * (yield * spotLeg - rate * strikeLeg),
            side * years * strikeLeg,
            -side * years * spotLeg);
    }
}
