using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>A bracket of notional with the largest leverage in it.</summary>
internal sealed record LeverageBracket(NotionalBracket Bracket, decimal Leverage);

/// <summary>
/// Per-position margin in exact decimals, from the documents' formulas:
/// <code>
/// future, perpetual   N = |lots| size mark;   initial N / leverage of N's bracket;   maintenance N mmr - cum
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
        return (notional / bracket.Leverage, (notional * bracket.Bracket.MaintenanceRate) - bracket.Bracket.Cumulative);
    }

    /// <summary>USD of one base unit of a short option.</summary>
    public static (double Initial, double Maintenance) ShortOption(bool isCall, double index, double strike, double mark)
    {
        double otm = Math.Max(isCall ? strike - index : index - strike, 0.0);
        double initial = mark + (Math.Max(AgreementParameters.ShortMaximum - (otm / index), AgreementParameters.ShortMinimum) * index);
        double charge = AgreementParameters.ShortMaintenance * (isCall ? index : Math.Max(index, mark));
        double maintenance = mark + charge;
        return (isCall ? initial : Math.Max(initial, maintenance), maintenance);
    }
}

/// <summary>`brackets` (linear contracts on Binance's tables), `cross` and `isolated` (the same and short options): one sum of positions.</summary>
internal sealed class TierModel(string name, bool hasOptions) : IReferenceModel
{
    public string Name => name;

    public BookStyle Style { get; } = new() { Family = BookFamily.Linear, HasOptions = hasOptions };

    public BookGrowth Growth => BookGrowth.Progressive;

    public ReferenceMargin Margin(RandomBook book)
    {
        double initial = 0.0;
        double maintenance = 0.0;
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            foreach (BookPosition position in unit.Positions)
            {
                (double Initial, double Maintenance) each = Position(book, unit, position);
                initial += each.Initial;
                maintenance += each.Maintenance;
            }

            bound.AddOns(unit, 2 * unit.Positions.Count).Conversion();
        }

        double equity = book.Equity(code => AgreementParameters.NoHaircut, optionUsd: null);
        return new ReferenceMargin(initial, maintenance, equity, bound.Doubles(book).Usd, RoundingBound.Equity(book));
    }

    private static (double Initial, double Maintenance) Position(RandomBook book, BookUnit unit, BookPosition position)
    {
        BookInstrument instrument = position.Instrument;
        if (!instrument.IsOption)
        {
            (decimal Initial, decimal Maintenance) exact = TieredMargin.Linear(
                AgreementParameters.Brackets(unit.Underlying.Code), Math.Abs(position.Lots) * instrument.Size * instrument.Mark);
            return ((double)exact.Initial, (double)exact.Maintenance);
        }

        (double Initial, double Maintenance) each = TieredMargin.ShortOption(
            instrument.IsCall, (double)unit.Underlying.Index, (double)instrument.Strike, book.OptionUsd(instrument));
        double shorts = Math.Max(-position.Amount, 0.0);
        return (shorts * each.Initial, shorts * each.Maintenance);
    }
}
