namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// Option arithmetic of the reference margins: textbook formulas in decimal, one option at a time, nothing shared with the engine.
/// Called by the venue files of this folder and proved against published prices.
/// </summary>
internal static class ReferenceOptions
{
    public const decimal SecondsPerYear = 365m * 86_400m;

    public const decimal PolynomialError = 7.5e-8m;

    // Rows, fills and orders of a book ask for the same prices again and again: the last ones are kept, so that a price is computed once a book.
    private const int Kept = 50_000;

    [ThreadStatic]
    private static Dictionary<(decimal Forward, decimal Strike, decimal Years, decimal Volatility, bool IsCall), decimal>? _prices;

    /// <summary>
    /// Abramowitz and Stegun 26.2.17: 1 - phi(x) (b1 t + .. + b5 t^5), t = 1/(1 + 0.2316419 x), for x >= 0 and by symmetry below. Error below
    /// <see cref="PolynomialError"/>.
    /// </summary>
    public static decimal PolynomialNormalCdf(decimal x)
    {
        decimal t = 1m / (1m + 0.2316419m * Math.Abs(x));
        decimal sum = t * (0.319381530m + t * (-0.356563782m + t * (1.781477937m + t * (-1.821255978m + t * 1.330274429m))));
        decimal upper = DecimalMath.NormalDensity(x) * sum;
        return x >= 0m ? 1m - upper : upper;
    }

    /// <summary>
    /// Undiscounted Black-76 value in the units of <paramref name="forward"/>: F N(d1) - K N(d2), and K N(-d2) - F N(-d1) for a put, with
    /// d1 = ln(F/K)/s + s/2, d2 = d1 - s, s = volatility * sqrt(years). Without time, volatility, forward or strike it is the intrinsic value.
    /// </summary>
    public static decimal Black76(decimal forward, decimal strike, decimal years, decimal volatility, bool isCall)
    {
        _prices ??= [];
        if (_prices.TryGetValue((forward, strike, years, volatility, isCall), out decimal price))
            return price;
        price = Black76(forward, strike, years, volatility, isCall, DecimalMath.NormalCdf);
        if (_prices.Count == Kept)
            _prices.Clear();
        _prices.Add((forward, strike, years, volatility, isCall), price);
        return price;
    }

    /// <summary>The same with another normal distribution function, for venues whose own is an approximation.</summary>
    public static decimal Black76(decimal forward, decimal strike, decimal years, decimal volatility, bool isCall, Func<decimal, decimal> cdf)
    {
        decimal deviation = volatility * DecimalMath.Sqrt(Math.Max(years, 0m));
        if (deviation <= 0m || forward <= 0m || strike <= 0m)
            return Intrinsic(forward, strike, isCall);
        decimal d1 = D1(forward, strike, deviation);
        decimal d2 = d1 - deviation;
        return isCall
            ? forward * cdf(d1) - strike * cdf(d2)
            : strike * cdf(-d2) - forward * cdf(-d1);
    }

    /// <summary>N(d1) of a call and N(d1) - 1 of a put: base units by which an option follows its forward, undiscounted.</summary>
    public static decimal ForwardDelta(decimal forward, decimal strike, decimal years, decimal volatility, bool isCall)
    {
        decimal call = DecimalMath.NormalCdf(D1(forward, strike, volatility * DecimalMath.Sqrt(years)));
        return isCall ? call : call - 1m;
    }

    /// <summary>ln(F/K)/s + s/2.</summary>
    public static decimal D1(decimal forward, decimal strike, decimal deviation) => DecimalMath.Ln(forward / strike) / deviation + deviation / 2m;

    public static decimal Intrinsic(decimal underlying, decimal strike, bool isCall)
        => Math.Max(isCall ? underlying - strike : strike - underlying, 0m);
}
