using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// Every number that the references of this folder use; the JSON documents carry the same. V: of published cases that a reference reproduces, D: a venue's
/// document, C: a venue's open code, S: third parties, O: our own choice where no source gives a number.
/// </summary>
internal static partial class AgreementParameters
{
    public const double NoHaircut = 0.0;

    /// <summary>Fee and slippage of `portfolio`, parts of notional [O].</summary>
    public const double LiquidationCost = 0.0005 + 0.0005;

    /// <summary>[D][V]</summary>
    public const double DeribitMaintenanceFactor = 0.8;

    /// <summary>Haircuts of `portfolio` [O]; a currency not named counts nothing.</summary>
    public static IReadOnlyDictionary<string, double> PortfolioHaircuts { get; } =
        new Dictionary<string, double> { ["USD"] = 0.0, ["USDC"] = 0.0, ["BTC"] = 0.05, ["ETH"] = 0.08 };

    /// <summary>`portfolio`: Deribit's dated tables, no offset between units; other coins [O].</summary>
    public static DeribitParameters Portfolio(string underlying) => underlying switch
    {
        "BTC" => ReferenceParameters.DeribitBitcoin,
        "ETH" => ReferenceParameters.DeribitEther with { PnlOffset = 0.0, MaximumOffset = 0.0 },
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

    /// <summary>`deribit-pm`: BTC of June 2024, ETH of February 2026 [D].</summary>
    public static DeribitParameters Deribit(string underlying) => underlying switch
    {
        "BTC" => ReferenceParameters.DeribitBitcoin,
        "ETH" => ReferenceParameters.DeribitEther,
        _ => throw new ArgumentException($"deribit-pm has no parameters of {underlying}"),
    };
}
