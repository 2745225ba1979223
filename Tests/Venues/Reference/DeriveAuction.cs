namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// Derive's liquidation auction in USD, Derive's sign: maintenance margin negative when it is missing [V].
/// <code>
/// discount d(t): start to cut-off linearly in the fast phase, cut-off to 0 in the slow one
/// buffer margin BM = MM + (MM - MtM) buffer
/// solvent price of the whole = (MtM - reserved) d
/// largest fraction f = BM / (BM - MtM d - reserved (1 - d))
/// insolvent payout of the whole = -(min(MtM,0) + (MM - min(MtM,0)) t / length)
/// </code>
/// Reserved cash is what earlier bidders of this auction have paid in: it is not sold to the next one.
/// </summary>
internal static class DeriveAuction
{
    public static decimal Discount(decimal seconds, decimal start, decimal cutOff, decimal fastSeconds, decimal slowSeconds)
        => seconds <= fastSeconds
            ? start - (start - cutOff) * seconds / fastSeconds
            : Math.Max(0m, cutOff * (1m - (seconds - fastSeconds) / slowSeconds));

    public static decimal BidPrice(decimal markToMarket, decimal reserved, decimal discount) => (markToMarket - reserved) * discount;

    public static decimal LargestFraction(decimal maintenance, decimal markToMarket, decimal buffer, decimal discount, decimal reserved)
    {
        decimal bufferMargin = maintenance + (maintenance - markToMarket) * buffer;
        return bufferMargin / (bufferMargin - markToMarket * discount - reserved * (1m - discount));
    }

    public static decimal InsolventPayout(decimal maintenance, decimal markToMarket, decimal seconds, decimal lengthSeconds)
    {
        decimal from = Math.Min(markToMarket, 0m);
        return -(from + (maintenance - from) * Math.Min(seconds / lengthSeconds, 1m));
    }
}
