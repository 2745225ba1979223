// Venue-style contract names: BTC-PERPETUAL, BTC-27MAR26, BTC-27MAR26-80000-C settle in the coin (inverse);
// BTC_USDC-PERPETUAL, BTC_USDC-27MAR26, BTC_USDC-27MAR26-80000-P settle in the named currency (linear).
using MarginEngine.Codecs;
using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Calc;

/// <summary>What a name says of its contract.</summary>
internal sealed record InstrumentName
{
    private const int LongestSymbol = 32;
    private const decimal PriceScale = 100_000_000m;

    public required string Symbol { get; init; }

    /// <summary>The coin whose price moves it.</summary>
    public required string Underlying { get; init; }

    /// <summary>The currency profit is paid in.</summary>
    public required string SettlementCurrency { get; init; }

    public required InstrumentKind Kind { get; init; }

    public required Settlement Settlement { get; init; }

    public OptionRight Right { get; init; } = OptionRight.None;

    /// <summary>As written, for example <c>27MAR26</c>; null for perpetuals.</summary>
    public string? ExpiryDay { get; init; }

    public decimal Strike { get; init; }

    public bool IsOption => Kind == InstrumentKind.Option;

    public bool IsInverse => Settlement == Settlement.Inverse;

    /// <summary>Null where the text is not such a name.</summary>
    public static InstrumentName? Parse(string symbol)
    {
        if (symbol.Length > LongestSymbol || !VenueName.TryParse(symbol, out VenueName venue)) return null;
        bool expires = venue.Kind != InstrumentKind.Perpetual;
        string[] parts = symbol.Split('-');
        if (expires && !TryExpiry(parts[1], out _)) return null;
        return new InstrumentName
        {
            Symbol = symbol,
            Underlying = venue.Base,
            SettlementCurrency = venue.Quote ?? venue.Base,
            Settlement = venue.IsLinear ? Settlement.Linear : Settlement.Inverse,
            Kind = venue.Kind,
            Right = venue.Kind != InstrumentKind.Option ? OptionRight.None : venue.IsCall ? OptionRight.Call : OptionRight.Put,
            ExpiryDay = expires ? parts[1] : null,
            Strike = (decimal)venue.Strike / PriceScale,
        };
    }

    /// <summary>Nanoseconds since 1970 of 08:00 UTC of a day such as <c>27MAR26</c> or <c>7FEB26</c>.</summary>
    public static bool TryExpiry(string day, out long nanos)
    {
        // Names are upper case; the date parser below would also take "27mar26".
        bool known = VenueName.TryParse($"X-{day}", out VenueName future) && future.Kind == InstrumentKind.Future && !day.Any(char.IsAsciiLetterLower);
        nanos = known ? future.ExpiryNanos : 0;
        return known;
    }

    public static bool IsCode(string text) => text.Length is > 0 and <= 8 && text.All(letter => char.IsAsciiLetterUpper(letter) || char.IsAsciiDigit(letter));
}
