using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <content>Paradex, OKX, the clearing houses, tiers.</content>
internal static partial class AgreementParameters
{
    /// <summary>Fee rate of every market [C].</summary>
    public const double ParadexFee = 0.0003;

    /// <summary>Volatility rows of MR1 at 30 days [O: OKX publishes none that is verified], scaled by term with Deribit's powers.</summary>
    public const double OkxVolatilityUp = 0.5;

    public const double OkxVolatilityDown = 0.25;

    public const double ShortPower = 0.3;

    public const double LongPower = 0.13;

    /// <summary>Initial over maintenance of a customer who is no member [S].</summary>
    public const double SpanInitialFactor = 1.1;

    /// <summary>Class range of a stock or a sector [S]; coins are taken for that.</summary>
    public const double TimsLow = -0.15;

    public const double TimsHigh = 0.15;

    /// <summary>Part of another class's gain that counts in a product group [O: the tables of groups are not public].</summary>
    public const double TimsOffset = 0.75;

    /// <summary>USD, the least charge of a lot: that of a contract on a hundred shares is 37.50 [S].</summary>
    public const double TimsMinimum = 0.375;

    public const double HistoricalConfidence = 0.99;

    /// <summary>Weight of the variance before a day in the filter, and initial over maintenance [O].</summary>
    public const double HistoricalDecay = 0.97;

    public const double HistoricalInitialFactor = 1.25;

    /// <summary>Highest and least part of the index that a short option costs beside its mark, and its maintenance part: Deribit's [S].</summary>
    public const double ShortMaximum = 0.15;

    public const double ShortMinimum = 0.10;

    public const double ShortMaintenance = 0.075;

    /// <summary>Rows, powers and factors of the venue's own configuration [C]; the normal distribution is exact.</summary>
    public static ParadexParameters Paradex { get; } = new(ParadexRows(), 0.01, 0.02, 0.5, 0.3, 0.13, 1.0, 0.4, ReferenceOptions.NormalCdf);

    /// <summary>The sixteen points of a real SPAN file, extremes at three ranges and weight 0.32 [V]; thirds with eight digits.</summary>
    public static IReadOnlyList<SpanPoint> SpanPoints { get; } = [.. SpanGrid()];

    /// <summary>Seven delta points of the same file [V].</summary>
    public static IReadOnlyList<SpanPoint> SpanDeltaPoints { get; } =
    [
        new(-1.0, 0.0, 0.037, 0), new(-0.66666667, 0.0, 0.111, 0), new(-0.33333333, 0.0, 0.217, 0), new(0.0, 0.0, 0.270, 0),
        new(0.33333333, 0.0, 0.217, 0), new(0.66666667, 0.0, 0.111, 0), new(1.0, 0.0, 0.037, 0),
    ];

    /// <summary>Credits between commodities: part of the legs' price risk, base units of each in one spread [O].</summary>
    public static IReadOnlyList<SpanSpread> SpanCredits { get; } = [new(0.5, [new("BTC", "A", 1.0), new("ETH", "B", 30.0)])];

    /// <summary>
    /// Of a combined commodity: USD of a base unit scanned, part of volatility scanned, USD of a base unit of calendar spread, least USD of a short option's
    /// lot [O: a clearing house's file brings its own].
    /// </summary>
    public static (double PriceScan, double VolatilityScan, double Calendar, double ShortMinimum) Span(string underlying) => underlying switch
    {
        "BTC" => (8_000.0, 0.25, 1_500.0, 10.0),
        "ETH" => (320.0, 0.3, 60.0, 1.0),
        _ => (1.0, 0.35, 1.0, 0.1),
    };

    /// <summary>[D]; MR4's flat share of |delta| is that of the documented reply [V], others by the same ratio; tiers of 2025-01-15.</summary>
    public static OkxParameters Okx(string underlying)
    {
        (double From, double To, double Multiple)[] tiers =
        [
            (0, 250_000, 1), (250_000, 500_000, 2), (500_000, 1e6, 4), (1e6, 2e6, 6), (2e6, 3e6, 8), (3e6, 4e6, 10), (4e6, double.PositiveInfinity, 12),
        ];
        return underlying switch
        {
            "BTC" or "ETH" => new([0.0, 0.04, 0.08, 0.12], 0.24, 0.002, 0.0045, tiers),
            _ => new([0.0, 0.08, 0.16, 0.25], 0.5, 0.008, 0.007, tiers),
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
    public static IReadOnlyList<(double From, double Initial, double Maintenance)> Slices(string name) => name == "cross"
        ? [(0.0, 0.1, 0.05), (1e6, 0.2, 0.1), (1e7, 0.5, 0.25)]
        : [(0.0, 0.05, 0.025), (5e5, 0.1, 0.05), (5e6, 0.25, 0.125)];

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
        const double Up = 0.4;
        const double Down = -0.22;
        List<ParadexScenario> rows = [new(0.16, Up, 1.0)];
        foreach (double spot in new[] { 0.12, 0.08, 0.04, 0.0, -0.04, -0.08, -0.12 })
        {
            rows.Add(new ParadexScenario(spot, Up, 1.0));
            rows.Add(new ParadexScenario(spot, Down, 1.0));
        }

        rows.Add(new ParadexScenario(-0.16, Up, 1.0));
        rows.AddRange(new[] { (-0.66, 0.18), (-0.33, 0.36), (0.5, 0.24), (1.0, 0.12), (2.0, 0.06), (3.0, 0.04), (4.0, 0.03), (5.0, 0.024) }
            .Select(tail => new ParadexScenario(tail.Item1, Up, tail.Item2)));
        return rows;
    }

    // Pairs of volatility up and down at 0, +-1/3, +-2/3, +-3/3 of the range, then two extremes that are their own pair.
    private static IEnumerable<SpanPoint> SpanGrid()
    {
        int point = 1;
        foreach (double move in new[] { 0.0, 0.33333333, -0.33333333, 0.66666667, -0.66666667, 1.0, -1.0 })
        {
            yield return new SpanPoint(move, 1.0, 1.0, point + 1);
            yield return new SpanPoint(move, -1.0, 1.0, point);
            point += 2;
        }

        yield return new SpanPoint(3.0, 0.0, 0.32, 15);
        yield return new SpanPoint(-3.0, 0.0, 0.32, 16);
    }
}
