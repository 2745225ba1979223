using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// How far an engine of atoms and doubles may be from these references, which are decimals and exact to 10^-15 USD. Derived, not measured; u = 2^-53:
/// <code>
/// rows        half an atom of each position in a row; the worst of rows moves by no more than a row can
/// orders      half an atom of each instrument in a row, half of the value of each side of it, half of the price of each order
/// add-ons     one atom each, rounded up
/// conversion  10^-6 USD for each unit that is rounded up at the index
/// value       16 u of what enters it, forward and strike or mark: 9 are the kernel's stated error of 1e-15 of the larger, 3 come in with volatility, years and
///             forward (a volatility moves a value by less than half of its own relative change), 4 with discount, size and scale
/// profit      40 u of the same: two values, the shocked one of a volatility of ten roundings at a forward of two (5 + 2 more), the difference weighted, and
///             parts of notional. A tail row moves a price up to six times and its weight brings that back to 1.25 at most
/// net delta   half of 10^-9 base units a position, and of its base units 12 u and 2 u / s (s = volatility * sqrt(years): d1 is a logarithm of two
///             roundings over s, and the density is below 0.4), times what a base unit of delta costs
/// </code>
/// </summary>
internal sealed class RoundingBound
{
    private const decimal MicroUsd = 1e-6m;
    private const decimal U = 1m / (1L << 53);
    private const decimal ValueRoundings = 16m * U;
    private const decimal ProfitRoundings = 40m * U;
    private const decimal DeltaStep = 0.5e-9m;

    /// <summary>USD.</summary>
    public decimal Usd { get; private set; }

    /// <summary>Rows of a unit: half an atom a position, as often as rows with different weights are added up.</summary>
    public RoundingBound Rows(BookUnit unit, decimal times = 1m) => Add(0.5m * times * unit.AtomUsd * unit.Positions.Count);

    /// <summary>Open orders beside the positions of the same rows.</summary>
    public RoundingBound Orders(BookUnit unit) =>
        Add(0.5m * unit.AtomUsd * ((3 * unit.Orders.Select(order => order.InstrumentId).Distinct().Count()) + unit.Orders.Count));

    public RoundingBound AddOns(BookUnit unit, int count) => Add(unit.AtomUsd * count);

    /// <param name="usdPerDelta">USD that one base unit of net delta can cost.</param>
    public RoundingBound NetDelta(RandomBook book, BookUnit unit, decimal usdPerDelta) => Add(usdPerDelta * DeltaOf(book, unit));

    /// <summary>USD of another derived source.</summary>
    public RoundingBound Money(decimal usd) => Add(usd);

    /// <summary>One rounding of a unit's requirement in USD.</summary>
    public RoundingBound Conversion(int units = 1) => Add(MicroUsd * units);

    /// <summary>The engine's doubles in rows and in what depends on notional, as often as rows are added up; of an order in its row and in its gap.</summary>
    public RoundingBound Doubles(RandomBook book, decimal times = 1m) => Add(ProfitRoundings * times * (Held(book) + (2m * Resting(book))));

    /// <summary>Atoms by which one position may differ in one row: half of one, and the engine's doubles.</summary>
    public static decimal AtomsOfRow(RandomBook book, BookUnit unit, BookPosition position) =>
        0.5m + (ProfitRoundings * Math.Abs(position.Lots) * GrossOfLot(book, position.Instrument) / unit.AtomUsd);

    /// <summary>Base units by which a unit's net delta may differ, orders filled.</summary>
    public static decimal DeltaOf(RandomBook book, BookUnit unit) => unit.Positions
        .Concat(unit.Orders.Select(order => new BookPosition(book.Instrument(order.InstrumentId), order.Lots)))
        .Sum(position => DeltaStep + (U * Math.Abs(position.BaseUnits()) * (12m + (position.Instrument.IsOption
            ? 2m / (position.Instrument.Volatility * DecimalMath.Sqrt(book.Years(position.Instrument)))
            : 0m))));

    /// <summary>
    /// Equity: half an atom for the value of each position, the conversion and the haircut rounded down for each currency. What fills cost is rounded by the
    /// reference as the engine states it, so that it differs by nothing.
    /// </summary>
    public static decimal Equity(RandomBook book)
    {
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            bound.Rows(unit);
        }

        return bound.Conversion(2 * book.Currencies.Count).Money(ValueRoundings * Held(book)).Usd;
    }

    /// <summary>Coins that move inside the rows: amount, price, move and weight, in two rows at most.</summary>
    public static decimal Coins(RandomBook book) =>
        ValueRoundings * book.Underlyings.Sum(underlying => book.Currency(underlying.CoinId).Deposit * underlying.Index);

    /// <summary>Half an atom for the cost of each fill: by so much equity may change when a fill is split.</summary>
    public static decimal Costs(RandomBook book) => 0.5m * book.Fills.Select(fill => book.Instrument(fill.InstrumentId))
        .Sum(instrument => book.Currency(instrument.CurrencyId).Atom * (instrument.CurrencyId == RandomBook.UsdId ? 1m : book.Underlying(instrument.UnderlyingId).Index));

    private static decimal Held(RandomBook book) => book.Fills.Sum(fill => Math.Abs(fill.Lots) * GrossOfLot(book, book.Instrument(fill.InstrumentId)));

    private static decimal Resting(RandomBook book) => book.Orders.Sum(order => Math.Abs(order.Lots) * GrossOfLot(book, book.Instrument(order.InstrumentId)));

    private static decimal GrossOfLot(RandomBook book, BookInstrument instrument) => instrument.Size * (instrument.IsOption
        ? book.Forward(instrument) + instrument.Strike
        : instrument.IsInverse ? 1m : instrument.Mark);

    private RoundingBound Add(decimal usd)
    {
        Usd += usd;
        return this;
    }
}
