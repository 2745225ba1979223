using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// Every number that the references of this folder use; the JSON documents carry the same. V: of published cases that a reference reproduces, D: a venue's
/// document, C: a venue's open code, S: third parties, O: our own choice where no source gives a number.
/// </summary>
internal static partial class AgreementParameters
{
    /// <summary>Initial and maintenance rates of a future or perpetual under `deribit-standard` [S: a flat reading of a scale by size].</summary>
    public static (double Initial, double Maintenance) DeribitFuture(string underlying) => underlying is "BTC" or "ETH" ? (0.02, 0.01) : (0.04, 0.02);

    /// <summary>Fee and slippage of `portfolio`, parts of notional [O].</summary>
    public const double LiquidationCost = 0.0005 + 0.0005;

    /// <summary>[D][V]</summary>
    public const double DeribitMaintenanceFactor = 0.8;

    /// <summary>Haircuts of the documents that have no others [O]; a currency not named counts nothing.</summary>
    public static double Haircut(string currency) => currency switch
    {
        "USD" or "USDC" => 0.0,
        "BTC" => 0.05,
        "ETH" => 0.08,
        _ => 1.0,
    };

    /// <summary>The same where coins count in full.</summary>
    public static double NamedInFull(string currency) => currency is "USD" or "USDC" or "BTC" or "ETH" ? 0.0 : 1.0;

    /// <summary>`matrix`: Deribit's dated tables, no offset between units.</summary>
    public static DeribitParameters Matrix(string underlying) => Deribit(underlying) with { PnlOffset = 0.0, MaximumOffset = 0.0 };

    /// <summary>`portfolio`: the same rows; a share of every gain offsets, without a cap [O].</summary>
    public static DeribitParameters Portfolio(string underlying) =>
        Deribit(underlying) with { PnlOffset = underlying is "BTC" or "ETH" ? 0.5 : 0.25, MaximumOffset = double.PositiveInfinity };

    /// <summary>`deribit-pm`: BTC of June 2024, ETH of February 2026 [D], other coins [O].</summary>
    public static DeribitParameters Deribit(string underlying) => underlying switch
    {
        "BTC" => ReferenceParameters.DeribitBitcoin,
        "ETH" => ReferenceParameters.DeribitEther,
        _ => ReferenceParameters.DeribitBitcoin with
        {
            PriceRange = 0.25,
            MinimumVolatilityUp = 0.8,
            ExtendedDampener = 0.0,
            MinimumAnnualisedMove = 0.02,
            AnnualisedMoveRisk = 0.10,
            DeltaThreshold = 5e6,
            DeltaIncrement = 0.0001,
        },
    };
}
