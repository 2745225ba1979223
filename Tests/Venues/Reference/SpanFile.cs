using System.IO.Compression;
using System.Xml.Linq;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>A point of the scan: fraction of the price scan range, multiple of the volatility scan range, weight of the loss.</summary>
internal sealed record SpanPoint(decimal PriceMove, decimal VolatilityMove, decimal Weight, int PairedPoint);

/// <summary>
/// A contract of a SPAN file with what its risk array is computed from. Array and price scan are money per contract, a loss of a long contract positive;
/// volatility and its scan (a fraction of it) are per year, rates continuously compounded. A strike makes it an option.
/// </summary>
internal sealed record SpanContract
{
    public required string Portfolio { get; init; }
    public required string Code { get; init; }
    public required string Commodity { get; init; }
    public required string Period { get; init; }
    public required decimal PriceScan { get; init; }
    public required decimal ContractValueFactor { get; init; }
    public required decimal DeltaScale { get; init; }
    public required decimal[] RiskArray { get; init; }
    public required decimal CompositeDelta { get; init; }
    public decimal? Strike { get; init; }
    public bool IsCall { get; init; }
    public decimal UnderlyingPrice { get; init; }
    public decimal Years { get; init; }
    public decimal Volatility { get; init; }
    public decimal VolatilityScan { get; init; }
    public decimal Rate { get; init; }
    public decimal Yield { get; init; }

    public string Name => $"{Portfolio} {Period} {(Strike is null ? "future" : $"{Strike} {(IsCall ? "call" : "put")}")}";
}

/// <summary>A leg of a spread: combined commodity, side A or B, delta per spread.</summary>
internal sealed record SpanLeg(string Commodity, string Side, decimal DeltaPerSpread);

/// <summary>A spread in order of priority. The rate is money per spread inside a commodity, and a fraction of the legs' risk between commodities.</summary>
internal sealed record SpanSpread(decimal Rate, IReadOnlyList<SpanLeg> Legs);

/// <summary>What a combined commodity charges: money per spread of one delta between periods, money per short option.</summary>
internal sealed record SpanCommodity(string Code, IReadOnlyList<SpanSpread> IntraSpreads, decimal ShortOptionRate);

/// <summary>
/// A SPAN 4.00 XML parameter file, plain or gzipped: the points, every future and option with its array, combined commodities and their spreads.
/// Only what <see cref="SpanReference"/> needs is read.
/// </summary>
internal sealed class SpanFile
{
    public required string Name { get; init; }
    public required IReadOnlyList<SpanPoint> Points { get; init; }
    public required IReadOnlyList<SpanPoint> DeltaPoints { get; init; }
    public required IReadOnlyList<SpanContract> Contracts { get; init; }
    public required IReadOnlyDictionary<string, SpanCommodity> Commodities { get; init; }
    public required IReadOnlyList<SpanSpread> InterSpreads { get; init; }

    public static SpanFile Load(string path)
    {
        using Stream file = File.OpenRead(path);
        using Stream text = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        XElement organisation = XDocument.Load(text).Root!.Element("pointInTime")!.Element("clearingOrg")!;
        XElement exchange = organisation.Element("exchange")!;
        var commodityOf = new Dictionary<(string Type, string Portfolio), string>();
        foreach (XElement commodity in organisation.Elements("ccDef"))
        {
            foreach (XElement link in commodity.Elements("pfLink"))
            {
                commodityOf[(Text(link, "pfType"), Text(link, "pfId"))] = Text(commodity, "cc");
            }
        }

        // Options are priced on the value of a contract of their underlying, which the file rounds to the currency's decimals.
        var prices = new Dictionary<(string Type, string Portfolio, string Contract), decimal>();
        foreach (XElement portfolio in exchange.Elements().Where(element => element.Name == "phyPf" || element.Name == "futPf"))
        {
            foreach (XElement contract in portfolio.Elements().Where(element => element.Name == "phy" || element.Name == "fut"))
            {
                prices[(contract.Name.LocalName.ToUpperInvariant(), Text(portfolio, "pfId"), Text(contract, "cId"))] = Number(contract, "val") / Number(contract, "cvf");
            }
        }

        XElement points = organisation.Element("pointDef")!;
        return new SpanFile
        {
            Name = Path.GetFileName(path),
            Points = [.. points.Elements("scanPointDef").Select(Point)],
            DeltaPoints = [.. points.Elements("deltaPointDef").Select(Point)],
            Contracts = [.. Futures(exchange, commodityOf), .. Options(exchange, commodityOf, prices)],
            Commodities = organisation.Elements("ccDef").Select(Commodity).ToDictionary(commodity => commodity.Code),
            InterSpreads = [.. organisation.Element("interSpreads")!.Elements("dSpread").Select(Spread)],
        };
    }

    private static IEnumerable<SpanContract> Futures(XElement exchange, Dictionary<(string Type, string Portfolio), string> commodityOf)
        => from portfolio in exchange.Elements("futPf")
           from future in portfolio.Elements("fut")
           select new SpanContract
           {
               Portfolio = Text(portfolio, "pfCode"),
               Code = Text(future, "cId"),
               Commodity = commodityOf[("FUT", Text(portfolio, "pfId"))],
               Period = Text(future, "pe"),
               PriceScan = Number(future.Element("scanRate")!, "priceScan"),
               ContractValueFactor = Number(future, "cvf"),
               DeltaScale = Number(future, "sc"),
               RiskArray = Array(future),
               CompositeDelta = Number(future.Element("ra")!, "d"),
           };

    private static IEnumerable<SpanContract> Options(
        XElement exchange,
        Dictionary<(string Type, string Portfolio), string> commodityOf,
        Dictionary<(string Type, string Portfolio, string Contract), decimal> prices)
        => from portfolio in exchange.Elements("oopPf")
           let underlyingType = Text(portfolio.Element("undPf")!, "pfType")
           from series in portfolio.Elements("series")
           let underlying = series.Element("undC")!
           from option in series.Elements("opt")
           select new SpanContract
           {
               Portfolio = Text(portfolio, "pfCode"),
               Code = Text(option, "cId"),
               Commodity = commodityOf[("OOP", Text(portfolio, "pfId"))],
               Period = Text(series, "pe"),
               PriceScan = Number(series.Element("scanRate")!, "priceScan"),
               ContractValueFactor = Number(series, "cvf"),
               DeltaScale = Number(series, "sc"),
               RiskArray = Array(option),
               CompositeDelta = Number(option.Element("ra")!, "d"),
               Strike = Number(option, "k"),
               IsCall = Text(option, "o") == "C",
               UnderlyingPrice = prices[(underlyingType, Text(underlying, "pfId"), Text(underlying, "cId"))],
               Years = Number(series, "t"),
               Volatility = Number(option, "v"),
               VolatilityScan = Number(series.Element("scanRate")!, "volScanPct"),
               Rate = Number(series.Element("intrRate")!, "val"),
               Yield = underlyingType == "FUT" ? Number(series.Element("intrRate")!, "val") : Number(series.Element("divRate")!, "val"),
           };

    private static SpanPoint Point(XElement point) => new(
        Fraction(point.Element("priceScanDef")!),
        Fraction(point.Element("volScanDef")!),
        Number(point, "weight"),
        point.Element("pairedPoint") is XElement paired ? (int)paired : 0);

    private static SpanCommodity Commodity(XElement commodity) => new(
        Text(commodity, "cc"),
        [.. commodity.Elements("dSpread").Select(Spread)],
        Number(commodity.Element("somTiers")!.Element("tier")!.Element("rate")!, "val"));

    private static SpanSpread Spread(XElement spread) => new(
        Number(spread.Element("rate")!, "val"),
        [.. spread.Elements("tLeg").Select(leg => new SpanLeg(Text(leg, "cc"), Text(leg, "rs"), Number(leg, "i")))]);

    private static decimal[] Array(XElement contract) => [.. contract.Element("ra")!.Elements("a").Select(cell => (decimal)cell)];

    private static decimal Fraction(XElement definition) => Number(definition, "numerator") / Number(definition, "denominator");

    private static decimal Number(XElement parent, string child) => (decimal)parent.Element(child)!;

    private static string Text(XElement parent, string child) => parent.Element(child)!.Value;
}
