namespace MarginEngine.Logic;

/// <summary>
/// Whether total variance falls between two expiries at some k. Two slices are compared on the whole line; where a grid takes part, from the
/// lowest to the highest k at which a grid names a volatility: beyond, nobody has quoted anything that could be traded against. Between nodes the
/// gap is linear, concave or convex, so the comparison is exact, not a scan. Called at the end of a market event.
/// </summary>
internal static class SmileCalendar
{
    /// <summary>As for slices: total variance may fall by this share of (1 + w); years are added for the digits of a grid's volatilities.</summary>
    private const double Tolerance = 1e-8;

    /// <summary>Whether <paramref name="later"/> is nowhere below <paramref name="earlier"/>; each is sound by itself.</summary>
    internal static bool IsSound(Smile earlier, Smile later)
    {
        if (!earlier.IsGrid && !later.IsGrid)
        {
            return SviSlice.CheckCalendar(earlier.Slice, later.Slice) == SviFault.None;
        }

        return (!earlier.IsGrid || IsAboveAtNodes(earlier.Grid, earlier, later))
            && (!later.IsGrid || IsAboveAtNodes(later.Grid, earlier, later))
            && (later.IsGrid || IsAboveBetweenNodes(earlier, later));
    }

    // Enough where the later one is a grid: between nodes of both the gap is a line, or a line less a convex slice.
    private static bool IsAboveAtNodes(VarianceGrid grid, Smile earlier, Smile later)
    {
        for (int node = 0; node < grid.Count; node++)
        {
            if (!IsAbove(earlier, later, grid.LogMoneyness(node)))
            {
                return false;
            }
        }

        return true;
    }

    // A slice above a grid comes nearest to a segment where its slope is the segment's:
    // b (rho + d / sqrt(d^2 + sigma^2)) = s, with d = k - m, at d = sigma u / sqrt(1 - u^2), u = s / b - rho.
    private static bool IsAboveBetweenNodes(Smile earlier, Smile later)
    {
        SviSlice slice = later.Slice;
        VarianceGrid grid = earlier.Grid;
        for (int node = 0; node < grid.Count - 1; node++)
        {
            double u = (earlier.Years * grid.Slope(node) / slice.B) - slice.Rho;
            if (!(u > -1.0 && u < 1.0))
            {
                continue;
            }

            double nearest = slice.M + (slice.Sigma * u / Math.Sqrt((1.0 - u) * (1.0 + u)));
            if (nearest > grid.LogMoneyness(node) && nearest < grid.LogMoneyness(node + 1) && !IsAbove(earlier, later, nearest))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsAbove(Smile earlier, Smile later, double k)
    {
        double before = earlier.TotalVariance(k);
        return later.TotalVariance(k) >= before - (Tolerance * (1.0 + before + later.Years));
    }
}
