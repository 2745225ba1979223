using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// SPAN on a parameter file made from the book: one combined commodity for each underlying, one contract for each lot, periods by expiry (a perpetual is one of
/// its own). A commodity's scan range is one amount of money a base unit: of a future it moves the mark, of an option the index, whose carry to the forward
/// stays; no price moves below a millionth of itself. Options count as equity (net option value), initial is a multiple of maintenance.
/// </summary>
/// <param name="isComposite">Whether an option's delta is the composite of seven points after the look-ahead, as in a file, or that of today's price.</param>
internal sealed class SpanModel(bool isComposite = false) : IReferenceModel
{
    private const decimal LeastPrice = 1e-6m;
    private const int TwoDays = 2 * 86_400;

    public string Name => "span";

    /// <summary>No option that ends within the look-ahead: the method says nothing of its delta.</summary>
    public BookStyle Style { get; } = new() { Family = BookFamily.Linear, ShortestLifeSeconds = TwoDays };

    public BookGrowth Growth => BookGrowth.Proportional;

    public IReadOnlyList<SpanRequirement> Requirements(RandomBook book)
    {
        var positions = Positions(book);
        return SpanReference.Margin(File(book, [.. positions.Select(position => position.Contract)]), positions);
    }

    public ReferenceMargin Margin(RandomBook book)
    {
        decimal maintenance = Requirements(book).Sum(requirement => requirement.Total);
        var bound = new RoundingBound();
        decimal credit = 0m;
        foreach (BookUnit unit in book.Units())
        {
            // Scan, price risk (a mean of four rows) and the credit that multiplies it, of both legs.
            decimal calendar = AgreementParameters.Span(unit.Underlying.Code).Calendar;
            bound.Rows(unit, 4m * AgreementParameters.SpanInitialFactor).NetDelta(book, unit, 4m * calendar).AddOns(unit, 6 + unit.Positions.Count).Conversion(2);
            credit += Ambiguity(book, unit);
        }

        bound.Money(AgreementParameters.SpanInitialFactor * AgreementParameters.SpanCredits[0].Rate * credit);
        decimal equity = book.Equity(AgreementParameters.Haircut, book.OptionUsd);
        return new ReferenceMargin(
            AgreementParameters.SpanInitialFactor * maintenance, maintenance, equity, bound.Doubles(book, 4m * AgreementParameters.SpanInitialFactor).Usd, RoundingBound.Equity(book));
    }

    private (SpanContract Contract, decimal Number)[] Positions(RandomBook book) =>
        [.. book.Positions().Select(position => (Contract(book, position.Instrument), position.Lots))];

    // USD by which a commodity's price risk, of which a credit is a part, is not determined: rows that tie with the active one within their rounding, and a
    // net delta that its rounding can move. A commodity that takes part in no spread has none.
    private decimal Ambiguity(RandomBook book, BookUnit unit)
    {
        SpanSpread spread = AgreementParameters.SpanCredits[0];
        if (spread.Legs.All(leg => leg.Commodity != unit.Underlying.Code) || book.Units().Count(other => spread.Legs.Any(leg => leg.Commodity == other.Underlying.Code)) < 2)
            return 0m;
        var positions = Positions(book).Where(position => position.Contract.Commodity == unit.Underlying.Code).ToArray();
        decimal[] losses = [.. Enumerable.Range(0, AgreementParameters.SpanPoints.Count).Select(point => positions.Sum(position => position.Number * position.Contract.RiskArray[point]))];
        decimal rounding = new RoundingBound().Rows(unit).Doubles(book).Usd;
        decimal[] risks = [.. Enumerable.Range(0, losses.Length).Where(point => losses[point] >= losses.Max() - (4m * rounding))
            .Select(point => ((losses[point] + losses[AgreementParameters.SpanPoints[point].PairedPoint - 1]) / 2m) - ((losses[0] + losses[1]) / 2m))
            .Concat(losses.Max() <= 4m * rounding ? [0m] : [])];
        if (losses.Max() < -4m * rounding)
            return 0m;
        decimal delta = Math.Abs(positions.Sum(position => position.Number * position.Contract.CompositeDelta * position.Contract.DeltaScale));
        decimal moved = book.Units().Where(other => spread.Legs.Any(leg => leg.Commodity == other.Underlying.Code))
            .Sum(other => RoundingBound.DeltaOf(book, other) * Base(spread, unit) / Base(spread, other));
        return risks.Max() - risks.Min() + (Math.Max(0m, risks.Max()) * (delta <= moved ? 1m : moved / delta));
    }

    private static decimal Base(SpanSpread spread, BookUnit unit) =>
        spread.Legs.First(leg => leg.Commodity == unit.Underlying.Code).DeltaPerSpread;

    private static SpanFile File(RandomBook book, SpanContract[] contracts) => new()
    {
        Name = $"book {book.Seed}",
        Points = AgreementParameters.SpanPoints,
        DeltaPoints = AgreementParameters.SpanDeltaPoints,
        Contracts = contracts,
        Commodities = book.Underlyings.ToDictionary(underlying => underlying.Code, underlying => new SpanCommodity(
            underlying.Code, [new SpanSpread(AgreementParameters.Span(underlying.Code).Calendar, [])], AgreementParameters.Span(underlying.Code).ShortMinimum)),
        InterSpreads = AgreementParameters.SpanCredits,
    };

    private SpanContract Contract(RandomBook book, BookInstrument instrument)
    {
        BookUnderlying underlying = book.Underlying(instrument.UnderlyingId);
        decimal price = (instrument.IsOption ? underlying.Index : instrument.Mark);
        decimal rate = Math.Max(book.Currency(instrument.CurrencyId).Rate, 0m);
        decimal years = book.Years(instrument);
        decimal scan = AgreementParameters.Span(underlying.Code).PriceScan;
        var contract = new SpanContract
        {
            Portfolio = $"{instrument.Id}",
            Code = $"{instrument.Id}",
            Commodity = underlying.Code,
            Period = $"{instrument.Expiry}",
            PriceScan = scan * instrument.Size,
            ContractValueFactor = instrument.Size,
            DeltaScale = instrument.Size,
            RiskArray = [],
            CompositeDelta = 1m,
            Strike = instrument.IsOption ? instrument.Strike : null,
            IsCall = instrument.IsCall,
            UnderlyingPrice = price,
            Years = years,
            Volatility = instrument.Volatility,
            VolatilityScan = AgreementParameters.Span(underlying.Code).VolatilityScan,
            Rate = rate,
            Yield = instrument.IsOption ? rate - (DecimalMath.Ln(book.Forward(instrument) / price) / years) : rate,
        };
        SpanPoint Held(SpanPoint point) => point with { PriceMove = Math.Max(point.PriceMove, (LeastPrice - 1m) * price / scan) };
        return contract with
        {
            RiskArray = SpanReference.RiskArray(contract, AgreementParameters.SpanPoints.Select(Held)),
            CompositeDelta = isComposite ? SpanReference.CompositeDelta(contract, AgreementParameters.SpanDeltaPoints.Select(Held)) : book.Delta(instrument),
        };
    }
}
