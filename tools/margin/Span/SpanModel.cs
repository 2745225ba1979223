// A parameter file as a margin model: the shipped `span` document with the file's points, ranges, charges, minimums and spreads.
using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Span;

internal static class SpanModel
{
    // The method's look-ahead is not in the file: 1/250 of a year is what a real file's arrays agree with best.
    private const decimal LookAheadYears = 0.004m;

    private const int ChargeDecimals = 6;
    private static readonly JsonSerializerOptions Pretty = new() { WriteIndented = true, NewLine = "\n" };

    /// <param name="market">The file.</param>
    /// <param name="takesArrays">The file's own arrays are the rows; otherwise they are priced.</param>
    /// <exception cref="CommandFailure">Refused: the file has more, or larger figures, than a margin model takes.</exception>
    public static ModelDocument Of(SpanMarket market, bool takesArrays = false)
    {
        try
        {
            return ModelDocument.Parse(Tree(market, takesArrays).ToJsonString());
        }
        catch (FormatException failure)
        {
            throw CommandFailure.Refused($"{market.File.File}: {failure.Message}");
        }
    }

    /// <summary>The document as a file.</summary>
    /// <inheritdoc cref="Of"/>
    public static string Text(SpanMarket market, bool takesArrays)
    {
        _ = Of(market, takesArrays);
        return Tree(market, takesArrays).ToJsonString(Pretty) + "\n";
    }

    private static JsonObject Tree(SpanMarket market, bool takesArrays)
    {
        ModelDocument shipped = ModelDocument.Shipped("span");
        SpanParameters file = market.File;
        return new JsonObject
        {
            ["$schema"] = shipped["$schema"],
            ["name"] = "span",
            ["version"] = int.Parse($"{file.Date:yyyyMMdd}", System.Globalization.CultureInfo.InvariantCulture),
            ["note"] = $"SPAN {file.Format} of {file.Clearing}, {file.Date:yyyy-MM-dd} ({file.File}). USD stands for {file.Currency}. The look-ahead of {LookAheadYears} years is not in the file.",
            ["requirement"] = new JsonObject { ["initialFactor"] = 1, ["maintenanceFactor"] = 1, ["measure"] = "worst", ["openOrders"] = "worstFill" },
            ["states"] = shipped["states"],
            ["timing"] = shipped["timing"],
            ["pricing"] = new JsonObject { ["rowProfits"] = takesArrays ? "published" : "computed" },
            ["rows"] = takesArrays
                ? new JsonArray([.. file.Points.Select(point => Row(point with { Weight = 1m }, isDelta: false))])
                : new JsonArray([.. file.Points.Select(point => Row(point, isDelta: false)), .. file.DeltaPoints.Select(point => Row(point, isDelta: true))]),
            ["addOns"] = AddOns(market),
            ["underlyings"] = Map(market, underlying => new JsonObject { ["scanRange"] = underlying.ScanRange, ["volatilityScan"] = SpanMarket.Rounded(underlying.VolatilityScan) }),
            ["spreads"] = new JsonArray([.. market.Spreads.Select(spread => Spread(market, spread))]),
            ["currencies"] = new JsonObject { ["USD"] = new JsonObject { ["haircut"] = 0 } },
            ["liquidation"] = shipped["liquidation"],
        };
    }

    private static JsonObject Row(SpanPoint point, bool isDelta)
    {
        JsonObject row = new()
        {
            ["spot"] = SpanMarket.Rounded(point.PriceMove),
            ["scale"] = "scanRange",
            ["weight"] = SpanMarket.Rounded(point.Weight),
            ["timeStepYears"] = LookAheadYears,
        };
        if (isDelta) row["role"] = "delta";
        if (isDelta || point.VolatilityMove == 0m) return row;
        row["volatility"] = "proportional";
        row["volatilityMove"] = SpanMarket.Rounded(point.VolatilityMove);
        return row;
    }

    private static JsonArray AddOns(SpanMarket market)
    {
        JsonObject minimum = Map(market, underlying => JsonValue.Create(SpanMarket.Rounded(underlying.Commodity.ShortOptionMinimum)));
        return
        [
            new JsonObject
            {
                ["kind"] = "calendarSpread",
                ["name"] = "calendar spread charge",
                ["place"] = "before",
                ["amount"] = Map(market, underlying => JsonValue.Create(decimal.Round(CalendarCharge(underlying), ChargeDecimals))),
            },
            new JsonObject
            {
                ["kind"] = "percentOf",
                ["name"] = "short option minimum",
                ["place"] = "floor",
                ["measure"] = "lots",
                ["of"] = new JsonArray("shortOption"),
                ["initial"] = minimum,
                ["maintenance"] = minimum.DeepClone(),
            },
        ];
    }

    /// <summary>Money for each base unit that is long in one period and short in others.</summary>
    private static decimal CalendarCharge(SpanUnderlying underlying)
    {
        if (underlying.Commodity.Intra.Count == 0) return 0m;
        SpanSpread spread = underlying.Commodity.Intra[0];
        return spread.Legs.Count == 0 ? 0m : spread.Rate / spread.Legs[0].Deltas / underlying.BasePerDelta;
    }

    private static JsonObject Spread(SpanMarket market, SpanSpread spread)
    {
        JsonObject legs = [];
        foreach (SpanLeg leg in spread.Legs)
            legs[leg.Commodity] = SpanMarket.Rounded(leg.Deltas * market.Find(leg.Commodity)!.BasePerDelta * (leg.Side == "A" ? 1m : -1m));
        return new JsonObject { ["rate"] = SpanMarket.Rounded(spread.Rate), ["legs"] = legs };
    }

    private static JsonObject Map(SpanMarket market, Func<SpanUnderlying, JsonNode?> value)
    {
        JsonObject map = [];
        foreach (SpanUnderlying underlying in market.Underlyings) map[underlying.Commodity.Code] = value(underlying);
        return map;
    }
}
