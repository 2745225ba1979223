namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// A coin-settled position: size in coin, forward of its expiry in USD, years to expiry. A strike makes it an option (volatility per square root of a
/// year); without one it is a future, and without years a perpetual.
/// </summary>
internal sealed record DeribitPosition(string Name, decimal Size, decimal Forward, decimal Years, decimal? Strike = null, bool IsCall = false, decimal Volatility = 0m);

/// <summary>Parameters of one currency pair and its coin as <c>pme/simulate</c> names them; ranges as fractions, dampener and thresholds in USD.</summary>
internal sealed record DeribitParameters
{
    public required decimal PriceRange { get; init; }
    public required int BucketsEachSide { get; init; }
    public required decimal VolatilityUp { get; init; }
    public required decimal VolatilityDown { get; init; }
    public required decimal ShortTermPower { get; init; }
    public required decimal LongTermPower { get; init; }
    public required decimal MinimumVolatilityUp { get; init; }
    public required decimal ExtendedFactor { get; init; }
    public required decimal ExtendedDampener { get; init; }
    public required decimal DeltaThreshold { get; init; }
    public required decimal MaximumDeltaShock { get; init; }
    public required decimal DeltaIncrement { get; init; }
    public required decimal MinimumAnnualisedMove { get; init; }
    public required decimal AnnualisedMoveRisk { get; init; }
    public required decimal PnlOffset { get; init; }
    public required decimal MaximumOffset { get; init; }
    public required decimal MaintenanceFactor { get; init; }
}

/// <summary>
/// Vectors in coin: standard from the lowest price up with volatility down, same, up at each; extended in the order of
/// <see cref="DeribitPortfolioMargin.ExtendedMoves"/>. Margins in coin.
/// </summary>
internal sealed record DeribitResult(
    IReadOnlyList<decimal[]> Standard,
    IReadOnlyList<decimal[]> Extended,
    decimal[] AggregatedStandard,
    decimal[] AggregatedExtended,
    decimal WorstCase,
    int WorstIndex,
    decimal RollShock,
    decimal DeltaShock,
    decimal RiskMatrix,
    decimal Initial,
    decimal Maintenance);

/// <summary>
/// Deribit portfolio margin of one coin, per position and per cell.
/// <code>
/// risk matrix = worst case + roll shock + delta shock                        [D][V on futures]
/// IM = risk matrix + market maker protection + open orders + spot margin       MM = mm_factor * risk matrix
/// future:  q (1 - 1/(1+move))                                                  [V]
/// option:  q (B(F', vol') / F' - B(F, vol) / F), F' = F (1+move), Black-76 at rate 0    [S: no published option vector exists]
/// </code>
/// Verified besides: 9 prices by 3 volatilities from the lowest price up; linear instruments of the extended table stay at +-price_range; gains of the
/// aggregate are multiplied by pnl_offset; the dampener works on the aggregate of a row, not on each instrument (the documented reply has aggregated
/// zeros under instrument vectors that are not); a perpetual is an expiry of its own in the roll shock.
/// Unverified [S]: all of options (volatility shocks, extended scaling, deltas), the cap of the offset, the exponential branch of the roll shock, the
/// delta shock above its threshold, the size of the dampener (only that it reached zero), the order of volatilities inside a price.
/// </summary>
internal static class DeribitPortfolioMargin
{
    public static readonly decimal[] ExtendedMoves = [-0.66m, -0.33m, 0.5m, 1m, 2m, 3m, 4m, 5m];

    public static DeribitResult Margin(IReadOnlyList<DeribitPosition> positions, decimal index, DeribitParameters parameters, decimal addedToInitial = 0m)
    {
        decimal[][] standard = [.. positions.Select(position => StandardVector(position, parameters))];
        decimal[][] extended = [.. positions.Select(position => ExtendedMoves.Select(move => ExtendedPnl(position, move, parameters)).ToArray())];
        decimal[] aggregated = [.. Sum(standard).Select(pnl => Offset(pnl, index, parameters))];
        decimal[] aggregatedExtended = [.. Sum(extended).Select((pnl, row) => Offset(Damped(pnl, ExtendedMoves[row], index, parameters), index, parameters))];
        decimal[] all = [.. aggregated, .. aggregatedExtended];
        decimal worst = Math.Max(0m, -all.Min());
        decimal roll = RollShock(positions, parameters);
        decimal delta = DeltaShock(Math.Abs(positions.Sum(Delta)), index, parameters);
        decimal matrix = worst + roll + delta;
        return new DeribitResult(
            standard, extended, aggregated, aggregatedExtended, worst, Array.IndexOf(all, all.Min()), roll, delta, matrix,
            matrix + addedToInitial, parameters.MaintenanceFactor * matrix);
    }

    public static decimal Delta(DeribitPosition position) => position.Strike is decimal strike
        ? position.Size * ReferenceOptions.ForwardDelta(position.Forward, strike, position.Years, position.Volatility, position.IsCall)
        : position.Size;

    private static decimal[] StandardVector(DeribitPosition position, DeribitParameters parameters)
    {
        var cells = new List<decimal>();
        for (int bucket = -parameters.BucketsEachSide; bucket <= parameters.BucketsEachSide; bucket++)
        {
            decimal move = parameters.PriceRange * bucket / parameters.BucketsEachSide;
            cells.Add(Pnl(position, move, DownVolatility(position, parameters)));
            cells.Add(Pnl(position, move, position.Volatility));
            cells.Add(Pnl(position, move, UpVolatility(position, parameters)));
        }

        return [.. cells];
    }

    private static decimal Pnl(DeribitPosition position, decimal move, decimal volatility)
    {
        if (position.Strike is not decimal strike)
            return position.Size * (1m - 1m / (1m + move));
        decimal shocked = position.Forward * (1m + move);
        decimal after = ReferenceOptions.Black76(shocked, strike, position.Years, volatility, position.IsCall) / shocked;
        decimal before = ReferenceOptions.Black76(position.Forward, strike, position.Years, position.Volatility, position.IsCall) / position.Forward;
        return position.Size * (after - before);
    }

    /// <summary>Volatility is up. A future stays at the clamp; an option is worth its real move, scaled by factor * range/|move| * (1+move)/(1+-range) [S].</summary>
    private static decimal ExtendedPnl(DeribitPosition position, decimal move, DeribitParameters parameters)
    {
        decimal clamp = Math.Sign(move) * parameters.PriceRange;
        if (position.Strike is null)
            return Pnl(position, clamp, 0m);
        decimal scale = parameters.ExtendedFactor * (parameters.PriceRange / Math.Abs(move)) * (1m + move) / (1m + clamp);
        return scale * Pnl(position, move, UpVolatility(position, parameters));
    }

    /// <summary>Moves a P&amp;L toward 0 by (|move|/range - 1) * dampener, in coin at the clamped price [S].</summary>
    internal static decimal Damped(decimal pnl, decimal move, decimal index, DeribitParameters parameters)
    {
        decimal beyond = Math.Max(Math.Abs(move) / parameters.PriceRange, 1m) - 1m;
        decimal coins = beyond * parameters.ExtendedDampener / ((1m + Math.Sign(move) * parameters.PriceRange) * index);
        return pnl - Math.Sign(pnl) * Math.Min(coins, Math.Abs(pnl));
    }

    /// <summary>A gain counts by the offset and to no more than its cap in USD [cap S]; a loss counts in full.</summary>
    internal static decimal Offset(decimal pnl, decimal index, DeribitParameters parameters)
        => pnl <= 0m ? pnl : Math.Min(pnl * parameters.PnlOffset, parameters.MaximumOffset / index);

    /// <summary>vol * (1 + range * (30/dte)^p), at least the minimum; p short below 30 days; dte at least 1 [S].</summary>
    internal static decimal UpVolatility(DeribitPosition position, DeribitParameters parameters)
        => Math.Max(position.Volatility * (1m + parameters.VolatilityUp * TermFactor(position, parameters)), parameters.MinimumVolatilityUp);

    internal static decimal DownVolatility(DeribitPosition position, DeribitParameters parameters)
        => Math.Max(position.Volatility * (1m - parameters.VolatilityDown * TermFactor(position, parameters)), 0m);

    private static decimal TermFactor(DeribitPosition position, DeribitParameters parameters)
    {
        decimal days = position.Years * 365m;
        return DecimalMath.Pow(30m / Math.Max(days, 1m), days < 30m ? parameters.ShortTermPower : parameters.LongTermPower);
    }

    /// <summary>Sum over expiries of |net delta| * max(minimum move, e^(risk T) - 1), in coin. The minimum is verified, the exponential is [S].</summary>
    private static decimal RollShock(IEnumerable<DeribitPosition> positions, DeribitParameters parameters)
        => positions.GroupBy(position => position.Years).Sum(expiry => Math.Abs(expiry.Sum(Delta))
            * Math.Max(parameters.MinimumAnnualisedMove, DecimalMath.Exp(parameters.AnnualisedMoveRisk * expiry.Key) - 1m));

    /// <summary>min(max(|D| index - threshold, 0) |D| m_inc, max_delta_shock index |D|) / index, in coin [S above the threshold].</summary>
    private static decimal DeltaShock(decimal delta, decimal index, DeribitParameters parameters)
        => Math.Min(
            Math.Max(delta * index - parameters.DeltaThreshold, 0m) * delta * parameters.DeltaIncrement,
            parameters.MaximumDeltaShock * index * delta) / index;

    private static decimal[] Sum(decimal[][] vectors)
        => vectors.Length == 0 ? [0m] : [.. Enumerable.Range(0, vectors[0].Length).Select(cell => vectors.Sum(vector => vector[cell]))];
}
