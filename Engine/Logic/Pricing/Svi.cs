namespace MarginEngine.Logic;

/// <summary>Why a slice, or a pair of slices, is refused. <see cref="None"/> is the only value that lets it into the book.</summary>
public enum SviFault
{
    None = 0,

    /// <summary>A parameter is NaN or infinite, or so large that the check cannot be computed.</summary>
    NotFinite,

    /// <summary>b is below zero.</summary>
    SlopeNegative,

    /// <summary>rho is not strictly between -1 and 1.</summary>
    CorrelationOutOfRange,

    /// <summary>sigma is not above zero.</summary>
    WidthNotPositive,

    /// <summary>The smallest total variance, a + b sigma sqrt(1 - rho^2), is not above zero.</summary>
    VarianceNotPositive,

    /// <summary>A wing is steeper than 2, b (1 + |rho|) > 2: no distribution has such a smile.</summary>
    WingTooSteep,

    /// <summary>The density that the smile implies is negative somewhere: g(k) &lt; 0.</summary>
    Butterfly,

    /// <summary>The total variance of the later expiry is below that of the earlier one somewhere.</summary>
    Calendar,
}

/// <summary>
/// A raw SVI smile of one expiry: total variance w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)), where k = ln(strike / forward) and
/// w = volatility^2 * years. The checks that admit it are in <see cref="SviArbitrage"/>.
/// </summary>
/// <remarks>Source: Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces", arXiv:1204.0646, section 3.1.</remarks>
public readonly record struct SviSlice(double A, double B, double Rho, double M, double Sigma)
{
    /// <summary>The largest total variance that <see cref="ClampedTotalVariance"/> returns.</summary>
    public const double LargestClampedVariance = 144.0;

    private const double MessageDigits = 1e12;

    /// <summary>The slice as a message carries it, every parameter to twelve decimals: what the book would get.</summary>
    public SviSlice InMessageDigits() => new(
        Math.Round(A * MessageDigits) / MessageDigits, Math.Round(B * MessageDigits) / MessageDigits, Math.Round(Rho * MessageDigits) / MessageDigits,
        Math.Round(M * MessageDigits) / MessageDigits, Math.Round(Sigma * MessageDigits) / MessageDigits);

    /// <summary>w(k), for any finite k.</summary>
    public double TotalVariance(double k)
    {
        double distance = k - M;
        double root = Math.Sqrt(Math.FusedMultiplyAdd(distance, distance, Sigma * Sigma));
        return Math.FusedMultiplyAdd(B, Math.FusedMultiplyAdd(Rho, distance, root), A);
    }

    /// <summary>The smallest w(k) of any k.</summary>
    public double LowestVariance() => Math.FusedMultiplyAdd(B * Sigma, Math.Sqrt(1.0 - (Rho * Rho)), A);

    /// <summary>w(k) as Derive settles it: k held within ±4 sqrt(a + b sigma), the variance at most 144.</summary>
    public double ClampedTotalVariance(double k)
    {
        double limit = 4.0 * Math.Sqrt(Math.FusedMultiplyAdd(B, Sigma, A));
        double held = k > limit ? limit : k < -limit ? -limit : k;
        double variance = TotalVariance(held);
        return variance > LargestClampedVariance ? LargestClampedVariance : variance;
    }

    /// <summary>Whether the slice may enter the book by itself: parameter bounds, positive variance, no butterfly arbitrage.</summary>
    public SviFault Check() => SviArbitrage.CheckSlice(in this);

    /// <summary>Whether <paramref name="later"/> is nowhere below <paramref name="earlier"/>; both have passed <see cref="Check"/>.</summary>
    public static SviFault CheckCalendar(in SviSlice earlier, in SviSlice later) => SviArbitrage.CheckCalendar(in earlier, in later);
}
