using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>A contract and what is known of its price. Quantities of it are whole lots.</summary>
public struct Instrument
{
    public uint Id;
    public int Underlying;
    public int Currency;

    /// <summary>Index of its expiry; -1 for spot and perpetuals.</summary>
    public int Expiry;

    public InstrumentKind Kind;
    public Codecs.Settlement Settlement;
    public OptionRight Right;

    /// <summary>Base units a lot; for inverse futures and perpetuals quote units a lot. Exponent -8.</summary>
    public long SizeE8;

    public long StrikeE8;

    /// <summary>Mark of a spot, perpetual or future contract in the quote currency, exponent -8; 0: none yet.</summary>
    public long MarkE8;
    public long MarkTime;

    /// <summary>Mark volatility of an option of its own, exponent -8; 0: the surface of its expiry counts.</summary>
    public long VolatilityE8;

    /// <summary>Further digits of it, units of 10^-16.</summary>
    public uint VolatilityFurther;
    public long VolatilityTime;

    /// <summary>How far mark and volatility can be trusted; <see cref="Fixed.One"/>: wholly.</summary>
    public long MarkConfidenceE8;
    public long VolatilityConfidenceE8;

    /// <summary>Part of notional that longs of a perpetual pay at the end of the running period, exponent -8; negative: shorts pay.</summary>
    public long FundingRateE8;

    /// <summary>Lots held long over the whole market; 0: not told.</summary>
    public long OpenInterest;

    /// <summary>Rows of its published array in <see cref="MarkArrays"/>; 0: it has none. Exponent of the profits; base units a lot, exponent -8.</summary>
    public int ArrayRows;
    public int ArrayExponent;
    public long ArrayDeltaE8;

    /// <summary>Which (expiry, strike) pair of an option this is, shared by its call and put.</summary>
    public int Strike;

    /// <summary>Counts every change that can change its risk row; the rows remember the version they were priced at.</summary>
    public uint Version;

    /// <summary>First position in it, -1: none.</summary>
    public int FirstHolder;

    /// <summary>Next instrument of the same expiry, -1: last.</summary>
    public int NextOfExpiry;

    public bool IsDirty;
    public bool IsSettled;

    public readonly double Volatility => Fixed.ToDouble(VolatilityE8, VolatilityFurther);

    public readonly bool IsOption => Kind == InstrumentKind.Option;

    public readonly bool IsInverse => Settlement == Codecs.Settlement.Inverse;
}

/// <summary>What an index prices. Its coin is the currency that inverse contracts settle in.</summary>
public struct Underlying
{
    public ushort Id;
    public int Currency;
    public long IndexE8;
    public long IndexTime;
    public long ConfidenceE8;

    /// <summary>Further digits of index and confidence, units of 10^-16.</summary>
    public uint IndexFurther;
    public uint ConfidenceFurther;

    /// <summary>Terms of settlement were given: fees as part of notional, cap as part of what an option pays, exponent -8.</summary>
    public bool HasSettlementFees;
    public long ExerciseFeeE8;
    public long AssignmentFeeE8;
    public long SettlementFeeCapE8;

    /// <summary>The latest expiry that is not settled, -1: none.</summary>
    public int LastExpiry;

    /// <summary>0: none has arrived.</summary>
    public readonly double Index => Fixed.ToDouble(IndexE8, IndexFurther);

    public readonly FinePrice Price => new(IndexE8, IndexFurther);

    public readonly double Confidence => Fixed.ToDouble(ConfidenceE8, ConfidenceFurther);
}

/// <summary>One expiry of one underlying: forward and surface, which is a slice or a grid.</summary>
public struct Expiry
{
    public int Underlying;
    public long TimeNanos;
    public long ForwardE8;
    public long ForwardTime;

    /// <summary>What the settlement average has fixed of the forward already; scenarios move the rest.</summary>
    public long FixedPartE8;
    public bool HasRate;

    /// <summary>Annual rate of this expiry alone, exponent -8.</summary>
    public long RateE8;

    /// <summary>How far forward, surface and rate can be trusted; <see cref="Fixed.One"/>: wholly.</summary>
    public long ForwardConfidenceE8;
    public long SliceConfidenceE8;
    public long RateConfidenceE8;
    public bool HasSlice;
    public bool IsSettled;

    /// <summary>Slot of its grid in <see cref="VolatilityGrids"/>, -1: none. There is never both a slice and a grid.</summary>
    public int Grid;

    /// <summary>When the slice or grid arrived.</summary>
    public long SurfaceTime;

    /// <summary>SVI parameters with exponent -12, as they came.</summary>
    public long SliceA;
    public long SliceB;
    public long SliceRho;
    public long SliceM;
    public long SliceSigma;

    /// <summary>First instrument of it, -1: none.</summary>
    public int FirstInstrument;

    /// <summary>Neighbours in time among the expiries of its underlying that are not settled, -1: none.</summary>
    public int Earlier;
    public int Later;

    public readonly bool HasSurface => HasSlice | Grid >= 0;

    public readonly SviSlice Slice => new(
        SliceA / 1e12, SliceB / 1e12, SliceRho / 1e12, SliceM / 1e12, SliceSigma / 1e12);
}

/// <summary>A currency that is collateral or settles contracts.</summary>
public struct Currency
{
    public ushort Id;
    public int Decimals;

    /// <summary>The underlying whose index is its price in USD; -1: none is known. Unused for USD.</summary>
    public int Underlying;

    /// <summary>Annual rate that discounts linear options settled in it, exponent -8.</summary>
    public long RateE8;
    public long RateTime;

    public readonly bool IsMoney => Id == Limits.MoneyCurrency;
}

/// <summary>What the call and the put at one strike of one expiry share.</summary>
public readonly record struct OptionStrike(int Expiry, long StrikeE8);
