// Reads a SPAN 4.00 XML parameter file (.spn), plain, gzip or zip. Every complaint names the line of the element it is about.
using System.Globalization;
using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Span;

/// <summary>
/// The file's element names: <c>pfId</c> portfolio, <c>cId</c> contract, <c>pe</c> period, <c>p</c> price, <c>val</c> value of a contract, <c>cvf</c> contract value factor, <c>sc</c> delta
/// scale, <c>t</c> years, <c>k</c> strike, <c>v</c> volatility, <c>cc</c> combined commodity, <c>rs</c> side of a leg, <c>i</c> its deltas,
/// <c>ra</c> risk array of cells <c>a</c> and composite delta <c>d</c>.
/// </summary>
internal sealed class SpanReader
{
    // What the engine's eight decimals can hold; nothing is divided by less.
    private const decimal Smallest = 0.00000001m;

    private readonly SpanElement _organisation;
    private readonly Dictionary<(string Exchange, string Type, string Portfolio), string> _commodities = [];
    private readonly Dictionary<(string Exchange, string Type, string Portfolio, string Contract), UnderlyingPrice> _prices = [];

    private SpanReader(SpanElement organisation) => _organisation = organisation;

    /// <param name="Quoted">As it stands.</param>
    /// <param name="Priced">What options on it are priced with.</param>
    private readonly record struct UnderlyingPrice(decimal Quoted, decimal Priced);

    /// <exception cref="ImportException">The file is no SPAN parameter file, or damaged.</exception>
    public static SpanParameters Read(string path)
    {
        string name = Path.GetFileName(path);
        IReadOnlyList<PlainPart> parts = PackedFile.Unpack(name, File.ReadAllBytes(path));
        if (parts.Count != 1) throw new ImportException(name, 0, 0, $"holds {parts.Count} files; give one parameter file");
        SpanElement root = SpanElement.Load(parts[0].Name, parts[0].Content);
        if (root.Name != "spanFile") throw root.Wrong($"is no SPAN parameter file: its root is <{root.Name}>");
        SpanElement moment = root.Get("pointInTime");
        SpanElement organisation = moment.Get("clearingOrg");
        return new SpanReader(organisation).Read(parts[0].Name, root.TextOf("fileFormat"), Day(moment.Get("date")));
    }

    private SpanParameters Read(string file, string format, DateOnly date)
    {
        foreach (SpanElement commodity in _organisation.All("ccDef"))
            foreach (SpanElement link in commodity.All("pfLink"))
                _commodities[(link.Find("exch")?.Text ?? "", link.TextOf("pfType"), link.TextOf("pfId"))] = commodity.TextOf("cc");
        foreach (SpanElement exchange in _organisation.All("exchange")) ReadPrices(exchange);
        SpanElement points = _organisation.Get("pointDef");
        return new SpanParameters
        {
            File = file,
            Format = format,
            Clearing = _organisation.TextOf("ec"),
            Date = date,
            Points = [.. points.All("scanPointDef").Select(Point)],
            DeltaPoints = [.. points.All("deltaPointDef").Select(Point)],
            Commodities = [.. _organisation.All("ccDef").Select(Commodity)],
            Contracts = [.. _organisation.All("exchange").SelectMany(exchange => Futures(exchange).Concat(Options(exchange)))],
            Inter = [.. (_organisation.Find("interSpreads")?.All("dSpread") ?? []).Select(Spread)],
        };
    }

    private void ReadPrices(SpanElement exchange)
    {
        foreach ((string portfolios, string contracts, string type) in new[] { ("phyPf", "phy", "PHY"), ("futPf", "fut", "FUT") })
            foreach (SpanElement portfolio in exchange.All(portfolios))
                foreach (SpanElement contract in portfolio.All(contracts))
                    _prices[(exchange.TextOf("exch"), type, portfolio.TextOf("pfId"), contract.TextOf("cId"))] = new UnderlyingPrice(contract.NumberOf("p"), PerUnit(portfolio, contract));
    }

    // Options are priced on the value of a contract, which is rounded to the currency's decimals: a small contract shows it.
    private static decimal PerUnit(SpanElement portfolio, SpanElement contract) =>
        contract.Find("val")?.Number() is > 0m and decimal value && (contract.Find("cvf") ?? portfolio.Find("cvf"))?.Number() is >= Smallest and decimal size
            ? SpanMarket.Rounded(value / size)
            : contract.NumberOf("p");

    private IEnumerable<SpanContract> Futures(SpanElement exchange) =>
        from portfolio in exchange.All("futPf")
        from future in portfolio.All("fut")
        select new SpanContract
        {
            Code = portfolio.TextOf("pfCode"),
            Commodity = CommodityOf(exchange, portfolio, "FUT"),
            Period = future.TextOf("pe"),
            Expiry = Day(future.Get("setlDate")),
            Years = future.NumberOf("t"),
            Size = Size(portfolio, future),
            DeltaScale = future.NumberOf("sc"),
            PriceScan = future.Get("scanRate").NumberOf("priceScan"),
            Price = future.NumberOf("p"),
            Losses = Losses(future),
            CompositeDelta = future.Find("ra")?.NumberOf("d") ?? 0m,
        };

    private IEnumerable<SpanContract> Options(SpanElement exchange) =>
        from portfolio in exchange.All("oopPf").Concat(exchange.All("oofPf"))
        from series in portfolio.All("series")
        let scan = series.Get("scanRate")
        from option in series.All("opt")
        select new SpanContract
        {
            Code = portfolio.TextOf("pfCode"),
            Commodity = CommodityOf(exchange, portfolio, portfolio.Name[..3].ToUpperInvariant()),
            Period = series.TextOf("pe"),
            Expiry = Day(series.Get("setlDate")),
            Years = series.NumberOf("t"),
            Size = Size(portfolio, series),
            DeltaScale = series.NumberOf("sc"),
            PriceScan = scan.NumberOf("priceScan"),
            Price = PriceOfUnderlying(exchange, portfolio, series),
            Strike = option.NumberOf("k"),
            IsCall = option.TextOf("o") is "C" or "P" ? option.TextOf("o") == "C" : throw option.Wrong("<o> is neither C nor P"),
            IsAmerican = portfolio.Find("exercise")?.Text is not (null or "EURO"),
            Volatility = option.NumberOf("v"),
            VolatilityScan = scan.Find("volScanPct")?.Number(),
            Rate = series.Get("intrRate").NumberOf("val"),
            Yield = UnderlyingType(portfolio) == "FUT" ? series.Get("intrRate").NumberOf("val") : series.Find("divRate")?.NumberOf("val") ?? 0m,
            Losses = Losses(option),
            CompositeDelta = option.Find("ra")?.NumberOf("d") ?? 0m,
        };

    private static decimal[]? Losses(SpanElement contract) => contract.Find("ra") is { } array ? [.. array.All("a").Select(cell => cell.Number())] : null;

    private decimal PriceOfUnderlying(SpanElement exchange, SpanElement portfolio, SpanElement series)
    {
        SpanElement underlying = series.Get("undC");
        string home = underlying.Find("exch")?.Text ?? exchange.TextOf("exch");
        return _prices.TryGetValue((home, UnderlyingType(portfolio), underlying.TextOf("pfId"), underlying.TextOf("cId")), out UnderlyingPrice price)
            ? price.Priced
            : throw underlying.Wrong("<undC> names a contract that is not in the file");
    }

    private string CommodityOf(SpanElement exchange, SpanElement portfolio, string type) =>
        _commodities.TryGetValue((exchange.TextOf("exch"), type, portfolio.TextOf("pfId")), out string? commodity)
            || _commodities.TryGetValue(("", type, portfolio.TextOf("pfId")), out commodity)
                ? commodity
                : throw portfolio.Wrong($"portfolio {portfolio.TextOf("pfId")} belongs to no combined commodity");

    private SpanCommodity Commodity(SpanElement commodity)
    {
        decimal? price = null;
        foreach (SpanElement link in commodity.All("pfLink").Where(link => link.TextOf("pfType") == "PHY"))
            foreach (((_, string type, string portfolio, _), UnderlyingPrice known) in _prices)
                if (type == "PHY" && portfolio == link.TextOf("pfId"))
                    price ??= known.Quoted;
        SpanElement? minimum = commodity.Find("somTiers")?.Find("tier")?.Find("rate");
        return new SpanCommodity(
            commodity.TextOf("cc"), commodity.Find("name")?.Text ?? "", commodity.TextOf("currency"), price, minimum?.NumberOf("val") ?? 0m,
            commodity.Find("somMeth")?.Text ?? "", [.. commodity.All("dSpread").Select(Spread)]);
    }

    private static string UnderlyingType(SpanElement portfolio) => portfolio.Get("undPf").TextOf("pfType");

    // The contract's own factor; some files give it for the whole portfolio only.
    private static decimal Size(SpanElement portfolio, SpanElement contract)
    {
        SpanElement factor = contract.Find("cvf") ?? portfolio.Get("cvf");
        decimal size = factor.Number();
        return size >= Smallest ? size : throw factor.Wrong($"<cvf> is below {Smallest}");
    }

    private static SpanPoint Point(SpanElement point) =>
        new(Fraction(point.Get("priceScanDef")), Fraction(point.Get("volScanDef")), point.NumberOf("weight"));

    private static decimal Fraction(SpanElement definition)
    {
        decimal denominator = definition.NumberOf("denominator");
        return denominator >= Smallest ? definition.NumberOf("numerator") / denominator : throw definition.Wrong($"<denominator> is below {Smallest}");
    }

    private static SpanSpread Spread(SpanElement spread) => new(
        spread.NumberOf("spread") is >= 0 and <= 1_000_000 and decimal priority ? (int)priority : throw spread.Wrong("<spread> is no priority"),
        spread.Find("chargeMeth")?.Text ?? "",
        spread.Get("rate").NumberOf("val"),
        [.. spread.All("tLeg").Select(Leg)]);

    private static SpanLeg Leg(SpanElement leg)
    {
        string side = leg.TextOf("rs");
        decimal deltas = leg.NumberOf("i");
        return side is "A" or "B" && deltas >= Smallest
            ? new SpanLeg(leg.TextOf("cc"), side, deltas)
            : throw leg.Wrong($"a leg has side A or B and at least {Smallest} deltas");
    }

    private static DateOnly Day(SpanElement element) =>
        DateOnly.TryParseExact(element.Text, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly day)
            ? day
            : throw element.Wrong($"<{element.Name}> is no day such as 20160517: '{element.Text}'");
}
