using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <content>What one parameter alone cannot show: contradictions between parameters, and steps from one version to the next that are too large.</content>
public static partial class ModelCompiler
{
    /// <summary>Null: the model holds together. Otherwise the first parameter that contradicts another.</summary>
    public static ParameterPlace? Fault(ModelParameters model, MarketState market)
    {
        if (!(model[ModelKey.WarningRatio] <= model[ModelKey.MarginCallRatio]))
        {
            return Of(ModelKey.WarningRatio);
        }

        if (!(model[ModelKey.MarginCallRatio] <= model[ModelKey.ReduceOnlyRatio]))
        {
            return Of(ModelKey.MarginCallRatio);
        }

        if (!(model[ModelKey.ReduceOnlyRatio] <= model[ModelKey.LiquidationRatio]))
        {
            return Of(ModelKey.ReduceOnlyRatio);
        }

        if (model[ModelKey.Hysteresis] >= model[ModelKey.WarningRatio])
        {
            return Of(ModelKey.Hysteresis);
        }

        if (model[ModelKey.TargetRatio] >= model[ModelKey.LiquidationRatio])
        {
            return Of(ModelKey.TargetRatio);
        }

        // A group measures rows, and a requirement of whole units has none to give it.
        if (model[ModelKey.OpenOrders] == (long)OrderRule.Filled && model[ModelKey.Across] == (long)AcrossUnits.Rows)
        {
            return Of(ModelKey.OpenOrders);
        }

        // Balances move in the rows of a group, which only exist where rows are netted.
        for (int currency = 0; currency < market.CurrencyCount; currency++)
        {
            if (model.Currency(currency, CurrencyKey.RowsOf) != 0 && model[ModelKey.Across] != (long)AcrossUnits.Rows)
            {
                return new ParameterPlace(ModelSection.Currency, (byte)CurrencyKey.RowsOf, 0, market.CurrencyAt(currency).Id, 0);
            }
        }

        return FaultyRow(model, market) ?? FaultyTier(model, market) ?? FaultyOpenInterest(model, market);
    }

    /// <summary>
    /// Null: no price range or volatility shock of <paramref name="next"/> is farther from the version in force than the bound of the version in
    /// force allows (requirement.maximumStep).
    /// </summary>
    public static ParameterPlace? FaultyStep(ModelParameters next, CompiledModel inForce, double maximumStep, MarketState market)
    {
        for (int underlying = 0; maximumStep > 0.0 && underlying < market.UnderlyingCount; underlying++)
        {
            ref readonly UnderlyingParameters old = ref inForce.Underlyings[underlying];
            if (!old.IsNamed || !next.IsUnderlyingNamed(underlying))
            {
                continue;
            }

            UnderlyingKey key =
                IsFar(old.PriceRange, next.Underlying(underlying, UnderlyingKey.PriceRange), maximumStep) ? UnderlyingKey.PriceRange :
                IsFar(old.VolatilityUp, next.Underlying(underlying, UnderlyingKey.VolatilityUp), maximumStep) ? UnderlyingKey.VolatilityUp :
                IsFar(old.VolatilityDown, next.Underlying(underlying, UnderlyingKey.VolatilityDown), maximumStep) ? UnderlyingKey.VolatilityDown :
                default;
            if (key != default)
            {
                return new ParameterPlace(ModelSection.Underlying, (byte)key, 0, market.UnderlyingAt(underlying).Id, 0);
            }
        }

        return null;
    }

    // Every spot price of every row stays above zero; scan rows are held above it when they are priced.
    private static ParameterPlace? FaultyRow(ModelParameters model, MarketState market)
    {
        for (int row = 0; row < model.RowCount; row++)
        {
            for (int underlying = 0; underlying < market.UnderlyingCount; underlying++)
            {
                if (!model.IsUnderlyingNamed(underlying))
                {
                    continue;
                }

                if (Shock(model, row, underlying) <= -1.0)
                {
                    return new ParameterPlace(ModelSection.Row, (byte)RowKey.SpotMove, (ushort)row, market.UnderlyingAt(underlying).Id, 0);
                }

                // A tail is scaled by the price range: without one there would be 0 / 0.
                if (model.Row(row, RowKey.Tail) == 1 && model.Underlying(underlying, UnderlyingKey.PriceRange) == 0)
                {
                    return new ParameterPlace(ModelSection.Underlying, (byte)UnderlyingKey.PriceRange, 0, market.UnderlyingAt(underlying).Id, 0);
                }
            }
        }

        return null;
    }

    // Tiers rise from zero; without a first tier at zero small amounts would be free by oversight.
    private static ParameterPlace? FaultyTier(ModelParameters model, MarketState market)
    {
        for (int addOn = 0; addOn < model.AddOnCount; addOn++)
        {
            for (int underlying = 0; underlying < market.UnderlyingCount && AddOnTable.HasTiers(model.KindOf(addOn)); underlying++)
            {
                for (int tier = 0; tier < model.TierCount(addOn, underlying); tier++)
                {
                    long from = model.Tier(addOn, underlying, tier, TierKey.From);
                    if (tier == 0 ? from != 0 : from <= model.Tier(addOn, underlying, tier - 1, TierKey.From))
                    {
                        return new ParameterPlace(
                            ModelSection.AddOnTier, (byte)TierKey.From, (ushort)addOn, market.UnderlyingAt(underlying).Id, (ushort)tier);
                    }
                }
            }
        }

        for (int currency = 0; currency < market.CurrencyCount; currency++)
        {
            for (int tier = 0; tier < model.HaircutTierCount(currency); tier++)
            {
                long from = model.HaircutTier(currency, tier, HaircutTierKey.From);
                if (tier == 0 ? from != 0 : from <= model.HaircutTier(currency, tier - 1, HaircutTierKey.From))
                {
                    return new ParameterPlace(ModelSection.HaircutTier, (byte)HaircutTierKey.From, 0, market.CurrencyAt(currency).Id, (ushort)tier);
                }
            }
        }

        return null;
    }

    // A rate that grows downward would be larger in the smaller market.
    private static ParameterPlace? FaultyOpenInterest(ModelParameters model, MarketState market)
    {
        const int Lower = (int)AddOnKey.FirstSlot + 3, Upper = Lower + 1;
        for (int addOn = 0; addOn < model.AddOnCount; addOn++)
        {
            for (int underlying = 0; underlying < market.UnderlyingCount && model.KindOf(addOn) == AddOnKind.OpenInterest; underlying++)
            {
                if (model.AddOn(addOn, underlying, Upper) != 0 && model.AddOn(addOn, underlying, Lower) >= model.AddOn(addOn, underlying, Upper))
                {
                    return new ParameterPlace(ModelSection.AddOn, Upper, (ushort)addOn, market.UnderlyingAt(underlying).Id, 0);
                }
            }
        }

        return null;
    }

    private static bool IsFar(double old, long next, double maximumStep) => Math.Abs(Real(next) - old) > (maximumStep * old) + 1e-12;

    private static ParameterPlace Of(ModelKey key) => new(ModelSection.Model, (byte)key, 0, 0, 0);
}
