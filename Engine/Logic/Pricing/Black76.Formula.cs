using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MarginEngine.Logic;

/// <content>The formula, written once for every lane width, and the loops over columns.</content>
public static partial class Black76
{
    /// <summary>
    /// |ln(forward / strike)| is held at this: more than any quotient of two doubles has. It keeps infinite logarithms (a zero forward or
    /// strike) out of the arithmetic below.
    /// </summary>
    private const double LargestLog = 1500.0;

    /// <summary>z^2 just below 1023: 2^(-z^2) and all that is multiplied with it is zero from here on.</summary>
    private const double LargestNearZ = 31.984;

    /// <summary>Only bounds the powers in the rational function: a far z above it meets a density that is zero.</summary>
    private const double LargestFarZ = 64.0;

    /// <summary>What one evaluation yields: both values, and the two pieces from which all Greeks follow.</summary>
    internal readonly ref struct Terms<T> where T : struct, ILanes<T>
    {
        internal required T Call { get; init; }

        internal required T Put { get; init; }

        /// <summary>forward * exp(-d1^2/2) = strike * exp(-d2^2/2), the density without 1/sqrt(2 pi).</summary>
        internal required T Density { get; init; }

        /// <summary>The smaller of forward and strike, times the probability on its side.</summary>
        internal required T NearPart { get; init; }

        /// <summary>The larger of forward and strike, times the probability on its side.</summary>
        internal required T FarPart { get; init; }
    }

    /// <summary>
    /// The out-of-the-money option first, the other by parity. With m = min(F, K), M = max(F, K), y = -|ln(F/K)| and s the standard
    /// deviation, both cases are the one formula  otm = m N(y/s + s/2) - M N(y/s - s/2).  The two densities are equal,
    /// m phi(y/s + s/2) = M phi(y/s - s/2), so that a single 2^x serves both distribution values.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Terms<T> Solve<T>(T forward, T strike, T logRatio, T deviation) where T : struct, ILanes<T>
    {
        T zero = T.Broadcast(0.0);
        T half = T.Broadcast(0.5);
        T scale = T.Broadcast(Formulas.DeviationScale);
        T largestLog = T.Broadcast(LargestLog);
        T largestNear = T.Broadcast(LargestNearZ);
        T largestFar = T.Broadcast(LargestFarZ);

        T distance = T.Abs(logRatio);
        distance = T.WhereGreater(distance, largestLog, largestLog, distance);
        T standard = distance / deviation;
        T halfDeviation = half * deviation;
        T near = halfDeviation - standard;
        T nearZ = T.Abs(near) * scale;
        T farZ = (halfDeviation + standard) * scale;
        nearZ = T.WhereGreater(nearZ, largestNear, largestNear, nearZ);
        farZ = T.WhereGreater(farZ, largestFar, largestFar, farZ);

        // 2^(-z^2): the square inside the fused operations is exact, so that f has one rounding.
        T rounder = T.Broadcast(Formulas.Rounder);
        T roundedPower = T.SubtractProduct(rounder, nearZ, nearZ);
        T f = T.SubtractProduct(rounder - roundedPower, nearZ, nearZ);
        T smaller = T.WhereGreater(forward, strike, strike, forward);
        T density = smaller * (Formulas.Exp2Fraction(f) * Formulas.PowerOfTwo(roundedPower));

        // Every choice below keeps a NaN: an input that slipped through shows instead of posing as an intrinsic value.
        T nearTail = density * Formulas.MillsCentre(nearZ);
        T nearPart = T.WhereGreater(near, zero, smaller - nearTail, nearTail);
        T farPart = density * Formulas.MillsCentre(farZ);
        T outside = nearPart - farPart;
        outside = T.WhereGreater(zero, outside, zero, outside);
        outside = T.WhereGreater(T.Broadcast(double.Epsilon), deviation, zero, outside);

        T parity = forward - strike;
        return new Terms<T>
        {
            Call = T.WhereGreater(forward, strike, outside + parity, outside),
            Put = T.WhereGreater(forward, strike, outside, outside - parity),
            Density = density,
            NearPart = nearPart,
            FarPart = farPart,
        };
    }

    /// <summary>Square root of the time; a time that is not above zero counts as none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T RootYears<T>(T years) where T : struct, ILanes<T>
    {
        T zero = T.Broadcast(0.0);
        return T.Sqrt(T.WhereGreater(zero, years, zero, years));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Deviation<T>(T years, T volatility) where T : struct, ILanes<T> => volatility * RootYears(years);

    private static void ValueColumns<T>(
        ReadOnlySpan<double> forward,
        ReadOnlySpan<double> strike,
        ReadOnlySpan<double> years,
        ReadOnlySpan<double> volatility,
        Span<double> call,
        Span<double> put)
        where T : struct, ILanes<T>
    {
        ref readonly double forwards = ref MemoryMarshal.GetReference(forward);
        ref readonly double strikes = ref MemoryMarshal.GetReference(strike);
        ref readonly double times = ref MemoryMarshal.GetReference(years);
        ref readonly double volatilities = ref MemoryMarshal.GetReference(volatility);
        ref double calls = ref MemoryMarshal.GetReference(call);
        ref double puts = ref MemoryMarshal.GetReference(put);
        nuint rows = (nuint)forward.Length;
        unchecked
        {
            for (nuint i = 0; i < rows; i += (nuint)T.Count)
            {
                T f = T.Load(in forwards, i);
                T k = T.Load(in strikes, i);
                T deviation = Deviation(T.Load(in times, i), T.Load(in volatilities, i));
                Terms<T> terms = Solve(f, k, Formulas.Log(f / k), deviation);
                terms.Call.Store(ref calls, i);
                terms.Put.Store(ref puts, i);
            }
        }
    }

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
}
