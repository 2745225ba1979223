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
        decimal coinUsd = unit.Currency.Id == RandomBook.UsdId ? Index : 1m;
        Vectors = [.. unit.Positions.Select(position => Vector(position.Instrument, position.Lots))];
        Roll = coin.RollShock * coinUsd;
        DeltaShock = coin.DeltaShock * coinUsd;
    }

    public BookUnit Unit { get; }

    public DeribitParameters Parameters { get; }

    public IReadOnlyList<decimal[]> Vectors { get; }

    public decimal Roll { get; }

    public decimal DeltaShock { get; }

    private decimal Index => Unit.Underlying.Index;

    /// <summary>Relative move of each row, extended rows marked by their place behind the standard ones.</summary>
    public decimal[] Moves => [.. StandardMoves(), .. DeribitPortfolioMargin.ExtendedMoves];

    /// <summary>P&amp;L of lots in each row, before the dampener.</summary>
    public decimal[] Vector(BookInstrument instrument, long lots)
    {
        DeribitPosition position = Venue(instrument, lots);
        if (instrument.IsInverse)
        {
            DeribitResult alone = DeribitPortfolioMargin.Margin([position], Index, Parameters);
            return [.. alone.Standard[0], .. alone.Extended[0]];
        }

        decimal[] volatilities =
            [DeribitPortfolioMargin.DownVolatility(position, Parameters), position.Volatility, DeribitPortfolioMargin.UpVolatility(position, Parameters)];
        IEnumerable<decimal> standard = StandardMoves().Select((move, row) => LinearPnl(position, move, volatilities[row % 3]));
        return [.. standard, .. DeribitPortfolioMargin.ExtendedMoves.Select(move => ExtendedPnl(position, move, volatilities[2]))];
    }

    /// <summary>The sum of vectors after the dampener of the extended rows, in USD.</summary>
    public decimal[] DampedUsd(IEnumerable<decimal[]> vectors)
    {
        decimal[] sums = new decimal[Moves.Length];
        foreach (decimal[] vector in vectors)
        {
            for (int row = 0; row < sums.Length; row++)
            {
                sums[row] += vector[row];
            }
        }

        // The venue's dampener is USD over the coin's price after the clamped move; a USD-settled unit is damped by the same coins at the index.
        int standard = StandardMoves().Count();
        decimal coinUsd = Unit.Currency.Id == RandomBook.UsdId ? Index : 1m;
        return [.. sums.Select((pnl, row) => Unit.UsdPerUnit * (row < standard
            ? pnl
            : coinUsd * DeribitPortfolioMargin.Damped(pnl / coinUsd, Moves[row], Index, Parameters)))];
    }

    /// <summary>USD of a cell towards other units: a gain by its offset and cap, a loss in full.</summary>
    public decimal Offset(decimal usd) => DeribitPortfolioMargin.Offset(usd / Index, Index, Parameters) * Index;

    /// <summary>USD that one base unit of net delta can cost: the roll of the longest expiry and the steepest delta shock.</summary>
    public decimal UsdPerDelta()
    {
        decimal years = Unit.Positions.Select(position => _book.Years(position.Instrument)).DefaultIfEmpty(0m).Max();
        decimal roll = Math.Max(Parameters.MinimumAnnualisedMove, DecimalMath.Exp(Parameters.AnnualisedMoveRisk * years) - 1m) * Index;
        return roll + (2m * Parameters.MaximumDeltaShock * Index) + (Parameters.DeltaIncrement * Parameters.DeltaThreshold);
    }

    private DeribitPosition Venue(BookInstrument instrument, long lots)
    {
        decimal amount = lots * instrument.Size;
        decimal mark = instrument.Mark;
        return instrument.IsOption
            ? new DeribitPosition(
                $"{instrument.Id}", amount * _book.Discount(instrument), _book.Forward(instrument), _book.Years(instrument), instrument.Strike,
                instrument.IsCall, instrument.Volatility)
            : new DeribitPosition($"{instrument.Id}", instrument.IsInverse ? amount / mark : amount, mark, _book.Years(instrument));
    }

    private IEnumerable<decimal> StandardMoves() => Enumerable.Range(-Parameters.BucketsEachSide, (2 * Parameters.BucketsEachSide) + 1)
        .SelectMany(bucket => Enumerable.Repeat(Parameters.PriceRange * bucket / Parameters.BucketsEachSide, 3));

    private static decimal LinearPnl(DeribitPosition position, decimal move, decimal volatility)
    {
        if (position.Strike is not decimal strike)
            return position.Size * position.Forward * move;
        return position.Size * (ReferenceOptions.Black76(position.Forward * (1m + move), strike, position.Years, volatility, position.IsCall)
            - ReferenceOptions.Black76(position.Forward, strike, position.Years, position.Volatility, position.IsCall));
    }

    private decimal ExtendedPnl(DeribitPosition position, decimal move, decimal volatility)
    {
        decimal clamp = Math.Sign(move) * Parameters.PriceRange;
        if (position.Strike is null)
            return LinearPnl(position, clamp, 0m);
        return Parameters.ExtendedFactor * (Parameters.PriceRange / Math.Abs(move)) * (1m + move) / (1m + clamp) * LinearPnl(position, move, volatility);
    }
}
