// A smile at the nodes that the market's stand-in tells it at.

using MarginEngine.Logic;

namespace MarginEngine.Tool.Market;

/// <summary>
/// Volatilities of one expiry at fixed k = ln(strike / forward): the same for all expiries, so that straight lines between nodes lie in the order that the nodes do
/// and no calendar arbitrage comes in by them; total variance of a raw slice is convex in k, so that none bends down.
/// </summary>
public sealed record VolatilityNodes(IReadOnlyList<long> LogMoneynessE12, IReadOnlyList<long> VolatilityE8)
{
    private static readonly double[] Sides = [0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.75, 1.0, 1.4];

    private static readonly long[] At = [.. Sides.Reverse().Select(k => -E12(k)), 0, .. Sides.Select(E12)];

    public static VolatilityNodes Of(in SviSlice slice, double years)
    {
        var volatilities = new long[At.Length];
        for (int node = 0; node < At.Length; node++)
            volatilities[node] = (long)Math.Round(Math.Sqrt(slice.TotalVariance(At[node] / 1e12) / years) * 1e8);
        return new VolatilityNodes(At, volatilities);
    }

    /// <summary>As the engine reads it between the nodes.</summary>
    public double Volatility(double strike, double forward, double years) =>
        new Logic.Smile(new VarianceGrid([.. LogMoneynessE12], [.. VolatilityE8]), years).Volatility(VarianceCurve.LogMoneyness(strike, forward));

    private static long E12(double k) => (long)Math.Round(k * 1e12);
}
