using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// One risk unit under the rows of Deribit's portfolio margin, coin- or USD-settled. Coin-settled: <see cref="DeribitPortfolioMargin"/> itself. USD-settled,
/// which the venue's open documents give no vector of: the same rows, shocks and scales on
/// <code>
/// future: q mark move          option: q disc (B(F (1+move), vol') - B(F, vol))
/// roll and delta shock: in coin as above, times the index, deltas of options discounted
/// </code>
/// Vectors in units of the settlement currency, standard rows first.
/// </summary>
internal sealed class DeribitUnit
{
    private readonly RandomBook _book;

    public DeribitUnit(RandomBook book, BookUnit unit, DeribitParameters parameters)
    {
        _book = book;
        Unit = unit;
        Parameters = parameters;
        DeribitPosition[] positions = [.. unit.Positions.Select(position => Venue(position.Instrument, position.Lots))];
        DeribitResult coin = DeribitPortfolioMargin.Margin(positions, Index, parameters);
        double coinUsd = unit.Currency.Id == RandomBook.UsdId ? Index : 1.0;
        Vectors = [.. unit.Positions.Select(position => Vector(position.Instrument, position.Lots))];
        Roll = coin.RollShock * coinUsd;
        DeltaShock = coin.DeltaShock * coinUsd;
    }

    public BookUnit Unit { get; }

    public DeribitParameters Parameters { get; }

    public IReadOnlyList<double[]> Vectors { get; }

    public double Roll { get; }

    public double DeltaShock { get; }

    private double Index => (double)Unit.Underlying.Index;

    /// <summary>Relative move of each row, extended rows marked by their place behind the standard ones.</summary>
    public double[] Moves => [.. StandardMoves(), .. DeribitPortfolioMargin.ExtendedMoves];

    /// <summary>P&amp;L of lots in each row, before the dampener.</summary>
    public double[] Vector(BookInstrument instrument, long lots)
    {
        DeribitPosition position = Venue(instrument, lots);
        if (instrument.IsInverse)
        {
            DeribitResult alone = DeribitPortfolioMargin.Margin([position], Index, Parameters);
            return [.. alone.Standard[0], .. alone.Extended[0]];
        }

        double[] volatilities =
            [DeribitPortfolioMargin.DownVolatility(position, Parameters), position.Volatility, DeribitPortfolioMargin.UpVolatility(position, Parameters)];
        IEnumerable<double> standard = StandardMoves().Select((move, row) => LinearPnl(position, move, volatilities[row % 3]));
        return [.. standard, .. DeribitPortfolioMargin.ExtendedMoves.Select(move => ExtendedPnl(position, move, volatilities[2]))];
    }

    /// <summary>The sum of vectors after the dampener of the extended rows, in USD.</summary>
    public double[] DampedUsd(IEnumerable<double[]> vectors)
    {
        double[] sums = new double[Moves.Length];
        foreach (double[] vector in vectors)
        {
            for (int row = 0; row < sums.Length; row++)
            {
                sums[row] += vector[row];
            }
        }

        // The venue's dampener is USD over the coin's price after the clamped move; a USD-settled unit is damped by the same coins at the index.
        int standard = StandardMoves().Count();
        double coinUsd = Unit.Currency.Id == RandomBook.UsdId ? Index : 1.0;
        return [.. sums.Select((pnl, row) => Unit.UsdPerUnit * (row < standard
            ? pnl
            : coinUsd * DeribitPortfolioMargin.Damped(pnl / coinUsd, Moves[row], Index, Parameters)))];
    }

    /// <summary>USD of a cell towards other units: a gain by its offset and cap, a loss in full.</summary>
    public double Offset(double usd) => DeribitPortfolioMargin.Offset(usd / Index, Index, Parameters) * Index;

    /// <summary>USD that one base unit of net delta can cost: the roll of the longest expiry and the steepest delta shock.</summary>
    public double UsdPerDelta()
    {
        double years = Unit.Positions.Select(position => _book.Years(position.Instrument)).DefaultIfEmpty(0.0).Max();
        double roll = Math.Max(Parameters.MinimumAnnualisedMove, Math.Exp(Parameters.AnnualisedMoveRisk * years) - 1.0) * Index;
        return roll + (2.0 * Parameters.MaximumDeltaShock * Index) + (Parameters.DeltaIncrement * Parameters.DeltaThreshold);
    }

    private DeribitPosition Venue(BookInstrument instrument, long lots)
    {
        double amount = (double)(lots * instrument.Size);
        double mark = (double)instrument.Mark;
        return instrument.IsOption
            ? new DeribitPosition(
                $"{instrument.Id}", amount * _book.Discount(instrument), _book.Forward(instrument), _book.Years(instrument), (double)instrument.Strike,
                instrument.IsCall, (double)instrument.Volatility)
            : new DeribitPosition($"{instrument.Id}", instrument.IsInverse ? amount / mark : amount, mark, _book.Years(instrument));
    }

    private IEnumerable<double> StandardMoves() => Enumerable.Range(-Parameters.BucketsEachSide, (2 * Parameters.BucketsEachSide) + 1)
        .SelectMany(bucket => Enumerable.Repeat(Parameters.PriceRange * bucket / Parameters.BucketsEachSide, 3));

    private static double LinearPnl(DeribitPosition position, double move, double volatility)
    {
        if (position.Strike is not double strike)
            return position.Size * position.Forward * move;
        return position.Size * (ReferenceOptions.Black76(position.Forward * (1.0 + move), strike, position.Years, volatility, position.IsCall)
            - ReferenceOptions.Black76(position.Forward, strike, position.Years, position.Volatility, position.IsCall));
    }

    private double ExtendedPnl(DeribitPosition position, double move, double volatility)
    {
        double clamp = Math.Sign(move) * Parameters.PriceRange;
        if (position.Strike is null)
            return LinearPnl(position, clamp, 0.0);
        return Parameters.ExtendedFactor * (Parameters.PriceRange / Math.Abs(move)) * (1.0 + move) / (1.0 + clamp) * LinearPnl(position, move, volatility);
    }
}
