namespace MarginEngine.Logic;

/// <summary>
/// Proofs that raw SVI slices admit no static arbitrage. Called where a slice arrives; a slice that cannot be shown free of it is refused.
/// No scan: the butterfly condition is a polynomial whose sign is decided by Bernstein coefficients, the calendar condition is decided
/// between tangents and chords of two convex functions.
/// </summary>
internal static class SviArbitrage
{
    /// <summary>g(k) above minus this counts as non-negative: far below any price, far above rounding.</summary>
    private const double DensityTolerance = 1e-9;

    /// <summary>Total variance may fall by this share of (1 + w) between expiries: about 1e-6 of volatility at a month.</summary>
    private const double VarianceTolerance = 1e-8;

    private const int Degree = 10;
    private const int LargestDepth = 64;
    
    /// <summary>Subdivisions before a slice counts as not shown to be free of arbitrage: bounds the time, a few milliseconds at the very worst.</summary>
    private const int LargestWork = 4_000;

    internal static SviFault CheckSlice(in SviSlice slice)
    {
        (double a, double b, double rho, double m, double sigma) = slice;
        if (!(double.IsFinite(a) && double.IsFinite(b) && double.IsFinite(rho) && double.IsFinite(m) && double.IsFinite(sigma)))
            return SviFault.NotFinite;
        if (b < 0.0)
            return SviFault.SlopeNegative;
        if (!(rho > -1.0 && rho < 1.0))
            return SviFault.CorrelationOutOfRange;
        if (!(sigma > 0.0))
            return SviFault.WidthNotPositive;
        if (!(a + b * sigma * Math.Sqrt((1.0 - rho) * (1.0 + rho)) > 0.0))
            return SviFault.VarianceNotPositive;
        if (b * (1.0 + Math.Abs(rho)) > 2.0)
            return SviFault.WingTooSteep;

        Span<double> bernstein = stackalloc double[Degree + 1];
        if (!TryButterflyCoefficients(in slice, bernstein))
            return SviFault.NotFinite;
        int work = 0;
        return IsNonNegative(bernstein, depth: 0, ref work) ? SviFault.None : SviFault.Butterfly;
    }

    /// <summary>
    /// g(k) = (1 - k w'/2w)^2 - w'^2 (1/w + 1/4)/4 + w''/2, the density up to a positive factor, as a polynomial. With
    /// k = m + sigma (u - 1/u)/2, u > 0, everything is rational in u:
    /// <code>
    ///   u w = W = P u^2 + a u + Q      P = b sigma (1 + rho)/2, Q = b sigma (1 - rho)/2
    ///   u k = H = sigma/2 u^2 + m u - sigma/2
    ///   w'  = N/D                      N = 2/sigma (P u^2 - Q), D = u^2 + 1
    ///   w'' = 8 b/sigma u^3/D^3
    ///   16 u^2 D^3 w^2 (g + tolerance) = D ((4 W D - 2 H N)^2 - N^2 (4 u W + W^2)) + 64 b/sigma u^3 W^2 + 16 tolerance W^2 D^3
    /// </code>
    /// of degree 10. With u = v/(1-v) and multiplied by (1-v)^10 its coefficients, each divided by a binomial, are its Bernstein
    /// coefficients for v in [0, 1]: the whole smile, both wings included.
    /// </summary>
    private static bool TryButterflyCoefficients(in SviSlice slice, Span<double> bernstein)
    {
        (double a, double b, double rho, double m, double sigma) = slice;
        double p = 0.5 * b * sigma * (1.0 + rho);
        double q = 0.5 * b * sigma * (1.0 - rho);
        ReadOnlySpan<double> variance = [q, a, p];
        ReadOnlySpan<double> moneyness = [-0.5 * sigma, m, 0.5 * sigma];
        ReadOnlySpan<double> slope = [-(b * (1.0 - rho)), 0.0, b * (1.0 + rho)];
        ReadOnlySpan<double> circle = [1.0, 0.0, 1.0];

        Span<double> sum = stackalloc double[Degree + 1];
        Span<double> first = stackalloc double[5];
        first.Clear();
        AddProduct(first, 4.0, variance, circle);
        AddProduct(first, -2.0, moneyness, slope);
        Span<double> bracket = stackalloc double[9];
        bracket.Clear();
        AddProduct(bracket, 1.0, first, first);

        Span<double> slopeSquared = stackalloc double[5];
        slopeSquared.Clear();
        AddProduct(slopeSquared, 1.0, slope, slope);
        ReadOnlySpan<double> variancePlusFour = [q, a + 4.0, p];
        Span<double> load = stackalloc double[5];
        load.Clear();
        AddProduct(load, 1.0, variance, variancePlusFour);
        AddProduct(bracket, -1.0, slopeSquared, load);
        sum.Clear();
        AddProduct(sum, 1.0, circle, bracket);

        Span<double> varianceSquared = stackalloc double[5];
        varianceSquared.Clear();
        AddProduct(varianceSquared, 1.0, variance, variance);
        AddProduct(sum, 64.0 * (b / sigma), [0.0, 0.0, 0.0, 1.0], varianceSquared);
        AddProduct(sum, 16.0 * DensityTolerance, [1.0, 0.0, 3.0, 0.0, 3.0, 0.0, 1.0], varianceSquared);

        ReadOnlySpan<double> binomial = [1.0, 10.0, 45.0, 120.0, 210.0, 252.0, 210.0, 120.0, 45.0, 10.0, 1.0];
        bool finite = true;
        for (int i = 0; i <= Degree; i++)
        {
            bernstein[i] = sum[i] / binomial[i];
            finite &= double.IsFinite(bernstein[i]);
        }

        return finite;
    }

    private static void AddProduct(Span<double> into, double factor, ReadOnlySpan<double> left, ReadOnlySpan<double> right)
    {
        for (int i = 0; i < left.Length; i++)
        {
            double scaled = factor * left[i];
            for (int j = 0; j < right.Length; j++)
                into[i + j] = Math.FusedMultiplyAdd(scaled, right[j], into[i + j]);
        }
    }

    /// <summary>
    /// A polynomial lies between its smallest and largest Bernstein coefficient, and takes the first and the last as values: all
    /// coefficients at least zero prove it, an end below zero refutes it, otherwise both halves decide (de Casteljau).
    /// </summary>
    private static bool IsNonNegative(ReadOnlySpan<double> bernstein, int depth, ref int work)
    {
        if (bernstein[0] < 0.0 || bernstein[Degree] < 0.0)
            return false;
        bool proven = true;
        foreach (double coefficient in bernstein)
            proven &= coefficient >= 0.0;
        if (proven)
            return true;
        if (depth == LargestDepth || ++work > LargestWork)
            return false;

        Span<double> left = stackalloc double[Degree + 1];
        Span<double> right = stackalloc double[Degree + 1];
        bernstein.CopyTo(right);
        for (int i = 0; i <= Degree; i++)
        {
            left[i] = right[0];
            for (int j = 0; j < Degree - i; j++)
                right[j] = 0.5 * (right[j] + right[j + 1]);
        }

        return IsNonNegative(left, depth + 1, ref work) && IsNonNegative(right, depth + 1, ref work);
    }

    /// <summary>
    /// later.w(k) >= earlier.w(k) for every k. In the wings by asymptotes, between them by bisection: on an interval the earlier slice lies
    /// under its chord and the later one above its tangents, both being convex.
    /// </summary>
    internal static SviFault CheckCalendar(in SviSlice earlier, in SviSlice later)
    {
        if (later == earlier with { A = later.A })
            return later.A >= earlier.A ? SviFault.None : SviFault.Calendar;
        double left = 0.0;
        double right = 0.0;
        if (!TryWing(in earlier, in later, 1.0, ref right) || !TryWing(in earlier, in later, -1.0, ref left))
            return SviFault.Calendar;
        int work = 0;
        return IsAbove(in earlier, in later, left, right, depth: 0, ref work) ? SviFault.None : SviFault.Calendar;
    }

    /// <summary>
    /// Finds an end beyond which the later slice cannot be below: its asymptote, which it never crosses, is at least as steep and already
    /// above the earlier slice there, and the earlier slice never rises faster than its own asymptote.
    /// </summary>
    private static bool TryWing(in SviSlice earlier, in SviSlice later, double side, ref double end)
    {
        double earlierSlope = earlier.B * (1.0 + side * earlier.Rho);
        double laterSlope = later.B * (1.0 + side * later.Rho);
        if (laterSlope < earlierSlope * (1.0 - VarianceTolerance))
            return false;
        for (double distance = 1.0; distance < 1e12; distance *= 2.0)
        {
            end = side * distance;
            double asymptote = later.A + laterSlope * (distance - side * later.M);
            double variance = earlier.TotalVariance(end);
            if (asymptote >= variance - VarianceTolerance * (1.0 + variance))
                return true;
        }

        return false;
    }

    private static bool IsAbove(in SviSlice earlier, in SviSlice later, double left, double right, int depth, ref int work)
    {
        double earlierLeft = earlier.TotalVariance(left);
        double earlierRight = earlier.TotalVariance(right);
        double gapLeft = later.TotalVariance(left) - earlierLeft;
        double gapRight = later.TotalVariance(right) - earlierRight;
        double allowed = VarianceTolerance * (1.0 + Math.Min(earlierLeft, earlierRight));
        if (gapLeft < -allowed || gapRight < -allowed)
            return false;

        // Bound 1: over [left, right] the gap is at least two straight lines, tangent minus chord; where they cross is the lowest point.
        double length = right - left;
        double chord = (earlierRight - earlierLeft) / length;
        double fromLeft = Slope(in later, left) - chord;
        double fromRight = Slope(in later, right) - chord;
        if (fromLeft >= 0.0 || fromRight <= 0.0)
            return true;
        double crossing = (gapRight - gapLeft - fromRight * length) / (fromLeft - fromRight);
        if (gapLeft + fromLeft * crossing >= -allowed)
            return true;

        // Bound 2, for slices that nearly touch: the gap is below its own chord by at most its largest curvature times length^2 / 8.
        double bend = Curvature(in later, left, right).Largest - Curvature(in earlier, left, right).Smallest;
        if (Math.Min(gapLeft, gapRight) - 0.125 * bend * length * length >= -allowed)
            return true;
        if (depth == LargestDepth || ++work > LargestWork)
            return false;
        double middle = 0.5 * (left + right);
        return IsAbove(in earlier, in later, left, middle, depth + 1, ref work)
            && IsAbove(in earlier, in later, middle, right, depth + 1, ref work);
    }

    /// <summary>Bounds of w'' = b sigma^2 / (distance^2 + sigma^2)^(3/2) over an interval: it falls with the distance from m.</summary>
    private static (double Smallest, double Largest) Curvature(in SviSlice slice, double left, double right)
    {
        double fromLeft = left - slice.M;
        double fromRight = right - slice.M;
        double farthest = Math.Max(Math.Abs(fromLeft), Math.Abs(fromRight));
        double nearest = fromLeft > 0.0 ? fromLeft : fromRight < 0.0 ? -fromRight : 0.0;
        return (Curvature(in slice, farthest), Curvature(in slice, nearest));
    }

    private static double Curvature(in SviSlice slice, double distance)
    {
        double width = slice.Sigma * slice.Sigma;
        double square = Math.FusedMultiplyAdd(distance, distance, width);
        return slice.B * width / (square * Math.Sqrt(square));
    }

    private static double Slope(in SviSlice slice, double k)
    {
        double distance = k - slice.M;
        double root = Math.Sqrt(Math.FusedMultiplyAdd(distance, distance, slice.Sigma * slice.Sigma));
        return slice.B * (slice.Rho + distance / root);
    }
}
