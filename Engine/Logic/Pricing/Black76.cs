using System.Diagnostics.CodeAnalysis;

namespace MarginEngine.Logic;

/// <summary>
/// Undiscounted Black-76 values of European options on a forward, one option or columns of them. Called by the scenario grid, the margin
/// calculation and the tools; never allocates; the bits do not depend on the machine or on <see cref="Kernel.LaneWidth"/>.
/// </summary>
/// <remarks>
/// <para>Units: forward and strike in the same money, years as actual seconds / (365 * 86400), volatility per square root of a year
/// (0.55 is 55 %). Values are in the money of forward and strike.</para>
/// <para>Error: at most 1e-15 * max(forward, strike) for a logarithm of forward / strike within ±7 and volatilities of 5 % to 400 %.
/// Always: call - put is forward - strike to one rounding, each value is at least its intrinsic value, the out-of-the-money side is at
/// most min(forward, strike), and no finite positive input gives NaN.</para>
/// <para>Where volatility * sqrt(years) is not above zero (expired, or no volatility) both values are the intrinsic values exactly. A zero
/// forward or a zero strike, not both, gives intrinsic values too. NaN in, NaN out: range checks belong at the door, not here.</para>
/// </remarks>
public static partial class Black76
{
    /// <summary>Call and put of one option. The bits are those of the column forms.</summary>
    public static (double Call, double Put) Value(double forward, double strike, double years, double volatility)
    {
        var one = Lanes1.Broadcast(forward);
        var other = Lanes1.Broadcast(strike);
        Terms<Lanes1> terms = Solve(one, other, Formulas.Log(one / other), Deviation(Lanes1.Broadcast(years), Lanes1.Broadcast(volatility)));
        return (terms.Call.Value, terms.Put.Value);
    }

    /// <summary>
    /// Columns of independent options; row i is <c>Value(forward[i], strike[i], years[i], volatility[i])</c> to the bit.
    /// </summary>
    /// <exception cref="ArgumentException">Lengths differ or are no multiple of 8.</exception>
    public static void Value(
        ReadOnlySpan<double> forward,
        ReadOnlySpan<double> strike,
        ReadOnlySpan<double> years,
        ReadOnlySpan<double> volatility,
        Span<double> call,
        Span<double> put)
    {
        RequireRows(
            forward.Length,
            forward.Length == strike.Length & forward.Length == years.Length & forward.Length == volatility.Length
            & forward.Length == call.Length & forward.Length == put.Length);
        switch (Kernel.LaneWidth)
        {
            case 8: ValueColumns<Lanes8>(forward, strike, years, volatility, call, put); break;
            case 4: ValueColumns<Lanes4>(forward, strike, years, volatility, call, put); break;
            case 2: ValueColumns<Lanes2>(forward, strike, years, volatility, call, put); break;
            default: ValueColumns<Lanes1>(forward, strike, years, volatility, call, put); break;
        }
    }

    /// <summary>
    /// One (strike, expiry) under many rows of a stress grid: row i has the forward <c>forward * spotFactor[i]</c> and the volatility
    /// <c>sigma[i]</c>. A row of factor 1 has the bits of <see cref="Value(double, double, double, double)"/>.
    /// </summary>
    /// <param name="logSpotFactor">
    /// <c>Functions.Log(spotFactor[i])</c>, computed once for all instruments: the logarithm of a row is ln(forward / strike) plus this,
    /// which adds at most 2^-53 * (|ln(forward/strike)| + |logSpotFactor| + |their sum|) to the error of the logarithm and that times the
    /// forward to the error of a value.
    /// </param>
    /// <exception cref="ArgumentException">Lengths differ or are no multiple of 8.</exception>
    public static void ValueRows(
        double forward,
        double strike,
        double years,
        ReadOnlySpan<double> spotFactor,
        ReadOnlySpan<double> logSpotFactor,
        ReadOnlySpan<double> sigma,
        Span<double> call,
        Span<double> put)
    {
        RequireRows(
            spotFactor.Length,
            spotFactor.Length == logSpotFactor.Length & spotFactor.Length == sigma.Length
            & spotFactor.Length == call.Length & spotFactor.Length == put.Length);
        double logRatio = Functions.Log(forward / strike);
        double rootYears = RootYears(Lanes1.Broadcast(years)).Value;
        switch (Kernel.LaneWidth)
        {
            case 8: ValueRows<Lanes8>(forward, strike, logRatio, rootYears, spotFactor, logSpotFactor, sigma, call, put); break;
            case 4: ValueRows<Lanes4>(forward, strike, logRatio, rootYears, spotFactor, logSpotFactor, sigma, call, put); break;
            case 2: ValueRows<Lanes2>(forward, strike, logRatio, rootYears, spotFactor, logSpotFactor, sigma, call, put); break;
            default: ValueRows<Lanes1>(forward, strike, logRatio, rootYears, spotFactor, logSpotFactor, sigma, call, put); break;
        }
    }

    private static void RequireRows(int rows, bool equalLengths)
    {
        if (!equalLengths | (rows & 7) != 0)
            ThrowRows(rows);
    }

    [DoesNotReturn]
    private static void ThrowRows(int rows) =>
        throw new ArgumentException($"columns of one length, a multiple of 8 rows, are required; the first has {rows} rows");
}
