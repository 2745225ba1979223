using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// One version of a margin model in the form the evaluation runs on: flat arrays, a table of rows for each underlying.
/// Made from <see cref="ModelParameters"/> by <see cref="ModelCompiler"/>; nothing here knows a venue.
/// </summary>
public sealed partial class CompiledModel
{
    private readonly double[] _spotFactor;
    private readonly double[] _logSpotFactor;
    private readonly double[] _linearFactor;
    private readonly double[] _optionWeight;
    private readonly double[] _dampener;
    private readonly double[] _volatilityMove;
    private readonly long[] _spotShockE8;
    private readonly AddOnTerms[] _addOns;
    private readonly Tier[] _tiers;
    private readonly int _underlyings;
    private PolicyDiscount _discount;

    public CompiledModel(Limits limits)
    {
        int cells = limits.Underlyings * Limits.Rows;
        _underlyings = limits.Underlyings;
        _spotFactor = new double[cells];
        _logSpotFactor = new double[cells];
        _linearFactor = new double[cells];
        _optionWeight = new double[cells];
        _dampener = new double[cells];
        _volatilityMove = new double[cells];
        _spotShockE8 = new long[cells];
        _addOns = new AddOnTerms[Limits.AddOns * limits.Underlyings];
        _tiers = new Tier[Limits.AddOns * limits.Underlyings * Limits.Tiers];
        Underlyings = new UnderlyingParameters[limits.Underlyings];
        Bounds = new RowBounds[limits.Underlyings];
        Collaterals = new CollateralParameters[limits.Currencies];
        HaircutTiers = new HaircutTier[limits.Currencies * Limits.HaircutTiers];
        Spreads = new SpreadTerms[Limits.Spreads];
        SpreadLegs = new double[Limits.Spreads * limits.Underlyings];
        VolatilityShocks = new VolatilityShock[Limits.Rows];
        Rows = new RowTerms[Limits.Rows];
        PairOf = new int[Limits.Rows];
        Kinds = new AddOnKind[Limits.AddOns];
        Places = new AddOnPlace[Limits.AddOns];
        Name = new byte[16];
        Parameters = new ModelParameters(limits);
    }

    /// <summary>What it was compiled from.</summary>
    public ModelParameters Parameters { get; }

    /// <summary>Underlyings and currencies that were defined when it was compiled: it says nothing of later ones.</summary>
    public int KnownUnderlyings { get; set; }

    public int KnownCurrencies { get; set; }

    /// <summary>0: the slot is free.</summary>
    public ushort Id { get; set; }

    public uint Version { get; set; }

    /// <summary>Sequence from which this version replaces the one in force; 0: it is in force.</summary>
    public long Activation { get; set; }

    /// <summary>Until then its margins are published beside those in force.</summary>
    public bool IsCompared { get; set; }

    public byte[] Name { get; }

    /// <summary>Digest of the messages it was made from, origins left out.</summary>
    public ulong Digest { get; set; }

    /// <summary>Counts compilations, so that risk rows priced under an older version are told apart.</summary>
    public uint Generation { get; set; }

    /// <summary>Rows of the table, without padding.</summary>
    public int RowCount { get; set; }

    /// <summary>Rows with padding: a multiple of 8. Padding rows shock nothing and so never lose.</summary>
    public int PaddedRows => (RowCount + 7) & ~7;

    public long InitialFactorE8 { get; set; }

    public long MaintenanceFactorE8 { get; set; }

    public RowMeasure Measure { get; set; }

    /// <summary>Rows of the tail that value at risk and expected shortfall look at.</summary>
    public int TailRows { get; set; }

    public bool NetsAcross { get; set; }

    /// <summary>Largest relative change of a price range or volatility shock to the next version; 0: no bound.</summary>
    public double MaximumStep { get; set; }

    public OrderRule Orders { get; set; }

    public bool CountsOptionValue { get; set; }

    public bool ChargesCollateralBefore { get; set; }

    public bool MeasuresFromMark { get; set; }

    public bool PricesFromIndex { get; set; }

    /// <summary>Rows come from the published array of a contract where it has one.</summary>
    public bool TakesArrays { get; set; }

    /// <summary>Rows change with the index, not only with forward and mark.</summary>
    public bool DependsOnIndex { get; set; }

    public bool Discounts { get; set; }

    /// <summary>Expiries without a surface of their own take theirs from the neighbours.</summary>
    public bool InterpolatesSurface { get; set; }

    /// <summary>A row takes the way that has its own factor, time and rate for each option.</summary>
    public bool HasTimedRows { get; set; }

    public bool HasDeltaRows { get; set; }

    /// <summary>Options of one expiry are summed up before something happens to their sum.</summary>
    public bool SumsByExpiry { get; set; }

    public VolatilityTerms Volatility { get; set; }

    public PolicyDiscount Discount
    {
        get => _discount;
        set => _discount = value;
    }

    internal ref readonly PolicyDiscount DiscountRef => ref _discount;

    /// <summary>Index of the underlying that prices the money of account; -1: none.</summary>
    public int PegUnderlying { get; set; }

    public long PegThresholdE8 { get; set; }

    public long PegFactorE8 { get; set; }

    public bool PegDivides { get; set; }

    public double LiquidationRate { get; set; }

    public double LiquidationImpact { get; set; }

    public double LiquidationDepth { get; set; }

    public bool ChargesLiquidation { get; set; }

    /// <summary>0: no price is told with the legs of a liquidation.</summary>
    public double SpreadToMaintenance { get; set; }

    public double BankruptcyAdjustment { get; set; }

    /// <summary>Ratio at which each state is entered, by state; index 0 unused.</summary>
    public long[] ThresholdE8 { get; } = new long[5];

    public long HysteresisE8 { get; set; }

    public long TargetRatioE8 { get; set; }

    public long StalePriceNanos { get; set; }

    public long StaleVolatilityNanos { get; set; }

    public long RepriceNanos { get; set; }

    public long PublishRatioStepE8 { get; set; }

    public long RefreshNanos { get; set; }

    public long LiquidationRetryNanos { get; set; }

    /// <summary>Accounts are published when they change state and at each refresh; see <see cref="EvaluationRule"/>.</summary>
    public bool IsByCrossings { get; set; }

    /// <summary>The age of prices is charged, so that margins move with time alone once a price is stale.</summary>
    public bool ChargesStaleness { get; set; }

    /// <summary>Every part of it has a bound on how fast it moves; else its accounts are computed at every move.</summary>
    public bool IsBounded { get; set; }

    /// <summary>How far rows move what they shock, by underlying.</summary>
    public RowBounds[] Bounds { get; }

    public int AddOnCount { get; set; }

    public int SpreadCount { get; set; }

    public AddOnKind[] Kinds { get; }

    public AddOnPlace[] Places { get; }

    public RowTerms[] Rows { get; }

    /// <summary>Row with the same move of price and another of volatility; itself where there is none.</summary>
    public int[] PairOf { get; }

    public VolatilityShock[] VolatilityShocks { get; }

    public UnderlyingParameters[] Underlyings { get; }

    /// <summary>By currency; currencies the model does not name count nothing.</summary>
    public CollateralParameters[] Collaterals { get; }

    public HaircutTier[] HaircutTiers { get; }

    public SpreadTerms[] Spreads { get; }

    /// <summary>Base units a spread, signed by side; row of a spread, column of an underlying.</summary>
    public double[] SpreadLegs { get; }

    /// <summary>1 + spot shock, by row.</summary>
    public Span<double> SpotFactor(int underlying) => Column(_spotFactor, underlying);

    /// <summary>ln(1 + spot shock), by row.</summary>
    public Span<double> LogSpotFactor(int underlying) => Column(_logSpotFactor, underlying);

    /// <summary>1 + spot shock of linear contracts, which tail rows hold at the price range.</summary>
    public Span<double> LinearFactor(int underlying) => Column(_linearFactor, underlying);

    /// <summary>Factor on option profit, by row; 1 outside tail rows.</summary>
    public Span<double> OptionWeight(int underlying) => Column(_optionWeight, underlying);

    /// <summary>USD by which the profit or loss of a row is drawn toward zero; 0 outside tail rows.</summary>
    public Span<double> Dampener(int underlying) => Column(_dampener, underlying);

    /// <summary>Relative move of volatility of the kinds that have one of their own.</summary>
    public Span<double> VolatilityMove(int underlying) => Column(_volatilityMove, underlying);

    /// <summary>Spot shock of a row as it is reported, exponent -8. A scan range is money: told as the part of the index that it is, 0 while there is none.</summary>
    public long ReportedShockE8(int underlying, int row, long indexE8) =>
        !Rows[row].IsScan ? SpotShockE8(underlying)[row]
        : indexE8 <= 0 ? 0
        : Fixed.ToAtoms(Rows[row].ScanMove * Underlyings[underlying].ScanRange / Fixed.ToDouble(indexE8) * Fixed.One);

    /// <summary>Relative spot shock of rows that are no scan, exponent -8.</summary>
    public Span<long> SpotShockE8(int underlying) => _spotShockE8.AsSpan(underlying * Limits.Rows, Limits.Rows);

    /// <summary>The numbers of an add-on for one underlying.</summary>
    public ref AddOnTerms AddOn(int addOn, int underlying) => ref _addOns[(addOn * _underlyings) + underlying];

    public Span<Tier> Tiers(int addOn, int underlying) =>
        _tiers.AsSpan(((addOn * _underlyings) + underlying) * Limits.Tiers, AddOn(addOn, underlying).TierCount);

    internal Span<Tier> AllTiers(int addOn, int underlying) => _tiers.AsSpan(((addOn * _underlyings) + underlying) * Limits.Tiers, Limits.Tiers);

    public ReadOnlySpan<double> LegsOf(int spread) => SpreadLegs.AsSpan(spread * _underlyings, _underlyings);

    private static Span<double> Column(double[] table, int underlying) => table.AsSpan(underlying * Limits.Rows, Limits.Rows);
}
