// What the prices of a script do over market time. Implemented by the built-in market, the real chains and the replayed candles.

namespace MarginEngine.Tool.Market;

/// <summary>How a path's volatilities go on the wire.</summary>
internal enum VolatilityForm
{
    /// <summary>One mark volatility an option.</summary>
    Marks,

    /// <summary>One raw SVI slice an expiry.</summary>
    Slices,

    /// <summary>One grid of volatilities an expiry.</summary>
    Grids,
}

/// <summary>A source of prices. Time only moves forward; a path never moves past its next stop in one step.</summary>
internal interface IPricePath
{
    /// <summary>One sentence for people: where the prices come from and which of them are invented.</summary>
    string Description { get; }

    /// <summary>Market time of the first and the last price, nanoseconds since 1970.</summary>
    long StartNanos { get; }

    long EndNanos { get; }

    VolatilityForm Form { get; }

    /// <summary>Times at which the path stands exactly on given prices, in order; the script sends all of them there.</summary>
    IReadOnlyList<long> Stops { get; }

    /// <summary>Lists everything that exists at the start and sets its prices; <see cref="Board.VolatilityOf"/> too.</summary>
    void Open(Board board);

    /// <summary>Moves all prices to a time. At a stop it may list new contracts.</summary>
    void Advance(Board board, long nanos);

    /// <summary>The slice of an expiry at the market time; only of paths of that form.</summary>
    Logic.SviSlice SliceOf(Expiry expiry);

    /// <summary>The grid of an expiry at the market time; only of paths of that form.</summary>
    VolatilityNodes GridOf(Expiry expiry);
}
