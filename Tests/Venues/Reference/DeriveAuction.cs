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
    public static double Discount(double seconds, double start, double cutOff, double fastSeconds, double slowSeconds)
        => seconds <= fastSeconds
            ? start - (start - cutOff) * seconds / fastSeconds
            : Math.Max(0.0, cutOff * (1.0 - (seconds - fastSeconds) / slowSeconds));

    public static double BidPrice(double markToMarket, double reserved, double discount) => (markToMarket - reserved) * discount;

    public static double LargestFraction(double maintenance, double markToMarket, double buffer, double discount, double reserved)
    {
        double bufferMargin = maintenance + (maintenance - markToMarket) * buffer;
        return bufferMargin / (bufferMargin - markToMarket * discount - reserved * (1.0 - discount));
    }

    public static double InsolventPayout(double maintenance, double markToMarket, double seconds, double lengthSeconds)
    {
        double from = Math.Min(markToMarket, 0.0);
        return -(from + (maintenance - from) * Math.Min(seconds / lengthSeconds, 1.0));
    }
}
