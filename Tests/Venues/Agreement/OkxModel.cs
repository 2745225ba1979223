using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// OKX portfolio margin, USD-settled, each underlying alone: MR1, MR4, MR6, MR7 (the other components are 0, as no formula of theirs is known). Rows of MR1
/// take the worst of volatility up, same and down by term; the extreme move leaves it. The delta that MR4 and MR7 charge is base units at the index.
/// </summary>
internal sealed class OkxModel : IReferenceModel
{
    public string Name => "okx-pm";

    public BookStyle Style { get; } = new() { Family = BookFamily.Linear };

    public BookGrowth Growth => BookGrowth.Progressive;

    public static OkxResult Result(RandomBook book, BookUnit unit)
    {
        OkxParameters parameters = AgreementParameters.Okx(unit.Underlying.Code);
        double delta = (double)unit.Underlying.Index * unit.Positions.Sum(position => position.Amount * book.Delta(position.Instrument));
        return OkxPortfolioMargin.Margin(move => Worst(book, unit, move, Math.Abs(move) < parameters.ExtremeMove), delta, parameters, 0.0);
    }

    public ReferenceMargin Margin(RandomBook book)
    {
        double initial = 0.0;
        double maintenance = 0.0;
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            OkxParameters parameters = AgreementParameters.Okx(unit.Underlying.Code);
            OkxResult margin = Result(book, unit);
            initial += margin.Initial;
            maintenance += margin.Maintenance;
            double chargedDelta = parameters.BasisRate + (parameters.MinimumRate * parameters.Tiers[^1].Multiple);
            bound.Rows(unit, OkxPortfolioMargin.InitialOverMaintenance).NetDelta(unit, 2.0 * chargedDelta * (double)unit.Underlying.Index).AddOns(unit, 6).Conversion();
        }

        double equity = book.Equity(AgreementParameters.Haircut, book.OptionUsd);
        return new ReferenceMargin(initial, maintenance, equity, bound.Doubles(book).Doubles(book).Usd, RoundingBound.Equity(book));
    }

    private static double Worst(RandomBook book, BookUnit unit, double move, bool shocksVolatility)
    {
        double[] shocks = shocksVolatility ? [-AgreementParameters.OkxVolatilityDown, 0.0, AgreementParameters.OkxVolatilityUp] : [0.0];
        return shocks.Min(shock => unit.Positions.Sum(position => book.LinearPnl(position, move, option => Shocked(book, option, shock))));
    }

    private static double Shocked(RandomBook book, BookInstrument option, double shock)
    {
        double days = Math.Max(book.Years(option) * 365.0, 1.0);
        double power = days <= 30.0 ? AgreementParameters.ShortPower : AgreementParameters.LongPower;
        return Math.Max(0.0, (double)option.Volatility * (1.0 + (shock * Math.Pow(30.0 / days, power))));
    }
}
