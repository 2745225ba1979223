using MarginEngine.Codecs;
using Asset = MarginEngine.Codecs.MarginModelDecoder.CollateralsDecoder.Entry.FieldIds;
using Field = MarginEngine.Codecs.MarginModelDecoder.FieldIds;
using Part = MarginEngine.Codecs.MarginModelDecoder.UnderlyingsDecoder.Entry.FieldIds;
using Row = MarginEngine.Codecs.MarginModelDecoder.ScenariosDecoder.Entry.FieldIds;

namespace MarginEngine.Logic;

/// <summary>
/// The first message a margin model came in, <c>MarginModel</c>: one fixed shape (rows, tails, roll and delta shock, cost of closing). Journals
/// that carry it must replay, so it is checked as it always was and becomes parameters of the shape that every model has now.
/// </summary>
public static class FirstModelMessage
{
    private const int FirstRows = 64;

    /// <summary>0: the model is sound. Otherwise the id of the first field that breaks a bound.</summary>
    public static ushort FaultyField(in MarginModelDecoder model, MarketState market, out RejectCode code)
    {
        code = RejectCode.OutOfRange;
        ushort field = FaultyRootField(model);
        if (field != 0)
        {
            return field;
        }

        if (model.Scenarios.Count is 0 or > FirstRows)
        {
            return Field.Scenarios;
        }

        foreach (MarginModelDecoder.ScenariosDecoder.Entry row in model.Scenarios)
        {
            long shock = row.SpotShock.Mantissa;
            if (row.SpotScale > ShockScale.PriceRange || row.VolatilityShock > VolatilityShock.Down)
            {
                return Row.SpotScale;
            }

            bool ranged = row.SpotScale == ShockScale.PriceRange;
            if (shock <= (ranged ? -4 * Fixed.One : -Fixed.One) || shock > 10 * Fixed.One)
            {
                return Row.SpotShock;
            }

            if (row.Extended > 1)
            {
                return Row.Extended;
            }
        }

        foreach (MarginModelDecoder.UnderlyingsDecoder.Entry underlying in model.Underlyings)
        {
            if (!market.TryUnderlying(underlying.UnderlyingId, out _))
            {
                code = RejectCode.UnknownUnderlying;
                return Part.UnderlyingId;
            }

            field = FaultyUnderlyingField(underlying);
            if (field != 0)
            {
                return field;
            }

            foreach (MarginModelDecoder.ScenariosDecoder.Entry row in model.Scenarios)
            {
                if (Shock(row, Fixed.ToDouble(underlying.PriceRange.Mantissa)) <= -1.0)
                {
                    return Row.SpotShock;
                }
            }
        }

        foreach (MarginModelDecoder.CollateralsDecoder.Entry collateral in model.Collaterals)
        {
            if (!market.TryCurrency(collateral.CurrencyId, out _))
            {
                code = RejectCode.UnknownCurrency;
                return Asset.CurrencyId;
            }

            if (!Within(collateral.Haircut, 0, Fixed.One))
            {
                return Asset.Haircut;
            }
        }

        return 0;
    }

    /// <summary>Sets <paramref name="into"/> from a model that <see cref="FaultyField"/> found sound.</summary>
    public static void Read(in MarginModelDecoder model, MarketState market, ModelParameters into)
    {
        into.Clear();
        into[ModelKey.MaintenanceFactor] = model.MaintenanceFactor.Mantissa;
        into[ModelKey.ShortTermPower] = model.ShortTermPower.Mantissa;
        into[ModelKey.LongTermPower] = model.LongTermPower.Mantissa;
        into[ModelKey.TermFloorDays] = model.TermFloorDays.Mantissa;
        into[ModelKey.LiquidationFee] = model.LiquidationFee.Mantissa;
        into[ModelKey.LiquidationSlippage] = model.LiquidationSlippage.Mantissa;
        into[ModelKey.LiquidationCharged] = 1;
        into[ModelKey.MissingSurface] = 0;
        into[ModelKey.OpenOrders] = (long)OrderRule.WorstFill;
        into[ModelKey.WarningRatio] = model.WarningRatio.Mantissa;
        into[ModelKey.MarginCallRatio] = model.MarginCallRatio.Mantissa;
        into[ModelKey.ReduceOnlyRatio] = model.ReduceOnlyRatio.Mantissa;
        into[ModelKey.LiquidationRatio] = model.LiquidationRatio.Mantissa;
        into[ModelKey.Hysteresis] = model.Hysteresis.Mantissa;
        into[ModelKey.TargetRatio] = model.TargetRatio.Mantissa;
        into[ModelKey.StalePrice] = (long)model.StalePriceNanos;
        into[ModelKey.StaleVolatility] = (long)model.StaleVolatilityNanos;
        into[ModelKey.Reprice] = (long)model.RepriceNanos;
        into[ModelKey.PublishRatioStep] = model.PublishRatioStep.Mantissa;
        into[ModelKey.Refresh] = (long)model.RefreshNanos;
        into[ModelKey.LiquidationRetry] = (long)model.LiquidationRetryNanos;
        foreach (MarginModelDecoder.ScenariosDecoder.Entry scenario in model.Scenarios)
        {
            int row = into.AddRow();
            into.Row(row, RowKey.SpotMove) = scenario.SpotShock.Mantissa;
            into.Row(row, RowKey.SpotScale) = (long)scenario.SpotScale;
            into.Row(row, RowKey.Volatility) = (long)scenario.VolatilityShock;
            into.Row(row, RowKey.Tail) = scenario.Extended;
        }

        int roll = into.AddAddOn(AddOnKind.ExpiryMove, AddOnPlace.Before);
        int liquidity = into.AddAddOn(AddOnKind.DeltaLiquidity, AddOnPlace.Before);
        foreach (MarginModelDecoder.UnderlyingsDecoder.Entry entry in model.Underlyings)
        {
            market.TryUnderlying(entry.UnderlyingId, out int underlying);
            ReadUnderlying(entry, underlying, roll, liquidity, into);
        }

        foreach (MarginModelDecoder.CollateralsDecoder.Entry collateral in model.Collaterals)
        {
            market.TryCurrency(collateral.CurrencyId, out int currency);
            into.NameCurrency(currency);
            into.Currency(currency, CurrencyKey.Haircut) = collateral.Haircut.Mantissa;
        }
    }

    private static void ReadUnderlying(
        in MarginModelDecoder.UnderlyingsDecoder.Entry entry, int underlying, int roll, int liquidity, ModelParameters into)
    {
        into.NameUnderlying(underlying);
        into.Underlying(underlying, UnderlyingKey.PriceRange) = entry.PriceRange.Mantissa;
        into.Underlying(underlying, UnderlyingKey.VolatilityUp) = entry.VolatilityUp.Mantissa;
        into.Underlying(underlying, UnderlyingKey.VolatilityDown) = entry.VolatilityDown.Mantissa;
        into.Underlying(underlying, UnderlyingKey.MinimumVolatilityUp) = entry.MinimumVolatilityUp.Mantissa;
        into.Underlying(underlying, UnderlyingKey.TailFactor) = entry.ExtendedFactor.Mantissa;
        into.Underlying(underlying, UnderlyingKey.TailDampener) = entry.ExtendedDampener.Mantissa;
        int slot = (int)AddOnKey.FirstSlot;
        into.AddOn(roll, underlying, slot) = entry.MinimumAnnualisedMove.Mantissa;
        into.AddOn(roll, underlying, slot + 1) = entry.AnnualisedMoveRisk.Mantissa;
        into.AddOn(liquidity, underlying, slot) = entry.DeltaThreshold.Mantissa;
        into.AddOn(liquidity, underlying, slot + 1) = entry.DeltaIncrement.Mantissa;
        into.AddOn(liquidity, underlying, slot + 2) = entry.MaximumDeltaShock.Mantissa;
    }

    private static double Shock(in MarginModelDecoder.ScenariosDecoder.Entry row, double priceRange)
    {
        double shock = Fixed.ToDouble(row.SpotShock.Mantissa);
        return row.SpotScale == ShockScale.PriceRange ? shock * priceRange : shock;
    }

    private static ushort FaultyRootField(in MarginModelDecoder model)
    {
        long warning = model.WarningRatio.Mantissa;
        long call = model.MarginCallRatio.Mantissa;
        long reduceOnly = model.ReduceOnlyRatio.Mantissa;
        long liquidation = model.LiquidationRatio.Mantissa;
        return
            !Within(model.MaintenanceFactor, 1, Fixed.One) ? Field.MaintenanceFactor :
            !Within(model.ShortTermPower, 0, 2 * Fixed.One) ? Field.ShortTermPower :
            !Within(model.LongTermPower, 0, 2 * Fixed.One) ? Field.LongTermPower :
            !Within(model.TermFloorDays, Fixed.One / 1000, 365 * Fixed.One) ? Field.TermFloorDays :
            !Within(model.LiquidationFee, 0, Fixed.One / 4) ? Field.LiquidationFee :
            !Within(model.LiquidationSlippage, 0, Fixed.One / 4) ? Field.LiquidationSlippage :
            !Within(model.WarningRatio, 1, call) ? Field.WarningRatio :
            !Within(model.MarginCallRatio, 1, reduceOnly) ? Field.MarginCallRatio :
            !Within(model.ReduceOnlyRatio, 1, liquidation) ? Field.ReduceOnlyRatio :
            !Within(model.LiquidationRatio, 1, 10 * Fixed.One) ? Field.LiquidationRatio :
            !Within(model.Hysteresis, 0, warning - 1) ? Field.Hysteresis :
            !Within(model.TargetRatio, 1, liquidation - 1) ? Field.TargetRatio :
            !Within(model.PublishRatioStep, 0, 10 * Fixed.One) ? Field.PublishRatioStep : (ushort)0;
    }

    private static ushort FaultyUnderlyingField(in MarginModelDecoder.UnderlyingsDecoder.Entry underlying) =>
        !Within(underlying.PriceRange, Fixed.One / 1000, Fixed.One - 1) ? Part.PriceRange :
        !Within(underlying.VolatilityUp, 0, 10 * Fixed.One) ? Part.VolatilityUp :
        !Within(underlying.VolatilityDown, 0, 10 * Fixed.One) ? Part.VolatilityDown :
        !Within(underlying.MinimumVolatilityUp, 0, 10 * Fixed.One) ? Part.MinimumVolatilityUp :
        !Within(underlying.ExtendedFactor, 0, 10 * Fixed.One) ? Part.ExtendedFactor :
        underlying.ExtendedDampener.Mantissa < 0 ? Part.ExtendedDampener :
        !Within(underlying.MinimumAnnualisedMove, 0, Fixed.One) ? Part.MinimumAnnualisedMove :
        !Within(underlying.AnnualisedMoveRisk, 0, Fixed.One) ? Part.AnnualisedMoveRisk :
        underlying.DeltaThreshold.Mantissa < 0 ? Part.DeltaThreshold :
        !Within(underlying.MaximumDeltaShock, 0, Fixed.One) ? Part.MaximumDeltaShock :
        underlying.DeltaIncrement.Mantissa < 0 ? Part.DeltaIncrement : (ushort)0;

    private static bool Within(DecimalDecoder value, long low, long high) => value.Mantissa >= low && value.Mantissa <= high;
}
