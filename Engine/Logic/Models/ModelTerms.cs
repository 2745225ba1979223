using System.Runtime.CompilerServices;

namespace MarginEngine.Logic;

// The parts of a compiled model: plain numbers, in the units the formulas take.

/// <summary>What a model says about one underlying; <see cref="IsNamed"/> false: the model does not cover it.</summary>
public struct UnderlyingParameters
{
    public bool IsNamed;
    public double PriceRange;
    public double VolatilityUp;
    public double VolatilityDown;
    public double MinimumVolatilityUp;
    public long GainShareE8;

    /// <summary>Micro-USD; 0: no bound.</summary>
    public long GainCap;
    public int Group;
    public double ScanRange;
    public double VolatilityScan;
}

/// <summary>What a balance of one currency counts.</summary>
public struct CollateralParameters
{
    public long HaircutE8;
    public long InitialHaircutE8;
    public long MaintenanceHaircutE8;
    public int TierCount;

    /// <summary>Underlying in whose rows the balance moves; -1: none.</summary>
    public int RowsOf;

    /// <summary>Underlying in whose units the redemption value is told; -1: USD.</summary>
    public int RedemptionOf;

    /// <summary>Exponent -8; 0: it has no redemption.</summary>
    public long RedemptionValueE8;
    public long RedemptionWeightE8;
    public long FloorShareE8;
}

/// <summary>From a quantity in atoms on, the slice has this haircut.</summary>
public struct HaircutTier
{
    public long FromAtoms;
    public long HaircutE8;
}

/// <summary>A row, as far as it is the same for every underlying.</summary>
public struct RowTerms
{
    public double Weight;
    public bool IsTail;
    public RowRole Role;

    /// <summary>The row's spot move counts in scan ranges, so that its factor depends on the index.</summary>
    public bool IsScan;
    public double ScanMove;
    public double TimeStep;
    public double RateMove;
    public double Slope;
    public double Curvature;
    public double Twist;

    /// <summary>The row leaves the price alone.</summary>
    public bool IsStill;

    public readonly bool IsMeasured => Role == RowRole.Measure;
}

/// <summary>How volatility shocks scale with time and strike.</summary>
public record struct VolatilityTerms(
    double ShortTermPower, double LongTermPower, double TermFloorDays,
    double LinearScale, double LinearSlope, double AbsoluteScale, double AbsoluteSlope,
    double MinimumWidth, double WidthScale, double WidthVolatility, double WidthVolatilitySlope,
    double SurfaceWidth, double SurfaceMinimumWidth, double SurfaceTermYears);

/// <summary>Discount on the value of an expiry; a static factor of 0 leaves that side alone.</summary>
public record struct PolicyDiscount(
    double LongStatic, double LongRateMultiple, double LongRateAdd, double ShortStatic, double ShortRateMultiple, double ShortRateAdd)
{
    public readonly bool IsOn => LongStatic > 0.0 || ShortStatic > 0.0;
}

[InlineArray(AddOnTable.Slots)]
public struct AddOnNumbers
{
    private double _first;
}

/// <summary>The numbers of one add-on for one underlying, in the order of <see cref="AddOnTable"/>.</summary>
public struct AddOnTerms
{
    public AddOnNumbers Numbers;
    public int TierCount;

    public readonly double this[int slot] => Numbers[slot];
}

/// <summary>From an amount of USD on: rates, or in <see cref="Initial"/> a multiple.</summary>
public struct Tier
{
    public double From;
    public double Initial;
    public double Maintenance;
}

/// <summary>Part of the legs' price risk that a spread frees.</summary>
public struct SpreadTerms
{
    public double Rate;
}
