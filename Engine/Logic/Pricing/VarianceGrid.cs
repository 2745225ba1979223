namespace MarginEngine.Logic;

/// <summary>Why a grid is refused. <see cref="None"/> is the only value that lets it into the book.</summary>
public enum GridFault
{
    None = 0,

    /// <summary>A log-moneyness is not above the one before it.</summary>
    NodesOutOfOrder,

    /// <summary>A node stands above the line between its neighbours: the density has a negative point mass there.</summary>
    Concave,

    /// <summary>The density is negative between two nodes or beyond the last.</summary>
    Butterfly,

    /// <summary>Beyond the last node total variance would grow by 2 or more a unit of log-moneyness: no distribution has such a smile.</summary>
    WingTooSteep,
}

/// <summary>
/// A smile given at nodes: volatility^2, the variance of one year, is linear in k = ln(strike / forward) between them, which is linear in total
/// variance at every time to expiry. A view of the integers as they came; nothing is derived and kept.
/// </summary>
/// <remarks>
/// Beyond the outer nodes the outer segment goes on where it rises outward, and the outer node's level where it falls. A level line behind a
/// rising segment would bend down at the last node, and that is a butterfly: a negative point mass of density. This way the whole
/// line is convex, as far as any strike goes.
/// </remarks>
public readonly ref struct VarianceGrid(ReadOnlySpan<long> logMoneynessE12, ReadOnlySpan<long> volatilityE8)
{
    public const int FewestNodes = 2;
    public const int MostNodes = 64;

    private readonly ReadOnlySpan<long> _logMoneynessE12 = logMoneynessE12;
    private readonly ReadOnlySpan<long> _volatilityE8 = volatilityE8;

    public int Count => _volatilityE8.Length;

    /// <summary>ln(strike / forward) of a node.</summary>
    public double LogMoneyness(int node) => _logMoneynessE12[node] / 1e12;

    /// <summary>Volatility of a node, per square root of a year.</summary>
    public double NodeVolatility(int node) => _volatilityE8[node] / 1e8;

    /// <summary>volatility^2 of a node.</summary>
    public double NodeVariance(int node) => NodeVolatility(node) * NodeVolatility(node);

    /// <summary>volatility^2 at any finite k: total variance of one year.</summary>
    public double YearlyVariance(double k)
    {
        int node = LastNotAbove(k);
        if (node < 0)
        {
            return Line(0, LeftSlope(), k);
        }

        return node == Count - 1 ? Line(node, RightSlope(), k) : Line(node, Slope(node), k);
    }

    /// <summary>Slope of volatility^2 between a node and the next.</summary>
    public double Slope(int node) =>
        (NodeVariance(node + 1) - NodeVariance(node)) / (LogMoneyness(node + 1) - LogMoneyness(node));

    /// <summary>Slope of volatility^2 below the first node, at most 0.</summary>
    public double LeftSlope() => Math.Min(Slope(0), 0.0);

    /// <summary>Slope of volatility^2 above the last node, at least 0.</summary>
    public double RightSlope() => Math.Max(Slope(Count - 2), 0.0);

    /// <summary>Whether the grid may enter the book by itself, with so many years left; it then may with fewer, too.</summary>
    public GridFault Check(double years) => GridArbitrage.Check(this, years);

    private double Line(int node, double slope, double k) => Math.FusedMultiplyAdd(slope, k - LogMoneyness(node), NodeVariance(node));

    // The last node at or below k, -1 below the first.
    private int LastNotAbove(double k)
    {
        int low = -1, high = Count;
        while (high - low > 1)
        {
            int middle = (low + high) / 2;
            if (LogMoneyness(middle) <= k)
            {
                low = middle;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
