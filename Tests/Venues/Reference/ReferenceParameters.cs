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
        Shock = new DeriveVolatilityShock(0.5, 0.275, 0.3, 0.13, 1.0, 0.4),
        LinearSkew = new DeriveSkewCap(0.25, -0.1),
        AbsoluteSkew = new DeriveSkewCap(0.25, -0.1),
        MinimumWidth = 0.01,
        WidthScale = 4.0,
        WidthVolatility = 0.6,
        WidthVolatilitySlope = -0.1,
        InitialFactor = 1.0,
        MaintenanceFactor = 0.8,
        LongStatic = 0.98,
        LongRateMultiple = 1.0,
        LongRateAdd = 0.10,
        ShortStatic = 1.02,
        ShortRateMultiple = 0.5,
        ShortRateAdd = 0.10,
        BasisUp = 1.045,
        BasisDown = 0.955,
        BasisAdd = 0.5,
        BasisMultiple = 2.0,
        PegThreshold = 0.99,
        PegFactor = 4.0,
        ConfidenceThreshold = 0.55,
        ConfidenceMargin = 1.0,
        MaintenancePerpetual = 0.015,
        InitialPerpetual = 0.005,
        MaintenanceOption = 0.003,
        InitialOption = 0.002,
    };

    /// <summary>Deribit, BTC in June 2024 [D].</summary>
    public static DeribitParameters DeribitBitcoin { get; } = new()
    {
        PriceRange = 0.16,
        BucketsEachSide = 4,
        VolatilityUp = 0.5,
        VolatilityDown = 0.25,
        ShortTermPower = 0.3,
        LongTermPower = 0.13,
        MinimumVolatilityUp = 0.5,
        ExtendedFactor = 1.0,
        ExtendedDampener = 100_000.0,
        DeltaThreshold = 20e6,
        MaximumDeltaShock = 0.1,
        DeltaIncrement = 0.00005,
        MinimumAnnualisedMove = 0.01,
        AnnualisedMoveRisk = 0.075,
        PnlOffset = 0.0,
        MaximumOffset = 0.0,
        MaintenanceFactor = 0.8,
    };

    /// <summary>Deribit, ETH in February 2026 [D].</summary>
    public static DeribitParameters DeribitEther { get; } = DeribitBitcoin with
    {
        PriceRange = 0.18,
        VolatilityUp = 0.4,
        ExtendedDampener = 200_000.0,
        DeltaIncrement = 0.000004,
        MinimumAnnualisedMove = 0.005,
        AnnualisedMoveRisk = 0.05,
        PnlOffset = 0.6,
        MaximumOffset = 20e6,
    };

    private static List<DeriveScenario> DeriveRows()
    {
        var rows = new List<DeriveScenario>();
        for (int step = -4; step <= 4; step++)
        {
            foreach (DeriveVolatilityMove move in new[] { DeriveVolatilityMove.Down, DeriveVolatilityMove.None, DeriveVolatilityMove.Up })
            {
                rows.Add(new DeriveScenario(1.0 + 0.045 * step, move, 1.0));
            }
        }

        (double Move, double Damp)[] tails =
            [(-0.66, 0.21), (-0.33, 0.42), (0.5, 0.277), (1.0, 0.139), (2.0, 0.069), (3.0, 0.046), (4.0, 0.035), (5.0, 0.028)];
        rows.AddRange(tails.Select(tail => new DeriveScenario(1.0 + tail.Move, DeriveVolatilityMove.Up, tail.Damp)));
        rows.Add(new DeriveScenario(1.0, DeriveVolatilityMove.LinearSkew, 1.0));
        rows.Add(new DeriveScenario(1.0, DeriveVolatilityMove.AbsoluteSkew, 1.0));
        return rows;
    }
}
