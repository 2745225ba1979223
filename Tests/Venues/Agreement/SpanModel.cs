using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// SPAN on a parameter file made from the book: one combined commodity for each underlying, one contract of one base unit for each instrument, periods by
/// expiry (a perpetual is one of its own). The scan range is a part of each contract's own forward or mark, so that a row is one relative move for all.
/// Options are priced on their forward at the rate of USD. Options count as equity (net option value), initial is a multiple of maintenance.
/// </summary>
internal sealed class SpanModel : IReferenceModel
{
    private const int TwoDays = 2 * 86_400;

    public string Name => "span";

    /// <summary>No option that ends within the look-ahead: the method says nothing of its delta.</summary>
    public BookStyle Style { get; } = new() { Family = BookFamily.Linear, ShortestLifeSeconds = TwoDays };

    public BookGrowth Growth => BookGrowth.Proportional;

    public static IReadOnlyList<SpanRequirement> Requirements(RandomBook book)
    {
        var positions = book.Positions().Select(position => (Contract: Contract(book, position.Instrument), Number: position.Amount)).ToArray();
        return SpanReference.Margin(File(book, [.. positions.Select(position => position.Contract)]), positions);
    }

    public ReferenceMargin Margin(RandomBook book)
    {
        double maintenance = Requirements(book).Sum(requirement => requirement.Total);
        var bound = new RoundingBound();
        foreach (BookUnit unit in book.Units())
        {
            // Scan, price risk (a mean of four rows) and the credit that multiplies it, of both legs.
            double index = (double)unit.Underlying.Index;
            bound.Rows(unit, 4.0 * AgreementParameters.SpanInitialFactor).NetDelta(unit, 4.0 * index).AddOns(unit, 6 + unit.Positions.Count).Conversion(2);
        }

        double equity = book.Equity(code => AgreementParameters.NoHaircut, book.OptionUsd);
        return new ReferenceMargin(
            AgreementParameters.SpanInitialFactor * maintenance, maintenance, equity, bound.Doubles(book).Doubles(book).Usd, RoundingBound.Equity(book));
    }

    private static SpanFile File(RandomBook book, SpanContract[] contracts) => new()
    {
        Name = $"book {book.Seed}",
        Points = AgreementParameters.SpanPoints,
        DeltaPoints = AgreementParameters.SpanDeltaPoints,
        Contracts = contracts,
        Commodities = book.Underlyings.ToDictionary(underlying => underlying.Code, underlying => new SpanCommodity(
            underlying.Code,
            [new SpanSpread(AgreementParameters.SpanIntraCharge * (double)underlying.Index, [])],
            AgreementParameters.SpanShortMinimum * (double)underlying.Index)),
        InterSpreads = AgreementParameters.SpanCredits,
    };

    private static SpanContract Contract(RandomBook book, BookInstrument instrument)
    {
        double price = instrument.IsOption ? book.Forward(instrument) : (double)instrument.Mark;
        double rate = Math.Max((double)book.Currency(instrument.CurrencyId).Rate, 0.0);
        var contract = new SpanContract
        {
            Portfolio = $"{instrument.Id}",
            Code = $"{instrument.Id}",
            Commodity = book.Underlying(instrument.UnderlyingId).Code,
            Period = $"{instrument.Expiry}",
            PriceScan = AgreementParameters.SpanPriceScan * price,
            ContractValueFactor = 1.0,
            DeltaScale = 1.0,
            RiskArray = [],
            CompositeDelta = 1.0,
            Strike = instrument.IsOption ? (double)instrument.Strike : null,
            IsCall = instrument.IsCall,
            UnderlyingPrice = price,
            Years = book.Years(instrument),
            Volatility = (double)instrument.Volatility,
            VolatilityScan = AgreementParameters.SpanVolatilityScan,
            Rate = rate,
            Yield = rate,
        };
        return contract with
        {
            RiskArray = SpanReference.RiskArray(contract, AgreementParameters.SpanPoints),
            CompositeDelta = SpanReference.CompositeDelta(contract, AgreementParameters.SpanDeltaPoints),
        };
    }
}
