namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// A market: mark in USD, delta of one unit, the larger fee rate. A strike makes it an option with a mark volatility and years to expiry; without
/// one it is the perpetual.
/// </summary>
internal sealed record ParadexMarket(string Name, double Mark, double Delta, double FeeRate, double? Strike = null, bool IsCall = false, double Volatility = 0.0, double Years = 0.0);

/// <summary>Signed size: positive is long or a buy. The price of an order is in USD.</summary>
internal sealed record ParadexOrder(ParadexMarket Market, double Size, double Price);

internal sealed record ParadexPosition(ParadexMarket Market, double Size);

/// <summary>A row: relative moves of spot and of volatility (before its term scaling) and the weight of the result.</summary>
internal sealed record ParadexScenario(double SpotMove, double VolatilityMove, double Weight);

/// <summary>One underlying: spot and perpetual mark in USD, funding for its period as a fraction of spot, rate per year.</summary>
internal sealed record ParadexUnderlying(double Spot, double PerpetualMark, double FundingRate, double Rate);

internal sealed record ParadexParameters(
    IReadOnlyList<ParadexScenario> Scenarios,
    double HedgedFactor,
    double UnhedgedFactor,
    double MaintenanceFactor,
    double ShortPower,
    double LongPower,
    double FloorDays,
    double MinimumVolatilityUp,
    Func<double, double> NormalCdf);

internal sealed record ParadexResult(
    double Initial, double Maintenance, double WorstLoss, int WorstIndex, double MinimumDelta, double Funding, double InitialFees, double MaintenanceFees, double Delta);

/// <summary>
/// Paradex portfolio margin of one underlying in USD [C: the venue's open engine; reproduced on its runs].
/// <code>
/// IM = max(scan, minimum delta) + funding + fees of positions and orders
/// MM = mmf * max(scan, minimum delta of positions alone) + funding + fees of positions alone
/// scan = max over rows of -w (sum size (P_k - mark) - sum over orders |size| max(0, adverse gap of the order's price to P_k))
/// perpetual P_k = mark (1 + s);  option P_k = Black-Scholes on spot (1 + s) with volatility v (1 + move (30/max(dte,1))^p), floored when up
/// minimum delta = (unhedged U + hedged H) spot,   U = max(0, L' - S, S' - L),   H = max(L', S') - U
/// </code>
/// L and S are long and short deltas of positions, L' and S' with the orders of the same side added: the worst of filling one side only. Without orders
/// this is unhedged |net| + hedged (gross - |net|)/2; with orders that shorter form is wrong. The option's underlying is the index, not the expiry's forward,
/// and the row's loss is against the venue's mark. Fees: rate * mark for the perpetual, min(rate * spot, 12.5 % of mark) for an option.
/// Funding of positions is rate * size * spot where paid; an order enters with the sign of its opposite side, as the venue's engine has it: a buy adds
/// to what a short position pays. The last half hour, in which that engine scales P&amp;L down, has no vector and is not here.
/// </summary>
internal static class ParadexPortfolioMargin
{
    private const double OptionFeeCap = 0.125;

    public static ParadexResult Margin(
        IReadOnlyList<ParadexPosition> positions, IReadOnlyList<ParadexOrder> orders, ParadexUnderlying underlying, ParadexParameters parameters)
    {
        double[] held = [.. parameters.Scenarios.Select(row => row.Weight * positions.Sum(position => PositionPnl(position, row, underlying, parameters)))];
        double[] pending = [.. parameters.Scenarios.Select(row => row.Weight * orders.Sum(order => OrderLoss(order, row, underlying, parameters)))];
        double[] losses = [.. held.Select((pnl, row) => Math.Max(0.0, pending[row] - pnl))];
        double worst = losses.Max();
        double minimumDelta = MinimumDelta(positions, orders, underlying, parameters);
        double feesOfPositions = positions.Sum(position => Fee(position.Market, position.Size, underlying));
        double feesOfAll = feesOfPositions + orders.Sum(order => Fee(order.Market, order.Size, underlying));
        double positionFunding = FundingPaid(positions.Select(position => (position.Market, position.Size)), underlying);
        double orderFunding = FundingPaid(orders.Select(order => (order.Market, -order.Size)), underlying);
        double scanOfPositions = held.Max(pnl => Math.Max(0.0, -pnl));
        double maintenance = parameters.MaintenanceFactor * Math.Max(scanOfPositions, MinimumDelta(positions, [], underlying, parameters));
        double funding = Math.Max(0.0, positionFunding + orderFunding);
        return new ParadexResult(
            Math.Max(worst, minimumDelta) + funding + feesOfAll,
            maintenance + Math.Max(0.0, positionFunding) + feesOfPositions,
            worst,
            Array.IndexOf(losses, worst),
            minimumDelta,
            funding,
            feesOfAll,
            feesOfPositions,
            positions.Sum(position => position.Size * position.Market.Delta) + orders.Sum(order => order.Size * order.Market.Delta));
    }

    private static double PositionPnl(ParadexPosition position, ParadexScenario row, ParadexUnderlying underlying, ParadexParameters parameters)
        => position.Size * (ShockedPrice(position.Market, row, underlying, parameters) - position.Market.Mark);

    private static double OrderLoss(ParadexOrder order, ParadexScenario row, ParadexUnderlying underlying, ParadexParameters parameters)
    {
        double shocked = ShockedPrice(order.Market, row, underlying, parameters);
        double gap = order.Size > 0.0 ? order.Price - shocked : shocked - order.Price;
        return Math.Abs(order.Size) * Math.Max(0.0, gap);
    }

    private static double ShockedPrice(ParadexMarket market, ParadexScenario row, ParadexUnderlying underlying, ParadexParameters parameters)
    {
        if (market.Strike is not double strike)
            return underlying.PerpetualMark * (1.0 + row.SpotMove);
        double days = market.Years * 365.0;
        double term = Math.Pow(30.0 / Math.Max(parameters.FloorDays, days), days < 30.0 ? parameters.ShortPower : parameters.LongPower);
        double volatility = Math.Max(0.0, market.Volatility * (1.0 + row.VolatilityMove * term));
        if (row.VolatilityMove > 0.0)
            volatility = Math.Max(volatility, parameters.MinimumVolatilityUp);
        double growth = Math.Exp(underlying.Rate * market.Years);
        return ReferenceOptions.Black76(underlying.Spot * (1.0 + row.SpotMove) * growth, strike, market.Years, volatility, market.IsCall, parameters.NormalCdf) / growth;
    }

    private static double MinimumDelta(
        IReadOnlyList<ParadexPosition> positions, IReadOnlyList<ParadexOrder> orders, ParadexUnderlying underlying, ParadexParameters parameters)
    {
        double[] held = [.. positions.Select(position => position.Size * position.Market.Delta)];
        double[] pending = [.. orders.Select(order => order.Size * order.Market.Delta)];
        double longs = held.Sum(delta => Math.Max(delta, 0.0));
        double shorts = held.Sum(delta => Math.Max(-delta, 0.0));
        double longsFilled = longs + pending.Sum(delta => Math.Max(delta, 0.0));
        double shortsFilled = shorts + pending.Sum(delta => Math.Max(-delta, 0.0));
        double unhedged = Math.Max(0.0, Math.Max(longsFilled - shorts, shortsFilled - longs));
        double hedged = Math.Max(0.0, Math.Max(longsFilled, shortsFilled) - unhedged);
        return (unhedged * parameters.UnhedgedFactor + hedged * parameters.HedgedFactor) * underlying.Spot;
    }

    private static double Fee(ParadexMarket market, double size, ParadexUnderlying underlying)
        => Math.Abs(size) * (market.Strike is null ? market.FeeRate * market.Mark : Math.Min(market.FeeRate * underlying.Spot, OptionFeeCap * market.Mark));

    private static double FundingPaid(IEnumerable<(ParadexMarket Market, double Size)> sizes, ParadexUnderlying underlying)
        => sizes.Where(position => position.Market.Strike is null).Sum(position => position.Size * underlying.FundingRate * underlying.Spot);
}
