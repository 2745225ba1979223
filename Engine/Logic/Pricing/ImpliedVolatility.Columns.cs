using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MarginEngine.Logic;

/// <content>
/// Columns of prices, every lane its own option. The first guess is explicit, from a distribution that can be inverted: with
/// N(d) = (1 + sign(d) sqrt(1 - e^(-2 d^2/pi)))/2 (Polya 1945) the price is a quadratic equation for w = e^(-2 u^2/pi), u = x/s - s/2.
/// Two Householder steps of third order follow, each of which turns an error e into about e^4. Passes are short, as in Black76.Columns.cs. What is not settled then, or outside what
/// the passes are made for, goes through the single solver.
/// </content>
public static partial class ImpliedVolatility
{
    private const int Block = 64;

    private const int Steps = 2;

    private const double RootTwoPi = 2.5066282746310002;
    private const double HalfLog2E = 0.7213475204444817;
    private const double TwoOverPi = 0.6366197723675814;

    // What the passes take: beyond it products leave the range of a double, or a difference of tails loses too many digits.
    private const double LeastMoney = 1e-290;
    private const double LargestMoney = 1e290;
    private const double LargestRatio = 1e6;
    private const double LeastShare = 1e-100;
    private const double LeastDeviation = 2e-3;

    /// <summary>Bounds the powers in the rational function; an option so far out ends below the least share.</summary>
    private const double LargestZ = 45.0;

    /// <summary>A last step above this share of the deviation has not settled it.</summary>
    private const double LargestLastStep = 1e-4;

    private enum Between
    {
        LogRatio, LogTarget, Side, Deviation, Step, Ratio, Share, Square, Sign, Inverse, Tails, Count,
    }

    /// <summary>
    /// The volatility of each option from the value of whichever of call and put is out of the money: what
    /// <see cref="OfOutOfTheMoney(double, double, double, double)"/> gives, within the same bounds of error and not to the bit; 0 and NaN where
    /// it gives them. The bits depend on the inputs alone.
    /// </summary>
    /// <returns>How many went through the single solver, at its cost of some twenty others: few, unless inputs are invalid or extreme.</returns>
    /// <exception cref="ArgumentException">Lengths differ or are no multiple of 8.</exception>
    public static int OfOutOfTheMoney(
        ReadOnlySpan<double> forward,
        ReadOnlySpan<double> strike,
        ReadOnlySpan<double> years,
        ReadOnlySpan<double> price,
        Span<double> volatility)
    {
        int rows = forward.Length;
        if (strike.Length != rows | years.Length != rows | price.Length != rows | volatility.Length != rows | (rows & 7) != 0)
            throw new ArgumentException($"columns of one length, a multiple of 8 rows, are required; the first has {rows} rows");
        return Kernel.LaneWidth switch
        {
            8 => Columns<Lanes8>(forward, strike, years, price, volatility),
            4 => Columns<Lanes4>(forward, strike, years, price, volatility),
            2 => Columns<Lanes2>(forward, strike, years, price, volatility),
            _ => Columns<Lanes1>(forward, strike, years, price, volatility),
        };
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Columns<T>(
        ReadOnlySpan<double> forward,
        ReadOnlySpan<double> strike,
        ReadOnlySpan<double> years,
        ReadOnlySpan<double> price,
        Span<double> volatility)
        where T : struct, ILanes<T>
    {
        Span<double> columns = stackalloc double[(int)Between.Count * Block];
        Span<double> found = stackalloc double[Block];
        ref double between = ref MemoryMarshal.GetReference(columns);
        int singly = 0;
        for (int from = 0; from < forward.Length; from += Block)
        {
            int rows = Math.Min(Block, forward.Length - from);
            nuint count = (nuint)rows;
            ref readonly double forwards = ref Unsafe.Add(ref MemoryMarshal.GetReference(forward), from);
            ref readonly double strikes = ref Unsafe.Add(ref MemoryMarshal.GetReference(strike), from);
            ref readonly double times = ref Unsafe.Add(ref MemoryMarshal.GetReference(years), from);
            ref readonly double prices = ref Unsafe.Add(ref MemoryMarshal.GetReference(price), from);
            Prepare<T>(in forwards, in strikes, in prices, ref between, count);
            Invert<T>(ref between, count);
            Guess<T>(ref between, count);
            for (int step = 0; step < Steps; step++)
            {
                Tails<T>(ref between, count);
                Improve<T>(ref between, count);
            }

            bool areAllAccepted = Accept<T>(in forwards, in strikes, in times, in prices, ref between, ref MemoryMarshal.GetReference(found), count);
            for (int i = 0; i < rows && !areAllAccepted; i++)
            {
                if (!double.IsNaN(found[i]))
                    continue;
                found[i] = OfOutOfTheMoney(forward[from + i], strike[from + i], years[from + i], price[from + i]);
                singly++;
            }

            found[..rows].CopyTo(volatility[from..]);
        }

        return singly;
    }

    /// <summary>e^x = M/m for the larger M and the smaller m of forward and strike, the price's share of m, and the logarithms of both.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Prepare<T>(
        ref readonly double forward, ref readonly double strike, ref readonly double price, ref double between, nuint count)
        where T : struct, ILanes<T>
    {
        T one = T.Broadcast(1.0);
        T half = T.Broadcast(0.5);
        unchecked
        {
            for (nuint i = 0; i < count; i += (nuint)T.Count)
            {
                T f = T.Load(in forward, i);
                T k = T.Load(in strike, i);
                T less = T.Least(k, f);
                T share = T.Load(in price, i) / less;
                T ratio = T.Greatest(k, f) / less;
                share.Store(ref Column(ref between, Between.Share), i);
                ratio.Store(ref Column(ref between, Between.Ratio), i);
                T.WhereGreater(share, half, T.Broadcast(-1.0), one).Store(ref Column(ref between, Between.Side), i);
                Formulas.LogOfNormal(ratio).Store(ref Column(ref between, Between.LogRatio), i);
                Formulas.LogOfNormal(T.WhereGreater(share, half, one - share, share)).Store(ref Column(ref between, Between.LogTarget), i);
            }
        }
    }

    /// <summary>
    /// With p the share, k = e^(-4x/pi) and h = p (p + e^x - 1), the squared equation is A w^2 + B w - C = 0 with A = (k e^2x - 1)^2,
    /// B = 4 e^x (e^x - 1) (1 - k e^x) + 8 h (k e^2x + 1) and C = 16 h (1 - p) (e^x + p), all positive. Before the squaring stood
    /// u = sign(e^2x + 1 - r^2 - (k e^2x + 1) w) |u| with r^2 = (e^x - 1)^2 + 4 h. Leaves w and the sign.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Invert<T>(ref double between, nuint count) where T : struct, ILanes<T>
    {
        T one = T.Broadcast(1.0);
        T two = T.Broadcast(2.0);
        T four = T.Broadcast(4.0);
        T rounder = T.Broadcast(Formulas.Rounder);
        unchecked
        {
            for (nuint i = 0; i < count; i += (nuint)T.Count)
            {
                // k e^x from one rounded product: far better than the guess is.
                T exponent = T.Load(in Column(ref between, Between.LogRatio), i) * T.Broadcast((1.0 - 2.0 * TwoOverPi) * 2.0 * HalfLog2E);
                T rounded = exponent + rounder;
                T shrunk = Formulas.Exp2Fraction(exponent - (rounded - rounder)) * Formulas.PowerOfTwo(rounded);
                T share = T.Load(in Column(ref between, Between.Share), i);
                T ratio = T.Load(in Column(ref between, Between.Ratio), i);
                T grown = shrunk * ratio;
                T above = ratio - one;
                T h = share * (share + above);
                T a = (grown - one) * (grown - one);
                T b = four * (ratio * above * (one - shrunk)) + T.Broadcast(8.0) * (h * (grown + one));
                T c = T.Broadcast(16.0) * (h * (one - share) * (ratio + share));
                T w = two * c / (b + T.Sqrt(b * b + four * (a * c)));
                w.Store(ref Column(ref between, Between.Square), i);
                (two * ratio - four * h - (grown + one) * w).Store(ref Column(ref between, Between.Sign), i);
            }
        }
    }

    /// <summary>s = sqrt(u^2 + 2x) - u with u^2 = -(pi/2) ln w.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Guess<T>(ref double between, nuint count) where T : struct, ILanes<T>
    {
        T zero = T.Broadcast(0.0);
        T two = T.Broadcast(2.0);
        unchecked
        {
            for (nuint i = 0; i < count; i += (nuint)T.Count)
            {
                T w = T.Load(in Column(ref between, Between.Square), i);
                T square = T.Greatest(zero, Formulas.LogOfNormal(w) * T.Broadcast(-1.0 / TwoOverPi));
                T u = T.Sqrt(square);
                T rise = two * T.Load(in Column(ref between, Between.LogRatio), i);
                T sum = T.Sqrt(square + rise) + u;
                T.WhereGreater(T.Load(in Column(ref between, Between.Sign), i), zero, rise / sum, sum)
                    .Store(ref Column(ref between, Between.Deviation), i);
            }
        }
    }

    /// <summary>
    /// p e^(u^2/2), or (1 - p) e^(u^2/2) for a price above one half of its bound. With R the scaled tail, p = e^(-u^2/2) (R(u) - R(v)),
    /// 1 - p = e^(-u^2/2) (R(-u) + R(v)), v = x/s + s/2 and R(-a) = e^(a^2/2) - R(a).
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Tails<T>(ref double between, nuint count) where T : struct, ILanes<T>
    {
        T zero = T.Broadcast(0.0);
        T one = T.Broadcast(1.0);
        T half = T.Broadcast(0.5);
        T scale = T.Broadcast(Formulas.DeviationScale);
        T largest = T.Broadcast(LargestZ);
        unchecked
        {
            for (nuint i = 0; i < count; i += (nuint)T.Count)
            {
                T s = T.Load(in Column(ref between, Between.Deviation), i);
                T side = T.Load(in Column(ref between, Between.Side), i);
                T inverse = one / s;
                inverse.Store(ref Column(ref between, Between.Inverse), i);
                T centre = T.Load(in Column(ref between, Between.LogRatio), i) * inverse;
                T u = centre - half * s;
                T v = centre + half * s;
                Formulas.RelativeTails(T.Least(largest, T.Abs(u) * scale), T.Least(largest, v * scale), out T nearTail, out T farTail);

                // e^(u^2/2) where it is needed is below 1.3 at the solution: no power of two is taken out.
                T growth = Formulas.Exp2Fraction(T.Least(one, u * u * T.Broadcast(HalfLog2E)));
                T near = T.WhereGreater(zero, side * u, growth - nearTail, nearTail);
                T.SubtractProduct(near, side, farTail).Store(ref Column(ref between, Between.Tails), i);
            }
        }
    }

    /// <summary>One step on f(s) = ln p - ln target, or on ln(1 - p) - ln target; n is the Newton step.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Improve<T>(ref double between, nuint count) where T : struct, ILanes<T>
    {
        T one = T.Broadcast(1.0);
        T half = T.Broadcast(0.5);
        unchecked
        {
            for (nuint i = 0; i < count; i += (nuint)T.Count)
            {
                T s = T.Load(in Column(ref between, Between.Deviation), i);
                T inverse = T.Load(in Column(ref between, Between.Inverse), i);
                T centre = T.Load(in Column(ref between, Between.LogRatio), i) * inverse;
                T u = centre - half * s;
                T v = centre + half * s;
                T tails = T.Load(in Column(ref between, Between.Tails), i);
                T f = Formulas.LogOfNormal(tails) - half * (u * u) - T.Load(in Column(ref between, Between.LogTarget), i);

                T n = f * tails * T.Load(in Column(ref between, Between.Side), i) * T.Broadcast(-RootTwoPi);
                T slope = u * v * inverse;
                T bent = centre * inverse;
                T curve = slope * slope - T.Broadcast(0.25) - T.Broadcast(3.0) * (bent * bent);
                T bend = n * slope;
                T second = bend + f;
                T third = T.MultiplyAdd(n * n, curve, f * (T.Broadcast(3.0) * bend + T.Broadcast(2.0) * f));
                T step = n * T.MultiplyAdd(half, second, one) / (one + second + third * T.Broadcast(1.0 / 6.0));
                step = T.Greatest(T.Broadcast(-0.5) * s, T.Least(half * s, step));
                step.Store(ref Column(ref between, Between.Step), i);
                (s + step).Store(ref Column(ref between, Between.Deviation), i);
            }
        }
    }

    /// <summary>The volatility where the passes are good for it, NaN elsewhere; true where there is none.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Accept<T>(
        ref readonly double forward,
        ref readonly double strike,
        ref readonly double years,
        ref readonly double price,
        ref double between,
        ref double found,
        nuint count)
        where T : struct, ILanes<T>
    {
        T zero = T.Broadcast(0.0);
        T none = T.Broadcast(double.NaN);
        T sum = zero;
        unchecked
        {
            for (nuint i = 0; i < count; i += (nuint)T.Count)
            {
                T f = T.Load(in forward, i);
                T k = T.Load(in strike, i);
                T time = T.Load(in years, i);
                T money = T.Load(in price, i);
                T s = T.Load(in Column(ref between, Between.Deviation), i);
                T step = T.Abs(T.Load(in Column(ref between, Between.Step), i));
                T less = T.Least(k, f);
                T more = T.Greatest(k, f);
                T result = s / T.Sqrt(time);
                result = T.WhereGreater(s * T.Broadcast(LargestLastStep), step, result, none);
                result = T.WhereGreater(s, T.Broadcast(LeastDeviation), result, none);
                result = T.WhereGreater(money, less * T.Broadcast(LeastShare), result, none);
                result = T.WhereGreater(less, money, result, none);
                result = T.WhereGreater(less, T.Broadcast(LeastMoney), result, none);
                result = T.WhereGreater(T.Broadcast(LargestMoney), f, result, none);
                result = T.WhereGreater(T.Broadcast(LargestMoney), k, result, none);
                result = T.WhereGreater(less * T.Broadcast(LargestRatio), more, result, none);
                result = T.WhereGreater(time, zero, result, none);
                result = T.WhereGreater(T.Broadcast(double.MaxValue), time, result, none);
                result.Store(ref found, i);
                sum = sum + result;
            }
        }

        // No volatility is below zero: their sum is a number unless one of them is none.
        Span<double> lanes = stackalloc double[8];
        sum.Store(ref MemoryMarshal.GetReference(lanes), 0);
        bool areAllAccepted = true;
        foreach (double lane in lanes[..T.Count])
            areAllAccepted &= !double.IsNaN(lane);
        return areAllAccepted;
    }

    private static ref double Column(ref double between, Between column) => ref Unsafe.Add(ref between, (int)column * Block);
}
