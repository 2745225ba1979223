using MarginEngine.Logic;

namespace MarginEngine.Tests.LogicTests;

/// <summary>
/// Random surfaces that are free of static arbitrage by a theorem, not by a check of ours: w(theta, k) = theta/2 (1 + rho phi k +
/// sqrt((phi k + rho)^2 + 1 - rho^2)) with phi = eta / (theta^gamma (1 + theta)^(1 - gamma)), 0 &lt; gamma &lt;= 1/2, eta (1 + |rho|) &lt;= 2, theta rising.
/// </summary>
/// <remarks>Source: Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces", arXiv:1204.0646, theorem 4.2 and section 4.3.</remarks>
internal sealed class Ssvi(PricingRandom random)
{
    private readonly double _rho = random.Between(-0.95, 0.95);
    private readonly double _gamma = random.Between(0.05, 0.5);
    private readonly double _part = random.Between(0.0, 1.0) < 0.2 ? 1.0 : random.Between(0.02, 1.0);

    public SviSlice Slice(double theta)
    {
        double eta = _part * 2.0 / (1.0 + Math.Abs(_rho));
        double phi = eta / (Math.Pow(theta, _gamma) * Math.Pow(1.0 + theta, 1.0 - _gamma));
        double root = Math.Sqrt(1.0 - (_rho * _rho));
        return new SviSlice(0.5 * theta * root * root, 0.5 * theta * phi, _rho, -_rho / phi, root / phi);
    }

    public override string ToString() => $"rho {_rho:R} gamma {_gamma:R} eta {_part:R} of the bound";
}

/// <summary>A grid in the digits of its message.</summary>
internal sealed record GridNodes(long[] LogMoneynessE12, long[] VolatilityE8)
{
    public VarianceGrid View => new(LogMoneynessE12, VolatilityE8);

    public static GridNodes Of(params (double K, double Volatility)[] nodes) => new(
        [.. nodes.Select(node => (long)Math.Round(node.K * 1e12))], [.. nodes.Select(node => (long)Math.Round(node.Volatility * 1e8))]);

    /// <summary>A slice sampled at the given k.</summary>
    public static GridNodes Of(SviSlice slice, double years, IEnumerable<double> at) =>
        Of([.. at.Select(k => (k, Math.Sqrt(slice.TotalVariance(k) / years)))]);

    public override string ToString() => string.Join(' ', LogMoneynessE12.Zip(VolatilityE8, (k, v) => $"({k / 1e12:R}, {v / 1e8:R})"));
}
