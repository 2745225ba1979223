namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>An option of a Derive account. <paramref name="Seconds"/> to expiry, strike in USD, amount signed, volatility per square root of a year.</summary>
internal sealed record DeriveOption(decimal Seconds, decimal Strike, bool IsCall, decimal Amount, decimal Volatility);

/// <summary>
/// Feeds of one expiry: forward in USD, split in the part already fixed by the settlement average and the part that still moves; continuously
/// compounded rate per year; the lowest confidence of its forward, rate and volatility feeds, 0 to 1.
/// </summary>
internal sealed record DeriveExpiry(decimal Seconds, decimal FixedForward, decimal VariableForward, decimal Rate, decimal Confidence);

/// <summary>Collateral: amount, price in USD, haircuts as fractions of value; <paramref name="InScenarios"/> marks what moves with the underlying.</summary>
internal sealed record DeriveCollateral(decimal Amount, decimal Price, decimal Confidence, bool InScenarios, decimal MaintenanceHaircut, decimal InitialHaircut);

/// <summary>A Derive portfolio-margin account on one underlying, with the feeds it is valued at. Money in USD.</summary>
internal sealed record DeriveAccount
{
    public required decimal Spot { get; init; }
    public decimal SpotConfidence { get; init; } = 1m;
    public decimal Stable { get; init; } = 1m;
    public decimal Cash { get; init; }
    public decimal Perpetuals { get; init; }
    public decimal PerpetualPrice { get; init; }
    public decimal PerpetualConfidence { get; init; } = 1m;
    public decimal PerpetualPnl { get; init; }
    public decimal Funding { get; init; }
    public IReadOnlyList<DeriveOption> Options { get; init; } = [];
    public IReadOnlyList<DeriveExpiry> Expiries { get; init; } = [];
    public IReadOnlyList<DeriveCollateral> Collaterals { get; init; } = [];

    /// <summary>
    /// Undiscounted value of all options of an expiry with the forward's moving part scaled by <paramref name="move"/>: sum of amount * Black76.
    /// </summary>
    public decimal ForwardValue(DeriveExpiry expiry, decimal move, Func<DeriveOption, decimal> volatility)
    {
        decimal years = expiry.Seconds / ReferenceOptions.SecondsPerYear;
        decimal forward = expiry.VariableForward * move + expiry.FixedForward;
        decimal value = 0m;
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
    public decimal NakedShorts()
    {
        decimal naked = 0m;
        foreach (IGrouping<(decimal Seconds, decimal Strike), DeriveOption> strike in Options.GroupBy(option => (option.Seconds, option.Strike)))
        {
            decimal calls = strike.Where(option => option.IsCall).Sum(option => option.Amount);
            decimal puts = strike.Where(option => !option.IsCall).Sum(option => option.Amount);
            naked += calls * puts < 0m ? Math.Max(-(calls + puts), 0m) : Math.Max(-calls, 0m) + Math.Max(-puts, 0m);
        }

        return naked;
    }
}

/// <summary>
/// Term scaling of a volatility shock: range * (30 days / max(time, floor))^power, the short power up to and including 30 days.
/// <paramref name="MinimumUp"/> is the least volatility of a row that shocks up.
/// </summary>
internal sealed record DeriveVolatilityShock(decimal Up, decimal Down, decimal ShortPower, decimal LongPower, decimal FloorDays, decimal MinimumUp)
{
    public decimal ShockedUp(DeriveOption option) => Math.Max(MinimumUp, option.Volatility * (1m + Up * TermFactor(option.Seconds)));

    public decimal ShockedDown(DeriveOption option) => option.Volatility * Math.Max(0m, 1m - Down * TermFactor(option.Seconds));

    private decimal TermFactor(decimal seconds)
    {
        decimal days = seconds / 86_400m;
        return DecimalMath.Pow(30m / Math.Max(days, FloorDays), days <= 30m ? ShortPower : LongPower);
    }
}
