using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// Checks what one parameter alone cannot show and compiles a margin model into flat arrays. Called by <see cref="MarginMachine"/> when a model is
/// whole; a model that does not hold together is refused with the place of the fault and leaves the one in force alone.
/// </summary>
public static partial class ModelCompiler
{
    /// <summary>Fills <paramref name="into"/> from parameters that <see cref="Fault"/> found sound. Id, name, version and digest are the caller's.</summary>
    public static void Compile(ModelParameters model, MarketState market, CompiledModel into)
    {
        into.Parameters.CopyFrom(model);
        into.KnownUnderlyings = market.UnderlyingCount;
        into.KnownCurrencies = market.CurrencyCount;
        Compile(market, into);
    }

    /// <summary>Compiles a model from the parameters it holds, for the underlyings and currencies it knows.</summary>
    public static void Compile(MarketState market, CompiledModel into)
    {
        ModelParameters model = into.Parameters;
        unchecked
        {
            into.Generation++;
        }

        CompileRequirement(model, market, into);
        CompileTimes(model, into);
        CompileRows(model, into);
        Array.Clear(into.Underlyings);
        for (int underlying = 0; underlying < into.KnownUnderlyings; underlying++)
        {
            CompileUnderlying(model, underlying, into);
        }

        for (int currency = 0; currency < into.KnownCurrencies; currency++)
        {
            CompileCollateral(model, market, currency, into);
        }

        // Currencies defined after the model count nothing until its next version.
        for (int currency = into.KnownCurrencies; currency < into.Collaterals.Length; currency++)
        {
            into.Collaterals[currency] = new CollateralParameters { HaircutE8 = Fixed.One, RowsOf = -1, RedemptionOf = -1 };
        }

        CompileAddOns(model, into);
        CompileSpreads(model, into);
        CompileBounds(into);
    }

    private static void CompileRequirement(ModelParameters model, MarketState market, CompiledModel into)
    {
        into.InitialFactorE8 = model[ModelKey.InitialFactor];
        into.MaintenanceFactorE8 = model[ModelKey.MaintenanceFactor];
        into.Measure = (RowMeasure)model[ModelKey.Measure];
        into.NetsAcross = model[ModelKey.Across] == (long)AcrossUnits.Rows;
        into.Orders = (OrderRule)model[ModelKey.OpenOrders];
        into.MaximumStep = Real(model[ModelKey.MaximumStep]);
        into.CountsOptionValue = model[ModelKey.OptionValue] == 0;
        into.ChargesCollateralBefore = model[ModelKey.CollateralCharge] == 1;
        into.MeasuresFromMark = model[ModelKey.OptionMark] == 1;
        into.PricesFromIndex = model[ModelKey.OptionForward] == 1;
        into.TakesArrays = model[ModelKey.RowProfits] == 1;
        into.InterpolatesSurface = model[ModelKey.MissingSurface] == 1;
        into.Discounts = model[ModelKey.Discounting] == 0;
        into.Discount = new PolicyDiscount(
            Real(model[ModelKey.LongStatic]), Real(model[ModelKey.LongRateMultiple]), Real(model[ModelKey.LongRateAdd]),
            Real(model[ModelKey.ShortStatic]), Real(model[ModelKey.ShortRateMultiple]), Real(model[ModelKey.ShortRateAdd]));
        into.Volatility = new VolatilityTerms(
            Real(model[ModelKey.ShortTermPower]), Real(model[ModelKey.LongTermPower]), Real(model[ModelKey.TermFloorDays]),
            Real(model[ModelKey.LinearSkewScale]), Real(model[ModelKey.LinearSkewSlope]),
            Real(model[ModelKey.AbsoluteSkewScale]), Real(model[ModelKey.AbsoluteSkewSlope]),
            Real(model[ModelKey.SkewMinimumWidth]), Real(model[ModelKey.SkewWidthScale]),
            Real(model[ModelKey.SkewWidthVolatility]), Real(model[ModelKey.SkewWidthVolatilitySlope]),
            Real(model[ModelKey.SurfaceWidth]), Real(model[ModelKey.SurfaceMinimumWidth]), Real(model[ModelKey.SurfaceTermDays]) / 365.0);
        into.PegUnderlying = IndexOf(market, model[ModelKey.PegUnderlying]);
        into.PegThresholdE8 = model[ModelKey.PegThreshold];
        into.PegFactorE8 = model[ModelKey.PegFactor];
        into.PegDivides = model[ModelKey.PegDivides] == 1;
        into.LiquidationRate = Real(model[ModelKey.LiquidationFee] + model[ModelKey.LiquidationSlippage]);
        into.LiquidationImpact = Real(model[ModelKey.LiquidationImpact]);
        into.LiquidationDepth = model[ModelKey.LiquidationDepth] / 1e6;
        into.SpreadToMaintenance = Real(model[ModelKey.SpreadToMaintenance]);
        into.BankruptcyAdjustment = Real(model[ModelKey.BankruptcyAdjustment]);
        into.ChargesLiquidation = model[ModelKey.LiquidationCharged] == 1;
    }

    private static void CompileTimes(ModelParameters model, CompiledModel into)
    {
        into.ThresholdE8[(int)AccountState.Warning] = model[ModelKey.WarningRatio];
        into.ThresholdE8[(int)AccountState.MarginCall] = model[ModelKey.MarginCallRatio];
        into.ThresholdE8[(int)AccountState.ReduceOnly] = model[ModelKey.ReduceOnlyRatio];
        into.ThresholdE8[(int)AccountState.Liquidation] = model[ModelKey.LiquidationRatio];
        into.HysteresisE8 = model[ModelKey.Hysteresis];
        into.TargetRatioE8 = model[ModelKey.TargetRatio];
        into.StalePriceNanos = model[ModelKey.StalePrice];
        into.StaleVolatilityNanos = model[ModelKey.StaleVolatility];
        into.RepriceNanos = model[ModelKey.Reprice];
        into.PublishRatioStepE8 = model[ModelKey.PublishRatioStep];
        into.RefreshNanos = model[ModelKey.Refresh];
        into.LiquidationRetryNanos = model[ModelKey.LiquidationRetry];
        into.IsByCrossings = model[ModelKey.Evaluation] == (long)EvaluationRule.Crossings;
    }

    private static void CompileRows(ModelParameters model, CompiledModel into)
    {
        into.RowCount = model.RowCount;
        into.HasTimedRows = false;
        into.HasDeltaRows = false;
        into.DependsOnIndex = into.PricesFromIndex;
        into.SumsByExpiry = into.Discount.IsOn;
        Array.Clear(into.VolatilityShocks);
        Array.Clear(into.Rows);
        int measured = 0;
        for (int row = 0; row < model.RowCount; row++)
        {
            ref RowTerms terms = ref into.Rows[row];
            terms.Weight = Fixed.ToDouble(model.Row(row, RowKey.Weight), (uint)model.Row(row, RowKey.WeightFurther));
            terms.IsTail = model.Row(row, RowKey.Tail) == 1;
            terms.Role = (RowRole)model.Row(row, RowKey.Role);
            terms.IsScan = model.Row(row, RowKey.SpotScale) == (long)ShockScale.ScanRange;
            terms.ScanMove = terms.IsScan ? Real(model.Row(row, RowKey.SpotMove)) : 0.0;
            terms.TimeStep = Real(model.Row(row, RowKey.TimeStepYears));
            terms.RateMove = Real(model.Row(row, RowKey.RateMove));
            terms.Slope = Real(model.Row(row, RowKey.Slope));
            terms.Curvature = Real(model.Row(row, RowKey.Curvature));
            terms.Twist = Real(model.Row(row, RowKey.Twist));
            into.VolatilityShocks[row] = (VolatilityShock)model.Row(row, RowKey.Volatility);
            // A delta row is taken at its own factor and told to the index.
            bool isDelta = terms.Role == RowRole.Delta;
            into.HasTimedRows |= terms.IsScan || terms.TimeStep != 0.0 || terms.RateMove != 0.0 || isDelta;
            into.DependsOnIndex |= terms.IsScan || terms.TimeStep != 0.0 || isDelta;
            into.HasDeltaRows |= isDelta;
            into.SumsByExpiry |= terms.Role is RowRole.BasisUp or RowRole.BasisDown
                || into.VolatilityShocks[row] is VolatilityShock.LinearSkew or VolatilityShock.AbsoluteSkew;
            terms.IsStill = model.Row(row, RowKey.SpotMove) == 0;
            into.PairOf[row] = PairOf(model, row);
            measured += terms.IsMeasured ? 1 : 0;
        }

        // ceil((1 - confidence) n), in integers: 1 % of 100 rows is one row.
        Int128 tail = (Int128)(Fixed.One - model[ModelKey.Confidence]) * measured;
        into.TailRows = Math.Max(1, (int)((tail + Fixed.One - 1) / Fixed.One));
    }

    private static int PairOf(ModelParameters model, int row)
    {
        for (int other = 0; other < model.RowCount; other++)
        {
            if (other != row && model.Row(other, RowKey.SpotMove) == model.Row(row, RowKey.SpotMove)
                && model.Row(other, RowKey.Weight) == model.Row(row, RowKey.Weight)
                && model.Row(other, RowKey.WeightFurther) == model.Row(row, RowKey.WeightFurther) && model.Row(other, RowKey.Role) == model.Row(row, RowKey.Role))
            {
                return other;
            }
        }

        return row;
    }

    private static void CompileUnderlying(ModelParameters model, int index, CompiledModel into)
    {
        into.SpotFactor(index).Fill(1.0);
        into.LogSpotFactor(index).Clear();
        into.LinearFactor(index).Fill(1.0);
        into.OptionWeight(index).Fill(1.0);
        into.Dampener(index).Clear();
        into.VolatilityMove(index).Clear();
        into.SpotShockE8(index).Clear();
        if (!model.IsUnderlyingNamed(index))
        {
            return;
        }

        double range = Real(model.Underlying(index, UnderlyingKey.PriceRange));
        into.Underlyings[index] = new UnderlyingParameters
        {
            IsNamed = true,
            PriceRange = range,
            VolatilityUp = Real(model.Underlying(index, UnderlyingKey.VolatilityUp)),
            VolatilityDown = Real(model.Underlying(index, UnderlyingKey.VolatilityDown)),
            MinimumVolatilityUp = Real(model.Underlying(index, UnderlyingKey.MinimumVolatilityUp)),
            GainShareE8 = model.Underlying(index, UnderlyingKey.GainShare),
            GainCap = model.Underlying(index, UnderlyingKey.GainCap),
            Group = (int)model.Underlying(index, UnderlyingKey.Group),
            ScanRange = Real(model.Underlying(index, UnderlyingKey.ScanRange)),
            VolatilityScan = Real(model.Underlying(index, UnderlyingKey.VolatilityScan)),
        };
        double tailFactor = Real(model.Underlying(index, UnderlyingKey.TailFactor));
        double dampener = model.Underlying(index, UnderlyingKey.TailDampener) / 1e6;
        for (int row = 0; row < model.RowCount; row++)
        {
            double shock = Shock(model, row, index);
            double clamp = shock < 0 ? -range : range;
            bool isTail = into.Rows[row].IsTail;
            into.SpotFactor(index)[row] = 1.0 + shock;
            into.LogSpotFactor(index)[row] = Functions.Log(1.0 + shock);
            into.LinearFactor(index)[row] = 1.0 + (isTail && Math.Abs(shock) > range ? clamp : shock);
            into.SpotShockE8(index)[row] = Fixed.ToAtoms(shock * 1e8);
            into.VolatilityMove(index)[row] = VolatilityMove(model, row, index, into);
            if (isTail && shock != 0)
            {
                double size = Math.Abs(shock);
                into.OptionWeight(index)[row] = tailFactor * (range / size) * (1.0 + shock) / (1.0 + clamp);
                into.Dampener(index)[row] = (Math.Max(size / range, 1.0) - 1.0) * dampener / (1.0 + clamp);
            }
        }
    }

    private static double VolatilityMove(ModelParameters model, int row, int underlying, CompiledModel into)
    {
        double move = Real(model.Row(row, RowKey.VolatilityMove));
        if (into.VolatilityShocks[row] != VolatilityShock.Proportional)
        {
            return move;
        }

        return (move * into.Underlyings[underlying].VolatilityScan) + (model.HasJointRows ? Real(model.Joint(row, underlying, JointKey.VolatilityMove)) : 0.0);
    }

    private static void CompileCollateral(ModelParameters model, MarketState market, int currency, CompiledModel into)
    {
        ref CollateralParameters collateral = ref into.Collaterals[currency];
        collateral = new CollateralParameters
        {
            HaircutE8 = model.Currency(currency, CurrencyKey.Haircut),
            InitialHaircutE8 = model.Currency(currency, CurrencyKey.InitialHaircut),
            MaintenanceHaircutE8 = model.Currency(currency, CurrencyKey.MaintenanceHaircut),
            TierCount = model.HaircutTierCount(currency),
            RowsOf = IndexOf(market, model.Currency(currency, CurrencyKey.RowsOf)),
            RedemptionOf = IndexOf(market, model.Currency(currency, CurrencyKey.RedemptionOf)),
            RedemptionValueE8 = model.Currency(currency, CurrencyKey.RedemptionValue),
            RedemptionWeightE8 = model.Currency(currency, CurrencyKey.RedemptionWeight),
            FloorShareE8 = model.Currency(currency, CurrencyKey.FloorShare),
        };
        int decimals = market.CurrencyAt(currency).Decimals;
        for (int tier = 0; tier < collateral.TierCount; tier++)
        {
            long from = model.HaircutTier(currency, tier, HaircutTierKey.From);
            into.HaircutTiers[(currency * Limits.HaircutTiers) + tier] = new HaircutTier
            {
                FromAtoms = decimals >= 8
                    ? Fixed.MultiplyFloor(from, Fixed.LongPower10(decimals - 8), 1)
                    : from / Fixed.LongPower10(8 - decimals),
                HaircutE8 = model.HaircutTier(currency, tier, HaircutTierKey.Haircut),
            };
        }
    }

    private static void CompileAddOns(ModelParameters model, CompiledModel into)
    {
        into.AddOnCount = model.AddOnCount;
        for (int addOn = 0; addOn < model.AddOnCount; addOn++)
        {
            AddOnKind kind = model.KindOf(addOn);
            into.Kinds[addOn] = kind;
            into.Places[addOn] = (AddOnPlace)model.AddOn(addOn, 0, (int)AddOnKey.Place);
            ReadOnlySpan<AddOnSlot> slots = AddOnTable.SlotsOf(kind);
            for (int underlying = 0; underlying < into.Underlyings.Length; underlying++)
            {
                ref AddOnTerms terms = ref into.AddOn(addOn, underlying);
                terms = default;
                for (int slot = 0; slot < slots.Length; slot++)
                {
                    terms.Numbers[slot] = model.AddOn(addOn, underlying, (int)AddOnKey.FirstSlot + slot) / Fixed.Power10(slots[slot].Decimals);
                }

                terms.TierCount = model.TierCount(addOn, underlying);
                for (int tier = 0; tier < terms.TierCount; tier++)
                {
                    into.AllTiers(addOn, underlying)[tier] = new Tier
                    {
                        From = model.Tier(addOn, underlying, tier, TierKey.From) / 1e6,
                        Initial = Real(model.Tier(addOn, underlying, tier, TierKey.Initial)),
                        Maintenance = Real(model.Tier(addOn, underlying, tier, TierKey.Maintenance)),
                    };
                }
            }
        }
    }

    private static void CompileSpreads(ModelParameters model, CompiledModel into)
    {
        into.SpreadCount = model.SpreadCount;
        for (int spread = 0; spread < model.SpreadCount; spread++)
        {
            into.Spreads[spread].Rate = Real(model.SpreadRate(spread));
            for (int underlying = 0; underlying < into.Underlyings.Length; underlying++)
            {
                into.SpreadLegs[(spread * into.Underlyings.Length) + underlying] = Real(model.SpreadLeg(spread, underlying));
            }
        }
    }

    private static double Shock(ModelParameters model, int row, int underlying)
    {
        double joint = model.HasJointRows ? Real(model.Joint(row, underlying, JointKey.SpotMove)) : 0.0;
        double move = Real(model.Row(row, RowKey.SpotMove));
        return joint + (ShockScale)model.Row(row, RowKey.SpotScale) switch
        {
            ShockScale.PriceRange => move * Real(model.Underlying(underlying, UnderlyingKey.PriceRange)),
            ShockScale.ScanRange => 0.0,
            _ => move,
        };
    }

    private static int IndexOf(MarketState market, long id) => id != 0 && market.TryUnderlying((ushort)id, out int index) ? index : -1;

    private static double Real(long mantissaE8) => Fixed.ToDouble(mantissaE8);
}
