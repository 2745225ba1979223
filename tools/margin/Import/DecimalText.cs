// Decimal text to integers without a detour through double. Used by every importer for what ends in a fixed-point field.

using System.Buffers.Text;

namespace MarginEngine.Tool.Import;

/// <summary>
/// Exact decimal parsing: digits in, an integer of 10^-scale units out; digits beyond the scale are rounded half to even.
/// </summary>
public static class DecimalText
{
    /// <summary>Decimal places of prices, volatilities, rates and sizes in schema.xml.</summary>
    public const int Scale = 8;

    private const int LongestExponent = 400;

    /// <summary>
    /// Reads <c>[+-]digits[.digits][e[+-]digits]</c>, the whole span. False on anything else and on overflow; NaN and infinities are not
    /// numbers.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, int scale, out long mantissa)
    {
        mantissa = 0;
        bool negative = false;
        if (text.Length > 0 && text[0] is (byte)'-' or (byte)'+')
        {
            negative = text[0] == (byte)'-';
            text = text[1..];
        }
        if (!TrySplit(text, out ReadOnlySpan<byte> whole, out ReadOnlySpan<byte> fraction, out int exponent))
            return false;
        if (!TryRound(whole, fraction, whole.Length + exponent + scale, out UInt128 magnitude) || magnitude > long.MaxValue)
            return false;
        mantissa = negative ? -(long)magnitude : (long)magnitude;
        return true;
    }

    /// <summary>Reads a finite double (Greeks and other figures that never become integers).</summary>
    public static bool TryParseReal(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        return text.Length > 0 && Utf8Parser.TryParse(text, out value, out int used) && used == text.Length && double.IsFinite(value);
    }

    private static bool TrySplit(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> whole, out ReadOnlySpan<byte> fraction, out int exponent)
    {
        whole = default;
        fraction = default;
        exponent = 0;
        int mark = text.IndexOfAny((byte)'e', (byte)'E');
        if (mark >= 0)
        {
            ReadOnlySpan<byte> tail = text[(mark + 1)..];
            if (tail.Length > 0 && tail[0] == (byte)'+')
                tail = tail[1..];
            if (tail.Length is 0 or > 4 || !Utf8Parser.TryParse(tail, out exponent, out int used) || used != tail.Length
                || Math.Abs(exponent) > LongestExponent)
                return false;
            text = text[..mark];
        }
        int point = text.IndexOf((byte)'.');
        whole = point < 0 ? text : text[..point];
        fraction = point < 0 ? default : text[(point + 1)..];
        return whole.Length + fraction.Length > 0 && AllDigits(whole) && AllDigits(fraction);
    }

    // keep = how many of the digits of whole+fraction stand before the rounding position; may be negative or past the end.
    private static bool TryRound(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> fraction, int keep, out UInt128 value)
    {
        UInt128 bound = (UInt128)ulong.MaxValue;
        int count = whole.Length + fraction.Length;
        value = 0;
        for (int i = 0; i < Math.Min(keep, count); i++)
        {
            value = value * 10 + Digit(whole, fraction, i);
            if (value > bound)
                return false;
        }
        for (int i = count; i < keep && value != 0; i++)
        {
            value *= 10;
            if (value > bound)
                return false;
        }
        if (keep < 0 || keep >= count)
            return true;
        uint next = Digit(whole, fraction, keep);
        bool beyond = false;
        for (int i = keep + 1; i < count && !beyond; i++)
            beyond = Digit(whole, fraction, i) != 0;
        bool up = next > 5 || (next == 5 && (beyond || (value & 1) != 0));
        if (up)
            value++;
        return true;
    }

    private static uint Digit(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> fraction, int index)
        => (uint)((index < whole.Length ? whole[index] : fraction[index - whole.Length]) - (byte)'0');

    private static bool AllDigits(ReadOnlySpan<byte> text) => !text.ContainsAnyExceptInRange((byte)'0', (byte)'9');
}
