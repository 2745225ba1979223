namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// Textbook Greeks in decimal. Vega, vanna and volga are per 1.0 of volatility, theta and rho per year and per 1.0 of rate. Volatility and time must
/// be positive.
/// </summary>
internal sealed record ReferenceGreeks(decimal Price, decimal Delta, decimal Gamma, decimal Vega, decimal Theta, decimal Vanna, decimal Volga)
{
    /// <summary>Black-76 with discount e^(-rT), the forward held fixed in theta and in the discount's change.</summary>
    public static ReferenceGreeks OnForward(decimal forward, decimal strike, decimal years, decimal volatility, decimal rate, bool isCall)
    {
        decimal root = DecimalMath.Sqrt(years);
        decimal deviation = volatility * root;
        decimal d1 = ReferenceOptions.D1(forward, strike, deviation);
        decimal d2 = d1 - deviation;
        decimal discount = DecimalMath.Exp(-rate * years);
        decimal density = DecimalMath.NormalDensity(d1);
        decimal price = discount * ReferenceOptions.Black76(forward, strike, years, volatility, isCall);
        decimal vega = discount * forward * density * root;
        return new ReferenceGreeks(
            price,
            discount * (isCall ? DecimalMath.NormalCdf(d1) : -DecimalMath.NormalCdf(-d1)),
            discount * density / (forward * deviation),
            vega,
            -discount * forward * density * volatility / (2m * root) + rate * price,
            -discount * density * d2 / volatility,
            vega * d1 * d2 / volatility);
    }
}

/// <summary>Black-Scholes-Merton on a spot with a yield q, with the Greeks that Haug tabulates.</summary>
internal sealed record SpotGreeks(decimal Price, decimal Delta, decimal Gamma, decimal Vega, decimal Theta, decimal Rho, decimal DividendRho)
{
    public static SpotGreeks Of(decimal spot, decimal strike, decimal years, decimal volatility, decimal rate, decimal yield, bool isCall)
    {
        decimal side = isCall ? 1m : -1m;
        decimal root = DecimalMath.Sqrt(years);
        decimal forward = spot * DecimalMath.Exp((rate - yield) * years);
        decimal d1 = ReferenceOptions.D1(forward, strike, volatility * root);
        decimal spotLeg = spot * DecimalMath.Exp(-yield * years) * DecimalMath.NormalCdf(side * d1);
        decimal strikeLeg = strike * DecimalMath.Exp(-rate * years) * DecimalMath.NormalCdf(side * (d1 - volatility * root));
        decimal density = DecimalMath.Exp(-yield * years) * DecimalMath.NormalDensity(d1);
        return new SpotGreeks(
            side * (spotLeg - strikeLeg),
            side * spotLeg / spot,
            density / (spot * volatility * root),
            spot * density * root,
            -spot * density * volatility / (2m * root) + side * (yield * spotLeg - rate * strikeLeg),
            side * years * strikeLeg,
            -side * years * spotLeg);
    }
}
