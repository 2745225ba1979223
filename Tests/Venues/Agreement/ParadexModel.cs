using MarginEngine.Codecs;
using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// Paradex portfolio margin, each underlying alone. Options are priced on the index at the rate of USD, below 0 too, with the exact normal distribution; rows are losses
/// against the book's option marks where it has them and against the model's own price otherwise. An option's delta is dV/dS of that price.
/// </summary>
internal sealed class ParadexModel : IReferenceModel
{
    public string Name => "paradex-pm";

    public BookStyle Style { get; } = new()
    {
        Family = BookFamily.Linear,
        HasFutures = false,
        HasFunding = true,
        HasOptionMarks = true,
        HasOrders = true,
    };

    public BookGrowth Growth => BookGrowth.Proportional;

    public static ParadexResult Result(RandomBook book, BookUnit unit)
    {
        // The perpetual's mark counts where there is one; without it the venue's perpetual is at the index, and nothing of the unit depends on it.
        BookInstrument? perpetual = book.Instruments.FirstOrDefault(item => item.Kind == InstrumentKind.Perpetual && item.UnderlyingId == unit.Underlying.Id);
        var underlying = new ParadexUnderlying(
            unit.Underlying.Index, perpetual?.Mark ?? unit.Underlying.Index, unit.Underlying.Funding, Rate(book));
        return ParadexPortfolioMargin.Margin(
            [.. unit.Positions.Select(position => new ParadexPosition(Market(book, position.Instrument), position.Amount))],
            [.. unit.Orders.Select(order => Order(book, order))],
            underlying,
            AgreementParameters.Paradex);
    }

    public ReferenceMargin Margin(RandomBook book)
    {
        decimal initial = 0m;
        decimal maintenance = 0m;
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            ParadexResult margin = Result(book, unit);
            initial += margin.Initial;
            maintenance += margin.Maintenance;

            // A delta goes once into what is not hedged and twice into what is.
            decimal usdPerDelta = (AgreementParameters.Paradex.UnhedgedFactor + (2m * AgreementParameters.Paradex.HedgedFactor)) * unit.Underlying.Index;
            bound.Rows(unit).Orders(unit).NetDelta(book, unit, usdPerDelta).AddOns(unit, 4 + unit.Positions.Count + unit.Orders.Count).Conversion();
        }

        decimal equity = book.Equity(AgreementParameters.Haircut, option => Mark(book, option));
        return new ReferenceMargin(initial, maintenance, equity, bound.Doubles(book).Usd, RoundingBound.Equity(book));
    }

    private static decimal Rate(RandomBook book) => book.Currency(RandomBook.UsdId).Rate;

    private static ParadexOrder Order(RandomBook book, BookOrder order)
    {
        BookInstrument instrument = book.Instrument(order.InstrumentId);
        return new ParadexOrder(Market(book, instrument), order.Lots * instrument.Size, order.Price);
    }

    private static ParadexMarket Market(RandomBook book, BookInstrument instrument)
    {
        if (!instrument.IsOption)
            return new ParadexMarket($"{instrument.Id}", instrument.Mark, 1m, AgreementParameters.ParadexFee);
        decimal years = book.Years(instrument);
        decimal delta = ReferenceOptions.ForwardDelta(OnIndex(book, instrument), instrument.Strike, years, instrument.Volatility, instrument.IsCall);
        return new ParadexMarket(
            $"{instrument.Id}", Mark(book, instrument), delta, AgreementParameters.ParadexFee, instrument.Strike,
            instrument.IsCall, instrument.Volatility, years);
    }

    private static decimal OnIndex(RandomBook book, BookInstrument option) =>
        book.Underlying(option.UnderlyingId).Index * DecimalMath.Exp(Rate(book) * book.Years(option));

    private static decimal Mark(RandomBook book, BookInstrument option)
    {
        if (book.HasOptionMarks)
            return option.Mark;
        decimal years = book.Years(option);
        return DecimalMath.Exp(-Rate(book) * years)
            * ReferenceOptions.Black76(OnIndex(book, option), option.Strike, years, option.Volatility, option.IsCall);
    }
}
