namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>A coin of a standard account: spot and perpetual price in USD with their confidences, 0 to 1.</summary>
internal sealed record StandardMarket(double Spot, double SpotConfidence, double PerpetualPrice, double PerpetualConfidence);

/// <summary>
/// An option: undiscounted Black-76 mark in USD for one unit, the forward of its expiry (settlement average blended in), the lower confidence of
/// volatility and forward.
/// </summary>
internal sealed record StandardOption(string Coin, double Seconds, double Strike, bool IsCall, double Amount, double Mark, double Forward, double Confidence);

/// <summary>Perpetuals of one coin; <paramref name="Pnl"/> is unrealised P&amp;L and unsettled funding in USD.</summary>
internal sealed record StandardPerpetual(string Coin, double Amount, double Pnl);

/// <summary>An amount of the coin itself, held as collateral.</summary>
internal sealed record StandardBase(string Coin, double Amount);

internal sealed record StandardAccount(
    double Cash,
    double Stable,
    IReadOnlyDictionary<string, StandardMarket> Markets,
    IReadOnlyList<StandardOption> Options,
    IReadOnlyList<StandardPerpetual> Perpetuals,
    IReadOnlyList<StandardBase> Bases);

/// <summary>Parameters as fractions; thresholds of confidence and of the stable coin's price in USD.</summary>
internal sealed record StandardParameters
{
    public required double MaximumSpotRequirement { get; init; }
    public required double MinimumSpotRequirement { get; init; }
    public required double CallMaintenance { get; init; }
    public required double PutMaintenance { get; init; }
    public required double PutMaintenanceOfMark { get; init; }
    public required double UnpairedInitial { get; init; }
    public required double UnpairedMaintenance { get; init; }
    public required double PutInitialOverMaintenance { get; init; }
    public required double PerpetualInitial { get; init; }
    public required double PerpetualMaintenance { get; init; }
    public required double OracleThreshold { get; init; }
    public required double OracleFactor { get; init; }
    public required double DepegThreshold { get; init; }
    public required double DepegFactor { get; init; }
    public required double BaseFactor { get; init; }
    public required double BaseInitialScale { get; init; }
}

/// <summary>Margins in USD in Derive's sign (healthy when not negative), and what they are made of.</summary>
internal sealed record StandardResult(double Initial, double Maintenance, double OptionInitial, double OptionMaintenance, double Perpetual, double Oracle, double Depeg, double Base);

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
        double optionInitial = 0.0;
        double optionMaintenance = 0.0;
        double oracle = 0.0;
        double depeg = 0.0;
        double missing = Math.Max(0.0, parameters.DepegThreshold - account.Stable) * parameters.DepegFactor;
        foreach (IGrouping<(string Coin, double Seconds), StandardOption> expiry in account.Options.GroupBy(option => (option.Coin, option.Seconds)))
        {
            StandardMarket market = account.Markets[expiry.Key.Coin];
            StandardOption[] options = [.. expiry];
            optionInitial += Math.Max(options.Sum(option => Isolated(option, market, parameters, initial: true)), MaximumLoss(options, parameters.UnpairedInitial));
            optionMaintenance += Math.Max(options.Sum(option => Isolated(option, market, parameters, initial: false)), MaximumLoss(options, parameters.UnpairedMaintenance));
            double shorts = options.Sum(option => Math.Max(-option.Amount, 0.0));
            oracle += OracleCharge(Math.Min(options.Min(option => option.Confidence), market.SpotConfidence), shorts * market.Spot, parameters);
            depeg += missing * shorts * market.Spot;
        }

        double maintenance = account.Cash + optionMaintenance;
        double initial = account.Cash + optionInitial;
        double perpetualMaintenance = 0.0;
        foreach (StandardPerpetual perpetual in account.Perpetuals)
        {
            StandardMarket market = account.Markets[perpetual.Coin];
            double size = Math.Abs(perpetual.Amount);
            perpetualMaintenance -= size * market.PerpetualPrice * parameters.PerpetualMaintenance;
            maintenance += perpetual.Pnl - size * market.PerpetualPrice * parameters.PerpetualMaintenance;
            initial += perpetual.Pnl - size * market.PerpetualPrice * parameters.PerpetualInitial;
            oracle += OracleCharge(Math.Min(market.PerpetualConfidence, market.SpotConfidence), size * market.Spot, parameters);
            depeg += missing * size * market.Spot;
        }

        double baseMargin = 0.0;
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

    private static double Isolated(StandardOption option, StandardMarket market, StandardParameters parameters, bool initial)
    {
        if (option.Amount >= 0.0)
            return 0.0;
        double maintenance = option.Mark + (option.IsCall
            ? parameters.CallMaintenance * market.Spot
            : Math.Max(parameters.PutMaintenance * market.Spot, parameters.PutMaintenanceOfMark * option.Mark));
        if (!initial)
            return option.Amount * maintenance;
        double outOfTheMoney = ReferenceOptions.Intrinsic(market.Spot, option.Strike, !option.IsCall) / market.Spot;
        double requirement = option.Mark + Math.Max(parameters.MaximumSpotRequirement - outOfTheMoney, parameters.MinimumSpotRequirement) * market.Spot;
        return option.Amount * (option.IsCall ? requirement : Math.Max(requirement, parameters.PutInitialOverMaintenance * maintenance));
    }

    private static double MaximumLoss(StandardOption[] options, double unpaired)
    {
        double worst = 0.0;
        foreach (double settlement in options.Select(option => option.Strike).Append(0.0))
        {
            worst = Math.Min(worst, options.Sum(option => option.Amount * ReferenceOptions.Intrinsic(settlement, option.Strike, option.IsCall)));
        }

        double netCalls = options.Where(option => option.IsCall).Sum(option => option.Amount);
        return worst + Math.Min(netCalls, 0.0) * unpaired * options[0].Forward;
    }

    private static double OracleCharge(double confidence, double notional, StandardParameters parameters)
        => confidence < parameters.OracleThreshold ? (1.0 - confidence) * parameters.OracleFactor * notional : 0.0;
}
