// What a trade costs: the venue's schedule, as a part of notional, capped for cheap options. Used for script fills and liquidations.

namespace MarginEngine.Tool.Market;

internal static class Fees
{
    public const double Taker = 0.0003;
    public const double Liquidation = 0.0005;

    /// <summary>An option's fee never exceeds this part of its premium.</summary>
    private const double PremiumCap = 0.125;

    /// <summary>Atoms of the settlement currency. Price as it trades: USD, of an inverse option the coin.</summary>
    public static long Atoms(Contract contract, long lots, double price, double rate)
    {
        double size = Math.Abs(lots) * contract.LotSize;
        double fee = contract.IsOption
            ? Math.Min(size * rate * (contract.IsInverse ? 1 : contract.Asset.Index), size * price * PremiumCap)
            : size * rate * (contract.IsInverse ? 1 / price : price);
        double atoms = fee;
        for (int i = 0; i < contract.Settlement.Decimals; i++)
            atoms *= 10;
        return (long)Math.Ceiling(atoms);
    }
}
