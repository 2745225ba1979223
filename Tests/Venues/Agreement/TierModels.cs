using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>A bracket of notional with its initial rate, one over the largest leverage in it.</summary>
internal sealed record LeverageBracket(NotionalBracket Bracket, decimal InitialRate);

/// <summary>
/// Per-position margin from the documents' formulas:
/// <code>
/// future, perpetual   N = notional in USD;   brackets: initial N * rate of N's bracket, maintenance N mmr - cum;   slices: each part of N at its rates
/// short option        initial size (mark + max(a - otm/S, b) S), a put at least its maintenance
///                     call maintenance size (mark + m S);    put size (mark + max(m S, m mark))
/// long option         nothing: it is paid
/// </code>
/// Positions add up under every name; `isolated` and `cross` differ in whose equity stands behind a position, not in what it needs.
/// </summary>
internal static class TieredMargin
{
    public static (decimal Initial, decimal Maintenance) Linear(IReadOnlyList<LeverageBracket> brackets, decimal notional)
    {
        LeverageBracket bracket = brackets.Last(candidate => notional >= candidate.Bracket.From);
        return (notional * bracket.InitialRate, (notional * bracket.Bracket.MaintenanceRate) - bracket.Bracket.Cumulative);
    }

    public static (decimal Initial, decimal Maintenance) BySlices(IReadOnlyList<(decimal From, decimal Initial, decimal Maintenance)> slices, decimal notional)
    {
        decimal initial = 0m;
        decimal maintenance = 0m;
        for (int i = 0; i < slices.Count; i++)
        {
            decimal end = i + 1 < slices.Count ? slices[i + 1].From : decimal.MaxValue;
            decimal part = Math.Max(0m, Math.Min(notional, end) - slices[i].From);
            initial += part * slices[i].Initial;
            maintenance += part * slices[i].Maintenance;
        }

        return (initial, maintenance);
    }

    /// <summary>USD of one base unit of a short option.</summary>
    public static (decimal Initial, decimal Maintenance) ShortOption(bool isCall, decimal index, decimal strike, decimal mark)
    {
        decimal otm = Math.Max(isCall ? strike - index : index - strike, 0m);
        decimal initial = mark + (Math.Max(AgreementParameters.ShortMaximum - (otm / index), AgreementParameters.ShortMinimum) * index);
        decimal charge = AgreementParameters.ShortMaintenance * (isCall ? index : Math.Max(index, mark));
        decimal maintenance = mark + charge;
        return (isCall ? initial : Math.Max(initial, maintenance), maintenance);
    }
}

/// <summary>`brackets` (Binance's tables), `cross` and `isolated` (rates of our own): one sum of positions, with orders filled on their worse side.</summary>
internal sealed class TierModel(string name) : IReferenceModel
{
    public string Name => name;

    public BookStyle Style { get; } = new() { HasOrders = true };

    public BookGrowth Growth => BookGrowth.Progressive;

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

        decimal equity = book.Equity(name == "isolated" ? AgreementParameters.NamedInFull : AgreementParameters.Haircut, optionUsd: null);
        return new ReferenceMargin(initial, maintenance, equity, bound.Doubles(book).Usd, RoundingBound.Equity(book));
    }

    private (decimal Initial, decimal Maintenance) Position(RandomBook book, BookUnit unit, BookPosition position)
    {
        BookInstrument instrument = position.Instrument;
        decimal notional = book.NotionalUsd(position);
        if (!instrument.IsOption && name != "brackets")
            return TieredMargin.BySlices(AgreementParameters.Slices(name), notional);
        if (!instrument.IsOption)
            return TieredMargin.Linear(AgreementParameters.Brackets(unit.Underlying.Code), notional);

        // A coin-settled option's mark is coin, value over forward.
        decimal index = unit.Underlying.Index;
        decimal mark = book.OptionUsd(instrument) * (instrument.IsInverse ? index / book.Forward(instrument) : 1m);
        (decimal Initial, decimal Maintenance) each = TieredMargin.ShortOption(instrument.IsCall, index, instrument.Strike, mark);
        decimal shorts = Math.Max(-position.Amount, 0m);
        return (shorts * each.Initial, shorts * each.Maintenance);
    }
}
