namespace MarginEngine.Logic;

/// <summary>
/// How fast the value and the maintenance margin of a risk unit can move: sums of <see cref="LotModuli"/> times |lots|, in atoms of its currency and base
/// units, and the narrowest caps of its contracts.
/// </summary>
public struct UnitModuli
{
    public bool IsBounded;
    public int Legs;
    public double ValuePrice;
    public double ValueDeviation;
    public double ValueTime;
    public double RowPrice;
    public double MarginPrice;
    public double MarginDeviation;
    public double MarginTime;
    public double BasePrice;
    public double BaseDeviation;
    public double BaseTime;
    public double DeltaPrice;
    public double DeltaDeviation;
    public double DeltaTime;

    /// <summary>What a coin's own price multiplies: the largest row times the factor, and the margin. Atoms; 0 in USD.</summary>
    public double LargestRow;
    public double Amount;

    /// <summary>Relative price move, path of ln(deviation) and years that the sums hold for.</summary>
    public double PriceCap;
    public double DeviationCap;
    public double TimeCap;

    /// <summary>Atoms a second that charges for stale prices grow by; <see cref="HasStale"/>: within <see cref="LotModuli.StaleSeconds"/> of now.</summary>
    public double StaleSpeed;
    public bool HasStale;

    /// <summary>When the oldest price of its legs came that is not stale yet; <see cref="long.MaxValue"/>: it has none.</summary>
    public long OldestPrice;

    public static UnitModuli None => new()
    {
        IsBounded = true,
        PriceCap = LotModuli.LargestMove,
        DeviationCap = double.PositiveInfinity,
        TimeCap = double.PositiveInfinity,
        OldestPrice = long.MaxValue,
    };

    /// <param name="lot">Of one lot.</param>
    /// <param name="lots">Lots, of either sign.</param>
    /// <param name="isEquity">Its value is part of equity.</param>
    public void Add(in LotModuli lot, double lots, bool isEquity)
    {
        IsBounded &= lot.IsBounded;
        Legs++;
        double size = Math.Abs(lots);
        if (isEquity)
        {
            ValuePrice += size * lot.ValuePrice;
            ValueDeviation += size * lot.ValueDeviation;
            ValueTime += size * lot.ValueTime;
        }

        RowPrice += size * lot.RowPrice;
        MarginPrice += size * lot.MarginPrice;
        MarginDeviation += size * lot.MarginDeviation;
        MarginTime += size * lot.MarginTime;
        BasePrice += size * lot.BasePrice;
        BaseDeviation += size * lot.BaseDeviation;
        BaseTime += size * lot.BaseTime;
        DeltaPrice += size * lot.DeltaPrice;
        DeltaDeviation += size * lot.DeltaDeviation;
        DeltaTime += size * lot.DeltaTime;
        PriceCap = Math.Min(PriceCap, lot.PriceCap);
        if (lot.HasDeviation)
        {
            DeviationCap = LotModuli.LargestPath;
            TimeCap = Math.Min(TimeCap, LotModuli.TimePart * lot.Years);
        }
    }
}
