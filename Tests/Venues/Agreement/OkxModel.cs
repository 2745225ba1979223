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
        decimal delta = unit.Underlying.Index * unit.Positions.Sum(position => position.Amount * book.Delta(position.Instrument));
        return OkxPortfolioMargin.Margin(move => Worst(book, unit, move, Math.Abs(move) < parameters.ExtremeMove), delta, parameters, 0m);
    }

    public ReferenceMargin Margin(RandomBook book)
    {
        decimal initial = 0m;
        decimal maintenance = 0m;
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            OkxParameters parameters = AgreementParameters.Okx(unit.Underlying.Code);
            OkxResult margin = Result(book, unit);
            initial += margin.Initial;
            maintenance += margin.Maintenance;
            decimal chargedDelta = parameters.BasisRate + (parameters.MinimumRate * parameters.Tiers[^1].Multiple);
            bound.Rows(unit, OkxPortfolioMargin.InitialOverMaintenance).NetDelta(book, unit, 2m * chargedDelta * unit.Underlying.Index).AddOns(unit, 6).Conversion();
        }

        decimal equity = book.Equity(AgreementParameters.Haircut, book.OptionUsd);
        return new ReferenceMargin(initial, maintenance, equity, bound.Doubles(book, OkxPortfolioMargin.InitialOverMaintenance).Usd, RoundingBound.Equity(book));
    }

    private static decimal Worst(RandomBook book, BookUnit unit, decimal move, bool shocksVolatility)
    {
        decimal[] shocks = shocksVolatility ? [-AgreementParameters.OkxVolatilityDown, 0m, AgreementParameters.OkxVolatilityUp] : [0m];
        return shocks.Min(shock => unit.Positions.Sum(position => book.LinearPnl(position, move, option => Shocked(book, option, shock))));
    }

    private static decimal Shocked(RandomBook book, BookInstrument option, decimal shock)
    {
        decimal days = Math.Max(book.Years(option) * 365m, 1m);
        decimal power = days <= 30m ? AgreementParameters.ShortPower : AgreementParameters.LongPower;
        return Math.Max(0m, option.Volatility * (1m + (shock * DecimalMath.Pow(30m / days, power))));
    }
}
