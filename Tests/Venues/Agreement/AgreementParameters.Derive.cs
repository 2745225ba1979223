using MarginEngine.Tests.VenueTests.Reference;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <content>Derive's three managers, one set for every underlying.</content>
internal static partial class AgreementParameters
{
    /// <summary>Haircut of a coin that moves inside the rows, of maintenance, and what initial adds to it [V: the commonest of the published cases].</summary>
    public const decimal DeriveMaintenanceHaircut = 0.02m;

    public const decimal DeriveInitialHaircut = 0.02m;

    /// <summary>As published for ether [D]; see <see cref="ReferenceParameters.DeriveEther"/>.</summary>
    public static DerivePmrm2Parameters DerivePmrm2 => ReferenceParameters.DeriveEther;

    /// <summary>Those of the published verification cases [V]; no floor under a shocked volatility.</summary>
    public static DerivePmrm1Parameters DerivePmrm1 { get; } = new()
    {
        Scenarios = [.. new[] { 0.85m, 0.9m, 0.95m, 1m, 1.05m, 1.1m, 1.15m }.SelectMany(spot =>
            new[] { DeriveVolatilityMove.Up, DeriveVolatilityMove.None, DeriveVolatilityMove.Down }.Select(move => new DeriveScenario(spot, move, 1m)))],
        Shock = new DeriveVolatilityShock(0.45m, 0.3m, 0.3m, 0.13m, 1m, 0m),
        InitialFactor = 1.3m,
        StaticDiscount = 0.95m,
        RateMultiple = 4m,
        RateAdd = 0.12m,
        BasisUp = 1.05m,
        BasisDown = 0.95m,
        BasisAdd = 0.25m,
        BasisMultiple = 0.01m,
        PegThreshold = 0.98m,
        PegFactor = 2m,
        ConfidenceThreshold = 0.6m,
        ConfidenceMargin = 0.4m,
        BasePercent = 0.025m,
        PerpetualPercent = 0.025m,
        OptionPercent = 0.01m,
    };

    /// <summary>All of the published cases [V].</summary>
    public static StandardParameters DeriveStandard { get; } = new()
    {
        MaximumSpotRequirement = 0.15m,
        MinimumSpotRequirement = 0.10m,
        CallMaintenance = 0.075m,
        PutMaintenance = 0.075m,
        PutMaintenanceOfMark = 0.075m,
        UnpairedInitial = 1.2m,
        UnpairedMaintenance = 1.1m,
        PutInitialOverMaintenance = 1.05m,
        PerpetualInitial = 0.065m,
        PerpetualMaintenance = 0.05m,
        OracleThreshold = 0.4m,
        OracleFactor = 0.4m,
        DepegThreshold = 0.98m,
        DepegFactor = 1.2m,
        BaseFactor = 0.8m,
        BaseInitialScale = 1m,
    };
}
