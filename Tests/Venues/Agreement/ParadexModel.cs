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
            (double)unit.Underlying.Index, (double)(perpetual?.Mark ?? unit.Underlying.Index), (double)unit.Underlying.Funding, Rate(book));
        return ParadexPortfolioMargin.Margin(
            [.. unit.Positions.Select(position => new ParadexPosition(Market(book, position.Instrument), position.Amount))],
            [.. unit.Orders.Select(order => Order(book, order))],
            underlying,
            AgreementParameters.Paradex);
    }

    public ReferenceMargin Margin(RandomBook book)
    {
        double initial = 0.0;
        double maintenance = 0.0;
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            ParadexResult margin = Result(book, unit);
            initial += margin.Initial;
            maintenance += margin.Maintenance;
            bound.Rows(unit).Orders(unit).NetDelta(unit, 2.0 * (double)unit.Underlying.Index).AddOns(unit, 4 + unit.Positions.Count + unit.Orders.Count).Conversion();
        }

        double equity = book.Equity(AgreementParameters.Haircut, option => Mark(book, option));
        return new ReferenceMargin(initial, maintenance, equity, bound.Doubles(book).Doubles(book).Usd, RoundingBound.Equity(book));
    }

    private static double Rate(RandomBook book) => (double)book.Currency(RandomBook.UsdId).Rate;

    private static ParadexOrder Order(RandomBook book, BookOrder order)
    {
        BookInstrument instrument = book.Instrument(order.InstrumentId);
        return new ParadexOrder(Market(book, instrument), (double)(order.Lots * instrument.Size), (double)order.Price);
    }

    private static ParadexMarket Market(RandomBook book, BookInstrument instrument)
    {
        if (!instrument.IsOption)
            return new ParadexMarket($"{instrument.Id}", (double)instrument.Mark, 1.0, AgreementParameters.ParadexFee);
        double years = book.Years(instrument);
        double forward = OnIndex(book, instrument);
        double deviation = (double)instrument.Volatility * Math.Sqrt(years);
        double call = ReferenceOptions.NormalCdf((Math.Log(forward / (double)instrument.Strike) / deviation) + (deviation / 2.0));
        return new ParadexMarket(
            $"{instrument.Id}", Mark(book, instrument), instrument.IsCall ? call : call - 1.0, AgreementParameters.ParadexFee, (double)instrument.Strike,
            instrument.IsCall, (double)instrument.Volatility, years);
    }

    private static double OnIndex(RandomBook book, BookInstrument option) =>
        (double)book.Underlying(option.UnderlyingId).Index * Math.Exp(Rate(book) * book.Years(option));

    private static double Mark(RandomBook book, BookInstrument option)
    {
        if (book.HasOptionMarks)
            return (double)option.Mark;
        double years = book.Years(option);
        return Math.Exp(-Rate(book) * years)
            * ReferenceOptions.Black76(OnIndex(book, option), (double)option.Strike, years, (double)option.Volatility, option.IsCall);
    }
}
