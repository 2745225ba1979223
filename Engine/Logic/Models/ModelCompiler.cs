using MarginEngine.Codecs;
using Asset = MarginEngine.Codecs.MarginModelDecoder.CollateralsDecoder.Entry.FieldIds;
using Field = MarginEngine.Codecs.MarginModelDecoder.FieldIds;
using Part = MarginEngine.Codecs.MarginModelDecoder.UnderlyingsDecoder.Entry.FieldIds;
using Row = MarginEngine.Codecs.MarginModelDecoder.ScenariosDecoder.Entry.FieldIds;

namespace MarginEngine.Logic;

/// <summary>
/// Checks a margin model at the door and compiles it. Called by <see cref="MarginMachine"/> when the message arrives;
/// a model that breaks a bound is refused with the field's number and leaves the one in force alone.
/// </summary>
public static class ModelCompiler
{
    /// <summary>0: the model is sound. Otherwise the id of the first field that breaks a bound.</summary>
    public static ushort FaultyField(in MarginModelDecoder model, MarketState market, out RejectCode code)
    {
        code = RejectCode.OutOfRange;
        ushort field = FaultyRootField(model);
        if (field != 0)
        {
            return field;
        }

        if (model.Scenarios.Count is 0 or > Limits.NamedRows)
        {
            return Field.Scenarios;
        }

        foreach (MarginModelDecoder.ScenariosDecoder.Entry row in model.Scenarios)
        {
            long shock = row.SpotShock.Mantissa;
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

    /// <summary>Fills <paramref name="into"/> from a model that <see cref="FaultyField"/> found sound.</summary>
    public static void Compile(in MarginModelDecoder model, ReadOnlySpan<byte> message, MarketState market, CompiledModel into)
    {
        into.Id = model.ModelId;
        into.Version = model.ModelVersion;
        unchecked
        {
            into.Generation++;
        }

        Digest64 digest = new(4);
        digest.Add(message[(MessageHeaderDecoder.EncodedLength + OriginDecoder.EncodedLength)..]);
        into.Digest = digest.Value;
        into.Name.AsSpan().Clear();
        model.Name.CopyTo(into.Name);
        into.MaintenanceFactorE8 = model.MaintenanceFactor.Mantissa;
        into.ShortTermPower = Fixed.ToDouble(model.ShortTermPower.Mantissa);
        into.LongTermPower = Fixed.ToDouble(model.LongTermPower.Mantissa);
        into.TermFloorDays = Fixed.ToDouble(model.TermFloorDays.Mantissa);
        into.LiquidationRate = Fixed.ToDouble(model.LiquidationFee.Mantissa + model.LiquidationSlippage.Mantissa);
        into.ThresholdE8[(int)AccountState.Warning] = model.WarningRatio.Mantissa;
        into.ThresholdE8[(int)AccountState.MarginCall] = model.MarginCallRatio.Mantissa;
        into.ThresholdE8[(int)AccountState.ReduceOnly] = model.ReduceOnlyRatio.Mantissa;
        into.ThresholdE8[(int)AccountState.Liquidation] = model.LiquidationRatio.Mantissa;
        into.HysteresisE8 = model.Hysteresis.Mantissa;
        into.TargetRatioE8 = model.TargetRatio.Mantissa;
        into.StalePriceNanos = (long)model.StalePriceNanos;
        into.StaleVolatilityNanos = (long)model.StaleVolatilityNanos;
        into.RepriceNanos = (long)model.RepriceNanos;
        into.PublishRatioStepE8 = model.PublishRatioStep.Mantissa;
        into.RefreshNanos = (long)model.RefreshNanos;
        into.LiquidationRetryNanos = (long)model.LiquidationRetryNanos;
        CompileRows(model, into);
        Array.Clear(into.Underlyings);
        foreach (MarginModelDecoder.UnderlyingsDecoder.Entry underlying in model.Underlyings)
        {
            market.TryUnderlying(underlying.UnderlyingId, out int index);
            CompileUnderlying(model, underlying, index, into);
        }

        Array.Fill(into.HaircutE8, Fixed.One);
        foreach (MarginModelDecoder.CollateralsDecoder.Entry collateral in model.Collaterals)
        {
            market.TryCurrency(collateral.CurrencyId, out int index);
            into.HaircutE8[index] = collateral.Haircut.Mantissa;
        }
    }

    private static void CompileRows(in MarginModelDecoder model, CompiledModel into)
    {
        into.RowCount = model.Scenarios.Count;
        Array.Clear(into.VolatilityShocks);
        Array.Clear(into.Extended);
        int index = 0;
        foreach (MarginModelDecoder.ScenariosDecoder.Entry row in model.Scenarios)
        {
            into.VolatilityShocks[index] = row.VolatilityShock;
            into.Extended[index] = row.Extended == 1;
            index++;
        }
    }

    private static void CompileUnderlying(
        in MarginModelDecoder model, in MarginModelDecoder.UnderlyingsDecoder.Entry underlying, int index, CompiledModel into)
    {
        ref UnderlyingParameters parameters = ref into.Underlyings[index];
        parameters = new UnderlyingParameters
        {
            IsNamed = true,
            PriceRange = Fixed.ToDouble(underlying.PriceRange.Mantissa),
            VolatilityUp = Fixed.ToDouble(underlying.VolatilityUp.Mantissa),
            VolatilityDown = Fixed.ToDouble(underlying.VolatilityDown.Mantissa),
            MinimumVolatilityUp = Fixed.ToDouble(underlying.MinimumVolatilityUp.Mantissa),
            ExtendedFactor = Fixed.ToDouble(underlying.ExtendedFactor.Mantissa),
            ExtendedDampenerUsd = underlying.ExtendedDampener.Mantissa / 1e6,
            MinimumAnnualisedMove = Fixed.ToDouble(underlying.MinimumAnnualisedMove.Mantissa),
            AnnualisedMoveRisk = Fixed.ToDouble(underlying.AnnualisedMoveRisk.Mantissa),
            DeltaThresholdUsd = underlying.DeltaThreshold.Mantissa / 1e6,
            MaximumDeltaShock = Fixed.ToDouble(underlying.MaximumDeltaShock.Mantissa),
            DeltaIncrement = underlying.DeltaIncrement.Mantissa / 1e12,
        };
        into.SpotFactor(index).Fill(1.0);
        into.LogSpotFactor(index).Clear();
        into.LinearFactor(index).Fill(1.0);
        into.Weight(index).Fill(1.0);
        into.Dampener(index).Clear();
        into.SpotShockE8(index).Clear();
        int row = 0;
        foreach (MarginModelDecoder.ScenariosDecoder.Entry scenario in model.Scenarios)
        {
            double shock = Shock(scenario, parameters.PriceRange);
            double range = parameters.PriceRange;
            double clamp = shock < 0 ? -range : range;
            into.SpotFactor(index)[row] = 1.0 + shock;
            into.LogSpotFactor(index)[row] = Functions.Log(1.0 + shock);
            into.LinearFactor(index)[row] = 1.0 + (scenario.Extended == 1 && Math.Abs(shock) > range ? clamp : shock);
            into.SpotShockE8(index)[row] = Fixed.ToAtoms(shock * 1e8);
            if (scenario.Extended == 1 && shock != 0)
            {
                double size = Math.Abs(shock);
                into.Weight(index)[row] = parameters.ExtendedFactor * (range / size) * (1.0 + shock) / (1.0 + clamp);
                into.Dampener(index)[row] = (Math.Max(size / range, 1.0) - 1.0) * parameters.ExtendedDampenerUsd / (1.0 + clamp);
            }

            row++;
        }
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
