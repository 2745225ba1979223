namespace MarginEngine.Logic;

/// <summary>
/// A price with up to sixteen decimals: units of 10^-8, and units of 10^-16 below them (0 to 99,999,999). Sums of money at it are exact before
/// they are rounded once; without further digits they are those of <see cref="Fixed.MultiplyFloor"/> and <see cref="Fixed.MultiplyCeiling"/>.
/// </summary>
public readonly record struct FinePrice(long E8, uint Further)
{
    // Products stay inside 128 bits below this.
    private const double LargestProduct = 1.6e38;

    public static FinePrice One => new(Fixed.One, 0);

    /// <summary>value * price * 10^8 / denominator, rounded down; saturates. Denominator positive, at most 10^18.</summary>
    public long MultiplyFloor(long value, long denominator) => Multiply(value, denominator, roundUp: false);

    /// <summary>value * price * 10^8 / denominator, rounded up; saturates. Denominator positive, at most 10^18.</summary>
    public long MultiplyCeiling(long value, long denominator) => Multiply(value, denominator, roundUp: true);

    /// <summary>
    /// value * price * 10^8 / (denominator * by), denominator a power of ten, rounded down once; saturates. A sum that would leave 128 bits (more than 10^10 USD
    /// in a currency of twelve decimals) is taken at eight decimals: finer ones do not show in it.
    /// </summary>
    public long MultiplyFloor(long value, long denominator, in FinePrice by)
    {
        if (Further != 0 || by.Further != 0)
        {
            Int128 fine = ((Int128)E8 * Fixed.One) + Further, fineBy = ((Int128)by.E8 * Fixed.One) + by.Further;
            long up = Math.Max(Fixed.One / denominator, 1), down = Math.Max(denominator / Fixed.One, 1);
            if (Math.Abs((double)value) * up * (double)fine < LargestProduct && down * (double)fineBy < LargestProduct)
            {
                return Floor(value * fine * up, fineBy * down);
            }
        }

        return Floor((Int128)value * E8, (Int128)denominator * by.E8 / Fixed.One);
    }

    private static long Floor(Int128 value, Int128 divisor)
    {
        (Int128 quotient, Int128 remainder) = Int128.DivRem(value, divisor);
        return Fixed.Saturate(remainder < 0 ? quotient - 1 : quotient);
    }

    // value (p 10^8 + f) / (10^8 d): the quotient of the coarse part, then its remainder together with the fine part. Nothing leaves 128 bits.
    private long Multiply(long value, long denominator, bool roundUp)
    {
        if (Further == 0)
        {
            return roundUp ? Fixed.MultiplyCeiling(value, E8, denominator) : Fixed.MultiplyFloor(value, E8, denominator);
        }

        (Int128 quotient, Int128 remainder) = Int128.DivRem((Int128)value * E8, denominator);
        if (Further != 0)
        {
            Int128 rest = (remainder * Fixed.One) + ((Int128)value * Further);
            (Int128 more, remainder) = Int128.DivRem(rest, (Int128)denominator * Fixed.One);
            quotient += more;
        }

        if (remainder != 0 && remainder > 0 == roundUp)
        {
            quotient += roundUp ? 1 : -1;
        }

        return Fixed.Saturate(quotient);
    }
}
