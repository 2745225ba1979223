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
            unit.Positions.Sum(position => Math.Abs(position.Amount)) * (double)unit.Underlying.Index))];
        double requirement = group.Length == 0
            ? 0.0
            : TimsMargin.Requirement(
                group, AgreementParameters.TimsLow, AgreementParameters.TimsHigh, AgreementParameters.TimsOffset, AgreementParameters.TimsMinimum);
        var bound = new RoundingBound();
        foreach (BookUnit unit in units)
        {
            bound.Rows(unit).AddOns(unit, 2 + unit.Positions.Count).Conversion();
        }

        double equity = book.Equity(code => AgreementParameters.NoHaircut, book.OptionUsd);
        return new ReferenceMargin(requirement, requirement, equity, bound.Doubles(book).Usd, RoundingBound.Equity(book));
    }
}

/// <summary>
/// Historical value at risk: every row moves all underlyings at once, volatility as it is. Initial is the expected shortfall, maintenance the value at risk,
/// so that the first is never below the second. Rows belong to the model: its document carries the same, already filtered.
/// </summary>
/// <param name="rows">Relative moves of BTC, ETH and SOL, by row; null: <see cref="JointRows"/>.</param>
internal sealed class HistoricalModel(IReadOnlyList<double[]>? rows = null) : IReferenceModel
{
    /// <summary>A tail of two rows at 99 %, so that the shortfall is not the value at risk.</summary>
    private const int Rows = 200;

    public string Name => "hvar";

    public BookStyle Style { get; } = new() { Family = BookFamily.Linear };

    public BookGrowth Growth => BookGrowth.Proportional;

    /// <summary>Relative moves of BTC, ETH, SOL by row, with eight decimals; from a seed, with jumps, scaled to the volatility after the last of them.</summary>
    public static IReadOnlyList<double[]> JointRows { get; } = MakeRows();

    public ReferenceMargin Margin(RandomBook book)
    {
        BookPosition[] positions = [.. book.Positions()];
        double[] pnl = [.. (rows ?? JointRows).Select(row => positions.Sum(position => book.LinearPnl(position, row[position.Instrument.UnderlyingId - 1])))];
        (double valueAtRisk, double shortfall) = HistoricalMargin.Margin(pnl, AgreementParameters.HistoricalConfidence);
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            bound.Rows(unit).Conversion(2);
        }

        double equity = book.Equity(code => AgreementParameters.NoHaircut, book.OptionUsd);
        return new ReferenceMargin(shortfall, valueAtRisk, equity, bound.Conversion().Doubles(book).Usd, RoundingBound.Equity(book));
    }

    private static List<double[]> MakeRows()
    {
        var random = new Random(20251010);
        double[][] series = [.. Enumerable.Range(0, 3).Select(_ => new double[Rows])];
        for (int day = 0; day < Rows; day++)
        {
            double market = Normal(random) * (random.Next(25) == 0 ? 0.10 : 0.025);
            for (int coin = 0; coin < series.Length; coin++)
            {
                series[coin][day] = Math.Clamp(market * (1.0 + (0.25 * coin)) + (0.01 * (coin + 1) * Normal(random)), -0.6, 0.6);
            }
        }

        double[][] filtered = [.. series.Select(returns => HistoricalMargin.Filtered(returns, AgreementParameters.HistoricalDecay))];
        return [.. Enumerable.Range(0, Rows).Select(day => filtered.Select(returns => Math.Round(Math.Clamp(returns[day], -0.9, 3.0), 8)).ToArray())];
    }

    // Box and Muller.
    private static double Normal(Random random) => Math.Sqrt(-2.0 * Math.Log(1.0 - random.NextDouble())) * Math.Cos(2.0 * Math.PI * random.NextDouble());
}
