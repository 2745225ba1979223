namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>An option of a Derive account. <paramref name="Seconds"/> to expiry, strike in USD, amount signed, volatility per square root of a year.</summary>
internal sealed record DeriveOption(double Seconds, double Strike, bool IsCall, double Amount, double Volatility);

/// <summary>
/// Feeds of one expiry: forward in USD, split in the part already fixed by the settlement average and the part that still moves; continuously
/// compounded rate per year; the lowest confidence of its forward, rate and volatility feeds, 0 to 1.
/// </summary>
internal sealed record DeriveExpiry(double Seconds, double FixedForward, double VariableForward, double Rate, double Confidence);

/// <summary>Collateral: amount, price in USD, haircuts as fractions of value; <paramref name="InScenarios"/> marks what moves with the underlying.</summary>
internal sealed record DeriveCollateral(double Amount, double Price, double Confidence, bool InScenarios, double MaintenanceHaircut, double InitialHaircut);

/// <summary>A Derive portfolio-margin account on one underlying, with the feeds it is valued at. Money in USD.</summary>
internal sealed record DeriveAccount
{
    public required double Spot { get; init; }
    public double SpotConfidence { get; init; } = 1.0;
    public double Stable { get; init; } = 1.0;
    public double Cash { get; init; }
    public double Perpetuals { get; init; }
    public double PerpetualPrice { get; init; }
    public double PerpetualConfidence { get; init; } = 1.0;
    public double PerpetualPnl { get; init; }
    public double Funding { get; init; }
    public IReadOnlyList<DeriveOption> Options { get; init; } = [];
    public IReadOnlyList<DeriveExpiry> Expiries { get; init; } = [];
    public IReadOnlyList<DeriveCollateral> Collaterals { get; init; } = [];

    /// <summary>
    /// Undiscounted value of all options of an expiry with the forward's moving part scaled by <paramref name="move"/>: sum of amount * Black76.
    /// </summary>
    public double ForwardValue(DeriveExpiry expiry, double move, Func<DeriveOption, double> volatility)
    {
        double years = expiry.Seconds / ReferenceOptions.SecondsPerYear;
        double forward = expiry.VariableForward * move + expiry.FixedForward;
        double value = 0.0;
        foreach (DeriveOption option in OptionsOf(expiry))
        {
            value += option.Amount * ReferenceOptions.Black76(forward, option.Strike, years, volatility(option), option.IsCall);
        }

        return value;
    }

    public IEnumerable<DeriveOption> OptionsOf(DeriveExpiry expiry) => Options.Where(option => option.Seconds == expiry.Seconds);

    /// <summary>
    /// Naked short options in units of the underlying: at each expiry and strike shorts of calls and puts add up, but a short of one kind and a long of
    /// the other at the same strike net (they are a synthetic forward, which the scenarios carry).
    /// </summary>
    public double NakedShorts()
    {
        double naked = 0.0;
        foreach (IGrouping<(double Seconds, double Strike), DeriveOption> strike in Options.GroupBy(option => (option.Seconds, option.Strike)))
        {
            double calls = strike.Where(option => option.IsCall).Sum(option => option.Amount);
            double puts = strike.Where(option => !option.IsCall).Sum(option => option.Amount);
            naked += calls * puts < 0.0 ? Math.Max(-(calls + puts), 0.0) : Math.Max(-calls, 0.0) + Math.Max(-puts, 0.0);
        }

        return naked;
    }
}

/// <summary>
/// Term scaling of a volatility shock: range * (30 days / max(time, floor))^power, the short power up to and including 30 days.
/// <paramref name="MinimumUp"/> is the least volatility of a row that shocks up.
/// </summary>
internal sealed record DeriveVolatilityShock(double Up, double Down, double ShortPower, double LongPower, double FloorDays, double MinimumUp)
{
    public double ShockedUp(DeriveOption option) => Math.Max(MinimumUp, option.Volatility * (1.0 + Up * TermFactor(option.Seconds)));

    public double ShockedDown(DeriveOption option) => option.Volatility * Math.Max(0.0, 1.0 - Down * TermFactor(option.Seconds));

    private double TermFactor(double seconds)
    {
        double days = seconds / 86_400.0;
        return Math.Pow(30.0 / Math.Max(days, FloorDays), days <= 30.0 ? ShortPower : LongPower);
    }
}
