using System.Runtime.CompilerServices;

namespace MarginEngine.Logic;

/// <summary>
/// Fixed-point arithmetic of the state: every rounding names its direction, every overflow saturates visibly instead of wrapping.
/// Prices, volatilities and sizes are int64 with exponent -8; money is micro-USD; amounts are whole units (atoms) of 10^-decimals.
/// </summary>
public static class Fixed
{
    /// <summary>One, in a decimal with exponent -8.</summary>
    public const long One = 100_000_000;

    /// <summary>Value of one unit in the last place of a decimal with exponent -8.</summary>
    public const double Unit = 1e-8;

    /// <summary>Largest magnitude of an amount; sums of two still fit into 64 bits.</summary>
    public const long Ceiling = 4_000_000_000_000_000_000;

    // Exact as doubles up to 10^22, so every machine has the same table.
    private static readonly double[] Powers = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

    private static readonly long[] LongPowers = MakeLongPowers();

    /// <summary>10^exponent, exact; exponent 0 to 18.</summary>
    public static double Power10(int exponent) => Powers[exponent];

    /// <summary>10^exponent, exact; exponent 0 to 18.</summary>
    public static long LongPower10(int exponent) => LongPowers[exponent];

    /// <summary>The decimal with exponent -8 as a double; correctly rounded because the divisor is exact.</summary>
    public static double ToDouble(long mantissaE8) => mantissaE8 / 1e8;

    /// <summary>The same with eight further decimals, units of 10^-16; without any the same bits.</summary>
    public static double ToDouble(long mantissaE8, uint further) => (mantissaE8 / 1e8) + (further / 1e16);

    /// <summary>Half-to-even rounding of a double to whole atoms, saturating at +-<see cref="Ceiling"/>; NaN becomes the lower bound.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long ToAtoms(double value)
    {
        double rounded = Math.Round(value, MidpointRounding.ToEven);
        if (rounded > -4e18 && rounded < 4e18)
        {
            return double.ConvertToIntegerNative<long>(rounded); // in range, so the same on every machine
        }

        return rounded >= 4e18 ? Ceiling : -Ceiling;
    }

    /// <summary>Rounds toward positive infinity: what is asked from a trader is never rounded in his favour.</summary>
    public static long CeilingToAtoms(double value) => ToAtoms(Math.Ceiling(value));

    /// <summary>value * numerator / denominator, rounded down; the product is kept in 128 bits; saturates. Denominator positive.</summary>
    public static long MultiplyFloor(long value, long numerator, long denominator)
    {
        if (TryQuotient(value, numerator, denominator, out long floor, out _))
        {
            return floor;
        }

        Int128 product = (Int128)value * numerator;
        Int128 quotient = product / denominator;
        if (product % denominator < 0)
        {
            quotient -= 1;
        }

        return Saturate(quotient);
    }

    /// <summary>value * numerator / denominator, rounded up; saturates. Denominator positive.</summary>
    public static long MultiplyCeiling(long value, long numerator, long denominator)
    {
        if (TryQuotient(value, numerator, denominator, out long floor, out long remainder))
        {
            return remainder == 0 ? floor : floor + 1;
        }

        Int128 product = (Int128)value * numerator;
        Int128 quotient = product / denominator;
        if (product % denominator > 0)
        {
            quotient += 1;
        }

        return Saturate(quotient);
    }

    // A division of 128 bits costs ten times this. The quotient of doubles is off by less than two where it is below 2^50; what is left of the product then fits into
    // 64 bits, wherever the product itself went, and says exactly by how much.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryQuotient(long value, long numerator, long denominator, out long floor, out long remainder)
    {
        const double largestQuotient = 1L << 50;
        const long largestDenominator = 1L << 60;
        double estimate = (double)value * numerator / denominator;
        if (!(Math.Abs(estimate) < largestQuotient) || denominator is <= 0 or > largestDenominator)
        {
            floor = 0;
            remainder = 0;
            return false;
        }

        unchecked
        {
            floor = double.ConvertToIntegerNative<long>(estimate);
            remainder = (value * numerator) - (floor * denominator);
            while (remainder < 0)
            {
                floor--;
                remainder += denominator;
            }

            while (remainder >= denominator)
            {
                floor++;
                remainder -= denominator;
            }
        }

        return true;
    }

    /// <summary>numerator / denominator, half to even; denominator positive; saturates.</summary>
    public static long DivideHalfEven(Int128 numerator, Int128 denominator)
    {
        (Int128 quotient, Int128 remainder) = Int128.DivRem(numerator, denominator);
        Int128 twice = Int128.Abs(remainder) * 2;
        if (twice > denominator || (twice == denominator && !Int128.IsEvenInteger(quotient)))
        {
            quotient += numerator < 0 ? -1 : 1;
        }

        return Saturate(quotient);
    }

    public static long Saturate(Int128 value) =>
        value > Ceiling ? Ceiling : value < -Ceiling ? -Ceiling : (long)value;

    /// <summary>Sum that saturates at +-<see cref="Ceiling"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Add(long left, long right)
    {
        unchecked
        {
            long sum = left + right;
            if (((left ^ sum) & (right ^ sum)) < 0)
            {
                return left < 0 ? -Ceiling : Ceiling;
            }

            return Math.Clamp(sum, -Ceiling, Ceiling);
        }
    }

    /// <summary>
    /// An amount given with its own exponent as atoms of a currency with <paramref name="decimals"/> decimals.
    /// False when it is finer than an atom or out of range: nothing is rounded away silently.
    /// </summary>
    public static bool TryRescale(long mantissa, int exponent, int decimals, out long atoms)
    {
        atoms = 0;
        int shift = exponent + decimals;
        if (shift is < -18 or > 18)
        {
            return mantissa == 0;
        }

        if (shift < 0)
        {
            (long quotient, long remainder) = Math.DivRem(mantissa, LongPowers[-shift]);
            atoms = quotient;
            return remainder == 0;
        }

        Int128 scaled = (Int128)mantissa * LongPowers[shift];
        if (scaled > Ceiling || scaled < -Ceiling)
        {
            return false;
        }

        atoms = (long)scaled;
        return true;
    }

    private static long[] MakeLongPowers()
    {
        long[] powers = new long[19];
        powers[0] = 1;
        for (int exponent = 1; exponent < powers.Length; exponent++)
        {
            powers[exponent] = powers[exponent - 1] * 10;
        }

        return powers;
    }
}
