namespace MarginEngine.Logic;

// What the parameters of a margin model are called inside the engine. The numbers stand in journalled messages: they are never used again for
// something else, and a new parameter takes a new number. Paths, decimals, bounds and defaults stand in ParameterTable.

/// <summary>Keys of <see cref="Codecs.ModelSection.Model"/>.</summary>
public enum ModelKey : byte
{
    InitialFactor = 1,
    MaintenanceFactor = 2,
    Measure = 3,
    Confidence = 4,
    Across = 5,
    OptionValue = 6,
    OptionMark = 7,
    OptionForward = 8,
    Discounting = 9,
    OpenOrders = 10,
    ShortTermPower = 11,
    LongTermPower = 12,
    TermFloorDays = 13,
    LinearSkewScale = 14,
    LinearSkewSlope = 15,
    AbsoluteSkewScale = 16,
    AbsoluteSkewSlope = 17,
    SkewMinimumWidth = 18,
    SkewWidthScale = 19,
    SkewWidthVolatility = 20,
    SkewWidthVolatilitySlope = 21,
    LongStatic = 22,
    LongRateMultiple = 23,
    LongRateAdd = 24,
    ShortStatic = 25,
    ShortRateMultiple = 26,
    ShortRateAdd = 27,
    SurfaceWidth = 28,
    SurfaceMinimumWidth = 29,
    SurfaceTermDays = 30,
    PegThreshold = 31,
    PegFactor = 32,
    PegUnderlying = 33,
    PegDivides = 34,
    CollateralCharge = 35,
    WarningRatio = 36,
    MarginCallRatio = 37,
    ReduceOnlyRatio = 38,
    LiquidationRatio = 39,
    Hysteresis = 40,
    TargetRatio = 41,
    StalePrice = 42,
    StaleVolatility = 43,
    Reprice = 44,
    PublishRatioStep = 45,
    Refresh = 46,
    LiquidationRetry = 47,
    MaximumStep = 48,
    LiquidationFee = 49,
    LiquidationSlippage = 50,
    LiquidationCharged = 51,
    LiquidationImpact = 52,
    LiquidationDepth = 53,
    MissingSurface = 54,
    BankruptcyAdjustment = 55,
    SpreadToMaintenance = 56,
    RowProfits = 57,
    Evaluation = 58,
}

/// <summary>Keys of <see cref="Codecs.ModelSection.Row"/>.</summary>
public enum RowKey : byte
{
    SpotMove = 1,
    SpotScale = 2,
    Volatility = 3,
    VolatilityMove = 4,
    Slope = 5,
    Curvature = 6,
    Twist = 7,
    Weight = 8,
    Tail = 9,
    TimeStepYears = 10,
    RateMove = 11,
    Role = 12,

    /// <summary>Eight more decimals of <see cref="Weight"/>.</summary>
    WeightFurther = 13,
}

/// <summary>Keys of <see cref="Codecs.ModelSection.RowUnderlying"/>: moves of one underlying in a joint or historical row.</summary>
public enum JointKey : byte
{
    SpotMove = 1,
    VolatilityMove = 2,
}

/// <summary>Keys of <see cref="Codecs.ModelSection.Underlying"/>.</summary>
public enum UnderlyingKey : byte
{
    PriceRange = 1,
    VolatilityUp = 2,
    VolatilityDown = 3,
    MinimumVolatilityUp = 4,
    TailFactor = 5,
    TailDampener = 6,
    GainShare = 7,
    GainCap = 8,
    Group = 9,
    ScanRange = 10,
    VolatilityScan = 11,
}

/// <summary>Keys of <see cref="Codecs.ModelSection.Currency"/>.</summary>
public enum CurrencyKey : byte
{
    Haircut = 1,
    InitialHaircut = 2,
    MaintenanceHaircut = 3,
    RowsOf = 4,
    RedemptionOf = 5,
    RedemptionValue = 6,
    RedemptionWeight = 7,
    FloorShare = 8,
}

/// <summary>Keys of <see cref="Codecs.ModelSection.HaircutTier"/>.</summary>
public enum HaircutTierKey : byte
{
    From = 1,
    Haircut = 2,
}

/// <summary>Keys of <see cref="Codecs.ModelSection.AddOn"/>; a kind's own numbers stand in slots from <see cref="FirstSlot"/> on.</summary>
public enum AddOnKey : byte
{
    Kind = 1,
    Place = 2,
    FirstSlot = 10,
}

/// <summary>Keys of <see cref="Codecs.ModelSection.AddOnTier"/>.</summary>
public enum TierKey : byte
{
    From = 1,
    Initial = 2,
    Maintenance = 3,
}

/// <summary>Keys of <see cref="Codecs.ModelSection.SpreadLeg"/>.</summary>
public enum SpreadKey : byte
{
    /// <summary>Base units of the underlying in one spread; legs of opposite sign offset each other.</summary>
    DeltaPerSpread = 1,

    /// <summary>Part of the legs' price risk that a spread frees; second index 0.</summary>
    Rate = 2,
}

/// <summary>How rows become one number.</summary>
public enum RowMeasure
{
    Worst = 0,
    ValueAtRisk = 1,
    ExpectedShortfall = 2,
}

/// <summary>At which moves of the market the margin of an account is published.</summary>
public enum EvaluationRule
{
    /// <summary>At every move of what it holds, where its ratio moved by the publication step.</summary>
    EveryMove = 0,

    /// <summary>When its state changes, its owner acts, or its turn to be refreshed comes. Which accounts have to be computed to find the changes is left to the machine.</summary>
    Crossings = 1,
}

/// <summary>How risk units of one account are put together.</summary>
public enum AcrossUnits
{
    /// <summary>Requirements add up.</summary>
    Sum = 0,

    /// <summary>Inside a group of underlyings the rows add up first: losses in full, gains by their share.</summary>
    Rows = 1,
}

/// <summary>What resting orders add to initial margin.</summary>
public enum OrderRule
{
    None = 0,

    /// <summary>In each row all buys or all sells of a contract are filled where that hurts, plus the gap between order price and mark.</summary>
    WorstFill = 1,

    /// <summary>In each row every order loses the gap between its price and the contract's price in the row.</summary>
    RowGap = 2,

    /// <summary>The whole requirement once more with every buy filled and once with every sell filled; the largest counts. For models without rows.</summary>
    Filled = 3,
}

/// <summary>What a row is for.</summary>
public enum RowRole
{
    Measure = 0,
    BasisUp = 1,
    BasisDown = 2,
    Delta = 3,
}

/// <summary>Where an add-on enters: requirement = factor * max(max(measure, alternatives) + before, floors) + after.</summary>
public enum AddOnPlace
{
    Alternative = 0,
    Before = 1,
    Floor = 2,
    After = 3,
}

/// <summary>Formulas that an add-on can have; <see cref="AddOnTable"/> names their numbers.</summary>
public enum AddOnKind
{
    None = 0,
    PercentOf = 1,
    TieredRate = 2,
    TieredMultiple = 3,
    ExpiryMove = 4,
    ExpiryReprice = 5,
    DeltaLiquidity = 6,
    HedgedDelta = 7,
    CalendarSpread = 8,
    Confidence = 9,
    Depeg = 10,
    IsolatedOption = 11,
    Funding = 12,
    Fees = 13,
    ShortVega = 14,
    SettlementDelay = 15,
    Staleness = 16,
    OpenInterest = 17,
}

/// <summary>What a rate is applied to.</summary>
public enum AddOnMeasure
{
    /// <summary>Size times mark, in the unit's currency.</summary>
    Notional = 0,

    /// <summary>Base units times index.</summary>
    AtIndex = 1,

    /// <summary>Number of lots; the rate is USD a lot.</summary>
    Lots = 2,

    /// <summary>Short options without a long of the other right at the same strike, times index.</summary>
    NakedShort = 3,

    /// <summary>Size of the unit's net delta, times index.</summary>
    NetDelta = 4,
}

/// <summary>Which positions count.</summary>
[Flags]
public enum Contracts
{
    None = 0,
    Perpetual = 1,
    Future = 2,
    LongOption = 4,
    ShortOption = 8,
    Collateral = 16,
    All = Perpetual | Future | LongOption | ShortOption,
}
