namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// A market: mark in USD, delta of one unit, the larger fee rate. A strike makes it an option with a mark volatility and years to expiry; without
/// one it is the perpetual.
/// </summary>
internal sealed record ParadexMarket(string Name, decimal Mark, decimal Delta, decimal FeeRate, decimal? Strike = null, bool IsCall = false, decimal Volatility = 0m, decimal Years = 0m);

/// <summary>Signed size: positive is long or a buy. The price of an order is in USD.</summary>
internal sealed record ParadexOrder(ParadexMarket Market, decimal Size, decimal Price);

internal sealed record ParadexPosition(ParadexMarket Market, decimal Size);

/// <summary>A row: relative moves of spot and of volatility (before its term scaling) and the weight of the result.</summary>
internal sealed record ParadexScenario(decimal SpotMove, decimal VolatilityMove, decimal Weight);

/// <summary>One underlying: spot and perpetual mark in USD, funding for its period as a fraction of spot, rate per year.</summary>
internal sealed record ParadexUnderlying(decimal Spot, decimal PerpetualMark, decimal FundingRate, decimal Rate);

internal sealed record ParadexParameters(
    IReadOnlyList<ParadexScenario> Scenarios,
    decimal HedgedFactor,
    decimal UnhedgedFactor,
    decimal MaintenanceFactor,
    decimal ShortPower,
    decimal LongPower,
    decimal FloorDays,
    decimal MinimumVolatilityUp,
    Func<decimal, decimal> NormalCdf);

internal sealed record ParadexResult(
    decimal Initial, decimal Maintenance, decimal WorstLoss, int WorstIndex, decimal MinimumDelta, decimal Funding, decimal InitialFees, decimal MaintenanceFees, decimal Delta);

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
    private const decimal OptionFeeCap = 0.125m;

    public static ParadexResult Margin(
        IReadOnlyList<ParadexPosition> positions, IReadOnlyList<ParadexOrder> orders, ParadexUnderlying underlying, ParadexParameters parameters)
    {
        decimal[] held = [.. parameters.Scenarios.Select(row => row.Weight * positions.Sum(position => PositionPnl(position, row, underlying, parameters)))];
        decimal[] pending = [.. parameters.Scenarios.Select(row => row.Weight * orders.Sum(order => OrderLoss(order, row, underlying, parameters)))];
        decimal[] losses = [.. held.Select((pnl, row) => Math.Max(0m, pending[row] - pnl))];
        decimal worst = losses.Max();
        decimal minimumDelta = MinimumDelta(positions, orders, underlying, parameters);
        decimal feesOfPositions = positions.Sum(position => Fee(position.Market, position.Size, underlying));
        decimal feesOfAll = feesOfPositions + orders.Sum(order => Fee(order.Market, order.Size, underlying));
        decimal positionFunding = FundingPaid(positions.Select(position => (position.Market, position.Size)), underlying);
        decimal orderFunding = FundingPaid(orders.Select(order => (order.Market, -order.Size)), underlying);
        decimal scanOfPositions = held.Max(pnl => Math.Max(0m, -pnl));
        decimal maintenance = parameters.MaintenanceFactor * Math.Max(scanOfPositions, MinimumDelta(positions, [], underlying, parameters));
        decimal funding = Math.Max(0m, positionFunding + orderFunding);
        return new ParadexResult(
            Math.Max(worst, minimumDelta) + funding + feesOfAll,
            maintenance + Math.Max(0m, positionFunding) + feesOfPositions,
            worst,
            Array.IndexOf(losses, worst),
            minimumDelta,
            funding,
            feesOfAll,
            feesOfPositions,
            positions.Sum(position => position.Size * position.Market.Delta) + orders.Sum(order => order.Size * order.Market.Delta));
    }

    private static decimal PositionPnl(ParadexPosition position, ParadexScenario row, ParadexUnderlying underlying, ParadexParameters parameters)
        => position.Size * (ShockedPrice(position.Market, row, underlying, parameters) - position.Market.Mark);

    private static decimal OrderLoss(ParadexOrder order, ParadexScenario row, ParadexUnderlying underlying, ParadexParameters parameters)
    {
        decimal shocked = ShockedPrice(order.Market, row, underlying, parameters);
        decimal gap = order.Size > 0m ? order.Price - shocked : shocked - order.Price;
        return Math.Abs(order.Size) * Math.Max(0m, gap);
    }

    private static decimal ShockedPrice(ParadexMarket market, ParadexScenario row, ParadexUnderlying underlying, ParadexParameters parameters)
    {
        if (market.Strike is not decimal strike)
            return underlying.PerpetualMark * (1m + row.SpotMove);
        decimal days = market.Years * 365m;
        decimal term = DecimalMath.Pow(30m / Math.Max(parameters.FloorDays, days), days < 30m ? parameters.ShortPower : parameters.LongPower);
        decimal volatility = Math.Max(0m, market.Volatility * (1m + row.VolatilityMove * term));
        if (row.VolatilityMove > 0m)
            volatility = Math.Max(volatility, parameters.MinimumVolatilityUp);
        decimal growth = DecimalMath.Exp(underlying.Rate * market.Years);
        return ReferenceOptions.Black76(underlying.Spot * (1m + row.SpotMove) * growth, strike, market.Years, volatility, market.IsCall, parameters.NormalCdf) / growth;
    }

    private static decimal MinimumDelta(
        IReadOnlyList<ParadexPosition> positions, IReadOnlyList<ParadexOrder> orders, ParadexUnderlying underlying, ParadexParameters parameters)
    {
        decimal[] held = [.. positions.Select(position => position.Size * position.Market.Delta)];
        decimal[] pending = [.. orders.Select(order => order.Size * order.Market.Delta)];
        decimal longs = held.Sum(delta => Math.Max(delta, 0m));
        decimal shorts = held.Sum(delta => Math.Max(-delta, 0m));
        decimal longsFilled = longs + pending.Sum(delta => Math.Max(delta, 0m));
        decimal shortsFilled = shorts + pending.Sum(delta => Math.Max(-delta, 0m));
        decimal unhedged = Math.Max(0m, Math.Max(longsFilled - shorts, shortsFilled - longs));
        decimal hedged = Math.Max(0m, Math.Max(longsFilled, shortsFilled) - unhedged);
        return (unhedged * parameters.UnhedgedFactor + hedged * parameters.HedgedFactor) * underlying.Spot;
    }

    private static decimal Fee(ParadexMarket market, decimal size, ParadexUnderlying underlying)
        => Math.Abs(size) * (market.Strike is null ? market.FeeRate * market.Mark : Math.Min(market.FeeRate * underlying.Spot, OptionFeeCap * market.Mark));

    private static decimal FundingPaid(IEnumerable<(ParadexMarket Market, decimal Size)> sizes, ParadexUnderlying underlying)
        => sizes.Where(position => position.Market.Strike is null).Sum(position => position.Size * underlying.FundingRate * underlying.Spot);
}
