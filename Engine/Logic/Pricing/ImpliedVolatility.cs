// The volatility behind a price: called by importers, by the calibration of smiles and by tools. The inverse of Black76, for the whole
// domain: from the wing whose price is 1e-300 of its bound to a price that fills it.
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// Solves p(s) = price / min(F, K) for s = volatility * sqrt(years), out of the money, with x = -|ln(F/K)|, d1 = x/s + s/2, d2 = d1 - s:
/// <code>
///     p(s)     = N(d1) - e^-x N(d2) = e^(-d1^2/2) (R(-d1) - R(-d2))        R(a) = N(-a) e^(a^2/2), the scaled tail
///     1 - p(s) =                      e^(-d1^2/2) (R( d1) + R(-d2))
/// </code>
/// in logarithms, so that no price is too small: third-order Householder steps on ln p below one half, on ln(1 - p) above, inside a bracket.
/// p is convex below s = sqrt(2|x|) and concave above it, which chooses the first guess.
/// </summary>
/// <remarks>
/// Error: within 1e-12 of the volatility, relative, as far as the price determines it; the price's own last bit moves the result by
/// p / (s p'(s)) units in the last place, much where it nearly fills its bound, or is an in-the-money price of which little is time value.
/// The same bits on every machine. Source of the transformation to scaled tails: the identity phi(d2) = phi(d1) e^x.
/// </remarks>
public static partial class ImpliedVolatility
{
    private const double InverseRootTwoPi = 0.3989422804014327;
    private const double SmallDeviation = 0.05;
    private const double Settled = 4.440892098500626E-16;
    private const int MostSteps = 40;

    /// <summary>
    /// The volatility at which the option is worth <paramref name="price"/>, undiscounted, in the money of forward and strike. 0 where the
    /// price is the intrinsic value; NaN where no volatility gives it (below the intrinsic value, or not below the forward for a call, the strike for
    /// a put) and where an input is not finite or forward, strike or years is not above zero.
    /// </summary>
    public static double Of(double forward, double strike, double years, double price, OptionRight right)
    {
        bool isInTheMoney = right == OptionRight.Call ? forward > strike : strike > forward;
        return OfOutOfTheMoney(forward, strike, years, isInTheMoney ? price - Math.Abs(forward - strike) : price);
    }

    /// <summary>The same from the value of whichever of call and put is out of the money.</summary>
    public static double OfOutOfTheMoney(double forward, double strike, double years, double price)
    {
        double less = forward < strike ? forward : strike;
        double more = forward < strike ? strike : forward;
        if (!(less > 0.0 && double.IsFinite(more) && years > 0.0 && double.IsFinite(years) && price >= 0.0 && price < less))
            return double.NaN;
        if (price == 0.0)
            return 0.0;
        double share = price / less;
        return share < 1.0 ? Deviation(LogRatio(less, more), share) / Math.Sqrt(years) : double.NaN;
    }

    /// <summary>ln(less / more) for two positive numbers, accurate also where they nearly agree.</summary>
    private static double LogRatio(double less, double more)
    {
        double t = (less - more) / (less + more);
        if (t < -0.05)
            return Functions.Log(less / more);
        // 2 atanh t; the difference above was exact.
        double z = t * t;
        double series = 1.0 / 13.0;
        series = Math.FusedMultiplyAdd(series, z, 1.0 / 11.0);
        series = Math.FusedMultiplyAdd(series, z, 1.0 / 9.0);
        series = Math.FusedMultiplyAdd(series, z, 1.0 / 7.0);
        series = Math.FusedMultiplyAdd(series, z, 1.0 / 5.0);
        series = Math.FusedMultiplyAdd(series, z, 1.0 / 3.0);
        return 2.0 * Math.FusedMultiplyAdd(series * z, t, t);
    }

    private static double Deviation(double x, double share)
    {
        double inflection = Math.Sqrt(-2.0 * x);
        double shareThere = x == 0.0 ? 0.0 : TailDifference(x, inflection);
        bool isBelow = share < shareThere;
        bool useRest = share > 0.5;
        double target = Functions.Log(useRest ? 1.0 - share : share);
        double low = isBelow ? 0.0 : inflection;
        double high = isBelow ? inflection : double.PositiveInfinity;
        double s = isBelow ? GuessBelow(x, target, inflection)
            : useRest ? GuessAbove(x, target, inflection)
            : inflection + ((share - shareThere) / InverseRootTwoPi);
        for (int step = 0; step < MostSteps; step++)
        {
            double next = Step(x, s, target, useRest, out double excess);
            if (Math.Abs(next - s) <= Settled * s)
                return next;
            // p rises with s and 1 - p falls.
            if ((excess > 0.0) ^ useRest)
                high = s;
            else
                low = s;
            bool isInside = next > low && next < high;
            s = isInside ? next : double.IsFinite(high) ? 0.5 * (low + high) : 2.0 * s;
        }

        return s;
    }

    /// <summary>Below the inflection: ln p = ln D - d1^2/2 with D changing slowly, solved for s again and again.</summary>
    private static double GuessBelow(double x, double target, double inflection)
    {
        double s = inflection;
        for (int turn = 0; turn < 3; turn++)
        {
            double twice = 2.0 * (Functions.Log(TailDifference(x, s)) - target);
            double w = twice > 0.0 ? Math.Sqrt(twice) : 0.0;
            s = -2.0 * x / (w + Math.Sqrt(Math.FusedMultiplyAdd(w, w, -2.0 * x)));
        }

        return s;
    }

    /// <summary>A price that nearly fills its bound: the same with 1 - p.</summary>
    private static double GuessAbove(double x, double target, double inflection)
    {
        double s = inflection;
        for (int turn = 0; turn < 3; turn++)
        {
            double sum = s > 0.0 ? TailSum(x, s) : 1.0;
            double twice = 2.0 * (Functions.Log(sum) - target);
            double w = twice > 0.0 ? Math.Sqrt(twice) : 0.0;
            s = w + Math.Sqrt(Math.FusedMultiplyAdd(w, w, -2.0 * x));
        }

        return s;
    }

    /// <summary>One Householder step of third order on f(s) = ln p(s) - target, or on ln(1 - p(s)) - target.</summary>
    private static double Step(double x, double s, double target, bool useRest, out double excess)
    {
        double d1 = (x / s) + (0.5 * s);
        double d2 = d1 - s;
        double tails = useRest ? TailSum(x, s) : TailDifference(x, s);
        excess = Functions.Log(tails) - (0.5 * d1 * d1) - target;

        double slope = (useRest ? -InverseRootTwoPi : InverseRootTwoPi) / tails;     // f'
        double second = d1 * d2 / s;                                                 // p'' / p'
        double ratio = x / (s * s);
        double third = (second * second) - (3.0 * ratio * ratio) - 0.25;             // p''' / p'
        double newton = -excess / slope;
        double h2 = second - slope;                                                  // f'' / f'
        double h3 = third - (3.0 * second * slope) + (2.0 * slope * slope);          // f''' / f'
        double upper = 1.0 + (0.5 * h2 * newton);
        double lower = 1.0 + (newton * (h2 + (h3 * newton * (1.0 / 6.0))));
        double step = newton * (upper / lower);
        return double.IsFinite(step) ? s + step : s + newton;
    }

    /// <summary>R(-d1) - R(-d2), without cancellation where d1 and d2 nearly agree.</summary>
    private static double TailDifference(double x, double s)
    {
        double centre = -x / s;
        double half = 0.5 * s;
        if (s >= SmallDeviation)
            return ScaledTail(centre - half) - ScaledTail(centre + half);

        // Taylor about the middle: R' = a R - 1/sqrt(2 pi), and R^(n+1) = n R^(n-1) + a R^(n).
        double previous = ScaledTail(centre);
        double current = (centre * previous) - InverseRootTwoPi;
        double power = half;
        double sum = power * current;
        for (int order = 1; order <= 7; order += 2)
        {
            (previous, current) = (current, (order * previous) + (centre * current));
            (previous, current) = (current, ((order + 1) * previous) + (centre * current));
            power *= half * half / ((order + 1) * (order + 2));
            sum += power * current;
        }

        return -2.0 * sum;
    }

    /// <summary>R(d1) + R(-d2).</summary>
    private static double TailSum(double x, double s)
    {
        double centre = -x / s;
        double half = 0.5 * s;
        return ScaledTail(half - centre) + ScaledTail(centre + half);
    }

    /// <summary>N(-a) exp(a^2/2).</summary>
    private static double ScaledTail(double a)
    {
        double tail = Formulas.ScaledTail(Lanes1.Broadcast(Math.Abs(a))).Value;
        return a >= 0.0 ? tail : Functions.Exp(0.5 * a * a) - tail;
    }
}
