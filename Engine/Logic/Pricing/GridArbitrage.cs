namespace MarginEngine.Logic;

/// <summary>
/// Proof that a grid's smile, its straight lines and both wings included, admits no butterfly: call prices are convex in strike everywhere,
/// not only at the nodes. Called where a grid arrives. Exact up to the digits of the message, in closed form, no scan:
/// <code>
///   at a node      the slope of call prices jumps by vega (w'+ - w'-) / K, so the line must not bend down
///   on a line      w = alpha + s k, so k w' = w - alpha, and the density is, up to a positive factor,
///                  4 w^2 g = (2 w - k w')^2 - w'^2 (w + w^2/4) = (1 - s^2/4) w^2 + (2 alpha - s^2) w + alpha^2,
///                  a parabola in w whose least value on the line is at an end or at its vertex
///   on a wing      the same to infinity, where s^2 below 4 is asked
/// </code>
/// With w = years v and s, alpha in years too, the parabola rises as years fall (dividing by years^2, only - years s^2 v and
/// - years^2 s^2 v^2/4 remain of it), and bends do not depend on years: a grid that was admitted stays so as time passes.
/// </summary>
/// <remarks>Source of g: Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces", arXiv:1204.0646, section 2.2.</remarks>
internal static class GridArbitrage
{
    /// <summary>g above minus this counts as non-negative, as for slices.</summary>
    private const double DensityTolerance = 1e-9;

    /// <summary>Half a unit of the message's last digit moves volatility^2 by this times the volatility; a thousandth more is for the arithmetic.</summary>
    private const double VarianceRounding = 1.001e-8;

    private const double SteepestWing = 2.0;

    internal static GridFault Check(VarianceGrid grid, double years)
    {
        for (int node = 1; node < grid.Count; node++)
        {
            if (!(grid.LogMoneyness(node) > grid.LogMoneyness(node - 1)))
            {
                return GridFault.NodesOutOfOrder;
            }
        }

        for (int node = 1; node < grid.Count - 1; node++)
        {
            if (grid.Slope(node) - grid.Slope(node - 1) < -SlopeRounding(grid, node) - SlopeRounding(grid, node - 1))
            {
                return GridFault.Concave;
            }
        }

        for (int node = 0; node < grid.Count - 1; node++)
        {
            if (!IsDense(grid, node, grid.Slope(node), grid.NodeVariance(node + 1), years))
            {
                return GridFault.Butterfly;
            }
        }

        return CheckWing(grid, 0, grid.LeftSlope(), years) is var left and not GridFault.None
            ? left
            : CheckWing(grid, grid.Count - 1, grid.RightSlope(), years);
    }

    private static GridFault CheckWing(VarianceGrid grid, int node, double slope, double years)
    {
        if (Math.Abs(slope) * years >= SteepestWing)
        {
            return GridFault.WingTooSteep;
        }

        return IsDense(grid, node, slope, double.PositiveInfinity, years) ? GridFault.None : GridFault.Butterfly;
    }

    /// <summary>How far rounding the volatilities of two neighbours to the message's digits can have turned the line between them.</summary>
    private static double SlopeRounding(VarianceGrid grid, int node) =>
        VarianceRounding * (grid.NodeVolatility(node) + grid.NodeVolatility(node + 1)) / (grid.LogMoneyness(node + 1) - grid.LogMoneyness(node));

    // The parabola over years^2, from the variance at the node to the variance at the other end. An infinite end is on a wing, where the
    // parabola opens upward.
    private static bool IsDense(VarianceGrid grid, int node, double slope, double other, double years)
    {
        double start = grid.NodeVariance(node);
        double level = start - (slope * grid.LogMoneyness(node));
        double steepness = years * slope * slope;
        double square = 1.0 + (4.0 * DensityTolerance) - (0.25 * years * steepness);
        double linear = (2.0 * level) - steepness;
        double constant = level * level;
        bool endsAreFine = ((square * start) + linear) * start + constant >= 0.0
            && (double.IsInfinity(other) || ((square * other) + linear) * other + constant >= 0.0);
        if (!endsAreFine || square <= 0.0)
        {
            return endsAreFine;
        }

        double vertex = -0.5 * linear / square;
        bool isInside = vertex > Math.Min(start, other) && vertex < Math.Max(start, other);
        return !isInside || slope == 0.0 || linear * linear <= 4.0 * square * constant;
    }
}
