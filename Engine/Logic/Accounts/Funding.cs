namespace MarginEngine.Logic;

/// <summary>What one funding payment moved, in atoms of the settlement currency: paid = received + outside + rounding.</summary>
public record struct FundingTotals(long Paid, long Received, long Rounding, long Outside, int Holders);

/// <summary>
/// Funding of a perpetual: lots * notional * rate from one side to the other. Who pays pays rounded up, who receives receives rounded
/// down, so rounding leaves money and never makes any.
/// </summary>
public static class Funding
{
    /// <summary>Largest rate, exponent -8: the whole notional.</summary>
    public const long LargestRateE8 = Fixed.One;

    /// <summary>Atoms that a holder of <paramref name="lots"/> receives; negative: pays. False: out of range.</summary>
    public static bool TryCash(in Instrument contract, int decimals, long lots, long priceE8, long rateE8, out long cash)
    {
        bool pays = lots > 0 == rateE8 > 0;
        bool isKnown = Notional.TryAtoms(contract, decimals, Math.Abs(lots), priceE8, roundUp: pays, out long notional);
        cash = pays
            ? -Fixed.MultiplyCeiling(notional, Math.Abs(rateE8), Fixed.One)
            : Fixed.MultiplyFloor(notional, Math.Abs(rateE8), Fixed.One);
        return isKnown;
    }
}
