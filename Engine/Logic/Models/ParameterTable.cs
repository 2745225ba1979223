using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// One parameter of a margin model: where it stands in the document, how many decimals its stored integer has, between which bounds it must lie (as
/// stored), what it is where the document is silent, and the words it is written with where it is no number. <see cref="IsUnderlying"/>: a code.
/// <see cref="Further"/>: key that takes the eight decimals beyond these, 0: it has none.
/// </summary>
public sealed record ParameterRule(
    ModelSection Section, byte Key, string Path, int Decimals, long Minimum, long Maximum, long Default, string[]? Words = null, bool IsUnderlying = false, string Text = "", byte Further = 0);

/// <summary>
/// Every parameter of a margin model but the numbers of add-ons (<see cref="AddOnTable"/>), once: the JSON document, its schema, the messages, the
/// checks at the door and the texts of errors are all made from this table.
/// </summary>
public static class ParameterTable
{
    private const long One = Fixed.One;
    private const long LongestNanos = 604_800_000_000_000;

    private static readonly string[] No = ["false", "true"];

    private static readonly ParameterRule[] Rules =
    [
        Model(ModelKey.InitialFactor, "requirement.initialFactor", 8, 1, 100 * One, One, "Initial margin as a multiple of the risk."),
        Model(ModelKey.MaintenanceFactor, "requirement.maintenanceFactor", 8, 1, 100 * One, One, "Maintenance margin as a multiple of the risk."),
        Word(ModelKey.Measure, "requirement.measure", ["worst", "valueAtRisk", "expectedShortfall"], "How rows become one number."),
        Model(ModelKey.Confidence, "requirement.confidence", 8, One / 2, One - 1, One / 100 * 99, "Of value at risk and expected shortfall."),
        Word(ModelKey.Across, "requirement.across", ["sum", "rows"], "Whether requirements of risk units add up, or their rows first inside each group."),
        Word(ModelKey.OpenOrders, "requirement.openOrders", ["none", "worstFill", "rowGap", "filled"], "What resting orders add to initial margin."),
        Model(ModelKey.MaximumStep, "requirement.maximumStep", 8, 0, 10 * One, 0, "Procyclicality bound: largest relative change of a price range or volatility shock from one version to the next; 0: none."),
        Word(ModelKey.OptionValue, "equity.optionValue", ["full", "none"], "Whether the value of options counts as equity."),
        Word(ModelKey.CollateralCharge, "equity.collateralCharge", ["after", "before"], "Where the charge of collateral enters: after the factor or before it."),
        Word(ModelKey.OptionMark, "pricing.optionMark", ["model", "mark"], "What a row's loss is measured against: the model's value or the venue's mark where there is one."),
        Word(ModelKey.OptionForward, "pricing.optionForward", ["expiry", "index"], "Options on the expiry's forward, or on the index grown at the rate."),
        new(ModelSection.Model, (byte)ModelKey.MissingSurface, "pricing.missingSurface", 0, 0, 1, 1, ["unpriced", "interpolated"], Text: "An expiry without a surface of its own: unpriced, or between its neighbours."),
        Word(ModelKey.RowProfits, "pricing.rowProfits", ["computed", "published"], "Whether a contract's rows are priced, or taken from its published array where it has one of as many rows."),
        Word(ModelKey.Discounting, "pricing.discounting", ["rate", "none"], "Whether linear options are discounted."),
        Model(ModelKey.ShortTermPower, "volatility.shortTermPower", 8, 0, 10 * One, 0, "Power of 30 days / time up to 30 days."),
        Model(ModelKey.LongTermPower, "volatility.longTermPower", 8, 0, 10 * One, 0, "The same beyond 30 days."),
        Model(ModelKey.TermFloorDays, "volatility.termFloorDays", 8, One / 1000, 365 * One, One, "Shortest time that the scaling sees."),
        Model(ModelKey.LinearSkewScale, "skew.linearScale", 8, -10 * One, 10 * One, 0, "Cap of a linear skew row."),
        Model(ModelKey.LinearSkewSlope, "skew.linearSlope", 8, -10 * One, 10 * One, 0, "Change of that cap for the root of a year."),
        Model(ModelKey.AbsoluteSkewScale, "skew.absoluteScale", 8, -10 * One, 10 * One, 0, "Cap of an absolute skew row."),
        Model(ModelKey.AbsoluteSkewSlope, "skew.absoluteSlope", 8, -10 * One, 10 * One, 0, "Change of that cap for the root of a year."),
        Model(ModelKey.SkewMinimumWidth, "skew.minimumWidth", 8, 1, 10 * One, One / 100, "Least log-moneyness at which the cap is reached."),
        Model(ModelKey.SkewWidthScale, "skew.widthScale", 8, 0, 100 * One, One, "That log-moneyness in deviations."),
        Model(ModelKey.SkewWidthVolatility, "skew.widthVolatility", 8, -100 * One, 100 * One, One, "Volatility of these deviations."),
        Model(ModelKey.SkewWidthVolatilitySlope, "skew.widthVolatilitySlope", 8, -100 * One, 100 * One, 0, "Change of it for the root of a year."),
        Model(ModelKey.LongStatic, "policyDiscount.longStatic", 8, 0, 10 * One, 0, "Factor on an expiry's value where it is positive; 0: no discount."),
        Model(ModelKey.LongRateMultiple, "policyDiscount.longRateMultiple", 8, 0, 100 * One, 0, "Multiple of the rate in that discount."),
        Model(ModelKey.LongRateAdd, "policyDiscount.longRateAdd", 8, 0, 100 * One, 0, "Rate added in that discount."),
        Model(ModelKey.ShortStatic, "policyDiscount.shortStatic", 8, 0, 10 * One, 0, "Factor on an expiry's value where it is negative; 0: none."),
        Model(ModelKey.ShortRateMultiple, "policyDiscount.shortRateMultiple", 8, 0, 100 * One, 0, "Multiple of the rate in it."),
        Model(ModelKey.ShortRateAdd, "policyDiscount.shortRateAdd", 8, 0, 100 * One, 0, "Rate added in it."),
        Model(ModelKey.SurfaceWidth, "surface.width", 8, 1, 100 * One, One, "Log-moneyness of the wings for the root of a year."),
        Model(ModelKey.SurfaceMinimumWidth, "surface.minimumWidth", 8, 1, 10 * One, One / 100, "Least log-moneyness of the wings."),
        Model(ModelKey.SurfaceTermDays, "surface.termDays", 8, One, 3650 * One, 90 * One, "Time to expiry that a twist leaves alone."),
        new(ModelSection.Model, (byte)ModelKey.PegUnderlying, "peg.underlying", 0, 0, ushort.MaxValue, 0, IsUnderlying: true, Text: "Index that tells the price of the money of account in USD."),
        Model(ModelKey.PegThreshold, "peg.threshold", 8, 0, 100 * One, 0, "Price below which the initial factor grows."),
        Model(ModelKey.PegFactor, "peg.factor", 8, 0, 100 * One, 0, "Growth of the initial factor a unit of shortfall."),
        Word(ModelKey.PegDivides, "peg.divides", No, "Whether collateral is worth its price in the pegged money."),
        Model(ModelKey.WarningRatio, "states.warningRatio", 8, 1, 10 * One, One / 10 * 7, "Maintenance margin / equity."),
        Model(ModelKey.MarginCallRatio, "states.marginCallRatio", 8, 1, 10 * One, One / 100 * 85, "Maintenance margin / equity."),
        Model(ModelKey.ReduceOnlyRatio, "states.reduceOnlyRatio", 8, 1, 10 * One, One / 100 * 95, "Maintenance margin / equity."),
        Model(ModelKey.LiquidationRatio, "states.liquidationRatio", 8, 1, 10 * One, One, "Maintenance margin / equity."),
        Model(ModelKey.Hysteresis, "states.hysteresis", 8, 0, One, One / 50, "A state is left when the ratio is this far below its threshold."),
        Model(ModelKey.TargetRatio, "states.targetRatio", 8, 1, 10 * One, One / 10 * 8, "A liquidation closes until the ratio is here."),
        Model(ModelKey.StalePrice, "timing.stalePriceSeconds", 9, 0, LongestNanos, 180_000_000_000, "Age of a price that is flagged; 0: never."),
        Model(ModelKey.StaleVolatility, "timing.staleVolatilitySeconds", 9, 0, LongestNanos, 1_200_000_000_000, "The same for volatilities."),
        Model(ModelKey.Reprice, "timing.repriceSeconds", 9, 0, LongestNanos, 60_000_000_000, "Valuation time may pass this long before options are priced anew."),
        Model(ModelKey.PublishRatioStep, "timing.publishRatioStep", 8, 0, 10 * One, One / 1000, "A margin update is due when the ratio moved this far,"),
        Model(ModelKey.Refresh, "timing.refreshMilliseconds", 6, 0, LongestNanos, 1_000_000_000, "and at the latest after this time."),
        Word(ModelKey.Evaluation, "timing.evaluation", ["everyMove", "crossings"], "Margins are published at every move, or when a state changes and at each refresh."),
        Model(ModelKey.LiquidationRetry, "timing.liquidationRetryMilliseconds", 6, 0, LongestNanos, 2_000_000_000, "An instruction unfilled for this long is followed by a new one."),
        Model(ModelKey.LiquidationFee, "liquidation.fee", 8, 0, One / 4, 0, "Expected fee of closing, part of notional."),
        Model(ModelKey.LiquidationSlippage, "liquidation.slippage", 8, 0, One / 4, 0, "Expected slippage of closing, part of notional."),
        Model(ModelKey.LiquidationImpact, "liquidation.impact", 8, 0, One, 0, "Slippage of a position as large as the depth; grows with the root of its size."),
        Model(ModelKey.LiquidationDepth, "liquidation.depth", 6, 0, 1_000_000_000_000_000_000, 0, "USD of that position; 0: no impact."),
        Model(ModelKey.SpreadToMaintenance, "liquidation.spreadToMaintenance", 8, 0, 10 * One, 0, "Part of its maintenance margin that a leg of a bankrupt account may be closed away from its mark; 0: no price is told."),
        Model(ModelKey.BankruptcyAdjustment, "liquidation.bankruptcyAdjustment", 8, 0, 100 * One, One, "Multiple of 1 - equity / maintenance margin, up to 1, that counts of it."),
        Word(ModelKey.LiquidationCharged, "liquidation.charged", No, "Whether the cost of closing is part of both margins."),

        Row(RowKey.SpotMove, "spot", 8, -4 * One, 100 * One, 0, "Relative move, or a multiple of the scale."),
        RowWord(RowKey.SpotScale, "scale", ["absolute", "priceRange", "scanRange"], "What the move is counted in."),
        RowWord(RowKey.Volatility, "volatility", ["none", "up", "down", "linearSkew", "absoluteSkew", "termScaled", "proportional", "surface"], "What happens to volatility."),
        Row(RowKey.VolatilityMove, "volatilityMove", 8, -10 * One, 10 * One, 0, "Size of a termScaled, proportional or surface move."),
        Row(RowKey.Slope, "slope", 8, -10 * One, 10 * One, 0, "Surface: move at the upper wing, minus at the lower."),
        Row(RowKey.Curvature, "curvature", 8, -10 * One, 10 * One, 0, "Surface: move at both wings."),
        Row(RowKey.Twist, "twist", 8, -10 * One, 10 * One, 0, "Surface: move of the shortest expiries, minus that of the longest."),
        Row(RowKey.Weight, "weight", 8, 0, 10 * One, One, "Factor on the row's profit; up to 16 decimals.") with { Further = (byte)RowKey.WeightFurther },
        Row(RowKey.WeightFurther, "weight, decimals 9 to 16", 16, 0, One - 1, 0, "Added to the weight."),
        RowWord(RowKey.Tail, "tail", No, "A tail row: linear contracts are held at the price range, options are scaled, the result is damped."),
        Row(RowKey.TimeStepYears, "timeStepYears", 8, 0, One, 0, "Time that passes."),
        Row(RowKey.RateMove, "rateMove", 8, -One, One, 0, "Move of the rate."),
        RowWord(RowKey.Role, "role", ["measure", "basisUp", "basisDown", "delta"], "Basis rows serve expiryReprice alone, delta rows the composite delta alone."),

        new(ModelSection.RowUnderlying, (byte)JointKey.SpotMove, "spot", 8, -One + 1, 100 * One, 0, Text: "Relative move of this underlying."),
        new(ModelSection.RowUnderlying, (byte)JointKey.VolatilityMove, "volatility", 8, -One, 10 * One, 0, Text: "Relative move of its volatilities."),

        Underlying(UnderlyingKey.PriceRange, "priceRange", 8, 0, One - 1, 0, "Relative move that priceRange counts in."),
        Underlying(UnderlyingKey.VolatilityUp, "volatilityUp", 8, 0, 10 * One, 0, "Relative move up at 30 days."),
        Underlying(UnderlyingKey.VolatilityDown, "volatilityDown", 8, 0, 10 * One, 0, "Relative move down at 30 days."),
        Underlying(UnderlyingKey.MinimumVolatilityUp, "minimumVolatilityUp", 8, 0, 50 * One, 0, "Least volatility where it moves up."),
        Underlying(UnderlyingKey.TailFactor, "tailFactor", 8, 0, 10 * One, One, "Factor on options in tail rows."),
        Underlying(UnderlyingKey.TailDampener, "tailDampener", 6, 0, 1_000_000_000_000_000_000, 0, "USD by which tail rows are drawn toward zero."),
        Underlying(UnderlyingKey.GainShare, "gainShare", 8, 0, One, One, "Part of a gain that offsets other underlyings' losses."),
        Underlying(UnderlyingKey.GainCap, "gainCap", 6, 0, 1_000_000_000_000_000_000, 0, "Largest such gain in USD; 0: no bound."),
        Underlying(UnderlyingKey.Group, "group", 0, 0, 65_535, 0, "Underlyings of one group net row by row; 0: alone."),
        Underlying(UnderlyingKey.ScanRange, "scanRange", 8, 0, 1_000_000_000_000_000_000, 0, "Money a base unit that scanRange counts in."),
        Underlying(UnderlyingKey.VolatilityScan, "volatilityScan", 8, 0, 10 * One, One, "What proportional moves are multiples of."),

        Currency(CurrencyKey.Haircut, "haircut", 8, 0, One, One, "Part of a positive amount that is no equity."),
        Currency(CurrencyKey.InitialHaircut, "initialHaircut", 8, 0, One, 0, "Part of its value that is charged in initial margin."),
        Currency(CurrencyKey.MaintenanceHaircut, "maintenanceHaircut", 8, 0, One, 0, "Part of its value that is charged in maintenance margin."),
        new(ModelSection.Currency, (byte)CurrencyKey.RowsOf, "rowsOf", 0, 0, ushort.MaxValue, 0, IsUnderlying: true, Text: "Underlying in whose rows the balance moves."),
        new(ModelSection.Currency, (byte)CurrencyKey.RedemptionOf, "redemptionOf", 0, 0, ushort.MaxValue, 0, IsUnderlying: true, Text: "What it is redeemed in; none: USD."),
        Currency(CurrencyKey.RedemptionValue, "redemptionValue", 8, 0, 1_000_000 * One, 0, "Units it is redeemed for; 0: it has no redemption."),
        Currency(CurrencyKey.RedemptionWeight, "redemptionWeight", 8, 0, One, 0, "Weight of the redemption value beside the index."),
        Currency(CurrencyKey.FloorShare, "floorShare", 8, 0, One, 0, "Part of the redemption value below which its price is never taken."),

        new(ModelSection.HaircutTier, (byte)HaircutTierKey.From, "from", 8, 0, 1_000_000_000_000_000_000, 0, Text: "Quantity from which the haircut counts."),
        new(ModelSection.HaircutTier, (byte)HaircutTierKey.Haircut, "haircut", 8, 0, One, 0, Text: "Of the slice from there on."),

        new(ModelSection.AddOnTier, (byte)TierKey.From, "from", 6, 0, 1_000_000_000_000_000_000, 0, Text: "USD from which the tier counts."),
        new(ModelSection.AddOnTier, (byte)TierKey.Initial, "initial", 8, 0, 1_000 * One, 0, Text: "Initial rate, or the multiple."),
        new(ModelSection.AddOnTier, (byte)TierKey.Maintenance, "maintenance", 8, 0, 1_000 * One, 0, Text: "Maintenance rate."),

        new(ModelSection.SpreadLeg, (byte)SpreadKey.DeltaPerSpread, "legs", 8, -1_000_000 * One, 1_000_000 * One, 0, Text: "Base units a spread, signed by side."),
        new(ModelSection.SpreadLeg, (byte)SpreadKey.Rate, "rate", 8, 0, One, 0, Text: "Part of the legs' price risk that is freed."),
    ];

    private static readonly ParameterRule?[] Index = MakeIndex();

    public static IReadOnlyList<ParameterRule> All => Rules;

    /// <summary>Null: there is no such parameter.</summary>
    public static ParameterRule? Find(ModelSection section, int key) =>
        (int)section < 16 && key is >= 0 and < 64 ? Index[((int)section * 64) + key] : null;

    /// <summary>What a document writes with a name of its own: all but the further decimals of another number.</summary>
    public static IEnumerable<ParameterRule> Named(ModelSection section)
    {
        foreach (ParameterRule rule in Rules)
        {
            if (rule.Section == section && !Array.Exists(Rules, other => other.Section == section && other.Further == rule.Key))
            {
                yield return rule;
            }
        }
    }

    private static ParameterRule?[] MakeIndex()
    {
        ParameterRule?[] index = new ParameterRule?[16 * 64];
        foreach (ParameterRule rule in Rules)
        {
            index[((int)rule.Section * 64) + rule.Key] = rule;
        }

        return index;
    }

    private static ParameterRule Model(ModelKey key, string path, int decimals, long minimum, long maximum, long usual, string text) =>
        new(ModelSection.Model, (byte)key, path, decimals, minimum, maximum, usual, Text: text);

    private static ParameterRule Word(ModelKey key, string path, string[] words, string text) =>
        new(ModelSection.Model, (byte)key, path, 0, 0, words.Length - 1, 0, words, Text: text);

    private static ParameterRule Row(RowKey key, string path, int decimals, long minimum, long maximum, long usual, string text) =>
        new(ModelSection.Row, (byte)key, path, decimals, minimum, maximum, usual, Text: text);

    private static ParameterRule RowWord(RowKey key, string path, string[] words, string text) =>
        new(ModelSection.Row, (byte)key, path, 0, 0, words.Length - 1, 0, words, Text: text);

    private static ParameterRule Underlying(UnderlyingKey key, string path, int decimals, long minimum, long maximum, long usual, string text) =>
        new(ModelSection.Underlying, (byte)key, path, decimals, minimum, maximum, usual, Text: text);

    private static ParameterRule Currency(CurrencyKey key, string path, int decimals, long minimum, long maximum, long usual, string text) =>
        new(ModelSection.Currency, (byte)key, path, decimals, minimum, maximum, usual, Text: text);
}
