using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>What the market says to a unit: factors that a peg moves, what its currency is worth, how old its prices are.</content>
public sealed partial class UnitCalculator
{
    /// <summary>Initial factor with what the peg adds to it, exponent -16.</summary>
    public long InitialFactorE16(CompiledModel rules)
    {
        long factor = rules.InitialFactorE8 * Fixed.One;
        if (rules.PegUnderlying < 0 || rules.PegFactorE8 == 0)
        {
            return factor;
        }

        FinePrice price = _market.UnderlyingAt(rules.PegUnderlying).Price;
        if (price.E8 == 0)
        {
            return factor;
        }

        // Whole units of 10^-16 that the factor grows by, rounded up where the price has further digits.
        long shortfall = Math.Max(0, rules.PegThresholdE8 - price.E8);
        long finer = shortfall == 0 ? 0 : Fixed.MultiplyFloor(price.Further, rules.PegFactorE8, Fixed.One);
        return factor + (shortfall * rules.PegFactorE8) - finer;
    }

    public static long MaintenanceFactorE16(CompiledModel rules) => rules.MaintenanceFactorE8 * Fixed.One;

    private long AtomsOfUsd(int underlying, int currency, double usd)
    {
        ref readonly Currency unit = ref _market.CurrencyAt(currency);
        double price = unit.Underlying < 0 || unit.IsMoney ? 1.0 : _market.UnderlyingAt(underlying).Index;
        return price <= 0.0 ? 0 : Fixed.ToAtoms(Math.Floor(usd / price * Fixed.Power10(unit.Decimals)));
    }

    private double UsdPerAtom(int underlying, int currency)
    {
        ref readonly Currency unit = ref _market.CurrencyAt(currency);
        double price = unit.Underlying < 0 || unit.IsMoney ? 1.0 : _market.UnderlyingAt(underlying).Index;
        return price / Fixed.Power10(unit.Decimals);
    }

    /// <summary>Atoms of the unit's currency that one base unit of the underlying is worth: the coin itself, or its price.</summary>
    private double AtomsPerBase(int underlying, int currency)
    {
        ref readonly Currency unit = ref _market.CurrencyAt(currency);
        ref readonly Underlying priced = ref _market.UnderlyingAt(underlying);
        double scale = Fixed.Power10(unit.Decimals);
        return priced.Currency == currency && !unit.IsMoney ? scale : priced.Index * scale;
    }

    /// <summary>Which prices of a contract are older than the model allows.</summary>
    public MarginFlags Staleness(CompiledModel rules, in Instrument contract, long nowNanos)
    {
        MarginFlags flags = default;
        long priceTime = contract.IsOption ? _market.ExpiryAt(contract.Expiry).ForwardTime : contract.MarkTime;
        if (rules.StalePriceNanos > 0 && nowNanos - priceTime > rules.StalePriceNanos)
        {
            flags |= MarginFlags.StalePrice;
        }

        if (contract.IsOption && rules.StaleVolatilityNanos > 0)
        {
            long volatilityTime = contract.VolatilityE8 != 0 ? contract.VolatilityTime : _market.SurfaceTimeOf(contract.Expiry);
            if (nowNanos - volatilityTime > rules.StaleVolatilityNanos)
            {
                flags |= MarginFlags.StaleVolatility;
            }
        }

        return flags;
    }
}
