using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// Every number that the references of this folder use; the JSON documents carry the same. V: of published cases that a reference reproduces, D: a venue's
/// document, C: a venue's open code, S: third parties, O: our own choice where no source gives a number.
/// </summary>
internal static partial class AgreementParameters
{
    /// <summary>Initial and maintenance rates of a future or perpetual under `deribit-standard` [S: a flat reading of a scale by size].</summary>
    public static (decimal Initial, decimal Maintenance) DeribitFuture(string underlying) => underlying is "BTC" or "ETH" ? (0.02m, 0.01m) : (0.04m, 0.02m);

    /// <summary>Fee and slippage of `portfolio`, parts of notional [O].</summary>
    public const decimal LiquidationCost = 0.0005m + 0.0005m;

    /// <summary>[D][V]</summary>
    public const decimal DeribitMaintenanceFactor = 0.8m;

    /// <summary>Haircuts of the documents that have no others [O]; a currency not named counts nothing.</summary>
    public static decimal Haircut(string currency) => currency switch
    {
        "USD" or "USDC" => 0m,
        "BTC" => 0.05m,
        "ETH" => 0.08m,
        _ => 1m,
    };

    /// <summary>The same where coins count in full.</summary>
    public static decimal NamedInFull(string currency) => currency is "USD" or "USDC" or "BTC" or "ETH" ? 0m : 1m;

    /// <summary>`matrix`: Deribit's dated tables, no offset between units.</summary>
    public static DeribitParameters Matrix(string underlying) => Deribit(underlying) with { PnlOffset = 0m, MaximumOffset = 0m };

    /// <summary>`portfolio`: the same rows; a share of every gain offsets, without a cap [O].</summary>
    public static DeribitParameters Portfolio(string underlying) =>
        Deribit(underlying) with { PnlOffset = underlying is "BTC" or "ETH" ? 0.5m : 0.25m, MaximumOffset = decimal.MaxValue };

    /// <summary>`deribit-pm`: BTC of June 2024, ETH of February 2026 [D], other coins [O].</summary>
    public static DeribitParameters Deribit(string underlying) => underlying switch
    {
        "BTC" => ReferenceParameters.DeribitBitcoin,
        "ETH" => ReferenceParameters.DeribitEther,
        _ => ReferenceParameters.DeribitBitcoin with
        {
            PriceRange = 0.25m,
            MinimumVolatilityUp = 0.8m,
            ExtendedDampener = 0m,
            MinimumAnnualisedMove = 0.02m,
            AnnualisedMoveRisk = 0.10m,
            DeltaThreshold = 5e6m,
            DeltaIncrement = 0.0001m,
        },
    };
}
