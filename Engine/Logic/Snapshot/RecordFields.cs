// The fields of the state's plain records, in the order in which a snapshot has them. Links and caches are left to their owners.
namespace MarginEngine.Logic;

internal static class RecordFields
{
    public static void Record(this StateStream stream, ref Currency currency)
    {
        stream.Field(ref currency.Id, "id");
        stream.Field(ref currency.Decimals, "decimals");
        stream.Field(ref currency.Underlying, "underlying");
        stream.Field(ref currency.RateE8, "rate");
        stream.Field(ref currency.RateTime, "time of the rate");
    }

    public static void Record(this StateStream stream, ref Underlying underlying)
    {
        stream.Field(ref underlying.Id, "id");
        stream.Field(ref underlying.Currency, "currency");
        stream.Field(ref underlying.IndexE8, "index");
        stream.Field(ref underlying.IndexTime, "time of the index");
        stream.Field(ref underlying.ConfidenceE8, "confidence of the index");
        stream.Field(ref underlying.IndexFurther, "further digits of the index");
        stream.Field(ref underlying.ConfidenceFurther, "further digits of its confidence");
        stream.Field(ref underlying.HasSettlementFees, "has terms of settlement");
        stream.Field(ref underlying.ExerciseFeeE8, "exercise fee");
        stream.Field(ref underlying.AssignmentFeeE8, "assignment fee");
        stream.Field(ref underlying.SettlementFeeCapE8, "fee cap");
    }

    /// <summary>Without its surface.</summary>
    public static void Record(this StateStream stream, ref Expiry expiry)
    {
        stream.Field(ref expiry.Underlying, "underlying");
        stream.Field(ref expiry.TimeNanos, "time");
        stream.Field(ref expiry.ForwardE8, "forward");
        stream.Field(ref expiry.ForwardTime, "time of the forward");
        stream.Field(ref expiry.FixedPartE8, "fixed part of the forward");
        stream.Field(ref expiry.HasRate, "has a rate");
        stream.Field(ref expiry.RateE8, "rate");
        stream.Field(ref expiry.ForwardConfidenceE8, "confidence of the forward");
        stream.Field(ref expiry.RateConfidenceE8, "confidence of the rate");
        stream.Field(ref expiry.IsSettled, "is settled");
    }

    /// <summary>The surface of an expiry: what <see cref="SurfaceUpdate"/> may take back.</summary>
    public static void Surface(this StateStream stream, ref Expiry expiry, VolatilityGrids grids)
    {
        stream.Field(ref expiry.HasSlice, "has a slice");
        stream.Field(ref expiry.SurfaceTime, "time of the surface");
        stream.Field(ref expiry.SliceConfidenceE8, "confidence of the surface");
        stream.Field(ref expiry.SliceA, "slice a");
        stream.Field(ref expiry.SliceB, "slice b");
        stream.Field(ref expiry.SliceRho, "slice rho");
        stream.Field(ref expiry.SliceM, "slice m");
        stream.Field(ref expiry.SliceSigma, "slice sigma");
        grids.Describe(stream, ref expiry.Grid);
    }

    public static void Record(this StateStream stream, ref Instrument instrument)
    {
        stream.Field(ref instrument.Id, "id");
        stream.Field(ref instrument.Underlying, "underlying");
        stream.Field(ref instrument.Currency, "currency");
        stream.Field(ref instrument.Expiry, "expiry");
        stream.Field(ref instrument.Kind, "kind");
        stream.Field(ref instrument.Settlement, "settlement");
        stream.Field(ref instrument.Right, "right");
        stream.Field(ref instrument.SizeE8, "size");
        stream.Field(ref instrument.StrikeE8, "strike price");
        stream.Field(ref instrument.MarkE8, "mark");
        stream.Field(ref instrument.MarkTime, "time of the mark");
        stream.Field(ref instrument.VolatilityE8, "volatility");
        stream.Field(ref instrument.VolatilityFurther, "further digits of the volatility");
        stream.Field(ref instrument.VolatilityTime, "time of the volatility");
        stream.Field(ref instrument.MarkConfidenceE8, "confidence of the mark");
        stream.Field(ref instrument.VolatilityConfidenceE8, "confidence of the volatility");
        stream.Field(ref instrument.FundingRateE8, "funding rate");
        stream.Field(ref instrument.OpenInterest, "open interest");
        stream.Field(ref instrument.ArrayRows, "rows of its array");
        stream.Field(ref instrument.ArrayExponent, "exponent of its array");
        stream.Field(ref instrument.ArrayDeltaE8, "delta of its array");
        stream.Field(ref instrument.IsDirty, "changed in this event");
        stream.Field(ref instrument.IsSettled, "is settled");
    }

    public static void Record(this StateStream stream, ref AccountClass rules)
    {
        stream.Field(ref rules.Id, "id");
        stream.Field(ref rules.Version, "version");
        stream.Field(ref rules.Model, "model slot");
        stream.Field(ref rules.MaximumLeverageE8, "maximum leverage");
        stream.Field(ref rules.MinimumEquity, "minimum equity");
        stream.Field(ref rules.Kinds, "kinds");
        stream.Field(ref rules.Settlements, "settlements");
        stream.Field(ref rules.HasEveryUnderlying, "has every underlying");
        stream.Field(ref rules.Digest, "digest");
    }

    /// <summary>Without its id, which comes before.</summary>
    public static void Record(this StateStream stream, ref Account account)
    {
        stream.Field(ref account.OwnerId, "owner");
        stream.Field(ref account.Class, "class");
        stream.Field(ref account.FollowsClass, "follows its class");
        stream.Field(ref account.Model, "model slot");
        stream.Field(ref account.Currencies, "currencies");
        stream.Field(ref account.State, "state");
        stream.Field(ref account.IsDirty, "has to be evaluated");
        stream.Field(ref account.IsChangedByOwner, "changed by its owner");
        stream.Record(ref account.Margin);
        stream.Field(ref account.PublishedRatioE8, "published ratio");
        stream.Field(ref account.PublishedTime, "time of publication");
        stream.Field(ref account.PublishedFlags, "published flags");
        stream.Field(ref account.ComparedTime, "time of comparison");
        stream.Field(ref account.LiquidationId, "liquidation");
        stream.Field(ref account.LiquidationTime, "time of the liquidation");
        stream.Field(ref account.LiquidationAttempt, "liquidation attempt");
        stream.Field(ref account.LiquidationLots, "lots to be liquidated");
    }

    public static void Record(this StateStream stream, ref UnitMargin margin)
    {
        stream.Field(ref margin.Value, "value");
        stream.Field(ref margin.WorstCase, "worst case");
        stream.Field(ref margin.WorstRow, "worst row");
        stream.Field(ref margin.LiquidationCost, "liquidation cost");
        stream.Field(ref margin.OpenOrders, "open orders");
        stream.Enter("initial parts");
        stream.Record(ref margin.InitialParts);
        stream.Leave();
        stream.Enter("maintenance parts");
        stream.Record(ref margin.MaintenanceParts);
        stream.Leave();
        stream.Field(ref margin.Initial, "initial margin");
        stream.Field(ref margin.Maintenance, "maintenance margin");
        stream.Field(ref margin.NetDelta, "net delta");
        stream.Field(ref margin.PriceRisk, "price risk");
        stream.Field(ref margin.Flags, "flags");
        stream.Record(ref margin.Greeks);
    }

    /// <summary>Without its instrument, which comes before, and its orders, which come after.</summary>
    public static void Record(this StateStream stream, ref Position position)
    {
        stream.Field(ref position.Lots, "lots");
        stream.Field(ref position.EntryCost, "entry cost");
        stream.Field(ref position.BuyLots, "lots of buy orders");
        stream.Field(ref position.SellLots, "lots of sell orders");
        stream.Field(ref position.BuyCost, "cost of buy orders");
        stream.Field(ref position.SellCost, "cost of sell orders");
    }

    /// <summary>Without its id, which comes before.</summary>
    public static void Record(this StateStream stream, ref Order order)
    {
        stream.Field(ref order.Side, "side");
        stream.Field(ref order.Lots, "lots");
        stream.Field(ref order.PriceE8, "price");
        stream.Field(ref order.Cost, "cost");
    }

    private static void Record(this StateStream stream, ref AccountMargin margin)
    {
        stream.Field(ref margin.Equity, "equity");
        stream.Field(ref margin.GrossEquity, "gross equity");
        stream.Field(ref margin.Initial, "initial margin");
        stream.Field(ref margin.Maintenance, "maintenance margin");
        stream.Field(ref margin.RatioE8, "ratio");
        stream.Field(ref margin.WorstLoss, "worst loss");
        stream.Field(ref margin.WorstRow, "worst row");
        stream.Field(ref margin.WorstUnderlying, "worst underlying");
        stream.Field(ref margin.Flags, "flags");
        stream.Record(ref margin.Greeks);
    }

    private static void Record(this StateStream stream, ref RequirementParts parts)
    {
        stream.Field(ref parts.Measure, "measure");
        stream.Field(ref parts.Alternative, "alternative");
        stream.Field(ref parts.Before, "before");
        stream.Field(ref parts.Floor, "floor");
        stream.Field(ref parts.After, "after");
    }

    private static void Record(this StateStream stream, ref Greeks greeks)
    {
        stream.Field(ref greeks.Delta, "delta");
        stream.Field(ref greeks.Gamma, "gamma");
        stream.Field(ref greeks.Vega, "vega");
        stream.Field(ref greeks.Theta, "theta");
        stream.Field(ref greeks.Rho, "rho");
    }
}
