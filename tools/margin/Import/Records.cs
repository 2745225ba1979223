// What the importers hand out: quotes, marks, candles, series and depth as plain records. Prices, volatilities and sizes are integers of
// 1e-8 straight from the digits of the file; times are nanoseconds since 1970 UTC.

namespace MarginEngine.Tool.Import;

public enum DataFormat
{
    DeribitChainCsv = 1,
    DeribitTickerCsv = 2,
    DeribitPerpetualMarks = 3,
    DeribitTermMarks = 4,
    DeribitBookSummary = 5,
    OptionSummary = 6,
    BinanceKlines = 7,
    BinanceBookDepth = 8,
    TimedValues = 9,
}

/// <summary>
/// Greeks as the venue gives them: delta in coin a coin, gamma a USD, vega in USD a volatility point, theta in USD a day, rho in USD a rate
/// point. Null: not in the file.
/// </summary>
public readonly record struct VenueGreeks(double? Delta, double? Gamma, double? Vega, double? Theta, double? Rho);

/// <summary>
/// One option at one moment. Mark, bid and ask are in coin for inverse options (all names without a quote currency); volatility 1e8 = 100
/// %.
/// </summary>
public sealed record OptionQuote
{
    public required string Name { get; init; }
    public required VenueName Contract { get; init; }
    public required long TimeNanos { get; init; }
    public required long Mark { get; init; }
    public required long MarkVolatility { get; init; }

    /// <summary>The forward as listed beside the mark, USD; in fast markets not the one the mark was computed with.</summary>
    public required long ListedForward { get; init; }

    public required string ForwardName { get; init; }
    public long? Index { get; init; }
    public long? Bid { get; init; }
    public long? Ask { get; init; }
    public long? OpenInterest { get; init; }
    public VenueGreeks Greeks { get; init; }
}

/// <summary>Mark of a perpetual or future, USD.</summary>
public readonly record struct FutureMark(string Name, VenueName Contract, long TimeNanos, long Price);

/// <summary>One candle: times of its first and last instant, prices 1e-8, volume in units of 1e-8 (0 in files of mark prices).</summary>
public readonly record struct Candle(long OpenNanos, long CloseNanos, long Open, long High, long Low, long Close, long Volume);

public readonly record struct TimedValue(long TimeNanos, double Value);

/// <summary>Cumulative depth between the mid and <c>Percentage</c> away from it, in coin (1e-8) and in the quote currency (1e-8).</summary>
public readonly record struct DepthLevel(long TimeNanos, double Percentage, long Depth, long Notional);

/// <summary>One document read whole. Lists that its format does not fill are empty.</summary>
public sealed record ImportedFile
{
    public required string File { get; init; }
    public required DataFormat Format { get; init; }

    /// <summary>When the snapshot was taken; of a series its first time.</summary>
    public required long TimeNanos { get; init; }

    public IReadOnlyList<OptionQuote> Options { get; init; } = [];
    public IReadOnlyList<FutureMark> Futures { get; init; } = [];
    public IReadOnlyList<Candle> Candles { get; init; } = [];
    public IReadOnlyList<TimedValue> Values { get; init; } = [];
    public IReadOnlyList<DepthLevel> Depth { get; init; } = [];

    /// <summary>Symbol of the candles as the file's name gives it ("BTCUSD_PERP"); the files themselves do not say.</summary>
    public string Symbol { get; init; } = string.Empty;

    /// <summary>Rows that are no perpetual, future or option, or carry no mark (spot pairs, combinations).</summary>
    public int Skipped { get; init; }
}
