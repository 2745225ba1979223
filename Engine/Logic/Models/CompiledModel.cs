using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// One version of a margin model in the form the evaluation runs on: flat arrays, a table of rows for each underlying.
/// Made from the message by <see cref="ModelCompiler"/>; nothing here knows a venue.
/// </summary>
public sealed class CompiledModel
{
    private readonly double[] _spotFactor;
    private readonly double[] _logSpotFactor;
    private readonly double[] _linearFactor;
    private readonly double[] _weight;
    private readonly double[] _dampener;
    private readonly long[] _spotShockE8;

    public CompiledModel(Limits limits)
    {
        int cells = limits.Underlyings * Limits.Rows;
        _spotFactor = new double[cells];
        _logSpotFactor = new double[cells];
        _linearFactor = new double[cells];
        _weight = new double[cells];
        _dampener = new double[cells];
        _spotShockE8 = new long[cells];
        Underlyings = new UnderlyingParameters[limits.Underlyings];
        HaircutE8 = new long[limits.Currencies];
        VolatilityShocks = new VolatilityShock[Limits.Rows];
        Extended = new bool[Limits.Rows];
        Name = new byte[16];
    }

    /// <summary>0: the slot is free.</summary>
    public ushort Id { get; set; }

    public uint Version { get; set; }

    public byte[] Name { get; }

    /// <summary>Digest of the message it was made from, origin left out.</summary>
    public ulong Digest { get; set; }

    /// <summary>Counts compilations, so that risk rows priced under an older version are told apart.</summary>
    public uint Generation { get; set; }

    /// <summary>Rows of the table, without padding.</summary>
    public int RowCount { get; set; }

    /// <summary>Rows with padding: a multiple of 8. Padding rows shock nothing and so never lose.</summary>
    public int PaddedRows => (RowCount + 7) & ~7;

    public long MaintenanceFactorE8 { get; set; }

    public double ShortTermPower { get; set; }

    public double LongTermPower { get; set; }

    public double TermFloorDays { get; set; }

    public double LiquidationRate { get; set; }

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

    public UnderlyingParameters[] Underlyings { get; }

    /// <summary>Haircut of a positive amount by currency, exponent -8; currencies the model does not name count nothing.</summary>
    public long[] HaircutE8 { get; }

    public VolatilityShock[] VolatilityShocks { get; }

    public bool[] Extended { get; }

    /// <summary>1 + spot shock, by row.</summary>
    public Span<double> SpotFactor(int underlying) => Rows(_spotFactor, underlying);

    /// <summary>ln(1 + spot shock), by row.</summary>
    public Span<double> LogSpotFactor(int underlying) => Rows(_logSpotFactor, underlying);

    /// <summary>1 + spot shock of linear contracts, which extended rows hold at the price range.</summary>
    public Span<double> LinearFactor(int underlying) => Rows(_linearFactor, underlying);

    /// <summary>Factor on option profit, by row; 1 in standard rows.</summary>
    public Span<double> Weight(int underlying) => Rows(_weight, underlying);

    /// <summary>USD by which the profit or loss of a row is drawn toward zero; 0 in standard rows.</summary>
    public Span<double> Dampener(int underlying) => Rows(_dampener, underlying);

    /// <summary>Spot shock as it is reported, exponent -8.</summary>
    public Span<long> SpotShockE8(int underlying) => _spotShockE8.AsSpan(underlying * Limits.Rows, Limits.Rows);

    private static Span<double> Rows(double[] table, int underlying) => table.AsSpan(underlying * Limits.Rows, Limits.Rows);
}

/// <summary>What a model says about one underlying. All plain numbers; <see cref="IsNamed"/> false: the model does not cover it.</summary>
public struct UnderlyingParameters
{
    public bool IsNamed;
    public double PriceRange;
    public double VolatilityUp;
    public double VolatilityDown;
    public double MinimumVolatilityUp;
    public double ExtendedFactor;
    public double ExtendedDampenerUsd;
    public double MinimumAnnualisedMove;
    public double AnnualisedMoveRisk;
    public double DeltaThresholdUsd;
    public double MaximumDeltaShock;
    public double DeltaIncrement;
}
