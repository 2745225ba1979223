namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// Deribit's standard margin of one short coin-settled option, in coin per unit [S: third-party notes and code, no published vector]. A long option
/// costs its premium and needs nothing more.
/// <code>
/// call: IM = max(0.15 - OTM/S, 0.10) + mark                 MM = 0.075 + mark
/// put:  IM = max(max(0.15 - OTM/S, 0.10) + mark, MM)        MM = max(0.075, 0.075 mark) + mark
/// </code>
/// </summary>
internal static class DeribitStandardMargin
{
    public static (decimal Initial, decimal Maintenance) Short(bool isCall, decimal index, decimal strike, decimal markCoin)
    {
        decimal outOfTheMoney = ReferenceOptions.Intrinsic(index, strike, !isCall) / index;
        decimal requirement = Math.Max(0.15m - outOfTheMoney, 0.10m) + markCoin;
        if (isCall)
            return (requirement, 0.075m + markCoin);
        decimal maintenance = Math.Max(0.075m, 0.075m * markCoin) + markCoin;
        return (Math.Max(requirement, maintenance), maintenance);
    }
}
