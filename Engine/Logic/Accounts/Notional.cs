namespace MarginEngine.Logic;

/// <summary>What lots of a contract stand for, in whole numbers and with the rounding named: exposure, funding, fees of settlement.</summary>
public static class Notional
{
    /// <summary>
    /// Atoms of the settlement currency that <paramref name="lots"/> (not negative) are worth at a price: linear lots * size * price;
    /// inverse futures and perpetuals lots * size / price; inverse options lots * size, which is coin already. False: out of range.
    /// </summary>
    public static bool TryAtoms(in Instrument contract, int decimals, long lots, long priceE8, bool roundUp, out long atoms)
    {
        atoms = 0;
        if (!contract.IsInverse)
        {
            // Size and price have exponent -8 each; decimals are at most 12.
            return TryDivide(lots, contract.SizeE8, priceE8, Fixed.LongPower10(16 - decimals), roundUp, out atoms);
        }

        long divisor = contract.IsOption ? Fixed.One : priceE8;
        return TryDivide(lots, contract.SizeE8, Fixed.LongPower10(decimals), divisor, roundUp, out atoms);
    }

    /// <summary>
    /// Micro-USD of market that <paramref name="lots"/> (of either sign) are exposed to, rounded up: linear contracts at their mark, options
    /// at the index of what they are on, inverse futures and perpetuals at their face. Saturates; 0 where no price has ever come.
    /// </summary>
    public static long Exposure(in Instrument contract, in Underlying underlying, long lots)
    {
        Int128 size = Int128.Abs(lots) * contract.SizeE8;
        if (contract.IsInverse && !contract.IsOption)
        {
            return Fixed.Saturate((size + 99) / 100);
        }

        long priceE8 = contract.IsOption || contract.MarkE8 == 0 ? underlying.IndexE8 : contract.MarkE8;
        return (double)size * priceE8 >= 1e37 ? Fixed.Ceiling : Fixed.Saturate(((size * priceE8) + 9_999_999_999) / 10_000_000_000);
    }

    private static bool TryDivide(long lots, long first, long second, long divisor, bool roundUp, out long atoms)
    {
        atoms = 0;
        double estimate = (double)lots * first * second;
        if (estimate >= 1e38 || estimate / divisor >= Fixed.Ceiling)
        {
            return false;
        }

        Int128 product = (Int128)lots * first * second;
        (Int128 quotient, Int128 remainder) = Int128.DivRem(product, divisor);
        atoms = Fixed.Saturate(roundUp && remainder > 0 ? quotient + 1 : quotient);
        return true;
    }
}
