namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// A coin-settled position: size in coin, forward of its expiry in USD, years to expiry. A strike makes it an option (volatility per square root of a
/// year); without one it is a future, and without years a perpetual.
/// </summary>
internal sealed record DeribitPosition(string Name, double Size, double Forward, double Years, double? Strike = null, bool IsCall = false, double Volatility = 0.0);

/// <summary>Parameters of one currency pair and its coin as <c>pme/simulate</c> names them; ranges as fractions, dampener and thresholds in USD.</summary>
internal sealed record DeribitParameters
{
    public required double PriceRange { get; init; }
    public required int BucketsEachSide { get; init; }
    public required double VolatilityUp { get; init; }
    public required double VolatilityDown { get; init; }
    public required double ShortTermPower { get; init; }
    public required double LongTermPower { get; init; }
    public required double MinimumVolatilityUp { get; init; }
    public required double ExtendedFactor { get; init; }
    public required double ExtendedDampener { get; init; }
    public required double DeltaThreshold { get; init; }
    public required double MaximumDeltaShock { get; init; }
    public required double DeltaIncrement { get; init; }
    public required double MinimumAnnualisedMove { get; init; }
    public required double AnnualisedMoveRisk { get; init; }
    public required double PnlOffset { get; init; }
    public required double MaximumOffset { get; init; }
    public required double MaintenanceFactor { get; init; }
}

/// <summary>
/// Vectors in coin: standard from the lowest price up with volatility down, same, up at each; extended in the order of
/// <see cref="DeribitPortfolioMargin.ExtendedMoves"/>. Margins in coin.
/// </summary>
internal sealed record DeribitResult(
    IReadOnlyList<double[]> Standard,
    IReadOnlyList<double[]> Extended,
    double[] AggregatedStandard,
    double[] AggregatedExtended,
    double WorstCase,
    int WorstIndex,
    double RollShock,
    double DeltaShock,
    double RiskMatrix,
    double Initial,
    double Maintenance);

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
    public static readonly double[] ExtendedMoves = [-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0];

    public static DeribitResult Margin(IReadOnlyList<DeribitPosition> positions, double index, DeribitParameters parameters, double addedToInitial = 0.0)
    {
        double[][] standard = [.. positions.Select(position => StandardVector(position, parameters))];
        double[][] extended = [.. positions.Select(position => ExtendedMoves.Select(move => ExtendedPnl(position, move, parameters)).ToArray())];
        double[] aggregated = [.. Sum(standard).Select(pnl => Offset(pnl, index, parameters))];
        double[] aggregatedExtended = [.. Sum(extended).Select((pnl, row) => Offset(Damped(pnl, ExtendedMoves[row], index, parameters), index, parameters))];
        double[] all = [.. aggregated, .. aggregatedExtended];
        double worst = Math.Max(0.0, -all.Min());
        double roll = RollShock(positions, parameters);
        double delta = DeltaShock(Math.Abs(positions.Sum(Delta)), index, parameters);
        double matrix = worst + roll + delta;
        return new DeribitResult(
            standard, extended, aggregated, aggregatedExtended, worst, Array.IndexOf(all, all.Min()), roll, delta, matrix,
            matrix + addedToInitial, parameters.MaintenanceFactor * matrix);
    }

    public static double Delta(DeribitPosition position)
    {
        if (position.Strike is not double strike)
            return position.Size;
        double deviation = position.Volatility * Math.Sqrt(position.Years);
        double call = ReferenceOptions.NormalCdf(Math.Log(position.Forward / strike) / deviation + deviation / 2.0);
        return position.Size * (position.IsCall ? call : call - 1.0);
    }

    private static double[] StandardVector(DeribitPosition position, DeribitParameters parameters)
    {
        var cells = new List<double>();
        for (int bucket = -parameters.BucketsEachSide; bucket <= parameters.BucketsEachSide; bucket++)
        {
            double move = parameters.PriceRange * bucket / parameters.BucketsEachSide;
            cells.Add(Pnl(position, move, DownVolatility(position, parameters)));
            cells.Add(Pnl(position, move, position.Volatility));
            cells.Add(Pnl(position, move, UpVolatility(position, parameters)));
        }

        return [.. cells];
    }

    private static double Pnl(DeribitPosition position, double move, double volatility)
    {
        if (position.Strike is not double strike)
            return position.Size * (1.0 - 1.0 / (1.0 + move));
        double shocked = position.Forward * (1.0 + move);
        double after = ReferenceOptions.Black76(shocked, strike, position.Years, volatility, position.IsCall) / shocked;
        double before = ReferenceOptions.Black76(position.Forward, strike, position.Years, position.Volatility, position.IsCall) / position.Forward;
        return position.Size * (after - before);
    }

    /// <summary>Volatility is up. A future stays at the clamp; an option is worth its real move, scaled by factor * range/|move| * (1+move)/(1+-range) [S].</summary>
    private static double ExtendedPnl(DeribitPosition position, double move, DeribitParameters parameters)
    {
        double clamp = Math.Sign(move) * parameters.PriceRange;
        if (position.Strike is null)
            return Pnl(position, clamp, 0.0);
        double scale = parameters.ExtendedFactor * (parameters.PriceRange / Math.Abs(move)) * (1.0 + move) / (1.0 + clamp);
        return scale * Pnl(position, move, UpVolatility(position, parameters));
    }

    /// <summary>Moves a P&amp;L toward 0 by (|move|/range - 1) * dampener, in coin at the clamped price [S].</summary>
    internal static double Damped(double pnl, double move, double index, DeribitParameters parameters)
    {
        double beyond = Math.Max(Math.Abs(move) / parameters.PriceRange, 1.0) - 1.0;
        double coins = beyond * parameters.ExtendedDampener / ((1.0 + Math.Sign(move) * parameters.PriceRange) * index);
        return pnl - Math.Sign(pnl) * Math.Min(coins, Math.Abs(pnl));
    }

    /// <summary>A gain counts by the offset and to no more than its cap in USD [cap S]; a loss counts in full.</summary>
    internal static double Offset(double pnl, double index, DeribitParameters parameters)
        => pnl <= 0.0 ? pnl : Math.Min(pnl * parameters.PnlOffset, parameters.MaximumOffset / index);

    /// <summary>vol * (1 + range * (30/dte)^p), at least the minimum; p short below 30 days; dte at least 1 [S].</summary>
    internal static double UpVolatility(DeribitPosition position, DeribitParameters parameters)
        => Math.Max(position.Volatility * (1.0 + parameters.VolatilityUp * TermFactor(position, parameters)), parameters.MinimumVolatilityUp);

    internal static double DownVolatility(DeribitPosition position, DeribitParameters parameters)
        => Math.Max(position.Volatility * (1.0 - parameters.VolatilityDown * TermFactor(position, parameters)), 0.0);

    private static double TermFactor(DeribitPosition position, DeribitParameters parameters)
    {
        double days = position.Years * 365.0;
        return Math.Pow(30.0 / Math.Max(days, 1.0), days < 30.0 ? parameters.ShortTermPower : parameters.LongTermPower);
    }

    /// <summary>Sum over expiries of |net delta| * max(minimum move, e^(risk T) - 1), in coin. The minimum is verified, the exponential is [S].</summary>
    private static double RollShock(IEnumerable<DeribitPosition> positions, DeribitParameters parameters)
        => positions.GroupBy(position => position.Years).Sum(expiry => Math.Abs(expiry.Sum(Delta))
            * Math.Max(parameters.MinimumAnnualisedMove, Math.Exp(parameters.AnnualisedMoveRisk * expiry.Key) - 1.0));

    /// <summary>min(max(|D| index - threshold, 0) |D| m_inc, max_delta_shock index |D|) / index, in coin [S above the threshold].</summary>
    private static double DeltaShock(double delta, double index, DeribitParameters parameters)
        => Math.Min(
            Math.Max(delta * index - parameters.DeltaThreshold, 0.0) * delta * parameters.DeltaIncrement,
            parameters.MaximumDeltaShock * index * delta) / index;

    private static double[] Sum(double[][] vectors)
        => vectors.Length == 0 ? [0.0] : [.. Enumerable.Range(0, vectors[0].Length).Select(cell => vectors.Sum(vector => vector[cell]))];
}
