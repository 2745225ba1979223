namespace MarginEngine.Tests.VenueTests.Reference;

internal enum DeriveVolatilityMove
{
    Down,
    None,
    Up,
    LinearSkew,
    AbsoluteSkew,
}

/// <summary>A row: the spot's factor (1.045 = up 4.5 %), what happens to volatility, and the weight of its result.</summary>
internal sealed record DeriveScenario(decimal SpotFactor, DeriveVolatilityMove Volatility, decimal Damp);

/// <summary>Cap of a skew row: scale + slope * sqrt(T); with the other four it gives the volatility multiplier of a strike.</summary>
internal sealed record DeriveSkewCap(decimal Scale, decimal Slope);

/// <summary>Parameters of PMRM v2, named as the formulas of <see cref="DerivePmrm2"/> use them. Rates per year, percentages as fractions.</summary>
internal sealed record DerivePmrm2Parameters
{
    public required IReadOnlyList<DeriveScenario> Scenarios { get; init; }
    public required DeriveVolatilityShock Shock { get; init; }
    public required DeriveSkewCap LinearSkew { get; init; }
    public required DeriveSkewCap AbsoluteSkew { get; init; }
    public required decimal MinimumWidth { get; init; }
    public required decimal WidthScale { get; init; }
    public required decimal WidthVolatility { get; init; }
    public required decimal WidthVolatilitySlope { get; init; }
    public required decimal InitialFactor { get; init; }
    public required decimal MaintenanceFactor { get; init; }
    public required decimal LongStatic { get; init; }
    public required decimal LongRateMultiple { get; init; }
    public required decimal LongRateAdd { get; init; }
    public required decimal ShortStatic { get; init; }
    public required decimal ShortRateMultiple { get; init; }
    public required decimal ShortRateAdd { get; init; }
    public required decimal BasisUp { get; init; }
    public required decimal BasisDown { get; init; }
    public required decimal BasisAdd { get; init; }
    public required decimal BasisMultiple { get; init; }
    public required decimal PegThreshold { get; init; }
    public required decimal PegFactor { get; init; }
    public required decimal ConfidenceThreshold { get; init; }
    public required decimal ConfidenceMargin { get; init; }
    public required decimal MaintenancePerpetual { get; init; }
    public required decimal InitialPerpetual { get; init; }
    public required decimal MaintenanceOption { get; init; }
    public required decimal InitialOption { get; init; }
}

/// <summary>Margins in USD in Derive's sign (healthy when not negative), and the parts they are made of.</summary>
internal sealed record DerivePmrm2Result(
    decimal Initial,
    decimal Maintenance,
    decimal MarkToMarket,
    decimal BasisContingency,
    decimal MaintenanceContingency,
    decimal InitialContingency,
    decimal OracleContingency,
    IReadOnlyList<decimal> RowPnl);

/// <summary>
/// Derive PMRM v2, per position and per row [V: every published case].
/// <code>
/// IM = MtM + minPnL * (imFactor + max(0, pegThreshold - stable) * pegFactor) - MMcont - IMcont - oracle
/// MM = MtM + minPnL * mmFactor - MMcont
/// MtM = cash + perpetual P&amp;L + funding + options + sum collateral amount * price / stable
/// minPnL = min(basis, min over rows PnL_k)
/// PnL_k = damp_k * (perp * (s_k - 1) * perpPrice + sum over expiries (disc(V_k) V_k - V_0) + sum collateral in the rows value * (s_k - 1))
/// </code>
/// What the short form of these formulas leaves open and the published cases settle: collateral is worth price / stable; the rate is
/// floored at 0 in marks and in both policy discounts; in a skew row only the options' part becomes -|x|, expiry by expiry; a skew clip with a negative cap is
/// one-sided (<see cref="SkewMultiplier"/>); the shocked volatility is floored at 0; oracle confidence of any collateral is
/// the lower of its own and the spot's, even for collateral of another coin, while the stable coin's own confidence is not asked.
/// </summary>
internal static class DerivePmrm2
{
    public static DerivePmrm2Result Margin(DeriveAccount account, DerivePmrm2Parameters parameters)
    {
        decimal[] rows = [.. parameters.Scenarios.Select(scenario => RowPnl(account, parameters, scenario))];
        decimal basis = BasisContingency(account, parameters);
        decimal worst = Math.Min(basis, rows.Min());
        decimal naked = account.NakedShorts();
        decimal maintenanceContingency = account.Spot * (Math.Abs(account.Perpetuals) * parameters.MaintenancePerpetual + naked * parameters.MaintenanceOption)
            + account.Collaterals.Sum(collateral => Value(account, collateral) * collateral.MaintenanceHaircut);
        decimal initialContingency = account.Spot * (Math.Abs(account.Perpetuals) * parameters.InitialPerpetual + naked * parameters.InitialOption)
            + account.Collaterals.Sum(collateral => Value(account, collateral) * collateral.InitialHaircut);
        decimal oracle = OracleContingency(account, parameters);
        decimal markToMarket = account.Cash + account.PerpetualPnl + account.Funding + account.Expiries.Sum(expiry => MarkValue(account, expiry))
            + account.Collaterals.Sum(collateral => Value(account, collateral));
        decimal initialFactor = parameters.InitialFactor + Math.Max(0m, parameters.PegThreshold - account.Stable) * parameters.PegFactor;
        return new DerivePmrm2Result(
            markToMarket + worst * initialFactor - maintenanceContingency - initialContingency - oracle,
            markToMarket + worst * parameters.MaintenanceFactor - maintenanceContingency,
            markToMarket,
            basis,
            maintenanceContingency,
            initialContingency,
            oracle,
            rows);
    }

    /// <summary>P&amp;L of a row in USD: perpetual, options under the policy discount, collateral that moves with the underlying.</summary>
    public static decimal RowPnl(DeriveAccount account, DerivePmrm2Parameters parameters, DeriveScenario scenario)
    {
        decimal move = scenario.SpotFactor - 1m;
        bool skew = scenario.Volatility is DeriveVolatilityMove.LinearSkew or DeriveVolatilityMove.AbsoluteSkew;
        decimal pnl = account.Perpetuals * move * account.PerpetualPrice;
        foreach (DeriveExpiry expiry in account.Expiries)
        {
            decimal value = Value(account, expiry, scenario.SpotFactor, option => Volatility(option, expiry, parameters, scenario.Volatility));
            decimal change = PolicyDiscount(expiry, value, parameters) * value - MarkValue(account, expiry);
            pnl += skew ? -Math.Abs(change) : change;
        }

        pnl += account.Collaterals.Where(collateral => collateral.InScenarios).Sum(collateral => Value(account, collateral) * move);
        return scenario.Damp * pnl;
    }

    private static decimal Volatility(DeriveOption option, DeriveExpiry expiry, DerivePmrm2Parameters parameters, DeriveVolatilityMove move) => move switch
    {
        DeriveVolatilityMove.Up => parameters.Shock.ShockedUp(option),
        DeriveVolatilityMove.Down => parameters.Shock.ShockedDown(option),
        DeriveVolatilityMove.LinearSkew => option.Volatility * Math.Max(0m, SkewMultiplier(option, expiry, parameters, parameters.LinearSkew, false)),
        DeriveVolatilityMove.AbsoluteSkew => option.Volatility * Math.Max(0m, SkewMultiplier(option, expiry, parameters, parameters.AbsoluteSkew, true)),
        _ => option.Volatility,
    };

    /// <summary>
    /// cap = scale + slope sqrt(T); k* = max(minimum, sqrt(T) width (v0 + v1 sqrt(T))); k = ln(K / F), its size in the absolute row; multiplier
    /// 1 + min(k cap / k*, cap) for k >= 0 and 1 + max(k cap / k*, -cap) below. With a positive cap this is a plain clip to +-cap; with a
    /// negative one (a slope that outweighs the scale) it is unbounded beyond k*, as the published cases have it.
    /// </summary>
    private static decimal SkewMultiplier(DeriveOption option, DeriveExpiry expiry, DerivePmrm2Parameters parameters, DeriveSkewCap skew, bool absolute)
    {
        decimal root = DecimalMath.Sqrt(expiry.Seconds / ReferenceOptions.SecondsPerYear);
        decimal cap = skew.Scale + skew.Slope * root;
        decimal width = Math.Max(parameters.MinimumWidth, root * parameters.WidthScale * (parameters.WidthVolatility + parameters.WidthVolatilitySlope * root));
        decimal k = DecimalMath.Ln(option.Strike / (expiry.VariableForward + expiry.FixedForward));
        k = absolute ? Math.Abs(k) : k;
        return 1m + (k >= 0m ? Math.Min(k * cap / width, cap) : Math.Max(k * cap / width, -cap));
    }

    /// <summary>Long value: static e^(-T (r m + a)). Short value: min(e^(rT), static e^(T (r m + a))). The rate r is floored at 0.</summary>
    private static decimal PolicyDiscount(DeriveExpiry expiry, decimal value, DerivePmrm2Parameters parameters)
    {
        decimal years = expiry.Seconds / ReferenceOptions.SecondsPerYear;
        decimal rate = Math.Max(expiry.Rate, 0m);
        return value >= 0m
            ? parameters.LongStatic * DecimalMath.Exp(-years * (rate * parameters.LongRateMultiple + parameters.LongRateAdd))
            : Math.Min(DecimalMath.Exp(rate * years), parameters.ShortStatic * DecimalMath.Exp(years * (rate * parameters.ShortRateMultiple + parameters.ShortRateAdd)));
    }

    /// <summary>Sum over expiries of min(up - V0, down - V0, 0) * (add + multiple * T), at unchanged volatility and without the policy discount.</summary>
    private static decimal BasisContingency(DeriveAccount account, DerivePmrm2Parameters parameters)
    {
        decimal sum = 0m;
        foreach (DeriveExpiry expiry in account.Expiries)
        {
            decimal mark = MarkValue(account, expiry);
            decimal up = Value(account, expiry, parameters.BasisUp, option => option.Volatility) - mark;
            decimal down = Value(account, expiry, parameters.BasisDown, option => option.Volatility) - mark;
            decimal years = expiry.Seconds / ReferenceOptions.SecondsPerYear;
            sum += Math.Min(0m, Math.Min(up, down)) * (parameters.BasisAdd + parameters.BasisMultiple * years);
        }

        return sum;
    }

    /// <summary>
    /// For each of perpetual, expiry and collateral whose lowest confidence is below the threshold: (1 - confidence) * margin * notional.
    /// Notional is spot * |amount| for perpetuals and for all options of an expiry, and value for collateral. No published case has both a collateral
    /// below the threshold and a margin other than 1: that the margin multiplies collateral too is v1's rule carried over.
    /// </summary>
    private static decimal OracleContingency(DeriveAccount account, DerivePmrm2Parameters parameters)
    {
        decimal Charge(decimal confidence, decimal notional)
        {
            decimal lowest = Math.Min(confidence, account.SpotConfidence);
            return lowest < parameters.ConfidenceThreshold ? (1m - lowest) * parameters.ConfidenceMargin * notional : 0m;
        }

        decimal charge = Charge(account.PerpetualConfidence, Math.Abs(account.Perpetuals) * account.Spot);
        foreach (DeriveExpiry expiry in account.Expiries)
        {
            decimal size = account.OptionsOf(expiry).Sum(option => Math.Abs(option.Amount));
            charge += Charge(expiry.Confidence, size * account.Spot);
        }

        return charge + account.Collaterals.Sum(collateral => Charge(collateral.Confidence, Value(account, collateral)));
    }

    /// <summary>Options of an expiry at a row's forward and volatilities, discounted as marks are: e^(-max(rate,0) T).</summary>
    private static decimal Value(DeriveAccount account, DeriveExpiry expiry, decimal move, Func<DeriveOption, decimal> volatility)
        => DecimalMath.Exp(-Math.Max(expiry.Rate, 0m) * expiry.Seconds / ReferenceOptions.SecondsPerYear) * account.ForwardValue(expiry, move, volatility);

    private static decimal MarkValue(DeriveAccount account, DeriveExpiry expiry) => Value(account, expiry, 1m, option => option.Volatility);

    private static decimal Value(DeriveAccount account, DeriveCollateral collateral) => collateral.Amount * collateral.Price / account.Stable;
}
