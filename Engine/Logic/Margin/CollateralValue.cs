using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// What an amount of a currency is worth as collateral:
/// <code>
/// price    = index, or where the currency is redeemable  max(w redemption + (1 - w) index, floor * redemption)
/// money    = amount * price (/ the peg's price, where the model counts in the pegged money)
/// counted  = money * (1 - haircut), the haircut of a tiered currency slice by slice of the quantity
/// </code>
/// A pegged or yield-bearing asset is so valued mainly by what it is redeemed for, and a thin market cannot take more than the floor allows.
/// </summary>
public sealed class CollateralValue
{
    private readonly MarketState _market;

    public CollateralValue(MarketState market) => _market = market;

    /// <summary>USD a unit under a model; 0: unknown. A price that redemption has a part in has eight decimals.</summary>
    public FinePrice Price(CompiledModel rules, int currency)
    {
        FinePrice index = _market.PriceOfCurrency(currency);
        ref readonly CollateralParameters terms = ref rules.Collaterals[currency];
        if (terms.RedemptionValueE8 == 0)
        {
            return index;
        }

        long unit = terms.RedemptionOf < 0 ? Fixed.One : _market.UnderlyingAt(terms.RedemptionOf).IndexE8;
        long redemption = Fixed.MultiplyFloor(terms.RedemptionValueE8, unit, Fixed.One);
        if (redemption == 0)
        {
            return index;
        }

        long blended = index.E8 == 0
            ? redemption
            : Fixed.Add(
                Fixed.MultiplyFloor(redemption, terms.RedemptionWeightE8, Fixed.One), index.MultiplyFloor(Fixed.One - terms.RedemptionWeightE8, Fixed.One));
        return new FinePrice(Math.Max(blended, Fixed.MultiplyFloor(redemption, terms.FloorShareE8, Fixed.One)), 0);
    }

    /// <summary>Atoms in micro-USD under a model, rounded down.</summary>
    public long Money(CompiledModel rules, int currency, long atoms)
    {
        ref readonly Currency of = ref _market.CurrencyAt(currency);
        if (of.IsMoney)
        {
            return atoms;
        }

        FinePrice price = Price(rules, currency);
        long divisor = Fixed.LongPower10(8 + of.Decimals - Limits.MoneyDecimals);
        FinePrice peg = rules.PegDivides && rules.PegUnderlying >= 0 ? _market.UnderlyingAt(rules.PegUnderlying).Price : default;
        return peg.E8 == 0 ? price.MultiplyFloor(atoms, divisor) : price.MultiplyFloor(atoms, divisor, peg);
    }

    /// <summary>What is left of a positive amount after its haircut, micro-USD.</summary>
    public long Counted(CompiledModel rules, int currency, long atoms, long money)
    {
        ref readonly CollateralParameters terms = ref rules.Collaterals[currency];
        if (terms.TierCount == 0)
        {
            return Fixed.MultiplyFloor(money, Fixed.One - terms.HaircutE8, Fixed.One);
        }

        long counted = 0;
        ReadOnlySpan<HaircutTier> tiers = rules.HaircutTiers.AsSpan(currency * Limits.HaircutTiers, terms.TierCount);
        for (int tier = 0; tier < tiers.Length && atoms > tiers[tier].FromAtoms; tier++)
        {
            long end = tier + 1 < tiers.Length ? Math.Min(atoms, tiers[tier + 1].FromAtoms) : atoms;
            long slice = Money(rules, currency, end - tiers[tier].FromAtoms);
            counted = Fixed.Add(counted, Fixed.MultiplyFloor(slice, Fixed.One - tiers[tier].HaircutE8, Fixed.One));
        }

        return counted;
    }

    /// <summary>
    /// What doubt about the price of a balance adds to initial margin: (1 - confidence) * margin * value, where the currency's own confidence (of a model that says so the
    /// lower of it and <paramref name="lowestConfidence"/>) is below the threshold of an add-on that counts collateral. Micro-USD.
    /// </summary>
    public long Doubt(CompiledModel rules, int currency, long money, double lowestConfidence)
    {
        int priced = _market.CurrencyAt(currency).Underlying;
        for (int addOn = 0; addOn < rules.AddOnCount && priced >= 0; addOn++)
        {
            ref readonly AddOnTerms terms = ref rules.AddOn(addOn, priced);
            if (rules.Kinds[addOn] == AddOnKind.Confidence && ((int)terms[2] & (int)Contracts.Collateral) != 0)
            {
                double own = _market.UnderlyingAt(priced).Confidence;
                double confidence = terms[4] != 0.0 ? Math.Min(lowestConfidence, own) : own;
                return confidence < terms[0] ? Fixed.CeilingToAtoms((1.0 - confidence) * terms[1] * money) : 0;
            }
        }

        return 0;
    }

    /// <summary>A part of a value, rounded up.</summary>
    public static long Charge(long money, long shareE8) => shareE8 == 0 ? 0 : Fixed.MultiplyCeiling(money, shareE8, Fixed.One);
}
