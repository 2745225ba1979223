namespace MarginEngine.Logic;

/// <summary>Marks of a call and a put of one strike and expiry, both as a fraction of the forward: how coin-settled options are quoted.</summary>
/// <param name="Strike">In the quote currency, above zero.</param>
/// <param name="Call">Mark of the call in coin.</param>
/// <param name="Put">Mark of the put in coin.</param>
public readonly record struct ParityPair(double Strike, double Call, double Put);

/// <summary>
/// The forward that a venue's option marks were computed with, recovered from put-call parity. Called by importers of option chains, off
/// the hot path: what a chain lists as the forward may be several basis points away from it in a fast market.
/// </summary>
public static class ParityForward
{
    /// <summary>
    /// The median over strikes of F = K / (1 - (C - P)), for coin-settled options at rate zero. The median is used because single marks
    /// can be seconds older than the rest, and such marks stand at any strike.
    /// </summary>
    /// <returns>False, and 0, where no pair has a usable price: strike above zero, call and put at least zero, C - P below one.</returns>
    public static bool TryEstimate(ReadOnlySpan<ParityPair> pairs, out double forward)
    {
        var candidates = new List<double>(pairs.Length);
        foreach (ParityPair pair in pairs)
        {
            double rest = 1.0 - (pair.Call - pair.Put);
            double candidate = pair.Strike / rest;
            if (pair is { Strike: > 0.0, Call: >= 0.0, Put: >= 0.0 } && rest > 0.0 && double.IsFinite(candidate))
                candidates.Add(candidate);
        }

        forward = 0.0;
        if (candidates.Count == 0)
            return false;
        candidates.Sort();
        int middle = candidates.Count / 2;
        forward = candidates.Count % 2 == 1 ? candidates[middle] : 0.5 * (candidates[middle - 1] + candidates[middle]);
        return true;
    }
}
