using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MarginEngine.Logic;

/// <summary>
/// Where <see cref="Black76.Greeks(ReadOnlySpan{double}, ReadOnlySpan{double}, ReadOnlySpan{double}, ReadOnlySpan{double}, in GreekColumns)"/>
/// writes: call, put and what <see cref="OptionGreeks"/> has, in its units, undiscounted (rate zero). Call and put share gamma, vega,
/// theta, vanna and volga. All columns have one length, a multiple of 8.
/// </summary>
public readonly ref struct GreekColumns
{
    public required Span<double> Call { get; init; }

    public required Span<double> Put { get; init; }

    public required Span<double> CallDelta { get; init; }

    public required Span<double> PutDelta { get; init; }

    public required Span<double> Gamma { get; init; }

    public required Span<double> Vega { get; init; }

    public required Span<double> Theta { get; init; }

    public required Span<double> CallRho { get; init; }

    public required Span<double> PutRho { get; init; }

    public required Span<double> Vanna { get; init; }

    public required Span<double> Volga { get; init; }

    internal bool HaveLength(int rows) =>
        Call.Length == rows & Put.Length == rows & CallDelta.Length == rows & PutDelta.Length == rows & Gamma.Length == rows
        & Vega.Length == rows & Theta.Length == rows & CallRho.Length == rows & PutRho.Length == rows & Vanna.Length == rows
        & Volga.Length == rows;
}

/// <content>Value and Greeks of columns of options, in the loop that prices them.</content>
public static partial class Black76
{
    /// <summary>
    /// Values and Greeks of columns of independent options, undiscounted. Values have the bits of <see cref="Value(double, double, double, double)"/>.
    /// Greeks are those of <see cref="Greeks(bool, double, double, double, double, double)"/> at rate zero within 1e-13 of each one's peak
    /// and not to the bit: products with two reciprocals stand in for its quotients. The bits depend on the inputs alone.
    /// </summary>
    /// <remarks>Forward and forward * deviation within 1e-300 and 1e300, deviation below 1e150; beyond, a Greek may be infinite or NaN.</remarks>
    /// <exception cref="ArgumentException">Lengths differ or are no multiple of 8.</exception>
    public static void Greeks(
        ReadOnlySpan<double> forward,
        ReadOnlySpan<double> strike,
        ReadOnlySpan<double> years,
        ReadOnlySpan<double> volatility,
        in GreekColumns results)
    {
        RequireRows(
            forward.Length,
            forward.Length == strike.Length & forward.Length == years.Length & forward.Length == volatility.Length
            & results.HaveLength(forward.Length));
        switch (Kernel.LaneWidth)
        {
            case 8: GreekColumnsOf<Lanes8>(forward, strike, years, volatility, in results); break;
            case 4: GreekColumnsOf<Lanes4>(forward, strike, years, volatility, in results); break;
            case 2: GreekColumnsOf<Lanes2>(forward, strike, years, volatility, in results); break;
            default: GreekColumnsOf<Lanes1>(forward, strike, years, volatility, in results); break;
        }
    }

    /// <summary>
    /// A deviation not above zero is priced as this: too small for any value to show it, and no division by it overflows.
    /// </summary>
    private const double LeastDeviation = 1e-300;

    /// <summary>Where |d1| or |d2| is larger no density is left: it only keeps infinities out of products with zero.</summary>
    private const double LargestStandard = 1000.0;

    /// <summary>What lies between the passes, a block of options each; the parts of the terms under their names.</summary>
    private enum Between
    {
        LogRatio, Deviation, Root, InverseDeviation, Density, NearPart, FarPart, Near, Far, Count,
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GreekColumnsOf<T>(
        ReadOnlySpan<double> forward,
        ReadOnlySpan<double> strike,
        ReadOnlySpan<double> years,
        ReadOnlySpan<double> volatility,
        in GreekColumns results)
        where T : struct, ILanes<T>
    {
        Span<double> columns = stackalloc double[(int)Between.Count * Block];
        ref double between = ref MemoryMarshal.GetReference(columns);
        for (int from = 0; from < forward.Length; from += Block)
        {
            nuint count = (nuint)Math.Min(Block, forward.Length - from);
            ref readonly double forwards = ref At(forward, from);
            ref readonly double strikes = ref At(strike, from);
            ref readonly double times = ref At(years, from);
            ref readonly double volatilities = ref At(volatility, from);
            if (Kernel.HasManyRegisters)
            {
                LogRatios<T>(in forwards, in strikes, ref between, count);
                GreeksAhead<T>(in forwards, in strikes, in times, in volatilities, in between, in results, from, count);
                continue;
            }

            PrepareGreeks<T>(in forwards, in strikes, in times, in volatilities, ref between, count);
            SolveBlock<T>(in forwards, in strikes, ref between, ref At(results.Call, from), ref At(results.Put, from), count);
            GreekBlock<T>(in forwards, in strikes, in times, in volatilities, ref between, in results, from, count);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void PrepareGreeks<T>(
        ref readonly double forward,
        ref readonly double strike,
        ref readonly double years,
        ref readonly double volatility,
        ref double between,
        nuint count)
        where T : struct, ILanes<T>
    {
        T least = T.Broadcast(LeastDeviation);
        unchecked
        {
            for (nuint i = 0; i < count; i += (nuint)T.Count)
            {
                T root = RootYears(T.Load(in years, i));
                T deviation = T.Greatest(least, T.Load(in volatility, i) * root);
                deviation.Store(ref Column(ref between, Between.Deviation), i);

                // Zeros for an option without deviation, and from them zeros for all Greeks but delta and rho; a NaN stays.
                T.WhereGreater(deviation, least, root, deviation - least).Store(ref Column(ref between, Between.Root), i);
                T inverse = T.Broadcast(1.0) / deviation;
                T.WhereGreater(deviation, least, inverse, deviation - least).Store(ref Column(ref between, Between.InverseDeviation), i);
                Formulas.Log(T.Load(in forward, i) / T.Load(in strike, i)).Store(ref Column(ref between, Between.LogRatio), i);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SolveBlock<T>(
        ref readonly double forward, ref readonly double strike, ref double between, ref double call, ref double put, nuint count)
        where T : struct, ILanes<T>
    {
        unchecked
        {
            for (nuint i = 0; i < count; i += (nuint)T.Count)
            {
                Terms<T> terms = Solve(
                    T.Load(in forward, i),
                    T.Load(in strike, i),
                    T.Load(in Column(ref between, Between.LogRatio), i),
                    T.Load(in Column(ref between, Between.Deviation), i));
                terms.Call.Store(ref call, i);
                terms.Put.Store(ref put, i);
                terms.Density.Store(ref Column(ref between, Between.Density), i);
                terms.NearPart.Store(ref Column(ref between, Between.NearPart), i);
                terms.FarPart.Store(ref Column(ref between, Between.FarPart), i);
                terms.Near.Store(ref Column(ref between, Between.Near), i);
                terms.Far.Store(ref Column(ref between, Between.Far), i);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GreekBlock<T>(
        ref readonly double forward,
        ref readonly double strike,
        ref readonly double years,
        ref readonly double volatility,
        ref double between,
        in GreekColumns results,
        int from,
        nuint count)
        where T : struct, ILanes<T>
    {
        unchecked
        {
            for (nuint i = 0; i < count; i += (nuint)T.Count)
            {
                T f = T.Load(in forward, i);
                StoreGreeks(
                    f,
                    T.Load(in strike, i),
                    T.Broadcast(1.0) / f,
                    T.Load(in years, i),
                    T.Load(in volatility, i),
                    T.Load(in Column(ref between, Between.Root), i),
                    T.Load(in Column(ref between, Between.InverseDeviation), i),
                    T.Load(in Column(ref between, Between.Density), i),
                    T.Load(in Column(ref between, Between.NearPart), i),
                    T.Load(in Column(ref between, Between.FarPart), i),
                    T.Load(in Column(ref between, Between.Near), i),
                    T.Load(in Column(ref between, Between.Far), i),
                    in results,
                    (nuint)from + i);
            }
        }
    }

    /// <summary>All three passes in one, as Black76.Ahead.cs has it for values.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GreeksAhead<T>(
        ref readonly double forward,
        ref readonly double strike,
        ref readonly double years,
        ref readonly double volatility,
        ref readonly double logRatio,
        in GreekColumns results,
        int from,
        nuint count)
        where T : struct, ILanes<T>
    {
        T least = T.Broadcast(LeastDeviation);
        unchecked
        {
            T rootAhead = RootYears(T.Load(in years, 0));
            Distances<T> ahead = Measure(T.Load(in logRatio, 0), T.Greatest(least, T.Load(in volatility, 0) * rootAhead));
            for (nuint i = 0; i < count;)
            {
                Distances<T> distances = ahead;
                T deviation = distances.Deviation;
                T root = T.WhereGreater(deviation, least, rootAhead, deviation - least);
                nuint after = i + (nuint)T.Count;
                if (after < count)
                {
                    rootAhead = RootYears(T.Load(in years, after));
                    ahead = Measure(T.Load(in logRatio, after), T.Greatest(least, T.Load(in volatility, after) * rootAhead));
                }

                T f = T.Load(in forward, i);
                T k = T.Load(in strike, i);
                T inverse = T.Broadcast(1.0) / f;
                T inverseDeviation = T.WhereGreater(deviation, least, T.Broadcast(1.0) / deviation, deviation - least);
                Terms<T> terms = Solve(f, k, in distances);
                terms.Call.Store(ref MemoryMarshal.GetReference(results.Call), (nuint)from + i);
                terms.Put.Store(ref MemoryMarshal.GetReference(results.Put), (nuint)from + i);
                StoreGreeks(
                    f, k, inverse, T.Load(in years, i), T.Load(in volatility, i), root, inverseDeviation,
                    terms.Density, terms.NearPart, terms.FarPart, terms.Near, terms.Far, in results, (nuint)from + i);
                i = after;
            }
        }
    }

    /// <summary>
    /// Delta and rho from the probabilities in the two parts of the value, the others from the density: with n = forward n(d1), s the
    /// deviation, d1 d2 = -near far and sigma = s/sqrt(T), gamma is n / (forward^2 s), vega n sqrt(T), theta -n sigma^2 / 2s, vanna
    /// -(n / forward) d2 / sigma, volga vega d1 d2 / sigma.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreGreeks<T>(
        T f, T k, T inverse, T years, T sigma, T root, T inverseDeviation, T density, T nearPart, T farPart, T near, T far, in GreekColumns results, nuint at)
        where T : struct, ILanes<T>
    {
        T zero = T.Broadcast(0.0);
        T one = T.Broadcast(1.0);
        density = density * T.Broadcast(InverseRootTwoPi);
        (density * root).Store(ref MemoryMarshal.GetReference(results.Vega), at);
        T slope = density * inverseDeviation;
        (slope * sigma * (sigma * T.Broadcast(-0.5))).Store(ref MemoryMarshal.GetReference(results.Theta), at);
        near = root * T.Greatest(T.Broadcast(-LargestStandard), near);
        far = root * T.Least(T.Broadcast(LargestStandard), far);
        (zero - slope * near * far).Store(ref MemoryMarshal.GetReference(results.Volga), at);
        T share = slope * inverse;
        (share * inverse).Store(ref MemoryMarshal.GetReference(results.Gamma), at);
        (share * T.WhereGreater(f, k, near, far)).Store(ref MemoryMarshal.GetReference(results.Vanna), at);

        T nearShare = nearPart * inverse;
        T farShare = farPart * inverse;
        T.WhereGreater(f, k, one - farShare, nearShare).Store(ref MemoryMarshal.GetReference(results.CallDelta), at);
        T.WhereGreater(f, k, zero - farShare, nearShare - one).Store(ref MemoryMarshal.GetReference(results.PutDelta), at);
        T time = T.Greatest(zero, years);
        (time * T.WhereGreater(f, k, k - nearPart, farPart)).Store(ref MemoryMarshal.GetReference(results.CallRho), at);
        (time * T.WhereGreater(f, k, zero - nearPart, farPart - k)).Store(ref MemoryMarshal.GetReference(results.PutRho), at);
    }

    private static ref double Column(ref double between, Between column) => ref Unsafe.Add(ref between, (int)column * Block);
}
