namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>Requirement of one combined commodity in the file's money: max(scan + intra - inter, short option minimum).</summary>
internal sealed record SpanRequirement(string Commodity, double ScanRisk, int ActivePoint, double IntraCharge, double InterCredit, double ShortOptionMinimum)
{
    public double Total => Math.Max(ScanRisk + IntraCharge - InterCredit, ShortOptionMinimum);
}

/// <summary>
/// SPAN: risk arrays from prices [V on a real SPAN 4.00 file], and the requirement of a portfolio from arrays [scan and covered-write arrays V;
/// spread charge, credit and minimum by the method's description only, S: no published portfolio].
/// <code>
/// future: loss = -priceMove * priceScan * weight
/// option: loss = (V(S, vol, T) - V(S + priceMove * priceScan / cvf, vol (1 + volMove * volScan), T - 0.004)) * cvf * weight
/// V = e^(-rT) Black76(S e^((r-q)T), K, vol, T)
/// composite delta = sum over delta points weight * dV/dS at T - 0.004
/// </code>
/// What the real file settles: the look-ahead is 0.004 years (1/250, not 1/252 and not a calendar day: 40 times smaller misfit); the base is the
/// model's value, not the settlement price; the volatility scan is a fraction of the volatility; the currency options' second rate is in the file as
/// their dividend rate, so they need no exception; extreme moves are 3 scan ranges at weight 0.32; the underlying's price is the
/// value of a contract over its factor, rounded to the currency's decimals, which shows in a mini index contract. All series fit to 5e-6 of the scan range.
/// </summary>
internal static class SpanReference
{
    public const double LookAheadYears = 0.004;

    public static double[] RiskArray(SpanContract contract, IEnumerable<SpanPoint> points)
    {
        if (contract.Strike is null)
            return [.. points.Select(point => -point.PriceMove * contract.PriceScan * point.Weight)];
        double before = Value(contract, contract.UnderlyingPrice, contract.Volatility, contract.Years);
        return [.. points.Select(point => (before - Shocked(contract, point)) * contract.ContractValueFactor * point.Weight)];
    }

    public static double CompositeDelta(SpanContract contract, IEnumerable<SpanPoint> deltaPoints)
    {
        if (contract.Strike is not double strike)
            return 1.0;
        double years = contract.Years - LookAheadYears;
        double deviation = contract.Volatility * Math.Sqrt(years);
        double delta = 0.0;
        foreach (SpanPoint point in deltaPoints)
        {
            double spot = contract.UnderlyingPrice + point.PriceMove * contract.PriceScan / contract.ContractValueFactor;
            double d1 = (Math.Log(spot / strike) + (contract.Rate - contract.Yield) * years) / deviation + deviation / 2.0;
            double call = ReferenceOptions.NormalCdf(d1);
            delta += point.Weight * Math.Exp(-contract.Yield * years) * (contract.IsCall ? call : call - 1.0);
        }

        return delta;
    }

    /// <summary>Requirements by combined commodity for numbers of contracts (long positive). Arrays and deltas are the file's own.</summary>
    public static IReadOnlyList<SpanRequirement> Margin(SpanFile file, IReadOnlyList<(SpanContract Contract, double Number)> positions)
    {
        var legs = new Dictionary<string, (double Scan, int Active, double Intra, double NetDelta, double PriceRisk, double Minimum)>();
        foreach (IGrouping<string, (SpanContract Contract, double Number)> commodity in positions.GroupBy(position => position.Contract.Commodity))
        {
            SpanCommodity parameters = file.Commodities[commodity.Key];
            double[] losses = [.. Enumerable.Range(0, file.Points.Count).Select(point => commodity.Sum(position => position.Number * position.Contract.RiskArray[point]))];
            int active = Array.IndexOf(losses, losses.Max());
            double shorts = commodity.Where(position => position.Contract.Strike is not null).Sum(position => Math.Max(-position.Number, 0.0));
            double[] periodDeltas = [.. commodity.GroupBy(position => position.Contract.Period).Select(period => period.Sum(Delta))];
            legs[commodity.Key] = (
                Math.Max(losses[active], 0.0), active + 1, IntraCharge(parameters, periodDeltas), periodDeltas.Sum(),
                PriceRisk(losses, active, file.Points), shorts * parameters.ShortOptionRate);
        }

        var credits = legs.Keys.ToDictionary(commodity => commodity, _ => 0.0);
        var remaining = legs.ToDictionary(leg => leg.Key, leg => leg.Value.NetDelta);
        foreach (SpanSpread spread in file.InterSpreads.Where(spread => spread.Legs.All(leg => legs.ContainsKey(leg.Commodity))))
        {
            double spreads = SpreadsBetween(spread, remaining);
            foreach (SpanLeg leg in spreads > 0.0 ? spread.Legs : [])
            {
                double deltas = spreads * leg.DeltaPerSpread;
                double riskPerDelta = legs[leg.Commodity].PriceRisk / Math.Abs(legs[leg.Commodity].NetDelta);
                credits[leg.Commodity] += deltas * riskPerDelta * spread.Rate;
                remaining[leg.Commodity] -= Math.Sign(remaining[leg.Commodity]) * deltas;
            }
        }

        return [.. legs.Select(leg => new SpanRequirement(leg.Key, leg.Value.Scan, leg.Value.Active, leg.Value.Intra, credits[leg.Key], leg.Value.Minimum))];
    }

    private static double Delta((SpanContract Contract, double Number) position)
        => position.Number * position.Contract.CompositeDelta * position.Contract.DeltaScale;

    /// <summary>Spreads between periods: long deltas of some against short deltas of others, each at the flat rate [S].</summary>
    private static double IntraCharge(SpanCommodity commodity, double[] periodDeltas)
    {
        double longs = periodDeltas.Sum(delta => Math.Max(delta, 0.0));
        double shorts = periodDeltas.Sum(delta => Math.Max(-delta, 0.0));
        return commodity.IntraSpreads.Count == 0 ? 0.0 : Math.Min(longs, shorts) * commodity.IntraSpreads[0].Rate;
    }

    /// <summary>
    /// Risk of price alone: the mean of the active point and its pair (volatility up and down at one price) less the mean of the two points without a
    /// price move, not below 0, and none where no point loses [S].
    /// </summary>
    private static double PriceRisk(double[] losses, int active, IReadOnlyList<SpanPoint> points)
    {
        if (losses[active] <= 0.0)
            return 0.0;
        double averaged = (losses[active] + losses[points[active].PairedPoint - 1]) / 2.0;
        return Math.Max(averaged - (losses[0] + losses[1]) / 2.0, 0.0);
    }

    /// <summary>Spreads that two commodities form: sides A and B need deltas of opposite sign; the leg with fewer spreads limits [S].</summary>
    private static double SpreadsBetween(SpanSpread spread, Dictionary<string, double> deltas)
    {
        double sideA = spread.Legs.Where(leg => leg.Side == "A").Min(leg => Math.Sign(deltas[leg.Commodity]));
        double sideB = spread.Legs.Where(leg => leg.Side == "B").Min(leg => Math.Sign(deltas[leg.Commodity]));
        return sideA * sideB < 0.0 ? spread.Legs.Min(leg => Math.Abs(deltas[leg.Commodity]) / leg.DeltaPerSpread) : 0.0;
    }

    private static double Shocked(SpanContract contract, SpanPoint point) => Value(
        contract,
        contract.UnderlyingPrice + point.PriceMove * contract.PriceScan / contract.ContractValueFactor,
        contract.Volatility * (1.0 + point.VolatilityMove * contract.VolatilityScan),
        contract.Years - LookAheadYears);

    private static double Value(SpanContract contract, double spot, double volatility, double years)
    {
        double forward = spot * Math.Exp((contract.Rate - contract.Yield) * years);
        return Math.Exp(-contract.Rate * years) * ReferenceOptions.Black76(forward, contract.Strike!.Value, years, volatility, contract.IsCall);
    }
}
