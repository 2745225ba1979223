using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <content>Paradex, OKX, the clearing houses, tiers.</content>
internal static partial class AgreementParameters
{
    /// <summary>Fee rate of every market [C].</summary>
    public const decimal ParadexFee = 0.0003m;

    /// <summary>Volatility rows of MR1 at 30 days [O: OKX publishes none that is verified], scaled by term with Deribit's powers.</summary>
    public const decimal OkxVolatilityUp = 0.5m;

    public const decimal OkxVolatilityDown = 0.25m;

    public const decimal ShortPower = 0.3m;

    public const decimal LongPower = 0.13m;

    /// <summary>Initial over maintenance of a customer who is no member [S].</summary>
    public const decimal SpanInitialFactor = 1.1m;

    /// <summary>Class range of a stock or a sector [S]; coins are taken for that.</summary>
    public const decimal TimsLow = -0.15m;

    public const decimal TimsHigh = 0.15m;

    /// <summary>Part of another class's gain that counts in a product group [O: the tables of groups are not public].</summary>
    public const decimal TimsOffset = 0.75m;

    /// <summary>USD, the least charge of a lot: that of a contract on a hundred shares is 37.50 [S].</summary>
    public const decimal TimsMinimum = 0.375m;

    public const decimal HistoricalConfidence = 0.99m;

    /// <summary>Weight of the variance before a day in the filter, and initial over maintenance [O].</summary>
    public const decimal HistoricalDecay = 0.97m;

    public const decimal HistoricalInitialFactor = 1.25m;

    /// <summary>Highest and least part of the index that a short option costs beside its mark, and its maintenance part: Deribit's [S].</summary>
    public const decimal ShortMaximum = 0.15m;

    public const decimal ShortMinimum = 0.10m;

    public const decimal ShortMaintenance = 0.075m;

    /// <summary>Rows, powers and factors of the venue's own configuration [C]; the normal distribution is exact.</summary>
    public static ParadexParameters Paradex { get; } = new(ParadexRows(), 0.01m, 0.02m, 0.5m, 0.3m, 0.13m, 1m, 0.4m, DecimalMath.NormalCdf);

    /// <summary>The sixteen points of a real SPAN file, extremes at three ranges and weight 0.32 [V]; thirds with eight digits.</summary>
    public static IReadOnlyList<SpanPoint> SpanPoints { get; } = [.. SpanGrid()];

    /// <summary>Seven delta points of the same file [V].</summary>
    public static IReadOnlyList<SpanPoint> SpanDeltaPoints { get; } =
    [
        new(-1m, 0m, 0.037m, 0), new(-0.66666667m, 0m, 0.111m, 0), new(-0.33333333m, 0m, 0.217m, 0), new(0m, 0m, 0.270m, 0),
        new(0.33333333m, 0m, 0.217m, 0), new(0.66666667m, 0m, 0.111m, 0), new(1m, 0m, 0.037m, 0),
    ];

    /// <summary>Credits between commodities: part of the legs' price risk, base units of each in one spread [O].</summary>
    public static IReadOnlyList<SpanSpread> SpanCredits { get; } = [new(0.5m, [new("BTC", "A", 1m), new("ETH", "B", 30m)])];

    /// <summary>
    /// Of a combined commodity: USD of a base unit scanned, part of volatility scanned, USD of a base unit of calendar spread, least USD of a short option's
    /// lot [O: a clearing house's file brings its own].
    /// </summary>
    public static (decimal PriceScan, decimal VolatilityScan, decimal Calendar, decimal ShortMinimum) Span(string underlying) => underlying switch
    {
        "BTC" => (8_000m, 0.25m, 1_500m, 10m),
        "ETH" => (320m, 0.3m, 60m, 1m),
        _ => (1m, 0.35m, 1m, 0.1m),
    };

    /// <summary>[D]; MR4's flat share of |delta| is that of the documented reply [V], others by the same ratio; tiers of 2025-01-15.</summary>
    public static OkxParameters Okx(string underlying)
    {
        (decimal From, decimal To, decimal Multiple)[] tiers =
        [
            (0, 250_000, 1), (250_000, 500_000, 2), (500_000, 1e6m, 4), (1e6m, 2e6m, 6), (2e6m, 3e6m, 8), (3e6m, 4e6m, 10), (4e6m, decimal.MaxValue, 12),
        ];
        return underlying switch
        {
            "BTC" or "ETH" => new([0m, 0.04m, 0.08m, 0.12m], 0.24m, 0.002m, 0.0045m, tiers),
            _ => new([0m, 0.08m, 0.16m, 0.25m], 0.5m, 0.008m, 0.007m, tiers),
        };
    }

    /// <summary>Binance's tables of October 2024 for BTC and ETH [V], with the largest leverage of each bracket; other coins a table of the same kind [O].</summary>
    public static IReadOnlyList<LeverageBracket> Brackets(string underlying) => underlying switch
    {
        "BTC" => Table(
            [50_000m, 600_000m, 3_000_000m, 12_000_000m, 70_000_000m, 100_000_000m, 230_000_000m, 480_000_000m, 600_000_000m, 800_000_000m, 1_200_000_000m, 1_800_000_000m],
            [0.004m, 0.005m, 0.0065m, 0.01m, 0.02m, 0.025m, 0.05m, 0.1m, 0.125m, 0.15m, 0.25m, 0.5m],
            [125m, 100m, 75m, 50m, 25m, 20m, 10m, 5m, 4m, 3m, 2m, 1m]),
        "ETH" => Table(
            [50_000m, 600_000m, 3_000_000m, 12_000_000m, 50_000_000m, 65_000_000m, 150_000_000m, 320_000_000m, 400_000_000m, 530_000_000m, 800_000_000m, 1_200_000_000m],
            [0.004m, 0.005m, 0.0065m, 0.01m, 0.02m, 0.025m, 0.05m, 0.1m, 0.125m, 0.15m, 0.25m, 0.5m],
            [125m, 100m, 75m, 50m, 25m, 20m, 10m, 5m, 4m, 3m, 2m, 1m]),
        _ => Table(
            [10_000m, 50_000m, 750_000m, 800_000m, 1_600_000m, 8_000_000m, 16_000_000m, 20_000_000m, 40_000_000m, 80_000_000m],
            [0.005m, 0.007m, 0.01m, 0.02m, 0.025m, 0.05m, 0.1m, 0.125m, 0.25m, 0.5m],
            [75m, 50m, 40m, 25m, 20m, 10m, 5m, 4m, 2m, 1m]),
    };

    /// <summary>Notional from which a rate counts for its slice, with initial and maintenance rate: `cross` and `isolated` [O].</summary>
    public static IReadOnlyList<(decimal From, decimal Initial, decimal Maintenance)> Slices(string name) => name == "cross"
        ? [(0m, 0.1m, 0.05m), (1e6m, 0.2m, 0.1m), (1e7m, 0.5m, 0.25m)]
        : [(0m, 0.05m, 0.025m), (5e5m, 0.1m, 0.05m), (5e6m, 0.25m, 0.125m)];

    // cum_i = cum_(i-1) + from_i (rate_i - rate_(i-1)); the last bracket is open above. An initial rate has eight decimals.
    private static List<LeverageBracket> Table(decimal[] ends, decimal[] rates, decimal[] leverages)
    {
        List<LeverageBracket> brackets = [];
        decimal cumulative = 0m;
        for (int i = 0; i < ends.Length; i++)
        {
            decimal from = i == 0 ? 0m : ends[i - 1];
            cumulative += i == 0 ? 0m : from * (rates[i] - rates[i - 1]);
            var bracket = new NotionalBracket(from, i == ends.Length - 1 ? decimal.MaxValue : ends[i], rates[i], cumulative);
            brackets.Add(new LeverageBracket(bracket, decimal.Round(1m / leverages[i], 8)));
        }

        return brackets;
    }

    private static List<ParadexScenario> ParadexRows()
    {
        const decimal Up = 0.4m;
        const decimal Down = -0.22m;
        List<ParadexScenario> rows = [new(0.16m, Up, 1m)];
        foreach (decimal spot in new[] { 0.12m, 0.08m, 0.04m, 0m, -0.04m, -0.08m, -0.12m })
        {
            rows.Add(new ParadexScenario(spot, Up, 1m));
            rows.Add(new ParadexScenario(spot, Down, 1m));
        }

        rows.Add(new ParadexScenario(-0.16m, Up, 1m));
        rows.AddRange(new[] { (-0.66m, 0.18m), (-0.33m, 0.36m), (0.5m, 0.24m), (1m, 0.12m), (2m, 0.06m), (3m, 0.04m), (4m, 0.03m), (5m, 0.024m) }
            .Select(tail => new ParadexScenario(tail.Item1, Up, tail.Item2)));
        return rows;
    }

    // Pairs of volatility up and down at 0, +-1/3, +-2/3, +-3/3 of the range, then two extremes that are their own pair.
    private static IEnumerable<SpanPoint> SpanGrid()
    {
        int point = 1;
        foreach (decimal move in new[] { 0m, 0.33333333m, -0.33333333m, 0.66666667m, -0.66666667m, 1m, -1m })
        {
            yield return new SpanPoint(move, 1m, 1m, point + 1);
            yield return new SpanPoint(move, -1m, 1m, point);
            point += 2;
        }

        yield return new SpanPoint(3m, 0m, 0.32m, 15);
        yield return new SpanPoint(-3m, 0m, 0.32m, 16);
    }
}
