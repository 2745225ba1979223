namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>A coin of a standard account: spot and perpetual price in USD with their confidences, 0 to 1.</summary>
internal sealed record StandardMarket(decimal Spot, decimal SpotConfidence, decimal PerpetualPrice, decimal PerpetualConfidence);

/// <summary>
/// An option: undiscounted Black-76 mark in USD for one unit, the forward of its expiry (settlement average blended in), the lower confidence of
/// volatility and forward.
/// </summary>
internal sealed record StandardOption(string Coin, decimal Seconds, decimal Strike, bool IsCall, decimal Amount, decimal Mark, decimal Forward, decimal Confidence);

/// <summary>Perpetuals of one coin; <paramref name="Pnl"/> is unrealised P&amp;L and unsettled funding in USD.</summary>
internal sealed record StandardPerpetual(string Coin, decimal Amount, decimal Pnl);

/// <summary>An amount of the coin itself, held as collateral.</summary>
internal sealed record StandardBase(string Coin, decimal Amount);

internal sealed record StandardAccount(
    decimal Cash,
    decimal Stable,
    IReadOnlyDictionary<string, StandardMarket> Markets,
    IReadOnlyList<StandardOption> Options,
    IReadOnlyList<StandardPerpetual> Perpetuals,
    IReadOnlyList<StandardBase> Bases);

/// <summary>Parameters as fractions; thresholds of confidence and of the stable coin's price in USD.</summary>
internal sealed record StandardParameters
{
    public required decimal MaximumSpotRequirement { get; init; }
    public required decimal MinimumSpotRequirement { get; init; }
    public required decimal CallMaintenance { get; init; }
    public required decimal PutMaintenance { get; init; }
    public required decimal PutMaintenanceOfMark { get; init; }
    public required decimal UnpairedInitial { get; init; }
    public required decimal UnpairedMaintenance { get; init; }
    public required decimal PutInitialOverMaintenance { get; init; }
    public required decimal PerpetualInitial { get; init; }
    public required decimal PerpetualMaintenance { get; init; }
    public required decimal OracleThreshold { get; init; }
    public required decimal OracleFactor { get; init; }
    public required decimal DepegThreshold { get; init; }
    public required decimal DepegFactor { get; init; }
    public required decimal BaseFactor { get; init; }
    public required decimal BaseInitialScale { get; init; }
}

/// <summary>Margins in USD in Derive's sign (healthy when not negative), and what they are made of.</summary>
internal sealed record StandardResult(decimal Initial, decimal Maintenance, decimal OptionInitial, decimal OptionMaintenance, decimal Perpetual, decimal Oracle, decimal Depeg, decimal Base);

/// <summary>
/// Derive's Standard Manager [V: every published case].
/// <code>
/// MM = cash + options_MM + perpetuals P&amp;L - perpMM |n| perpPrice + base * spot * baseFactor
/// IM = the same with initial figures, base * imScale, - oracle - depeg
/// options, each coin and expiry: max(sum of isolated, maximum loss), both counted as negative money
/// maximum loss = min(0, min payoff over {0, all strikes}) + unpaired * forward * min(net calls, 0)
/// isolated short call: MM = mark + m S;              IM = mark + max(a - OTM/S, b) S
/// isolated short put:  MM = mark + max(m S, m' mark); IM = max(mark + max(a - OTM/S, b) S, c MM);     longs 0
/// </code>
/// The option's own value is no credit: a long option adds nothing, a short one costs its mark inside the requirement. The put's MM takes the larger of
/// the two charges (written with negative amounts it reads as a min). OTM is measured from spot, while the mark and the unpaired calls take the
/// expiry's forward. Oracle and depeg count short options and perpetuals of either side, not long options; base counts for oracle only.
/// The confidence of the interest rate is not asked.
/// </summary>
internal static class DeriveStandardMargin
{
    public static StandardResult Margin(StandardAccount account, StandardParameters parameters)
    {
        decimal optionInitial = 0m;
        decimal optionMaintenance = 0m;
        decimal oracle = 0m;
        decimal depeg = 0m;
        decimal missing = Math.Max(0m, parameters.DepegThreshold - account.Stable) * parameters.DepegFactor;
        foreach (IGrouping<(string Coin, decimal Seconds), StandardOption> expiry in account.Options.GroupBy(option => (option.Coin, option.Seconds)))
        {
            StandardMarket market = account.Markets[expiry.Key.Coin];
            StandardOption[] options = [.. expiry];
            optionInitial += Math.Max(options.Sum(option => Isolated(option, market, parameters, initial: true)), MaximumLoss(options, parameters.UnpairedInitial));
            optionMaintenance += Math.Max(options.Sum(option => Isolated(option, market, parameters, initial: false)), MaximumLoss(options, parameters.UnpairedMaintenance));
            decimal shorts = options.Sum(option => Math.Max(-option.Amount, 0m));
            oracle += OracleCharge(Math.Min(options.Min(option => option.Confidence), market.SpotConfidence), shorts * market.Spot, parameters);
            depeg += missing * shorts * market.Spot;
        }

        decimal maintenance = account.Cash + optionMaintenance;
        decimal initial = account.Cash + optionInitial;
        decimal perpetualMaintenance = 0m;
        foreach (StandardPerpetual perpetual in account.Perpetuals)
        {
            StandardMarket market = account.Markets[perpetual.Coin];
            decimal size = Math.Abs(perpetual.Amount);
            perpetualMaintenance -= size * market.PerpetualPrice * parameters.PerpetualMaintenance;
            maintenance += perpetual.Pnl - size * market.PerpetualPrice * parameters.PerpetualMaintenance;
            initial += perpetual.Pnl - size * market.PerpetualPrice * parameters.PerpetualInitial;
            oracle += OracleCharge(Math.Min(market.PerpetualConfidence, market.SpotConfidence), size * market.Spot, parameters);
            depeg += missing * size * market.Spot;
        }

        decimal baseMargin = 0m;
        foreach (StandardBase held in account.Bases)
        {
            StandardMarket market = account.Markets[held.Coin];
            baseMargin += held.Amount * market.Spot * parameters.BaseFactor;
            oracle += OracleCharge(market.SpotConfidence, held.Amount * market.Spot, parameters);
        }

        maintenance += baseMargin;
        initial += baseMargin * parameters.BaseInitialScale - oracle - depeg;
        return new StandardResult(initial, maintenance, optionInitial, optionMaintenance, perpetualMaintenance, -oracle, -depeg, baseMargin);
    }

    private static decimal Isolated(StandardOption option, StandardMarket market, StandardParameters parameters, bool initial)
    {
        if (option.Amount >= 0m)
            return 0m;
        decimal maintenance = option.Mark + (option.IsCall
            ? parameters.CallMaintenance * market.Spot
            : Math.Max(parameters.PutMaintenance * market.Spot, parameters.PutMaintenanceOfMark * option.Mark));
        if (!initial)
            return option.Amount * maintenance;
        decimal outOfTheMoney = ReferenceOptions.Intrinsic(market.Spot, option.Strike, !option.IsCall) / market.Spot;
        decimal requirement = option.Mark + Math.Max(parameters.MaximumSpotRequirement - outOfTheMoney, parameters.MinimumSpotRequirement) * market.Spot;
        return option.Amount * (option.IsCall ? requirement : Math.Max(requirement, parameters.PutInitialOverMaintenance * maintenance));
    }

    private static decimal MaximumLoss(StandardOption[] options, decimal unpaired)
    {
        decimal worst = 0m;
        foreach (decimal settlement in options.Select(option => option.Strike).Append(0m))
        {
            worst = Math.Min(worst, options.Sum(option => option.Amount * ReferenceOptions.Intrinsic(settlement, option.Strike, option.IsCall)));
        }

        decimal netCalls = options.Where(option => option.IsCall).Sum(option => option.Amount);
        return worst + Math.Min(netCalls, 0m) * unpaired * options[0].Forward;
    }

    private static decimal OracleCharge(decimal confidence, decimal notional, StandardParameters parameters)
        => confidence < parameters.OracleThreshold ? (1m - confidence) * parameters.OracleFactor * notional : 0m;
}
