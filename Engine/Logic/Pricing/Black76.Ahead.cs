using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MarginEngine.Logic;

/// <content>
/// The loops over columns where a processor has 32 vector registers: each turn measures the next options before it finishes its own, so that one chain of
/// dependent operations runs beside the other and what lies between stays in registers. The same operations on the same numbers as in
/// Black76.Columns.cs, whose loops are the faster ones with 16 registers.
/// </content>
public static partial class Black76
{
    /// <summary>ln(forward / strike) of a block. Zeros, infinities and the like cost every option their choices, so they are looked for once: where there is one, the block starts anew.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void LogRatios<T>(ref readonly double forward, ref readonly double strike, ref double logRatio, nuint count)
        where T : struct, ILanes<T>
    {
        T least = T.Broadcast(double.MaxValue);
        T sum = T.Broadcast(0.0);
        unchecked
        {
            for (nuint i = 0; i < count; i += (nuint)T.Count)
            {
                T ratio = T.Load(in forward, i) / T.Load(in strike, i);
                least = T.Least(least, ratio);
                sum = sum + ratio;
                Formulas.LogOfNormal(ratio).Store(ref logRatio, i);
            }
        }

        // What is no number or infinite makes the sum so.
        Span<double> lanes = stackalloc double[16];
        least.Store(ref lanes[0], 0);
        sum.Store(ref lanes[8], 0);
        for (int lane = 0; lane < T.Count; lane++)
        {
            if (lanes[lane] >= Formulas.SmallestNormal && lanes[8 + lane] <= double.MaxValue)
                continue;
            AnyLogRatios<T>(in forward, in strike, ref logRatio, count);
            return;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void AnyLogRatios<T>(ref readonly double forward, ref readonly double strike, ref double logRatio, nuint count)
        where T : struct, ILanes<T>
    {
        unchecked
        {
            for (nuint i = 0; i < count; i += (nuint)T.Count)
                Formulas.Log(T.Load(in forward, i) / T.Load(in strike, i)).Store(ref logRatio, i);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ValuesAhead<T>(
        ref readonly double forward,
        ref readonly double strike,
        ref readonly double years,
        ref readonly double volatility,
        ref readonly double logRatio,
        ref double call,
        ref double put,
        nuint count)
        where T : struct, ILanes<T>
    {
        unchecked
        {
            Distances<T> ahead = Measure(T.Load(in logRatio, 0), Deviation(T.Load(in years, 0), T.Load(in volatility, 0)));
            for (nuint i = 0; i < count;)
            {
                Distances<T> distances = ahead;
                nuint after = i + (nuint)T.Count;
                if (after < count)
                    ahead = Measure(T.Load(in logRatio, after), Deviation(T.Load(in years, after), T.Load(in volatility, after)));
                Terms<T> terms = Solve(T.Load(in forward, i), T.Load(in strike, i), in distances);
                terms.Call.Store(ref call, i);
                terms.Put.Store(ref put, i);
                i = after;
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RowsAhead<T>(
        double forward,
        double strike,
        double logRatio,
        double rootYears,
        ReadOnlySpan<double> spotFactor,
        ReadOnlySpan<double> logSpotFactor,
        ReadOnlySpan<double> sigma,
        Span<double> call,
        Span<double> put)
        where T : struct, ILanes<T>
    {
        nuint rows = (nuint)spotFactor.Length;
        if (rows == 0)
            return;
        ref readonly double factors = ref MemoryMarshal.GetReference(spotFactor);
        ref readonly double logFactors = ref MemoryMarshal.GetReference(logSpotFactor);
        ref readonly double volatilities = ref MemoryMarshal.GetReference(sigma);
        ref double calls = ref MemoryMarshal.GetReference(call);
        ref double puts = ref MemoryMarshal.GetReference(put);
        T forwards = T.Broadcast(forward);
        T strikes = T.Broadcast(strike);
        T logRatios = T.Broadcast(logRatio);
        T rootYearsEach = T.Broadcast(rootYears);
        unchecked
        {
            Distances<T> ahead = Measure(logRatios + T.Load(in logFactors, 0), T.Load(in volatilities, 0) * rootYearsEach);
            for (nuint i = 0; i < rows;)
            {
                Distances<T> distances = ahead;
                nuint after = i + (nuint)T.Count;
                if (after < rows)
                    ahead = Measure(logRatios + T.Load(in logFactors, after), T.Load(in volatilities, after) * rootYearsEach);
                Terms<T> terms = Solve(forwards * T.Load(in factors, i), strikes, in distances);
                terms.Call.Store(ref calls, i);
                terms.Put.Store(ref puts, i);
                i = after;
            }
        }
    }
}
