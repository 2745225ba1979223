namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// How far two exact implementations may differ when one of them keeps atoms. Derived, not measured:
/// <code>
/// rows        half an atom of each position in a row; the worst of rows moves by no more than a row can
/// orders      half an atom of each instrument in a row, half of the value of each side of it, half of the price of each order
/// add-ons     one atom each, rounded up
/// net delta   half of 10^-9 base units a position, times what a base unit of delta costs
/// conversion  10^-6 USD for each unit that is rounded up at the index
/// floating    64 roundings of 2^-53 of everything that enters a value: both implementations are doubles, 32 operations each
/// </code>
/// </summary>
internal sealed class RoundingBound
{
    private const double MicroUsd = 1e-6;
    private const double Floating = 64.0 / (1L << 53);
    private const double DeltaStep = 0.5e-9;

    /// <summary>USD.</summary>
    public double Usd { get; private set; }

    /// <summary>Rows of a unit: half an atom a position, as often as rows with different weights are added up.</summary>
    public RoundingBound Rows(BookUnit unit, double times = 1.0) => Add(0.5 * times * unit.AtomUsd * unit.Positions.Count);

    /// <summary>Open orders beside the positions of the same rows.</summary>
    public RoundingBound Orders(BookUnit unit) =>
        Add(0.5 * unit.AtomUsd * ((3 * unit.Orders.Select(order => order.InstrumentId).Distinct().Count()) + unit.Orders.Count));

    public RoundingBound AddOns(BookUnit unit, int count) => Add(unit.AtomUsd * count);

    /// <param name="usdPerDelta">USD that one base unit of net delta can cost.</param>
    public RoundingBound NetDelta(BookUnit unit, double usdPerDelta) => Add(DeltaStep * usdPerDelta * unit.Positions.Count);

    /// <summary>USD of another derived source.</summary>
    public RoundingBound Money(double usd) => Add(usd);

    /// <summary>One rounding of a unit's requirement in USD.</summary>
    public RoundingBound Conversion(int units = 1) => Add(MicroUsd * units);

    /// <summary>Doubles on both sides: sizes times twice the prices that enter (rows move a price and weight it back).</summary>
    public RoundingBound Doubles(RandomBook book)
    {
        double gross = book.Fills.Select(fill => (fill.InstrumentId, fill.Lots)).Concat(book.Orders.Select(order => (order.InstrumentId, order.Lots)))
            .Sum(held => Math.Abs(held.Lots) * GrossOfLot(book, book.Instrument(held.InstrumentId)));
        return Add(Floating * 2.0 * gross);
    }

    /// <summary>Atoms by which one position may differ in one row: half of one, and doubles on both sides.</summary>
    public static double AtomsOfRow(RandomBook book, BookUnit unit, BookPosition position) =>
        0.5 + (Floating * 2.0 * Math.Abs(position.Lots) * GrossOfLot(book, position.Instrument) / unit.AtomUsd);

    private static double GrossOfLot(RandomBook book, BookInstrument instrument) => (double)instrument.Size * (instrument.IsOption
        ? book.Forward(instrument) + (double)instrument.Strike
        : instrument.IsInverse ? 1.0 : (double)instrument.Mark);

    /// <summary>
    /// Equity: half an atom for the value of each position, the conversion and the haircut rounded down for each currency. What fills cost is rounded by the
    /// reference as the engine states it, so that it differs by nothing.
    /// </summary>
    public static double Equity(RandomBook book)
    {
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            bound.Rows(unit);
        }

        return bound.Conversion(2 * book.Currencies.Count).Doubles(book).Usd;
    }

    /// <summary>Half an atom for the cost of each fill: by so much equity may change when a fill is split.</summary>
    public static double Costs(RandomBook book) => 0.5 * book.Fills.Select(fill => book.Instrument(fill.InstrumentId))
        .Sum(instrument => (double)book.Currency(instrument.CurrencyId).Atom * (instrument.CurrencyId == RandomBook.UsdId ? 1.0 : (double)book.Underlying(instrument.UnderlyingId).Index));

    private RoundingBound Add(double usd)
    {
        Usd += usd;
        return this;
    }
}
