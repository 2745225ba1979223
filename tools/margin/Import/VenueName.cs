// Deribit's instrument names taken apart: BTC-PERPETUAL, BTC-27MAR26, BTC-27MAR26-65000-C, XRP_USDC-27MAR26-2d5-P. Used by the importers.

using System.Globalization;
using System.Text;
using MarginEngine.Codecs;

namespace MarginEngine.Tool.Import;

/// <summary>
/// What an instrument's name says. Expiry in nanoseconds since 1970 (08:00 UTC of its day), strike in 1e-8 USD; both 0 where there is none.
/// </summary>
public readonly record struct VenueName(string Base, string? Quote, InstrumentKind Kind, long ExpiryNanos, long Strike, bool IsCall)
{
    private const int ExpiryHour = 8;

    /// <summary>Profit in the quote currency instead of the coin.</summary>
    public bool IsLinear => Quote is not null;

    /// <summary>False for spot pairs, combinations and whatever else is not a perpetual, future or option.</summary>
    public static bool TryParse(string name, out VenueName result)
    {
        result = default;
        string[] parts = name.Split('-');
        if (parts.Length is < 2 or 3 or > 4 || !TryPair(parts[0], out string basis, out string? quote))
            return false;
        if (parts.Length == 2 && parts[1] == "PERPETUAL")
        {
            result = new VenueName(basis, quote, InstrumentKind.Perpetual, 0, 0, false);
            return true;
        }
        if (!TryDay(parts[1], out long expiry))
            return false;
        if (parts.Length == 2)
        {
            result = new VenueName(basis, quote, InstrumentKind.Future, expiry, 0, false);
            return true;
        }
        if (parts[3] is not ("C" or "P")
            || !DecimalText.TryParse(Encoding.UTF8.GetBytes(parts[2].Replace('d', '.')), DecimalText.Scale, out long strike) || strike <= 0)
            return false;
        result = new VenueName(basis, quote, InstrumentKind.Option, expiry, strike, parts[3] == "C");
        return true;
    }

    private static bool TryPair(string text, out string basis, out string? quote)
    {
        int split = text.IndexOf('_', StringComparison.Ordinal);
        basis = split < 0 ? text : text[..split];
        quote = split < 0 ? null : text[(split + 1)..];
        return IsCode(basis) && (quote is null || IsCode(quote));
    }

    private static bool IsCode(string text)
        => text.Length is >= 1 and <= 8 && text.All(letter => char.IsAsciiLetterUpper(letter) || char.IsAsciiDigit(letter));

    private static bool TryDay(string text, out long nanos)
    {
        nanos = 0;
        const DateTimeStyles Styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        return DateTime.TryParseExact(text, "dMMMyy", CultureInfo.InvariantCulture, Styles, out DateTime day)
            && UnixTime.TryNanos(new DateTimeOffset(day.AddHours(ExpiryHour)), out nanos);
    }
}
