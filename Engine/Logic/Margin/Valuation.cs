using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>Exact integer money of trades: what lots cost at a price, and what closing part of a position realises.</summary>
public static class Valuation
{
    /// <summary>
    /// What <paramref name="lots"/> (signed) cost at a price, in atoms, half to even:
    /// linear and options lots * size * price; inverse futures -lots * size / price. False when it leaves the range of an amount.
    /// </summary>
    public static bool TryCost(in Instrument contract, int decimals, long lots, long priceE8, out long atoms)
    {
        atoms = 0;
        if (contract.IsInverse && !contract.IsOption)
        {
            // lots * size / price: both have exponent -8, so only the decimals of the coin remain.
            double estimate = (double)lots * contract.SizeE8 / priceE8 * Fixed.Power10(decimals);
            if (Math.Abs(estimate) >= Fixed.Ceiling || Math.Abs((double)lots * contract.SizeE8) * Fixed.Power10(decimals) >= 1e38)
            {
                return false;
            }

            atoms = -Fixed.DivideHalfEven((Int128)lots * contract.SizeE8 * Fixed.LongPower10(decimals), priceE8);
            return true;
        }

        double product = (double)lots * contract.SizeE8 * priceE8;
        if (Math.Abs(product) >= 1e38 || Math.Abs(product) * Fixed.Power10(decimals) / 1e16 >= Fixed.Ceiling)
        {
            return false;
        }

        // size and price have exponent -8 each; at most 12 decimals, so the divisor stays whole.
        atoms = Fixed.DivideHalfEven((Int128)lots * contract.SizeE8 * priceE8, Fixed.LongPower10(16 - decimals));
        return true;
    }

    /// <summary>Atoms of the coin that <paramref name="lots"/> of a spot contract are.</summary>
    public static bool TrySpotAmount(in Instrument contract, int decimals, long lots, out long atoms)
    {
        atoms = 0;
        if (Math.Abs((double)lots * contract.SizeE8) * Fixed.Power10(decimals) / 1e8 >= Fixed.Ceiling)
        {
            return false;
        }

        Int128 units = (Int128)lots * contract.SizeE8;
        atoms = decimals >= 8
            ? Fixed.Saturate(units * Fixed.LongPower10(decimals - 8))
            : Fixed.DivideHalfEven(units, Fixed.LongPower10(8 - decimals));
        return true;
    }

    /// <summary>
    /// Books a trade of <paramref name="lots"/> that cost <paramref name="cost"/> atoms at average entry cost, and returns the profit it
    /// realised. What rounding leaves stays in the entry cost, so that profit over the life of a position is exact.
    /// </summary>
    public static long Trade(ref Position position, long lots, long cost)
    {
        long held = position.Lots;
        position.Lots += lots;
        bool closes = held != 0 && (held > 0) != (lots > 0);
        if (!closes)
        {
            position.EntryCost = Fixed.Add(position.EntryCost, cost);
            return 0;
        }

        long closed = Math.Min(Math.Abs(held), Math.Abs(lots));
        long closingCost = closed == Math.Abs(lots) ? cost : Fixed.MultiplyFloor(cost, closed, Math.Abs(lots));
        long released = closed == Math.Abs(held) ? position.EntryCost : Fixed.MultiplyFloor(position.EntryCost, closed, Math.Abs(held));
        position.EntryCost = Fixed.Add(position.EntryCost, -released);
        position.EntryCost = Fixed.Add(position.EntryCost, Fixed.Add(cost, -closingCost));

        // Bought back at closingCost what was entered at released: both signed by the direction of their trade.
        return Fixed.Add(-closingCost, -released);
    }

    /// <summary>Cash of an option position at the final price, atoms: lots * size * max(+-(price - strike), 0), of inverse options / price.</summary>
    public static long Payoff(in Instrument contract, int decimals, long lots, long priceE8)
    {
        long inside = contract.Right == OptionRight.Call ? priceE8 - contract.StrikeE8 : contract.StrikeE8 - priceE8;
        if (inside <= 0)
        {
            return 0;
        }

        double payoff = Fixed.ToDouble(contract.SizeE8) * lots
            * (contract.IsInverse ? (double)inside / priceE8 : Fixed.ToDouble(inside));
        return Fixed.ToAtoms(payoff * Fixed.Power10(decimals));
    }

    /// <summary>Profit of a future at the final price, atoms.</summary>
    public static long FinalProfit(in Instrument contract, int decimals, in Position position, long priceE8)
    {
        if (!TryCost(contract, decimals, position.Lots, priceE8, out long value))
        {
            value = position.Lots > 0 == contract.IsInverse ? -Fixed.Ceiling : Fixed.Ceiling;
        }

        return Fixed.Add(value, -position.EntryCost);
    }
}
