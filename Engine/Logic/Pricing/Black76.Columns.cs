using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MarginEngine.Logic;

/// <content>
/// The loops over columns. They go through blocks in two passes, logarithms and roots first: the chain of dependent operations from a
/// quotient to a price is twice as long as what a processor looks ahead, and in two halves both overlap with their neighbours.
/// No loop is inlined into its caller: what the compiler inlines in one method is limited, and a loop that came on top of its caller would
/// call its formula operation by operation, twenty times slower.
/// </content>
public static partial class Black76
{
    /// <summary>Options a pass: what lies between the passes stays in the nearest cache.</summary>
    private const int Block = 128;

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ValueColumns<T>(
        ReadOnlySpan<double> forward,
        ReadOnlySpan<double> strike,
        ReadOnlySpan<double> years,
        ReadOnlySpan<double> volatility,
        Span<double> call,
        Span<double> put)
        where T : struct, ILanes<T>
    {
        Span<double> between = stackalloc double[2 * Block];
        ref double logRatio = ref MemoryMarshal.GetReference(between);
        ref double deviation = ref Unsafe.Add(ref logRatio, Block);
        for (int from = 0; from < forward.Length; from += Block)
        {
            nuint count = (nuint)Math.Min(Block, forward.Length - from);
            ref readonly double forwards = ref At(forward, from);
            ref readonly double strikes = ref At(strike, from);
            if (Kernel.HasManyRegisters)
            {
                LogRatios<T>(in forwards, in strikes, ref logRatio, count);
                ValuesAhead<T>(
                    in forwards, in strikes, in At(years, from), in At(volatility, from), in logRatio, ref At(call, from), ref At(put, from), count);
                continue;
            }

            Prepare<T>(
                in forwards, in strikes, in At(years, from), in At(volatility, from), ref logRatio, ref deviation, count);
            ValueBlock<T>(in forwards, in strikes, in logRatio, in deviation, ref At(call, from), ref At(put, from), count);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ValueRows<T>(
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
        if (Kernel.HasManyRegisters)
        {
            RowsAhead<T>(forward, strike, logRatio, rootYears, spotFactor, logSpotFactor, sigma, call, put);
            return;
        }

        ref readonly double factors = ref MemoryMarshal.GetReference(spotFactor);
        ref readonly double logFactors = ref MemoryMarshal.GetReference(logSpotFactor);
        ref readonly double volatilities = ref MemoryMarshal.GetReference(sigma);
        ref double calls = ref MemoryMarshal.GetReference(call);
        ref double puts = ref MemoryMarshal.GetReference(put);
        T forwards = T.Broadcast(forward);
        T strikes = T.Broadcast(strike);
        T logRatios = T.Broadcast(logRatio);
        T rootYearsEach = T.Broadcast(rootYears);
        nuint rows = (nuint)spotFactor.Length;
        unchecked
        {
            for (nuint i = 0; i < rows; i += (nuint)T.Count)
            {
                T deviation = T.Load(in volatilities, i) * rootYearsEach;
                Terms<T> terms = Solve(
                    forwards * T.Load(in factors, i), strikes, logRatios + T.Load(in logFactors, i), deviation);
                terms.Call.Store(ref calls, i);
                terms.Put.Store(ref puts, i);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Prepare<T>(
        ref readonly double forward,
        ref readonly double strike,
        ref readonly double years,
        ref readonly double volatility,
        ref double logRatio,
        ref double deviation,
        nuint count)
        where T : struct, ILanes<T>
    {
        unchecked
        {
            for (nuint i = 0; i < count; i += (nuint)T.Count)
            {
                Deviation(T.Load(in years, i), T.Load(in volatility, i)).Store(ref deviation, i);
                Formulas.Log(T.Load(in forward, i) / T.Load(in strike, i)).Store(ref logRatio, i);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ValueBlock<T>(
        ref readonly double forward,
        ref readonly double strike,
        ref readonly double logRatio,
        ref readonly double deviation,
        ref double call,
        ref double put,
        nuint count)
        where T : struct, ILanes<T>
    {
        unchecked
        {
            for (nuint i = 0; i < count; i += (nuint)T.Count)
            {
                Terms<T> terms = Solve(T.Load(in forward, i), T.Load(in strike, i), T.Load(in logRatio, i), T.Load(in deviation, i));
                terms.Call.Store(ref call, i);
                terms.Put.Store(ref put, i);
            }
        }
    }

    private static ref readonly double At(ReadOnlySpan<double> column, int index) =>
        ref Unsafe.Add(ref MemoryMarshal.GetReference(column), index);

    private static ref double At(Span<double> column, int index) => ref Unsafe.Add(ref MemoryMarshal.GetReference(column), index);
}
