namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>Parameters of PMRM v1, named as the formulas of <see cref="DerivePmrm1"/> use them. Rates per year, percentages as fractions.</summary>
internal sealed record DerivePmrm1Parameters
{
    public required IReadOnlyList<DeriveScenario> Scenarios { get; init; }
    public required DeriveVolatilityShock Shock { get; init; }
    public required decimal InitialFactor { get; init; }
    public required decimal StaticDiscount { get; init; }
    public required decimal RateMultiple { get; init; }
    public required decimal RateAdd { get; init; }
    public required decimal BasisUp { get; init; }
    public required decimal BasisDown { get; init; }
    public required decimal BasisAdd { get; init; }
    public required decimal BasisMultiple { get; init; }
    public required decimal PegThreshold { get; init; }
    public required decimal PegFactor { get; init; }
    public required decimal ConfidenceThreshold { get; init; }
    public required decimal ConfidenceMargin { get; init; }
    public required decimal BasePercent { get; init; }
    public required decimal PerpetualPercent { get; init; }
    public required decimal OptionPercent { get; init; }
}

/// <summary>Margins in USD in Derive's sign (healthy when not negative), and their published parts.</summary>
internal sealed record DerivePmrm1Result(decimal Initial, decimal Maintenance, decimal MarkToMarket, decimal BasisContingency, decimal AssetContingency);

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
        decimal baseAmount = account.Collaterals.Sum(collateral => collateral.Amount);
        decimal worst = parameters.Scenarios.Min(scenario => RowPnl(account, parameters, baseAmount, scenario));
        decimal basis = account.Expiries.Sum(expiry => Basis(account, parameters, expiry));
        decimal asset = account.Spot * (Math.Abs(account.Perpetuals) * parameters.PerpetualPercent
            + account.NakedShorts() * parameters.OptionPercent
            + Math.Abs(baseAmount) * parameters.BasePercent);
        decimal loss = Math.Min(basis, worst) - asset;
        decimal factor = parameters.InitialFactor + Math.Max(0m, parameters.PegThreshold - account.Stable) * parameters.PegFactor;
        decimal markToMarket = account.Cash + account.PerpetualPnl + account.Funding + account.Expiries.Sum(expiry => MarkValue(account, expiry)) + baseAmount * account.Spot;
        decimal initial = markToMarket + loss * factor - Oracle(account, parameters, baseAmount);
        return new DerivePmrm1Result(initial, markToMarket + loss, markToMarket, basis, -asset);
    }

    private static decimal RowPnl(DeriveAccount account, DerivePmrm1Parameters parameters, decimal baseAmount, DeriveScenario scenario)
    {
        decimal move = scenario.SpotFactor - 1m;
        decimal pnl = account.Perpetuals * move * account.PerpetualPrice + baseAmount * move * account.Spot;
        foreach (DeriveExpiry expiry in account.Expiries)
        {
            decimal value = account.ForwardValue(expiry, scenario.SpotFactor, option => scenario.Volatility switch
            {
                DeriveVolatilityMove.Up => parameters.Shock.ShockedUp(option),
                DeriveVolatilityMove.Down => parameters.Shock.ShockedDown(option),
                _ => option.Volatility,
            });
            decimal years = expiry.Seconds / ReferenceOptions.SecondsPerYear;
            decimal discount = parameters.StaticDiscount * DecimalMath.Exp(-years * (Math.Max(expiry.Rate, 0m) * parameters.RateMultiple + parameters.RateAdd));
            pnl += (value > 0m ? value * discount : value) - MarkValue(account, expiry);
        }

        return pnl;
    }

    private static decimal MarkValue(DeriveAccount account, DeriveExpiry expiry) => account.ForwardValue(expiry, 1m, option => option.Volatility);

    private static decimal Basis(DeriveAccount account, DerivePmrm1Parameters parameters, DeriveExpiry expiry)
    {
        decimal mark = MarkValue(account, expiry);
        decimal up = account.ForwardValue(expiry, parameters.BasisUp, option => option.Volatility) - mark;
        decimal down = account.ForwardValue(expiry, parameters.BasisDown, option => option.Volatility) - mark;
        decimal years = expiry.Seconds / ReferenceOptions.SecondsPerYear;
        return Math.Min(0m, Math.Min(up, down)) * (parameters.BasisAdd + parameters.BasisMultiple * years);
    }

    /// <summary>(1 - lowest confidence) * margin * spot * size for each of perpetual, expiry and base whose lowest confidence is below the threshold.</summary>
    private static decimal Oracle(DeriveAccount account, DerivePmrm1Parameters parameters, decimal baseAmount)
    {
        decimal Charge(decimal confidence, decimal size)
        {
            decimal lowest = Math.Min(confidence, account.SpotConfidence);
            return lowest < parameters.ConfidenceThreshold ? (1m - lowest) * parameters.ConfidenceMargin * account.Spot * size : 0m;
        }

        return Charge(account.PerpetualConfidence, Math.Abs(account.Perpetuals))
            + Charge(1m, Math.Abs(baseAmount))
            + account.Expiries.Sum(expiry => Charge(expiry.Confidence, account.OptionsOf(expiry).Sum(option => Math.Abs(option.Amount))));
    }
}
