using System.Runtime.InteropServices;

namespace MarginEngine.Logic;

/// <content>First derivatives of rows, for bounds on how far values move.</content>
public static partial class Black76
{
    /// <summary>
    /// Rows as <see cref="ValueRows"/> has them: the change of the undiscounted call for a relative change of the forward, with the deviation (volatility times
    /// root of time) of row i changing by <paramref name="deviationSlope"/>[i] for it: F_i (N(d1) + phi(d1) slope_i). The put's is that less F_i.
    /// </summary>
    /// <exception cref="ArgumentException">Lengths differ or are no multiple of 8.</exception>
    public static void SlopeRows(
        double forward,
        double strike,
        double years,
        ReadOnlySpan<double> spotFactor,
        ReadOnlySpan<double> logSpotFactor,
        ReadOnlySpan<double> sigma,
        ReadOnlySpan<double> deviationSlope,
        Span<double> call)
    {
        RequireRows(
            spotFactor.Length,
            spotFactor.Length == logSpotFactor.Length & spotFactor.Length == sigma.Length
            & spotFactor.Length == deviationSlope.Length & spotFactor.Length == call.Length);
        double logRatio = Functions.Log(forward / strike);
        double rootYears = RootYears(Lanes1.Broadcast(years)).Value;
        switch (Kernel.LaneWidth)
        {
            case 8: SlopeRows<Lanes8>(forward, strike, logRatio, rootYears, spotFactor, logSpotFactor, sigma, deviationSlope, call); break;
            case 4: SlopeRows<Lanes4>(forward, strike, logRatio, rootYears, spotFactor, logSpotFactor, sigma, deviationSlope, call); break;
            case 2: SlopeRows<Lanes2>(forward, strike, logRatio, rootYears, spotFactor, logSpotFactor, sigma, deviationSlope, call); break;
            default: SlopeRows<Lanes1>(forward, strike, logRatio, rootYears, spotFactor, logSpotFactor, sigma, deviationSlope, call); break;
        }
    }

    private static void SlopeRows<T>(
        double forward,
        double strike,
        double logRatio,
        double rootYears,
        ReadOnlySpan<double> spotFactor,
        ReadOnlySpan<double> logSpotFactor,
        ReadOnlySpan<double> sigma,
        ReadOnlySpan<double> deviationSlope,
        Span<double> call)
        where T : struct, ILanes<T>
    {
        ref readonly double factors = ref MemoryMarshal.GetReference(spotFactor);
        ref readonly double logFactors = ref MemoryMarshal.GetReference(logSpotFactor);
        ref readonly double volatilities = ref MemoryMarshal.GetReference(sigma);
        ref readonly double slopes = ref MemoryMarshal.GetReference(deviationSlope);
        ref double calls = ref MemoryMarshal.GetReference(call);
        T strikes = T.Broadcast(strike);
        T forwards = T.Broadcast(forward);
        T logRatios = T.Broadcast(logRatio);
        T rootYearsEach = T.Broadcast(rootYears);
        T inverseRoot = T.Broadcast(InverseRootTwoPi);
        nuint rows = (nuint)spotFactor.Length;
        unchecked
        {
            for (nuint i = 0; i < rows; i += (nuint)T.Count)
            {
                T shocked = forwards * T.Load(in factors, i);
                Terms<T> terms = Solve(shocked, strikes, logRatios + T.Load(in logFactors, i), T.Load(in volatilities, i) * rootYearsEach);

                // The smaller of forward and strike has the near part: forward N(d1) below the strike, strike N(-d2) above it.
                T inForwards = T.WhereGreater(shocked, strikes, shocked - terms.FarPart, terms.NearPart);
                (inForwards + (terms.Density * inverseRoot * T.Load(in slopes, i))).Store(ref calls, i);
            }
        }
    }
}
