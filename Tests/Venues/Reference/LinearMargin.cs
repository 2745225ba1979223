namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>A bracket of notional in quote currency: from (inclusive) to, maintenance rate, and the sum that makes the requirement continuous.</summary>
internal sealed record NotionalBracket(decimal From, decimal To, decimal MaintenanceRate, decimal Cumulative);

/// <summary>Binance's tiered maintenance margin [V]: notional * rate - cumulative, where cum_i = cum_(i-1) + from_i (rate_i - rate_(i-1)).</summary>
internal static class BracketMargin
{
    public static decimal Maintenance(IReadOnlyList<NotionalBracket> brackets, decimal notional)
    {
        NotionalBracket bracket = brackets.Last(candidate => notional >= candidate.From);
        return notional * bracket.MaintenanceRate - bracket.Cumulative;
    }

    /// <summary>The same without the cumulative sums: each slice of the notional at its own rate.</summary>
    public static decimal BySlices(IReadOnlyList<NotionalBracket> brackets, decimal notional)
        => brackets.Sum(bracket => Math.Max(0m, Math.Min(notional, bracket.To) - bracket.From) * bracket.MaintenanceRate);
}

/// <summary>
/// dYdX v4 in exact decimals [V].
/// <code>
/// initial fraction = base + (1 - base) * clamp((open interest - lower) / (upper - lower), 0, 1); the requirement is rounded up
/// fillable price = (PNNV - ABR * SMMR * PMMR) / size,   ABR = clamp(BA (1 - TNC / TMMR), 0, 1)
/// </code>
/// PNNV and PMMR are the position's signed notional and maintenance requirement, TNC and TMMR the account's net collateral and maintenance requirement,
/// BA and SMMR the bankruptcy adjustment and the spread to maintenance ratio of the liquidation configuration.
/// </summary>
internal static class DydxMargin
{
    public static decimal InitialRequirement(decimal baseFraction, decimal notional, decimal openInterest, decimal lower, decimal upper)
    {
        decimal scale = upper > lower ? Math.Clamp((openInterest - lower) / (upper - lower), 0m, 1m) : 0m;
        return Math.Ceiling(notional * (baseFraction + (1m - baseFraction) * scale));
    }

    public static decimal FillablePrice(
        decimal size, decimal notional, decimal maintenance, decimal netCollateral, decimal totalMaintenance, decimal bankruptcyAdjustment, decimal spreadRatio)
    {
        decimal bankruptcyRating = Math.Clamp(bankruptcyAdjustment * (1m - netCollateral / totalMaintenance), 0m, 1m);
        return (notional - bankruptcyRating * spreadRatio * maintenance) / size;
    }
}

/// <summary>Isolated linear and inverse positions of a venue with a leverage, as two venues' help pages compute them [S].</summary>
internal static class IsolatedMargin
{
    public static decimal BankruptcyPriceOfLong(decimal entry, decimal leverage) => entry * (1m - 1m / leverage);

    public static decimal LiquidationPriceOfLong(decimal entry, decimal initialRate, decimal maintenanceRate) => entry * (1m - initialRate + maintenanceRate);

    /// <summary>P&amp;L in coin of contracts worth <paramref name="multiplier"/> of quote currency each.</summary>
    public static decimal InversePnl(decimal contracts, decimal multiplier, decimal entry, decimal exit) => contracts * multiplier * (1m / entry - 1m / exit);
}

/// <summary>Collateral credit in USD: quantity * index * (1 - haircut) [D], or a price of 1 and a weight for each slice of the quantity.</summary>
internal static class CollateralCredit
{
    public static decimal Flat(decimal quantity, decimal index, decimal haircut) => quantity * index * (1m - haircut);

    public static decimal Tiered(decimal quantity, IEnumerable<(decimal From, decimal To, decimal Weight)> tiers)
        => tiers.Sum(tier => Math.Max(0m, Math.Min(quantity, tier.To) - tier.From) * tier.Weight);
}
