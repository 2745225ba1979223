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
    private const double LeastPrice = 1e-6;
    private const double DeltaStep = 0.5e-9;
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
        double maintenance = Requirements(book).Sum(requirement => requirement.Total);
        var bound = new RoundingBound();
        double credit = 0.0;
        foreach (BookUnit unit in book.Units())
        {
            // Scan, price risk (a mean of four rows) and the credit that multiplies it, of both legs.
            double calendar = AgreementParameters.Span(unit.Underlying.Code).Calendar;
            bound.Rows(unit, 4.0 * AgreementParameters.SpanInitialFactor).NetDelta(unit, 4.0 * calendar).AddOns(unit, 6 + unit.Positions.Count).Conversion(2);
            credit += Ambiguity(book, unit);
        }

        bound.Money(AgreementParameters.SpanInitialFactor * AgreementParameters.SpanCredits[0].Rate * credit);
        double equity = book.Equity(AgreementParameters.Haircut, book.OptionUsd);
        return new ReferenceMargin(
            AgreementParameters.SpanInitialFactor * maintenance, maintenance, equity, bound.Doubles(book).Doubles(book).Usd, RoundingBound.Equity(book));
    }

    private (SpanContract Contract, double Number)[] Positions(RandomBook book) =>
        [.. book.Positions().Select(position => (Contract(book, position.Instrument), (double)position.Lots))];

    // USD by which a commodity's price risk, of which a credit is a part, is not determined: rows that tie with the active one within their rounding, and a
    // net delta that its rounding can move. A commodity that takes part in no spread has none.
    private double Ambiguity(RandomBook book, BookUnit unit)
    {
        SpanSpread spread = AgreementParameters.SpanCredits[0];
        if (spread.Legs.All(leg => leg.Commodity != unit.Underlying.Code) || book.Units().Count(other => spread.Legs.Any(leg => leg.Commodity == other.Underlying.Code)) < 2)
            return 0.0;
        var positions = Positions(book).Where(position => position.Contract.Commodity == unit.Underlying.Code).ToArray();
        double[] losses = [.. Enumerable.Range(0, AgreementParameters.SpanPoints.Count).Select(point => positions.Sum(position => position.Number * position.Contract.RiskArray[point]))];
        double rounding = new RoundingBound().Rows(unit).Doubles(book).Usd;
        double[] risks = [.. Enumerable.Range(0, losses.Length).Where(point => losses[point] >= losses.Max() - (4.0 * rounding))
            .Select(point => ((losses[point] + losses[AgreementParameters.SpanPoints[point].PairedPoint - 1]) / 2.0) - ((losses[0] + losses[1]) / 2.0))
            .Concat(losses.Max() <= 4.0 * rounding ? [0.0] : [])];
        if (losses.Max() < -4.0 * rounding)
            return 0.0;
        double delta = Math.Abs(positions.Sum(position => position.Number * position.Contract.CompositeDelta * position.Contract.DeltaScale));
        double moved = book.Units().Sum(other => DeltaStep * other.Positions.Count * Base(spread, unit) / Base(spread, other));
        double doubles = new RoundingBound().Doubles(book).Usd / (double)unit.Underlying.Index;
        return risks.Max() - risks.Min() + (Math.Max(0.0, risks.Max()) * Math.Min(1.0, (moved + doubles) / delta));
    }

    private static double Base(SpanSpread spread, BookUnit unit) =>
        spread.Legs.Where(leg => leg.Commodity == unit.Underlying.Code).Select(leg => leg.DeltaPerSpread).DefaultIfEmpty(double.PositiveInfinity).First();

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
        double price = (double)(instrument.IsOption ? underlying.Index : instrument.Mark);
        double rate = Math.Max((double)book.Currency(instrument.CurrencyId).Rate, 0.0);
        double years = book.Years(instrument);
        double scan = AgreementParameters.Span(underlying.Code).PriceScan;
        var contract = new SpanContract
        {
            Portfolio = $"{instrument.Id}",
            Code = $"{instrument.Id}",
            Commodity = underlying.Code,
            Period = $"{instrument.Expiry}",
            PriceScan = scan * (double)instrument.Size,
            ContractValueFactor = (double)instrument.Size,
            DeltaScale = (double)instrument.Size,
            RiskArray = [],
            CompositeDelta = 1.0,
            Strike = instrument.IsOption ? (double)instrument.Strike : null,
            IsCall = instrument.IsCall,
            UnderlyingPrice = price,
            Years = years,
            Volatility = (double)instrument.Volatility,
            VolatilityScan = AgreementParameters.Span(underlying.Code).VolatilityScan,
            Rate = rate,
            Yield = instrument.IsOption ? rate - (Math.Log(book.Forward(instrument) / price) / years) : rate,
        };
        SpanPoint Held(SpanPoint point) => point with { PriceMove = Math.Max(point.PriceMove, (LeastPrice - 1.0) * price / scan) };
        return contract with
        {
            RiskArray = SpanReference.RiskArray(contract, AgreementParameters.SpanPoints.Select(Held)),
            CompositeDelta = isComposite ? SpanReference.CompositeDelta(contract, AgreementParameters.SpanDeltaPoints.Select(Held)) : book.Delta(instrument),
        };
    }
}
