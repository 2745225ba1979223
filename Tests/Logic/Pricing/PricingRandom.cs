namespace MarginEngine.Tests.LogicTests;

/// <summary>Seeded columns of options over the domain of the stated error bounds, and wider.</summary>
internal sealed class PricingRandom(int seed)
{
    private readonly Random _random = new(seed);

    public double Between(double low, double high) => low + (high - low) * _random.NextDouble();

    public double LogBetween(double low, double high) => Math.Exp(Between(Math.Log(low), Math.Log(high)));

    /// <summary>Forward / strike 0.2 to 5, an hour to two years, 5 % to 400 %: where prices are stated to be within 1e-15 of the larger.</summary>
    public (double Forward, double Strike, double Years, double Volatility) Option()
    {
        double strike = LogBetween(1e-3, 1e6);
        return (strike * LogBetween(0.2, 5.0), strike, LogBetween(1.0 / 8760.0, 2.0), LogBetween(0.05, 4.0));
    }

    /// <summary>
    /// Forward / strike 0.05 to 20, a minute to three years, 1 % to 500 %; every second one within eight deviations of the money, where such
    /// options have a value.
    /// </summary>
    public (double Forward, double Strike, double Years, double Volatility) WideOption()
    {
        double strike = LogBetween(1e-3, 1e6);
        double years = LogBetween(1.0 / 525_600.0, 3.0);
        double volatility = LogBetween(0.01, 5.0);
        double reach = _random.Next(2) == 0 ? Math.Log(20.0) : Math.Min(Math.Log(20.0), 8.0 * volatility * Math.Sqrt(years));
        return (strike * Math.Exp(Between(-reach, reach)), strike, years, volatility);
    }

    /// <summary>The whole range of doubles in each argument, with zeros, infinities and negative numbers among times and volatilities.</summary>
    public (double Forward, double Strike, double Years, double Volatility) Wild()
    {
        double forward = LogBetween(1e-300, 1e300);
        double strike = _random.Next(3) == 0 ? forward * (1.0 + Between(-1e-12, 1e-12)) : LogBetween(1e-300, 1e300);
        double years = _random.Next(8) switch { 0 => 0.0, 1 => -1.0, 2 => double.Epsilon, 3 => double.MaxValue, _ => LogBetween(1e-20, 1e20) };
        double volatility = _random.Next(8) switch { 0 => 0.0, 1 => double.Epsilon, 2 => double.MaxValue, _ => LogBetween(1e-20, 1e20) };
        return (forward, strike, years, volatility);
    }
}
