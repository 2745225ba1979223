namespace MarginEngine.Logic;

/// <summary>
/// How fast what one lot stands for can move, under one model: bounds, not derivatives, that hold as long as prices stay within
/// <see cref="LargestMove"/>, deviation (volatility * sqrt(years)) within <see cref="DeviationPart"/> of itself and time within <see cref="TimePart"/> of what is left.
/// Each pair or triple is per unit of relative price move, per unit of ln(deviation), per year. Value and Margin in atoms of the settlement currency,
/// Base in base units at the index, Delta in base units.
/// </summary>
public struct LotModuli
{
    /// <summary>Relative price move that the bounds hold for.</summary>
    public const double LargestMove = 0.01;

    /// <summary>Part of its deviation that an option's deviation may change by.</summary>
    public const double DeviationPart = 0.04;

    /// <summary>The same as the path of its logarithm.</summary>
    public const double LargestPath = 0.039;

    /// <summary>Part of its deviation that it may change by along the smile.</summary>
    public const double SmilePart = 0.05;

    /// <summary>Seconds that the charge for a stale price is followed for, before its holders are looked at again.</summary>
    public const double StaleSeconds = 120.0;

    /// <summary>Part of the time to expiry that may pass.</summary>
    public const double TimePart = 0.04;

    /// <summary>False: nothing bounds it, its holders are computed at every move.</summary>
    public bool IsBounded;

    public double ValuePrice;
    public double ValueDeviation;
    public double ValueTime;

    /// <summary>Of the rows, times the factor of the maintenance margin.</summary>
    public double RowPrice;

    /// <summary>Of the rest of the maintenance margin, add-ons on notional and mark; deviation and time: of both.</summary>
    public double MarginPrice;
    public double MarginDeviation;
    public double MarginTime;

    /// <summary>Of add-ons on delta and on size at the index.</summary>
    public double BasePrice;
    public double BaseDeviation;
    public double BaseTime;

    public double DeltaPrice;
    public double DeltaDeviation;
    public double DeltaTime;

    /// <summary>It is an option; the largest move at which the smile leaves its deviation within <see cref="SmilePart"/>; years left, infinite where nothing expires.</summary>
    public bool HasDeviation;
    public double PriceCap;
    public double Years;
}
