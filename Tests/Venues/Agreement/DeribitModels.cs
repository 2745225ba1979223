using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// The engine's own `portfolio` as Engine/Logic/README.md states it, in the shape of Deribit's portfolio margin: units add up, a cost of liquidation and
/// open orders besides.
/// <code>
/// IM = risk matrix + cost + open orders       MM = 0.8 risk matrix + cost       cost = sum |lots| notional (fee + slippage)
/// open orders = worst with every order filled where that hurts - worst + adverse price gaps (bought above value, sold below, per instrument and side)
/// </code>
/// </summary>
internal sealed class PortfolioModel : IReferenceModel
{
    public string Name => "matrix";

    public BookStyle Style { get; } = new() { HasOrders = true };

    public BookGrowth Growth => BookGrowth.Progressive;

    public ReferenceMargin Margin(RandomBook book)
    {
        double initial = 0.0;
        double maintenance = 0.0;
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            DeribitParameters parameters = AgreementParameters.Portfolio(unit.Underlying.Code);
            var rows = new DeribitUnit(book, unit, parameters);
            double worst = Worst(rows.DampedUsd(rows.Vectors));
            double matrix = worst + (unit.UsdPerUnit * (rows.Roll + rows.DeltaShock));
            double cost = unit.Positions.Sum(position => Notional(book, unit, position)) * AgreementParameters.LiquidationCost;
            initial += matrix + cost + OpenOrders(book, unit, rows, worst);
            maintenance += (parameters.MaintenanceFactor * matrix) + cost;
            int expiries = unit.Positions.Select(position => position.Instrument.Expiry).Distinct().Count();
            bound.Rows(unit).Orders(unit).NetDelta(unit, rows.UsdPerDelta()).AddOns(unit, unit.Positions.Count + expiries + 3).Conversion();
        }

        double equity = book.Equity(code => AgreementParameters.PortfolioHaircuts.GetValueOrDefault(code, 1.0), book.OptionUsd);
        return new ReferenceMargin(initial, maintenance, equity, bound.Doubles(book).Usd, RoundingBound.Equity(book));
    }

    private static double Worst(IEnumerable<double> rows) => Math.Max(0.0, -rows.Min());

    private static double Notional(RandomBook book, BookUnit unit, BookPosition position)
    {
        BookInstrument instrument = position.Instrument;
        double size = Math.Abs(position.Amount);
        return instrument.IsOption
            ? size * (instrument.IsInverse ? unit.UsdPerUnit : book.Forward(instrument))
            : size * (instrument.IsInverse ? unit.UsdPerUnit / (double)instrument.Mark : (double)instrument.Mark);
    }

    private static double OpenOrders(RandomBook book, BookUnit unit, DeribitUnit rows, double worst)
    {
        if (unit.Orders.Count == 0)
            return 0.0;
        List<double[]> filled = [.. rows.Vectors];
        double gaps = 0.0;
        foreach (IGrouping<uint, BookOrder> orders in unit.Orders.GroupBy(order => order.InstrumentId))
        {
            BookInstrument instrument = book.Instrument(orders.Key);
            long buys = orders.Sum(order => Math.Max(order.Lots, 0L));
            long sells = orders.Sum(order => Math.Max(-order.Lots, 0L));
            double[] bought = rows.Vector(instrument, buys);
            double[] sold = rows.Vector(instrument, -sells);
            filled.Add([.. bought.Select((pnl, row) => Math.Min(0.0, Math.Min(pnl, sold[row])))]);
            double value = Price(book, instrument, null);
            gaps += Math.Max(0.0, orders.Where(order => order.Lots > 0).Sum(order => order.Lots * (Price(book, instrument, order.Price) - value)))
                + Math.Max(0.0, orders.Where(order => order.Lots < 0).Sum(order => -order.Lots * (value - Price(book, instrument, order.Price))));
        }

        return Worst(rows.DampedUsd(filled)) - worst + (unit.UsdPerUnit * gaps);
    }

    /// <summary>What one lot costs in the settlement currency, at a price or (null) at its value.</summary>
    private static double Price(RandomBook book, BookInstrument instrument, decimal? price)
    {
        double size = (double)instrument.Size;
        if (instrument.IsOption)
            return size * (price is decimal paid ? (double)paid : book.OptionUsd(instrument) / (instrument.IsInverse ? book.Forward(instrument) : 1.0));
        double at = (double)(price ?? instrument.Mark);
        return instrument.IsInverse ? -size / at : size * at;
    }
}

/// <summary>
/// Deribit portfolio margin over several underlyings: row by row over all units in USD, losses in full, gains times the unit's share and up to its cap; roll
/// and delta shock of each unit add up. Rows of two underlyings with the same place belong together, each by its own price range.
/// </summary>
internal sealed class DeribitPmModel : IReferenceModel
{
    public string Name => "deribit-pm";

    public BookStyle Style { get; } = new() { Underlyings = 2 };

    /// <summary>The dampener draws gains too, so that a doubled gain can offset more than double.</summary>
    public BookGrowth Growth => BookGrowth.Neither;

    public ReferenceMargin Margin(RandomBook book)
    {
        double matrix = 0.0;
        double[]? netted = null;
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            var rows = new DeribitUnit(book, unit, AgreementParameters.Deribit(unit.Underlying.Code));
            double[] cells = [.. rows.DampedUsd(rows.Vectors).Select(rows.Offset)];
            netted = netted is null ? cells : [.. netted.Zip(cells, (sum, cell) => sum + cell)];
            matrix += unit.UsdPerUnit * (rows.Roll + rows.DeltaShock);
            int expiries = unit.Positions.Select(position => position.Instrument.Expiry).Distinct().Count();
            bound.Rows(unit).NetDelta(unit, rows.UsdPerDelta()).AddOns(unit, expiries + 3).Conversion(2);
        }

        matrix += Math.Max(0.0, -(netted ?? [0.0]).Min());
        double equity = book.Equity(code => AgreementParameters.NoHaircut, book.OptionUsd);
        return new ReferenceMargin(
            matrix, AgreementParameters.DeribitMaintenanceFactor * matrix, equity, bound.Doubles(book).Usd, RoundingBound.Equity(book));
    }
}

/// <summary>
/// Deribit standard margin of coin-settled options: each short alone, longs nothing; options do not count as equity, because a short's requirement holds
/// its mark. The mark in coin is value over forward. Options only: the documents at hand name no rate of a future.
/// </summary>
internal sealed class DeribitStandardModel : IReferenceModel
{
    public string Name => "deribit-standard";

    public BookStyle Style { get; } = new() { Family = BookFamily.Inverse, HasFutures = false, HasPerpetuals = false };

    public BookGrowth Growth => BookGrowth.Proportional;

    public ReferenceMargin Margin(RandomBook book)
    {
        double initial = 0.0;
        double maintenance = 0.0;
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            foreach (BookPosition position in unit.Positions.Where(position => position.Lots < 0))
            {
                BookInstrument option = position.Instrument;
                (double Initial, double Maintenance) each = DeribitStandardMargin.Short(
                    option.IsCall, (double)unit.Underlying.Index, (double)option.Strike, book.OptionUsd(option) / book.Forward(option));
                initial -= position.Amount * each.Initial * unit.UsdPerUnit;
                maintenance -= position.Amount * each.Maintenance * unit.UsdPerUnit;
            }

            bound.Rows(unit).AddOns(unit, unit.Positions.Count).Conversion();
        }

        double equity = book.Equity(code => AgreementParameters.NoHaircut, optionUsd: null);
        return new ReferenceMargin(initial, maintenance, equity, bound.Doubles(book).Usd, RoundingBound.Equity(book));
    }
}
