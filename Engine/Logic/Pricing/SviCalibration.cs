// Fits a raw SVI smile to quoted volatilities: called by importers and tools, off the hot path. What it returns may enter the book.
namespace MarginEngine.Logic;

/// <summary>A volatility quoted at one strike.</summary>
/// <param name="LogMoneyness">k = ln(strike / forward).</param>
/// <param name="Volatility">Per square root of a year, above zero.</param>
/// <param name="Weight">How much a squared error of the volatility counts; not negative.</param>
public readonly record struct SmileQuote(double LogMoneyness, double Volatility, double Weight = 1.0);

/// <summary>A fitted smile and what it leaves.</summary>
/// <param name="Slice">Free of butterfly arbitrage, and of calendar arbitrage against the later slice.</param>
/// <param name="RootMeanSquare">Weighted, in volatility (0.001 is a tenth of a percent).</param>
/// <param name="Largest">Largest absolute error in volatility, and the log-moneyness where it is.</param>
/// <param name="LargestAt">The log-moneyness of the largest error.</param>
public readonly record struct SmileFit(SviSlice Slice, double RootMeanSquare, double Largest, double LargestAt);

/// <summary>
/// With m and sigma given, w = a + d y + c sqrt(y^2 + 1) is linear in (a, d, c) for y = (k - m)/sigma, c = b sigma, d = rho b sigma: the best
/// of them under |d| &lt;= c, c + d &lt;= sigma R and c - d &lt;= sigma L is found exactly, on one of the faces of that polytope, where R and L are
/// the slopes of the later expiry's wings (at most 2, which no distribution exceeds). The outer search runs over (m, ln sigma) alone: a grid, then Nelder and
/// Mead from its best cells. A candidate that still violates the butterfly or the calendar condition is lifted, lowered, or drawn toward a
/// level smile as far as the condition asks: every candidate is admissible, and has the digits of a message, because a smile on the border of
/// the conditions would not survive rounding afterwards.
/// <para>A surface is fitted from its last expiry to its first. The other way round, the far wings of a short expiry, where nothing is quoted,
/// would lift every later smile; this way they are what gives.</para>
/// </summary>
/// <remarks>
/// Source of the separation: De Marco and Martini, "Quasi-explicit calibration of Gatheral's SVI model", 2009. The errors are those of the
/// volatility to first order: (w(k) - w) / (2 volatility years). The same bits on every machine.
/// </remarks>
public static class SviCalibration
{
    private const int FewestQuotes = 3;
    private const int GridShifts = 9;
    private const int GridWidths = 8;
    private const int Starts = 3;
    private const int Moves = 160;
    private const int Halvings = 16;

    /// <summary>Fits the quotes of one expiry.</summary>
    /// <param name="quotes">At least three with a weight; the order does not matter.</param>
    /// <param name="years">Time to expiry, above zero.</param>
    /// <param name="later">The slice of the next expiry, which the fit must not rise above; null: this is the last.</param>
    /// <param name="fit">The best admissible smile.</param>
    /// <returns>False where there are too few usable quotes, or no admissible smile was found.</returns>
    public static bool TryFit(ReadOnlySpan<SmileQuote> quotes, double years, SviSlice? later, out SmileFit fit)
    {
        fit = default;
        if (!(years > 0.0 && double.IsFinite(years)))
            return false;
        Target target = new(quotes, years, later);
        if (target.Count < FewestQuotes)
            return false;
        Candidate best = Candidate.None;
        foreach (Candidate start in Grid(target))
        {
            Candidate end = Simplex(target, start);
            if (end.Error < best.Error)
                best = end;
        }

        if (!double.IsFinite(best.Error))
            return false;
        fit = target.Measure(best.Slice);
        return true;
    }

    /// <summary>Fits every expiry, the last first. Expiries that cannot be fitted are left out of the bounds of the others.</summary>
    /// <param name="expiries">Quotes and years of each expiry, in ascending years.</param>
    /// <returns>A fit for each expiry in the same order; null where there is none.</returns>
    /// <exception cref="ArgumentException">The years do not ascend.</exception>
    public static SmileFit?[] FitSurface(IReadOnlyList<(double Years, SmileQuote[] Quotes)> expiries)
    {
        var fits = new SmileFit?[expiries.Count];
        SviSlice? later = null;
        for (int i = expiries.Count - 1; i >= 0; i--)
        {
            if (i > 0 && !(expiries[i - 1].Years < expiries[i].Years))
                throw new ArgumentException("the years of the expiries do not ascend", nameof(expiries));
            if (!TryFit(expiries[i].Quotes, expiries[i].Years, later, out SmileFit fit))
                continue;
            fits[i] = fit;
            later = fit.Slice;
        }

        return fits;
    }

    private static Candidate[] Grid(Target target)
    {
        Candidate[] best = [Candidate.None, Candidate.None, Candidate.None];
        double width = Math.Max(target.Highest - target.Lowest, 1E-3);
        for (int shift = 0; shift < GridShifts; shift++)
        {
            double m = target.Lowest - (0.1 * width) + (1.2 * width * shift / (GridShifts - 1));
            double sigma = 4.0 * width;
            for (int step = 0; step < GridWidths; step++, sigma *= 0.4)
            {
                Candidate candidate = target.Try(m, Functions.Log(sigma));
                for (int place = 0; place < Starts; place++)
                {
                    if (candidate.Error < best[place].Error)
                        (best[place], candidate) = (candidate, best[place]);
                }
            }
        }

        return best;
    }

    /// <summary>Nelder and Mead's simplex in two dimensions with the usual coefficients.</summary>
    private static Candidate Simplex(Target target, Candidate start)
    {
        if (!double.IsFinite(start.Error))
            return start;
        double width = Math.Max(target.Highest - target.Lowest, 1E-3);
        Candidate best = start, middle = target.Try(start.M + (0.1 * width), start.LogSigma), worst = target.Try(start.M, start.LogSigma + 0.4);
        for (int move = 0; move < Moves; move++)
        {
            Order(ref best, ref middle, ref worst);
            double centreM = 0.5 * (best.M + middle.M), centreSigma = 0.5 * (best.LogSigma + middle.LogSigma);
            Candidate Along(double part) => target.Try(centreM + (part * (centreM - worst.M)), centreSigma + (part * (centreSigma - worst.LogSigma)));
            Candidate reflected = Along(1.0);
            if (reflected.Error < best.Error)
            {
                Candidate expanded = Along(2.0);
                worst = expanded.Error < reflected.Error ? expanded : reflected;
            }
            else if (reflected.Error < middle.Error)
            {
                worst = reflected;
            }
            else
            {
                Candidate contracted = Along(reflected.Error < worst.Error ? 0.5 : -0.5);
                if (contracted.Error < Math.Min(worst.Error, reflected.Error))
                {
                    worst = contracted;
                }
                else
                {
                    middle = target.Try(0.5 * (best.M + middle.M), 0.5 * (best.LogSigma + middle.LogSigma));
                    worst = target.Try(0.5 * (best.M + worst.M), 0.5 * (best.LogSigma + worst.LogSigma));
                }
            }
        }

        Order(ref best, ref middle, ref worst);
        return best;
    }

    private static void Order(ref Candidate best, ref Candidate middle, ref Candidate worst)
    {
        if (middle.Error < best.Error)
            (best, middle) = (middle, best);
        if (worst.Error < middle.Error)
            (middle, worst) = (worst, middle);
        if (middle.Error < best.Error)
            (best, middle) = (middle, best);
    }

    private readonly record struct Candidate(double M, double LogSigma, SviSlice Slice, double Error)
    {
        public static Candidate None => new(0.0, 0.0, default, double.PositiveInfinity);
    }

    /// <summary>The quotes of one fit, as total variances with the weights of their volatilities' squared errors.</summary>
    private sealed class Target
    {
        private readonly double[] _k;
        private readonly double[] _variance;
        private readonly double[] _weight;
        private readonly double _years;
        private readonly SviSlice? _later;
        private readonly double _right = 2.0;
        private readonly double _left = 2.0;
        private readonly double _level;

        public Target(ReadOnlySpan<SmileQuote> quotes, double years, SviSlice? later)
        {
            List<double> k = [], variance = [], weight = [];
            double sum = 0.0, weighted = 0.0;
            Lowest = double.PositiveInfinity;
            Highest = double.NegativeInfinity;
            foreach (SmileQuote quote in quotes)
            {
                bool isUsable = double.IsFinite(quote.LogMoneyness) && quote.Volatility > 0.0 && double.IsFinite(quote.Volatility)
                    && quote.Weight > 0.0 && double.IsFinite(quote.Weight);
                if (!isUsable)
                    continue;
                double total = quote.Volatility * quote.Volatility * years;
                double scale = 2.0 * quote.Volatility * years;
                k.Add(quote.LogMoneyness);
                variance.Add(total);
                weight.Add(quote.Weight / (scale * scale));
                sum += weight[^1];
                weighted += weight[^1] * total;
                Lowest = Math.Min(Lowest, quote.LogMoneyness);
                Highest = Math.Max(Highest, quote.LogMoneyness);
            }

            (_k, _variance, _weight, _years, _later) = ([.. k], [.. variance], [.. weight], years, later);
            _level = weighted / sum;
            if (later is { } next)
            {
                // Slopes that are equal but for rounding would cross far out.
                _right = Math.Min(2.0, next.B * (1.0 + next.Rho) * (1.0 - 1E-9));
                _left = Math.Min(2.0, next.B * (1.0 - next.Rho) * (1.0 - 1E-9));
                _level = Math.Min(_level, 0.999 * next.LowestVariance());
            }
        }

        public int Count => _k.Length;

        public double Lowest { get; }

        public double Highest { get; }

        /// <summary>The best admissible smile of this m and sigma.</summary>
        public Candidate Try(double m, double logSigma)
        {
            double sigma = Functions.Exp(logSigma);
            if (!(sigma > 1E-6 && sigma < 100.0 && double.IsFinite(m)))
                return Candidate.None;
            Moments moments = new(_k, _variance, _weight, m, sigma, _right * sigma, _left * sigma);
            SviSlice slice = Admissible(moments.Best(), m, sigma);
            return new Candidate(m, logSigma, slice, slice.Sigma > 0.0 ? SquaredError(slice) : double.PositiveInfinity);
        }

        public SmileFit Measure(in SviSlice slice)
        {
            double squares = 0.0, weights = 0.0, largest = 0.0, at = 0.0;
            for (int i = 0; i < _k.Length; i++)
            {
                double volatility = Math.Sqrt(_variance[i] / _years);
                double error = Math.Sqrt(slice.TotalVariance(_k[i]) / _years) - volatility;
                double weight = _weight[i] * 4.0 * _variance[i] * _years;
                squares += weight * error * error;
                weights += weight;
                if (Math.Abs(error) > largest)
                    (largest, at) = (Math.Abs(error), _k[i]);
            }

            return new SmileFit(slice, Math.Sqrt(squares / weights), largest, at);
        }

        private double SquaredError(in SviSlice slice)
        {
            double squares = 0.0;
            for (int i = 0; i < _k.Length; i++)
            {
                double error = slice.TotalVariance(_k[i]) - _variance[i];
                squares += _weight[i] * error * error;
            }

            return squares;
        }

        /// <summary>The smile itself where it may enter the book, else the best of three least changes that may; default: none.</summary>
        private SviSlice Admissible((double A, double D, double C) fitted, double m, double sigma)
        {
            SviSlice slice = SliceOf(fitted, 0.0, m, sigma);
            if (IsAdmissible(slice))
                return slice;
            double lift = 4.0 * (_level + Math.Abs(fitted.A)), room = slice.LowestVariance();
            ReadOnlySpan<SviSlice> changed =
            [
                Least(part => (slice with { A = slice.A + (part * lift) }).InMessageDigits()),
                Least(part => (slice with { A = slice.A - (part * 0.9 * room) }).InMessageDigits()),
                Least(part => SliceOf(fitted, part, m, sigma)),
            ];
            SviSlice best = default;
            double least = double.PositiveInfinity;
            foreach (SviSlice candidate in changed)
            {
                if (candidate.Sigma > 0.0 && SquaredError(candidate) < least)
                    (best, least) = (candidate, SquaredError(candidate));
            }

            return best;
        }

        /// <summary>The smallest change, of parts 0 (refused) to 1, that is admissible; default where the whole change is not.</summary>
        private SviSlice Least(Func<double, SviSlice> change)
        {
            double allowed = 1.0, refused = 0.0;
            SviSlice found = change(allowed);
            if (!IsAdmissible(found))
                return default;
            for (int halving = 0; halving < Halvings; halving++)
            {
                double between = 0.5 * (allowed + refused);
                SviSlice slice = change(between);
                if (IsAdmissible(slice))
                    (allowed, found) = (between, slice);
                else
                    refused = between;
            }

            return found;
        }

        private bool IsAdmissible(in SviSlice slice) =>
            slice.Check() == SviFault.None && (_later is not { } later || SviSlice.CheckCalendar(slice, later) == SviFault.None);

        /// <summary>A mixture of the fit and a level smile.</summary>
        private SviSlice SliceOf((double A, double D, double C) fitted, double towardLevel, double m, double sigma)
        {
            double keep = 1.0 - towardLevel;
            double a = (keep * fitted.A) + (towardLevel * _level);
            double d = keep * fitted.D;
            double c = Math.Max(keep * fitted.C, 1E-9 * _level);
            return new SviSlice(a, c / sigma, Math.Clamp(d / c, -0.9999, 0.9999), m, sigma).InMessageDigits();
        }
    }

    /// <summary>Normal equations of the linear problem, solved on every face of its polytope.</summary>
    private readonly struct Moments
    {
        private readonly double _right;
        private readonly double _left;
        private readonly double _n, _y, _z, _yy, _yz, _zz, _w, _wy, _wz;

        public Moments(double[] k, double[] variance, double[] weight, double m, double sigma, double right, double left)
        {
            (_right, _left) = (right, left);
            _n = _y = _z = _yy = _yz = _zz = _w = _wy = _wz = 0.0;
            for (int i = 0; i < k.Length; i++)
            {
                double y = (k[i] - m) / sigma;
                double z = Math.Sqrt(Math.FusedMultiplyAdd(y, y, 1.0));
                double p = weight[i], w = variance[i];
                _n += p;
                _y += p * y;
                _z += p * z;
                _yy += p * y * y;
                _yz += p * y * z;
                _zz += p * z * z;
                _w += p * w;
                _wy += p * w * y;
                _wz += p * w * z;
            }
        }

        public (double A, double D, double C) Best()
        {
            (double A, double D, double C) best = (_w / _n, 0.0, 0.0);
            double least = Error(best.A, best.D, best.C);
            if (Solve3() is { } free)
                Consider(free, ref best, ref least);
            // Faces: d = c, d = -c, c + d = right, c - d = left; each with a free and with a = 0; then their corners.
            foreach ((double d0, double d1, double c0, double c1) in (ReadOnlySpan<(double, double, double, double)>)
                [(0, 1, 0, 1), (0, -1, 0, 1), (0, 1, _right, -1), (0, 1, _left, 1)])
            {
                Consider(OnLine(d0, d1, c0, c1, withLevel: true), ref best, ref least);
                Consider(OnLine(d0, d1, c0, c1, withLevel: false), ref best, ref least);
            }

            Consider(WithoutLevel(), ref best, ref least);
            foreach ((double d, double c) in (ReadOnlySpan<(double, double)>)
                [(0.5 * _right, 0.5 * _right), (-0.5 * _left, 0.5 * _left), (0.5 * (_right - _left), 0.5 * (_right + _left)), (0, 0)])
                Consider(((_w - (d * _y) - (c * _z)) / _n, d, c), ref best, ref least);
            return best;
        }

        private void Consider((double A, double D, double C) candidate, ref (double A, double D, double C) best, ref double least)
        {
            const double Slack = 1E-12;
            (double a, double d, double c) = candidate;
            bool isFeasible = Math.Abs(d) <= c + Slack && c + d <= _right + Slack && c - d <= _left + Slack
                && (a >= 0.0 || a + Math.Sqrt(Math.Max(0.0, (c * c) - (d * d))) > 0.0);
            if (!isFeasible)
                return;
            double error = Error(a, d, c);
            if (error < least)
                (best, least) = (candidate, error);
        }

        /// <summary>The squared error less that of w = 0, which all candidates share.</summary>
        private double Error(double a, double d, double c) =>
            (a * a * _n) + (d * d * _yy) + (c * c * _zz) + (2.0 * ((a * d * _y) + (a * c * _z) + (d * c * _yz) - (a * _w) - (d * _wy) - (c * _wz)));

        private (double A, double D, double C)? Solve3()
        {
            double m00 = (_yy * _zz) - (_yz * _yz), m01 = (_y * _zz) - (_yz * _z), m02 = (_y * _yz) - (_yy * _z);
            double determinant = (_n * m00) - (_y * m01) + (_z * m02);
            if (!(Math.Abs(determinant) > 1E-14 * _n * _yy * _zz))
                return null;
            double a = ((_w * m00) - (_y * ((_wy * _zz) - (_yz * _wz))) + (_z * ((_wy * _yz) - (_yy * _wz)))) / determinant;
            double d = ((_n * ((_wy * _zz) - (_yz * _wz))) - (_w * m01) + (_z * ((_y * _wz) - (_wy * _z)))) / determinant;
            double c = ((_n * ((_yy * _wz) - (_wy * _yz))) - (_y * ((_y * _wz) - (_wy * _z))) + (_w * m02)) / determinant;
            return (a, d, c);
        }

        /// <summary>a = 0, d and c free.</summary>
        private (double A, double D, double C) WithoutLevel()
        {
            double determinant = (_yy * _zz) - (_yz * _yz);
            return (0.0, ((_wy * _zz) - (_wz * _yz)) / determinant, ((_yy * _wz) - (_yz * _wy)) / determinant);
        }

        /// <summary>d = d0 + t d1, c = c0 + t c1 for the best t, with the best a or with a = 0.</summary>
        private (double A, double D, double C) OnLine(double d0, double d1, double c0, double c1, bool withLevel)
        {
            // u = d1 y + c1 z multiplies t; what is left of w is w - d0 y - c0 z.
            double u = (d1 * _y) + (c1 * _z);
            double uu = (d1 * d1 * _yy) + (2.0 * d1 * c1 * _yz) + (c1 * c1 * _zz);
            double rest = _w - (d0 * _y) - (c0 * _z);
            double restU = (d1 * (_wy - (d0 * _yy) - (c0 * _yz))) + (c1 * (_wz - (d0 * _yz) - (c0 * _zz)));
            double a = 0.0, t;
            if (withLevel)
            {
                double determinant = (_n * uu) - (u * u);
                t = ((_n * restU) - (u * rest)) / determinant;
                a = (rest - (t * u)) / _n;
            }
            else
            {
                t = restU / uu;
            }

            return (a, d0 + (t * d1), c0 + (t * c1));
        }
    }
}
