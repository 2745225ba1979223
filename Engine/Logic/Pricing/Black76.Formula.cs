using System.Runtime.CompilerServices;

namespace MarginEngine.Logic;

/// <content>The formula, written once for every lane width, the loops of Black76.Columns.cs run it.</content>
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

    /// <summary>What one evaluation yields: both values, and the pieces from which all Greeks follow.</summary>
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

        /// <summary>s/2 - |ln(F/K)|/s: d1 out of the money for a call, -d2 in the money.</summary>
        internal required T Near { get; init; }

        /// <summary>s/2 + |ln(F/K)|/s: -d2 out of the money for a call, d1 in the money.</summary>
        internal required T Far { get; init; }
    }

    /// <summary>How far forward and strike lie apart, in deviations: all of an option that comes before its polynomials.</summary>
    internal readonly ref struct Distances<T> where T : struct, ILanes<T>
    {
        internal required T Deviation { get; init; }

        /// <summary>As in <see cref="Terms{T}"/>, and |near| and far as the rational function wants them.</summary>
        internal required T Near { get; init; }

        internal required T Far { get; init; }

        internal required T NearZ { get; init; }

        internal required T FarZ { get; init; }

        /// <summary>2^(-NearZ^2) in two parts: a whole power, in the low bits of this number, and what is left of the exponent.</summary>
        internal required T RoundedPower { get; init; }

        internal required T Fraction { get; init; }
    }

    /// <summary>
    /// The out-of-the-money option first, the other by parity. With m = min(F, K), M = max(F, K), y = -|ln(F/K)| and s the standard
    /// deviation, both cases are the one formula  otm = m N(y/s + s/2) - M N(y/s - s/2).  The two densities are equal,
    /// m phi(y/s + s/2) = M phi(y/s - s/2), so that a single 2^x serves both distribution values.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Terms<T> Solve<T>(T forward, T strike, T logRatio, T deviation) where T : struct, ILanes<T> =>
        Solve(forward, strike, Measure(logRatio, deviation));

    /// <summary>The first half of <see cref="Solve{T}(T, T, T, T)"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Distances<T> Measure<T>(T logRatio, T deviation) where T : struct, ILanes<T>
    {
        T scale = T.Broadcast(Formulas.DeviationScale);
        T distance = T.Least(T.Broadcast(LargestLog), T.Abs(logRatio));
        T standard = distance / deviation;
        T halfDeviation = T.Broadcast(0.5) * deviation;
        T near = halfDeviation - standard;
        T far = halfDeviation + standard;
        T nearZ = T.Least(T.Broadcast(LargestNearZ), T.Abs(near) * scale);
        T farZ = T.Least(T.Broadcast(LargestFarZ), far * scale);

        // 2^(-z^2): the square inside the fused operations is exact, so that the fraction has one rounding.
        T rounder = T.Broadcast(Formulas.Rounder);
        T roundedPower = T.SubtractProduct(rounder, nearZ, nearZ);
        return new Distances<T>
        {
            Deviation = deviation,
            Near = near,
            Far = far,
            NearZ = nearZ,
            FarZ = farZ,
            RoundedPower = roundedPower,
            Fraction = T.SubtractProduct(rounder - roundedPower, nearZ, nearZ),
        };
    }

    /// <summary>The second half: polynomials, probabilities and values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Terms<T> Solve<T>(T forward, T strike, scoped in Distances<T> distances) where T : struct, ILanes<T>
    {
        T zero = T.Broadcast(0.0);
        T smaller = T.Least(strike, forward);
        T fraction = Formulas.PowerAndTails(distances.Fraction, distances.NearZ, distances.FarZ, out T nearTail, out T farTail);
        T density = smaller * (fraction * Formulas.PowerOfTwo(distances.RoundedPower));

        // Every choice below keeps a NaN: an input that slipped through shows instead of posing as an intrinsic value.
        nearTail = density * nearTail;
        T nearPart = T.WhereGreater(distances.Near, zero, smaller - nearTail, nearTail);
        T farPart = density * farTail;
        T outside = T.Greatest(zero, nearPart - farPart);
        outside = T.WhereGreater(T.Broadcast(double.Epsilon), distances.Deviation, zero, outside);

        T parity = forward - strike;
        return new Terms<T>
        {
            Call = T.WhereGreater(forward, strike, outside + parity, outside),
            Put = T.WhereGreater(forward, strike, outside, outside - parity),
            Density = density,
            NearPart = nearPart,
            FarPart = farPart,
            Near = distances.Near,
            Far = distances.Far,
        };
    }

    /// <summary>Square root of the time; a time that is not above zero counts as none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T RootYears<T>(T years) where T : struct, ILanes<T>
    {
        T zero = T.Broadcast(0.0);
        return T.Sqrt(T.Greatest(zero, years));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Deviation<T>(T years, T volatility) where T : struct, ILanes<T> => volatility * RootYears(years);
}
