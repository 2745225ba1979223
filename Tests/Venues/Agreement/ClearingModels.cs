using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// TIMS: every underlying is a class, all classes of a book are one product group. Inside a class everything nets; between classes losses count in full
/// and gains by the offset, move by move. Initial and maintenance are the same.
/// </summary>
internal sealed class TimsModel : IReferenceModel
{
    public string Name => "tims";

    public BookStyle Style { get; } = new() { Family = BookFamily.Linear };

    public BookGrowth Growth => BookGrowth.Proportional;

    public ReferenceMargin Margin(RandomBook book)
    {
        IReadOnlyList<BookUnit> units = book.Units();
        TimsClass[] group = [.. units.Select(unit => new TimsClass(
            move => unit.Positions.Sum(position => book.LinearPnl(position, move)),
            unit.Positions.Sum(position => Math.Abs(position.Lots))))];
        decimal requirement = group.Length == 0
            ? 0m
            : TimsMargin.Requirement(
                group, AgreementParameters.TimsLow, AgreementParameters.TimsHigh, AgreementParameters.TimsOffset, AgreementParameters.TimsMinimum);
        var bound = new RoundingBound();
        foreach (BookUnit unit in units)
        {
            bound.Rows(unit).AddOns(unit, 2 + unit.Positions.Count).Conversion(3);
        }

        decimal equity = book.Equity(AgreementParameters.Haircut, book.OptionUsd);
        return new ReferenceMargin(requirement, requirement, equity, bound.Doubles(book).Usd, RoundingBound.Equity(book));
    }
}

/// <summary>
/// Historical value at risk: every row moves all underlyings at once, volatility as it is. Maintenance is the value at risk, initial a multiple. The days are the
/// document's own; what is made of them is here.
/// </summary>
internal sealed class HistoricalModel : IReferenceModel
{
    public string Name => "hvar";

    public BookStyle Style { get; } = new() { Family = BookFamily.Linear };

    public BookGrowth Growth => BookGrowth.Proportional;

    /// <summary>Relative moves of BTC, ETH, SOL by row, filtered, with eight decimals.</summary>
    public static IReadOnlyList<decimal[]> JointRows { get; } = MakeRows();

    public static decimal[] Pnl(RandomBook book)
    {
        decimal[] pnl = new decimal[JointRows.Count];
        foreach (BookPosition position in book.Positions())
        {
            Func<decimal, decimal> profit = book.LinearPnl(position);
            pnl = [.. pnl.Zip(JointRows, (sum, row) => sum + profit(row[position.Instrument.UnderlyingId - 1]))];
        }

        return pnl;
    }

    public ReferenceMargin Margin(RandomBook book)
    {
        decimal valueAtRisk = HistoricalMargin.Margin(Pnl(book), AgreementParameters.HistoricalConfidence).ValueAtRisk;
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            bound.Rows(unit, AgreementParameters.HistoricalInitialFactor).Conversion(2);
        }

        return new ReferenceMargin(
            AgreementParameters.HistoricalInitialFactor * valueAtRisk, valueAtRisk, book.Equity(AgreementParameters.Haircut, book.OptionUsd),
            bound.Conversion().Doubles(book, AgreementParameters.HistoricalInitialFactor).Usd, RoundingBound.Equity(book));
    }

    private static List<decimal[]> MakeRows()
    {
        JsonNode spot = ModelDocument.Shipped("hvar")["history"]!["spot"]!;
        decimal[][] filtered = [.. new[] { "BTC", "ETH", "*" }.Select(code =>
            HistoricalMargin.Filtered([.. spot[code]!.AsArray().Select(move => (decimal)move!)], AgreementParameters.HistoricalDecay))];
        return [.. filtered[0].Select((_, day) => filtered.Select(moves => Math.Round(moves[day], 8)).ToArray())];
    }
}
