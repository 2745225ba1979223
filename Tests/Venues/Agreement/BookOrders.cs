namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>Resting orders in the three ways that documents count them; amounts in units of the settlement currency unless said.</summary>
internal static class BookOrders
{
    /// <summary>What one lot costs at a price, or (null) at its value.</summary>
    public static decimal Price(this RandomBook book, BookInstrument instrument, decimal? price)
    {
        if (instrument.IsOption)
            return instrument.Size * (price ?? book.OptionUsd(instrument) / (instrument.IsInverse ? book.Forward(instrument) : 1m));
        decimal at = price ?? instrument.Mark;
        return instrument.IsInverse ? -instrument.Size / at : instrument.Size * at;
    }

    /// <summary>Worst fill, rows: for each instrument the side that hurts more in a row, where it hurts.</summary>
    public static IEnumerable<decimal[]> WorstFills(this RandomBook book, BookUnit unit, Func<BookInstrument, long, decimal[]> vector)
    {
        foreach (IGrouping<uint, BookOrder> orders in unit.Orders.GroupBy(order => order.InstrumentId))
        {
            decimal[] bought = vector(book.Instrument(orders.Key), orders.Sum(order => Math.Max(order.Lots, 0L)));
            decimal[] sold = vector(book.Instrument(orders.Key), orders.Sum(order => Math.Min(order.Lots, 0L)));
            yield return [.. bought.Select((pnl, row) => Math.Min(0m, Math.Min(pnl, sold[row])))];
        }
    }

    /// <summary>Worst fill, prices: bought above value and sold below it, by instrument and side.</summary>
    public static decimal Gaps(this RandomBook book, BookUnit unit) =>
        unit.Orders.GroupBy(order => order.InstrumentId).Sum(orders => Gap(book, [.. orders], 1) + Gap(book, [.. orders], -1));

    /// <summary>
    /// Filled: the largest of a unit's initial requirement as it is, with all bids and with all offers filled, each with what their prices cost beyond the
    /// value; bids for options cost all they pay, because options are no equity under the models that count so.
    /// </summary>
    /// <param name="initial">USD that one position needs.</param>
    public static decimal Filled(this RandomBook book, BookUnit unit, Func<BookPosition, decimal> initial)
    {
        decimal requirement = unit.Positions.Sum(initial);
        foreach (int side in unit.Orders.Count > 0 ? new[] { 1, -1 } : [])
        {
            decimal filled = 0m;
            foreach (BookInstrument instrument in book.Instruments)
            {
                BookOrder[] orders = [.. unit.Orders.Where(order => order.InstrumentId == instrument.Id && Math.Sign(order.Lots) == side)];
                long lots = unit.Positions.Where(position => position.Instrument.Id == instrument.Id).Sum(position => position.Lots) + orders.Sum(order => order.Lots);
                filled += lots == 0 ? 0m : initial(new BookPosition(instrument, lots));
                filled += unit.UsdPerUnit * (!instrument.IsOption ? Gap(book, orders, side)
                    : side > 0 ? orders.Sum(order => order.Lots * book.Price(instrument, order.Price)) : 0m);
            }

            requirement = Math.Max(requirement, filled);
        }

        return requirement;
    }

    private static decimal Gap(RandomBook book, BookOrder[] orders, int side) => Math.Max(0m, orders.Where(order => Math.Sign(order.Lots) == side)
        .Sum(order => order.Lots * (book.Price(book.Instrument(order.InstrumentId), order.Price) - book.Price(book.Instrument(order.InstrumentId), null))));
}
