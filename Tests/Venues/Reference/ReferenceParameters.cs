namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// Parameter sets that the venues had in force, for books that no published case brings: Derive's second portfolio model and Deribit's two dated tables.
/// </summary>
internal static class ReferenceParameters
{
    /// <summary>
    /// Derive PMRM v2 on ether [D]: spot to +-18 % with three volatilities, eight damped tails, two skew rows. The multiples of the rate and the
    /// percentages of the contingencies are those of the published cases, whose rows are fewer and more damped.
    /// </summary>
    public static DerivePmrm2Parameters DeriveEther { get; } = new()
    {
        Scenarios = DeriveRows(),
        Shock = new DeriveVolatilityShock(0.5m, 0.275m, 0.3m, 0.13m, 1m, 0.4m),
        LinearSkew = new DeriveSkewCap(0.25m, -0.1m),
        AbsoluteSkew = new DeriveSkewCap(0.25m, -0.1m),
        MinimumWidth = 0.01m,
        WidthScale = 4m,
        WidthVolatility = 0.6m,
        WidthVolatilitySlope = -0.1m,
        InitialFactor = 1m,
        MaintenanceFactor = 0.8m,
        LongStatic = 0.98m,
        LongRateMultiple = 1m,
        LongRateAdd = 0.10m,
        ShortStatic = 1.02m,
        ShortRateMultiple = 0.5m,
        ShortRateAdd = 0.10m,
        BasisUp = 1.045m,
        BasisDown = 0.955m,
        BasisAdd = 0.5m,
        BasisMultiple = 2m,
        PegThreshold = 0.99m,
        PegFactor = 4m,
        ConfidenceThreshold = 0.55m,
        ConfidenceMargin = 1m,
        MaintenancePerpetual = 0.015m,
        InitialPerpetual = 0.005m,
        MaintenanceOption = 0.003m,
        InitialOption = 0.002m,
    };

    /// <summary>Deribit, BTC in June 2024 [D].</summary>
    public static DeribitParameters DeribitBitcoin { get; } = new()
    {
        PriceRange = 0.16m,
        BucketsEachSide = 4,
        VolatilityUp = 0.5m,
        VolatilityDown = 0.25m,
        ShortTermPower = 0.3m,
        LongTermPower = 0.13m,
        MinimumVolatilityUp = 0.5m,
        ExtendedFactor = 1m,
        ExtendedDampener = 100_000m,
        DeltaThreshold = 20e6m,
        MaximumDeltaShock = 0.1m,
        DeltaIncrement = 0.00005m,
        MinimumAnnualisedMove = 0.01m,
        AnnualisedMoveRisk = 0.075m,
        PnlOffset = 0m,
        MaximumOffset = 0m,
        MaintenanceFactor = 0.8m,
    };

    /// <summary>Deribit, ETH in February 2026 [D].</summary>
    public static DeribitParameters DeribitEther { get; } = DeribitBitcoin with
    {
        PriceRange = 0.18m,
        VolatilityUp = 0.4m,
        ExtendedDampener = 200_000m,
        DeltaIncrement = 0.000004m,
        MinimumAnnualisedMove = 0.005m,
        AnnualisedMoveRisk = 0.05m,
        PnlOffset = 0.6m,
        MaximumOffset = 20e6m,
    };

    private static List<DeriveScenario> DeriveRows()
    {
        var rows = new List<DeriveScenario>();
        for (int step = -4; step <= 4; step++)
        {
            foreach (DeriveVolatilityMove move in new[] { DeriveVolatilityMove.Down, DeriveVolatilityMove.None, DeriveVolatilityMove.Up })
            {
                rows.Add(new DeriveScenario(1m + 0.045m * step, move, 1m));
            }
        }

        (decimal Move, decimal Damp)[] tails =
            [(-0.66m, 0.21m), (-0.33m, 0.42m), (0.5m, 0.277m), (1m, 0.139m), (2m, 0.069m), (3m, 0.046m), (4m, 0.035m), (5m, 0.028m)];
        rows.AddRange(tails.Select(tail => new DeriveScenario(1m + tail.Move, DeriveVolatilityMove.Up, tail.Damp)));
        rows.Add(new DeriveScenario(1m, DeriveVolatilityMove.LinearSkew, 1m));
        rows.Add(new DeriveScenario(1m, DeriveVolatilityMove.AbsoluteSkew, 1m));
        return rows;
    }
}
