using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// The shape that the engine's first model had, which tests still reckon with: Deribit's rows, units that add up, a cost of liquidation and open orders besides.
/// <code>
/// IM = risk matrix + cost + open orders       MM = 0.8 risk matrix + cost       cost = sum |lots| notional (fee + slippage)
/// open orders = worst with every order filled where that hurts - worst + adverse price gaps (bought above value, sold below, per instrument and side)
/// </code>
/// </summary>
internal sealed class MatrixModel : IReferenceModel
{
    public string Name => "matrix";

    public BookStyle Style { get; } = new() { HasOrders = true };

    public BookGrowth Growth => BookGrowth.Progressive;

    public ReferenceMargin Margin(RandomBook book)
    {
        decimal initial = 0m;
        decimal maintenance = 0m;
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            DeribitParameters parameters = AgreementParameters.Matrix(unit.Underlying.Code);
            var rows = new DeribitUnit(book, unit, parameters);
            decimal worst = Worst(rows.DampedUsd(rows.Vectors));
            decimal moves = unit.UsdPerUnit * (rows.Roll + rows.DeltaShock);
            decimal cost = unit.Positions.Sum(position => book.NotionalUsd(position)) * AgreementParameters.LiquidationCost;
            decimal filled = Worst(rows.DampedUsd([.. rows.Vectors, .. book.WorstFills(unit, rows.Vector)]));
            initial += filled + moves + cost + (unit.UsdPerUnit * book.Gaps(unit));
            maintenance += (parameters.MaintenanceFactor * (worst + moves)) + cost;
            int expiries = unit.Positions.Select(position => position.Instrument.Expiry).Distinct().Count();
            bound.Rows(unit).Orders(unit).NetDelta(book, unit, rows.UsdPerDelta()).AddOns(unit, unit.Positions.Count + expiries + 3).Conversion();
        }

        decimal equity = book.Equity(AgreementParameters.Haircut, book.OptionUsd);
        return new ReferenceMargin(initial, maintenance, equity, bound.Doubles(book).Usd, RoundingBound.Equity(book));
    }

    private static decimal Worst(IEnumerable<decimal> rows) => Math.Max(0m, -rows.Min());
}

/// <summary>
/// Deribit portfolio margin over several underlyings: row by row over all units in USD, losses in full, gains times the unit's share and up to its cap; roll
/// and delta shock of each unit add up; initial margin with every order filled where that hurts in its unit's row, and the gaps of its price. Rows of two
/// underlyings with the same place belong together, each by its own price range.
/// </summary>
internal sealed class DeribitPmModel : IReferenceModel
{
    public string Name => "deribit-pm";

    public BookStyle Style { get; } = new() { HasOrders = true };

    /// <summary>The dampener draws gains too, so that a doubled gain can offset more than double.</summary>
    public BookGrowth Growth => BookGrowth.Neither;

    private static int Rows => 27 + DeribitPortfolioMargin.ExtendedMoves.Length;

    public ReferenceMargin Margin(RandomBook book)
    {
        decimal moves = 0m;
        decimal gaps = 0m;
        decimal[] held = new decimal[Rows];
        decimal[] filled = new decimal[Rows];
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            var rows = new DeribitUnit(book, unit, AgreementParameters.Deribit(unit.Underlying.Code));
            held = [.. held.Zip(rows.DampedUsd(rows.Vectors), (sum, cell) => sum + rows.Offset(cell))];
            filled = [.. filled.Zip(rows.DampedUsd([.. rows.Vectors, .. book.WorstFills(unit, rows.Vector)]), (sum, cell) => sum + rows.Offset(cell))];
            moves += unit.UsdPerUnit * (rows.Roll + rows.DeltaShock);
            gaps += unit.UsdPerUnit * book.Gaps(unit);
            int expiries = unit.Positions.Select(position => position.Instrument.Expiry).Distinct().Count();
            bound.Rows(unit).Orders(unit).NetDelta(book, unit, rows.UsdPerDelta()).AddOns(unit, expiries + 3).Conversion(5);
        }

        return new ReferenceMargin(
            Worst(filled) + moves + gaps,
            AgreementParameters.DeribitMaintenanceFactor * (Worst(held) + moves),
            book.Equity(AgreementParameters.Haircut, book.OptionUsd),
            bound.Doubles(book).Usd,
            RoundingBound.Equity(book));
    }

    private static decimal Worst(decimal[] rows) => Math.Max(0m, -rows.Min());
}

/// <summary>
/// Deribit standard margin of coin-settled contracts: each short option alone, longs nothing; options do not count as equity, because a short's requirement holds
/// its mark. The mark in coin is value over forward. Futures and perpetuals ask flat rates of their notional, which the venue scales by size.
/// </summary>
internal sealed class DeribitStandardModel : IReferenceModel
{
    public string Name => "deribit-standard";

    public BookStyle Style { get; } = new() { Family = BookFamily.Inverse, HasOrders = true };

    public BookGrowth Growth => BookGrowth.Proportional;

    public ReferenceMargin Margin(RandomBook book)
    {
        decimal initial = 0m;
        decimal maintenance = 0m;
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            initial += book.Filled(unit, position => Position(book, unit, position).Initial);
            maintenance += unit.Positions.Sum(position => Position(book, unit, position).Maintenance);
            bound.Rows(unit).Orders(unit).AddOns(unit, unit.Positions.Count + unit.Orders.Count).Conversion();
        }

        decimal equity = book.Equity(AgreementParameters.Haircut, optionUsd: null);
        return new ReferenceMargin(initial, maintenance, equity, bound.Doubles(book).Usd, RoundingBound.Equity(book));
    }

    private static (decimal Initial, decimal Maintenance) Position(RandomBook book, BookUnit unit, BookPosition position)
    {
        BookInstrument contract = position.Instrument;
        if (!contract.IsOption)
        {
            (decimal Initial, decimal Maintenance) rates = AgreementParameters.DeribitFuture(unit.Underlying.Code);
            decimal notional = book.NotionalUsd(position);
            return (notional * rates.Initial, notional * rates.Maintenance);
        }

        decimal shortUsd = Math.Max(-position.Amount, 0m) * unit.UsdPerUnit;
        (decimal Initial, decimal Maintenance) each = DeribitStandardMargin.Short(
            contract.IsCall, unit.Underlying.Index, contract.Strike, book.OptionUsd(contract) / book.Forward(contract));
        return (shortUsd * each.Initial, shortUsd * each.Maintenance);
    }
}
