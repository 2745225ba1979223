using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <content>Derive's three managers, one set for every underlying.</content>
internal static partial class AgreementParameters
{
    /// <summary>Haircut of a coin that moves inside the rows, of maintenance, and what initial adds to it [V: the commonest of the published cases].</summary>
    public const double DeriveMaintenanceHaircut = 0.02;

    public const double DeriveInitialHaircut = 0.02;

    /// <summary>As published for ether [D]; see <see cref="ReferenceParameters.DeriveEther"/>.</summary>
    public static DerivePmrm2Parameters DerivePmrm2 => ReferenceParameters.DeriveEther;

    /// <summary>Those of the published verification cases [V]; no floor under a shocked volatility.</summary>
    public static DerivePmrm1Parameters DerivePmrm1 { get; } = new()
    {
        Scenarios = [.. new[] { 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15 }.SelectMany(spot =>
            new[] { DeriveVolatilityMove.Up, DeriveVolatilityMove.None, DeriveVolatilityMove.Down }.Select(move => new DeriveScenario(spot, move, 1.0)))],
        Shock = new DeriveVolatilityShock(0.45, 0.3, 0.3, 0.13, 1.0, 0.0),
        InitialFactor = 1.3,
        StaticDiscount = 0.95,
        RateMultiple = 4.0,
        RateAdd = 0.12,
        BasisUp = 1.05,
        BasisDown = 0.95,
        BasisAdd = 0.25,
        BasisMultiple = 0.01,
        PegThreshold = 0.98,
        PegFactor = 2.0,
        ConfidenceThreshold = 0.6,
        ConfidenceMargin = 0.4,
        BasePercent = 0.025,
        PerpetualPercent = 0.025,
        OptionPercent = 0.01,
    };

    /// <summary>All of the published cases [V].</summary>
    public static StandardParameters DeriveStandard { get; } = new()
    {
        MaximumSpotRequirement = 0.15,
        MinimumSpotRequirement = 0.10,
        CallMaintenance = 0.075,
        PutMaintenance = 0.075,
        PutMaintenanceOfMark = 0.075,
        UnpairedInitial = 1.2,
        UnpairedMaintenance = 1.1,
        PutInitialOverMaintenance = 1.05,
        PerpetualInitial = 0.065,
        PerpetualMaintenance = 0.05,
        OracleThreshold = 0.4,
        OracleFactor = 0.4,
        DepegThreshold = 0.98,
        DepegFactor = 1.2,
        BaseFactor = 0.8,
        BaseInitialScale = 1.0,
    };
}
