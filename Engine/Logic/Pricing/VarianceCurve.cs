namespace MarginEngine.Logic;

/// <summary>
/// From slices to the volatility of one option: total variance at its strike, and straight lines in total variance between expiries.
/// Called by the market's surface; expects slices that have passed their checks.
/// </summary>
public static class VarianceCurve
{
    /// <summary>Volatility per square root of a year at <paramref name="strike"/>, for an expiry that has its own slice; years > 0.</summary>
    public static double Volatility(in SviSlice slice, double strike, double forward, double years) =>
        Volatility(slice.TotalVariance(LogMoneyness(strike, forward)), years);

    /// <summary>Volatility of a total variance; 0 where either is not above zero.</summary>
    public static double Volatility(double totalVariance, double years) =>
        totalVariance > 0.0 & years > 0.0 ? Math.Sqrt(totalVariance / years) : 0.0;

    /// <summary>k = ln(strike / forward).</summary>
    public static double LogMoneyness(double strike, double forward) => Functions.Log(strike / forward);

    /// <summary>
    /// Total variance at <paramref name="years"/> between two expiries at one log-moneyness, linear in time: forward variance is constant
    /// between them. Outside them the volatility of the nearer expiry is kept. The end points are returned exactly.
    /// </summary>
    public static double Interpolate(double yearsBefore, double varianceBefore, double yearsAfter, double varianceAfter, double years)
    {
        if (years <= yearsBefore)
            return years == yearsBefore ? varianceBefore : varianceBefore * (years / yearsBefore);
        if (years >= yearsAfter)
            return years == yearsAfter ? varianceAfter : varianceAfter * (years / yearsAfter);
        double share = (years - yearsBefore) / (yearsAfter - yearsBefore);
        return Math.FusedMultiplyAdd(share, varianceAfter - varianceBefore, varianceBefore);
    }

    /// <summary>
    /// Volatility between two slices at one strike: each at its own log-moneyness of the same <paramref name="forward"/>, then
    /// <see cref="Interpolate"/>.
    /// </summary>
    public static double Volatility(
        in SviSlice before, double yearsBefore, in SviSlice after, double yearsAfter, double strike, double forward, double years)
    {
        double k = LogMoneyness(strike, forward);
        double variance = Interpolate(yearsBefore, before.TotalVariance(k), yearsAfter, after.TotalVariance(k), years);
        return Volatility(variance, years);
    }
}
