namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>Requirement of one combined commodity in the file's money: max(scan + intra - inter, short option minimum).</summary>
internal sealed record SpanRequirement(string Commodity, decimal ScanRisk, int ActivePoint, decimal IntraCharge, decimal InterCredit, decimal ShortOptionMinimum)
{
    public decimal Total => Math.Max(ScanRisk + IntraCharge - InterCredit, ShortOptionMinimum);
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
    public const decimal LookAheadYears = 0.004m;

    public static decimal[] RiskArray(SpanContract contract, IEnumerable<SpanPoint> points)
    {
        if (contract.Strike is null)
            return [.. points.Select(point => -point.PriceMove * contract.PriceScan * point.Weight)];
        decimal before = Value(contract, contract.UnderlyingPrice, contract.Volatility, contract.Years);
        return [.. points.Select(point => (before - Shocked(contract, point)) * contract.ContractValueFactor * point.Weight)];
    }

    public static decimal CompositeDelta(SpanContract contract, IEnumerable<SpanPoint> deltaPoints)
    {
        if (contract.Strike is not decimal strike)
            return 1m;
        decimal years = contract.Years - LookAheadYears;
        decimal deviation = contract.Volatility * DecimalMath.Sqrt(years);
        decimal delta = 0m;
        foreach (SpanPoint point in deltaPoints)
        {
            decimal spot = contract.UnderlyingPrice + point.PriceMove * contract.PriceScan / contract.ContractValueFactor;
            decimal d1 = (DecimalMath.Ln(spot / strike) + (contract.Rate - contract.Yield) * years) / deviation + deviation / 2m;
            decimal call = DecimalMath.NormalCdf(d1);
            delta += point.Weight * DecimalMath.Exp(-contract.Yield * years) * (contract.IsCall ? call : call - 1m);
        }

        return delta;
    }

    /// <summary>Requirements by combined commodity for numbers of contracts (long positive). Arrays and deltas are the file's own.</summary>
    public static IReadOnlyList<SpanRequirement> Margin(SpanFile file, IReadOnlyList<(SpanContract Contract, decimal Number)> positions)
    {
        var legs = new Dictionary<string, (decimal Scan, int Active, decimal Intra, decimal NetDelta, decimal PriceRisk, decimal Minimum)>();
        foreach (IGrouping<string, (SpanContract Contract, decimal Number)> commodity in positions.GroupBy(position => position.Contract.Commodity))
        {
            SpanCommodity parameters = file.Commodities[commodity.Key];
            decimal[] losses = [.. Enumerable.Range(0, file.Points.Count).Select(point => commodity.Sum(position => position.Number * position.Contract.RiskArray[point]))];
            int active = Array.IndexOf(losses, losses.Max());
            decimal shorts = commodity.Where(position => position.Contract.Strike is not null).Sum(position => Math.Max(-position.Number, 0m));
            decimal[] periodDeltas = [.. commodity.GroupBy(position => position.Contract.Period).Select(period => period.Sum(Delta))];
            legs[commodity.Key] = (
                Math.Max(losses[active], 0m), active + 1, IntraCharge(parameters, periodDeltas), periodDeltas.Sum(),
                PriceRisk(losses, active, file.Points), shorts * parameters.ShortOptionRate);
        }

        var credits = legs.Keys.ToDictionary(commodity => commodity, _ => 0m);
        var remaining = legs.ToDictionary(leg => leg.Key, leg => leg.Value.NetDelta);
        foreach (SpanSpread spread in file.InterSpreads.Where(spread => spread.Legs.All(leg => legs.ContainsKey(leg.Commodity))))
        {
            decimal spreads = SpreadsBetween(spread, remaining);
            foreach (SpanLeg leg in spreads > 0m ? spread.Legs : [])
            {
                // No more than there are: of a net delta of 10^-20 a decimal holds eight digits, and a thirtieth of it is rounded.
                decimal deltas = Math.Min(spreads * leg.DeltaPerSpread, Math.Abs(remaining[leg.Commodity]));
                decimal part = deltas / Math.Abs(legs[leg.Commodity].NetDelta);
                credits[leg.Commodity] += part * legs[leg.Commodity].PriceRisk * spread.Rate;
                remaining[leg.Commodity] -= Math.Sign(remaining[leg.Commodity]) * deltas;
            }
        }

        return [.. legs.Select(leg => new SpanRequirement(leg.Key, leg.Value.Scan, leg.Value.Active, leg.Value.Intra, credits[leg.Key], leg.Value.Minimum))];
    }

    private static decimal Delta((SpanContract Contract, decimal Number) position)
        => position.Number * position.Contract.CompositeDelta * position.Contract.DeltaScale;

    /// <summary>Spreads between periods: long deltas of some against short deltas of others, each at the flat rate [S].</summary>
    private static decimal IntraCharge(SpanCommodity commodity, decimal[] periodDeltas)
    {
        decimal longs = periodDeltas.Sum(delta => Math.Max(delta, 0m));
        decimal shorts = periodDeltas.Sum(delta => Math.Max(-delta, 0m));
        return commodity.IntraSpreads.Count == 0 ? 0m : Math.Min(longs, shorts) * commodity.IntraSpreads[0].Rate;
    }

    /// <summary>
    /// Risk of price alone: the mean of the active point and its pair (volatility up and down at one price) less the mean of the two points without a
    /// price move, not below 0, and none where no point loses [S].
    /// </summary>
    private static decimal PriceRisk(decimal[] losses, int active, IReadOnlyList<SpanPoint> points)
    {
        if (losses[active] <= 0m)
            return 0m;
        decimal averaged = (losses[active] + losses[points[active].PairedPoint - 1]) / 2m;
        return Math.Max(averaged - (losses[0] + losses[1]) / 2m, 0m);
    }

    /// <summary>Spreads that two commodities form: sides A and B need deltas of opposite sign; the leg with fewer spreads limits [S].</summary>
    private static decimal SpreadsBetween(SpanSpread spread, Dictionary<string, decimal> deltas)
    {
        decimal sideA = spread.Legs.Where(leg => leg.Side == "A").Min(leg => Math.Sign(deltas[leg.Commodity]));
        decimal sideB = spread.Legs.Where(leg => leg.Side == "B").Min(leg => Math.Sign(deltas[leg.Commodity]));
        return sideA * sideB < 0m ? spread.Legs.Min(leg => Math.Abs(deltas[leg.Commodity]) / leg.DeltaPerSpread) : 0m;
    }

    private static decimal Shocked(SpanContract contract, SpanPoint point) => Value(
        contract,
        contract.UnderlyingPrice + point.PriceMove * contract.PriceScan / contract.ContractValueFactor,
        contract.Volatility * (1m + point.VolatilityMove * contract.VolatilityScan),
        contract.Years - LookAheadYears);

    private static decimal Value(SpanContract contract, decimal spot, decimal volatility, decimal years)
    {
        decimal forward = spot * DecimalMath.Exp((contract.Rate - contract.Yield) * years);
        return DecimalMath.Exp(-contract.Rate * years) * ReferenceOptions.Black76(forward, contract.Strike!.Value, years, volatility, contract.IsCall);
    }
}
