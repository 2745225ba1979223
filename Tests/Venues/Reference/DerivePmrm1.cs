namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>Parameters of PMRM v1, named as the formulas of <see cref="DerivePmrm1"/> use them. Rates per year, percentages as fractions.</summary>
internal sealed record DerivePmrm1Parameters
{
    public required IReadOnlyList<DeriveScenario> Scenarios { get; init; }
    public required DeriveVolatilityShock Shock { get; init; }
    public required double InitialFactor { get; init; }
    public required double StaticDiscount { get; init; }
    public required double RateMultiple { get; init; }
    public required double RateAdd { get; init; }
    public required double BasisUp { get; init; }
    public required double BasisDown { get; init; }
    public required double BasisAdd { get; init; }
    public required double BasisMultiple { get; init; }
    public required double PegThreshold { get; init; }
    public required double PegFactor { get; init; }
    public required double ConfidenceThreshold { get; init; }
    public required double ConfidenceMargin { get; init; }
    public required double BasePercent { get; init; }
    public required double PerpetualPercent { get; init; }
    public required double OptionPercent { get; init; }
}

/// <summary>Margins in USD in Derive's sign (healthy when not negative), and their published parts.</summary>
internal sealed record DerivePmrm1Result(double Initial, double Maintenance, double MarkToMarket, double BasisContingency, double AssetContingency);

/// <summary>
/// Derive PMRM v1, the smaller ancestor of <see cref="DerivePmrm2"/> [V: every published case].
/// <code>
/// loss = min(basis contingency, min over rows PnL_k) - asset contingency
/// MM = MtM + loss
/// IM = MtM + loss * (imFactor + max(0, pegThreshold - stable) * pegFactor) - oracle
/// </code>
/// It differs from version 2 in this: the contingency stands inside what the initial factor multiplies; maintenance has no factor; only a
/// positive expiry is discounted, by static e^(-T (max(r,0) multiple + add)), a negative one is taken at mark; the base asset always moves inside the
/// rows, is charged a percentage of spot and has no haircut; no row damps or skews; nothing is divided by the stable coin's price; marks are not
/// discounted by the rate at all.
/// </summary>
internal static class DerivePmrm1
{
    /// <summary>The account's collateral is its base asset: <see cref="DeriveCollateral.Amount"/> units at spot.</summary>
    public static DerivePmrm1Result Margin(DeriveAccount account, DerivePmrm1Parameters parameters)
    {
        double baseAmount = account.Collaterals.Sum(collateral => collateral.Amount);
        double worst = parameters.Scenarios.Min(scenario => RowPnl(account, parameters, baseAmount, scenario));
        double basis = account.Expiries.Sum(expiry => Basis(account, parameters, expiry));
        double asset = account.Spot * (Math.Abs(account.Perpetuals) * parameters.PerpetualPercent
            + account.NakedShorts() * parameters.OptionPercent
            + Math.Abs(baseAmount) * parameters.BasePercent);
        double loss = Math.Min(basis, worst) - asset;
        double factor = parameters.InitialFactor + Math.Max(0.0, parameters.PegThreshold - account.Stable) * parameters.PegFactor;
        double markToMarket = account.Cash + account.PerpetualPnl + account.Funding + account.Expiries.Sum(expiry => MarkValue(account, expiry)) + baseAmount * account.Spot;
        double initial = markToMarket + loss * factor - Oracle(account, parameters, baseAmount);
        return new DerivePmrm1Result(initial, markToMarket + loss, markToMarket, basis, -asset);
    }

    private static double RowPnl(DeriveAccount account, DerivePmrm1Parameters parameters, double baseAmount, DeriveScenario scenario)
    {
        double move = scenario.SpotFactor - 1.0;
        double pnl = account.Perpetuals * move * account.PerpetualPrice + baseAmount * move * account.Spot;
        foreach (DeriveExpiry expiry in account.Expiries)
        {
            double value = account.ForwardValue(expiry, scenario.SpotFactor, option => scenario.Volatility switch
            {
                DeriveVolatilityMove.Up => parameters.Shock.ShockedUp(option),
                DeriveVolatilityMove.Down => parameters.Shock.ShockedDown(option),
                _ => option.Volatility,
            });
            double years = expiry.Seconds / ReferenceOptions.SecondsPerYear;
            double discount = parameters.StaticDiscount * Math.Exp(-years * (Math.Max(expiry.Rate, 0.0) * parameters.RateMultiple + parameters.RateAdd));
            pnl += (value > 0.0 ? value * discount : value) - MarkValue(account, expiry);
        }

        return pnl;
    }

    private static double MarkValue(DeriveAccount account, DeriveExpiry expiry) => account.ForwardValue(expiry, 1.0, option => option.Volatility);

    private static double Basis(DeriveAccount account, DerivePmrm1Parameters parameters, DeriveExpiry expiry)
    {
        double mark = MarkValue(account, expiry);
        double up = account.ForwardValue(expiry, parameters.BasisUp, option => option.Volatility) - mark;
        double down = account.ForwardValue(expiry, parameters.BasisDown, option => option.Volatility) - mark;
        double years = expiry.Seconds / ReferenceOptions.SecondsPerYear;
        return Math.Min(0.0, Math.Min(up, down)) * (parameters.BasisAdd + parameters.BasisMultiple * years);
    }

    /// <summary>(1 - lowest confidence) * margin * spot * size for each of perpetual, expiry and base whose lowest confidence is below the threshold.</summary>
    private static double Oracle(DeriveAccount account, DerivePmrm1Parameters parameters, double baseAmount)
    {
        double Charge(double confidence, double size)
        {
            double lowest = Math.Min(confidence, account.SpotConfidence);
            return lowest < parameters.ConfidenceThreshold ? (1.0 - lowest) * parameters.ConfidenceMargin * account.Spot * size : 0.0;
        }

        return Charge(account.PerpetualConfidence, Math.Abs(account.Perpetuals))
            + Charge(1.0, Math.Abs(baseAmount))
            + account.Expiries.Sum(expiry => Charge(expiry.Confidence, account.OptionsOf(expiry).Sum(option => Math.Abs(option.Amount))));
    }
}
