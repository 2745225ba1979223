namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>Parameters of a risk unit: the moves of MR1 and MR6, and the share of |delta| that MR4 and MR7 charge; a tier is [from, to) of |delta| in USD.</summary>
internal sealed record OkxParameters(
    IReadOnlyList<decimal> SpotMoves,
    decimal ExtremeMove,
    decimal BasisRate,
    decimal MinimumRate,
    IReadOnlyList<(decimal From, decimal To, decimal Multiple)> Tiers);

/// <summary>Components in USD. MR2, MR3, MR5 and MR9 are taken as given: no formula of theirs is verified [S].</summary>
internal sealed record OkxResult(decimal Mr1, decimal Mr4, decimal Mr6, decimal Mr7, decimal Maintenance, decimal Initial);

/// <summary>
/// OKX portfolio margin of one risk unit in USD.
/// <code>
/// MR1 = worst loss over the spot moves (and, for options, volatility up, same, down)
/// MR6 = half of the loss at the extreme move, either way
/// MR4 = basis rate * |delta|          MR7 = minimum rate * |delta| * multiple of the size tier
/// MMR = max(max(MR1, MR6) + MR4 + MR3 + MR5, MR7)          IMR = 1.3 MMR
/// </code>
/// The identities are [V] on the documented reply for linear positions. MR2, MR3, MR5, MR9, the volatility rows of MR1 and the reading of the tier as one
/// multiple for the whole size (not by slices) are [S]. The reply's rows move a price a little off the one behind its delta (97,034 against 97,049
/// USD): exposure and delta are two inputs.
/// </summary>
internal static class OkxPortfolioMargin
{
    public const decimal InitialOverMaintenance = 1.3m;

    /// <param name="exposure">USD that move with spot, signed.</param>
    /// <param name="delta">USD delta, signed.</param>
    /// <param name="volatilityAndRateCharges">MR3 + MR5 in USD.</param>
    public static OkxResult Margin(decimal exposure, decimal delta, OkxParameters parameters, decimal volatilityAndRateCharges = 0m)
        => Margin(move => exposure * move, delta, parameters, volatilityAndRateCharges);

    /// <param name="pnl">P&amp;L in USD at a relative move of spot, worst volatility.</param>
    public static OkxResult Margin(Func<decimal, decimal> pnl, decimal delta, OkxParameters parameters, decimal volatilityAndRateCharges)
    {
        decimal mr1 = parameters.SpotMoves.Max(move => Math.Max(0m, Math.Max(-pnl(move), -pnl(-move))));
        decimal mr6 = 0.5m * Math.Max(0m, Math.Max(-pnl(parameters.ExtremeMove), -pnl(-parameters.ExtremeMove)));
        decimal size = Math.Abs(delta);
        decimal multiple = parameters.Tiers.First(tier => size >= tier.From && size < tier.To).Multiple;
        decimal mr4 = parameters.BasisRate * size;
        decimal mr7 = parameters.MinimumRate * size * multiple;
        decimal maintenance = Math.Max(Math.Max(mr1, mr6) + mr4 + volatilityAndRateCharges, mr7);
        return new OkxResult(mr1, mr4, mr6, mr7, maintenance, InitialOverMaintenance * maintenance);
    }
}
