namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>One class of a product group: P&amp;L in USD at a relative move of its underlying, volatility unchanged, and its number of contracts.</summary>
internal sealed record TimsClass(Func<decimal, decimal> Pnl, decimal Contracts);

/// <summary>
/// Customer portfolio margin after TIMS [S: a broker's and the clearing house's pages, no published requirement].
/// <code>
/// points: five equidistant moves down to the low end of the range and five up to the high end, volatility as it is
/// class: P&amp;L at each point        group: sum over classes of losses in full and gains times the offset
/// requirement = max(worst point's loss, contracts * minimum per contract)
/// </code>
/// </summary>
internal static class TimsMargin
{
    private const int PointsEachSide = 5;

    public static decimal[] Points(decimal low, decimal high)
        => [.. Enumerable.Range(1, PointsEachSide).Select(step => low * step / PointsEachSide), .. Enumerable.Range(1, PointsEachSide).Select(step => high * step / PointsEachSide)];

    public static decimal Requirement(IReadOnlyList<TimsClass> group, decimal low, decimal high, decimal offset, decimal minimumPerContract)
    {
        decimal worst = 0m;
        foreach (decimal move in Points(low, high))
        {
            decimal[] pnl = [.. group.Select(member => member.Pnl(move))];
            decimal net = group.Count == 1 ? pnl[0] : pnl.Sum(value => value < 0m ? value : value * offset);
            worst = Math.Max(worst, -net);
        }

        return Math.Max(worst, group.Sum(member => member.Contracts) * minimumPerContract);
    }
}

/// <summary>
/// Historical value at risk and expected shortfall [S: the idea of a clearing house's method, with definitions of our own].
/// <code>
/// filtered row = return * volatility now / volatility of its day       volatility: var_t = decay var_(t-1) + (1 - decay) r_(t-1)^2, from the mean square
/// n = rows, m = ceil((1 - confidence) n): VaR = the m-th largest loss, ES = the mean of the m largest losses, neither below 0
/// </code>
/// </summary>
internal static class HistoricalMargin
{
    /// <summary>Returns of one underlying, oldest first, scaled to the volatility that follows the last of them.</summary>
    public static decimal[] Filtered(IReadOnlyList<decimal> returns, decimal decay)
    {
        decimal variance = returns.Average(value => value * value);
        var volatilities = new decimal[returns.Count];
        for (int day = 0; day < returns.Count; day++)
        {
            volatilities[day] = DecimalMath.Sqrt(variance);
            variance = decay * variance + (1m - decay) * returns[day] * returns[day];
        }

        return [.. returns.Select((value, day) => volatilities[day] > 0m ? value * DecimalMath.Sqrt(variance) / volatilities[day] : value)];
    }

    public static (decimal ValueAtRisk, decimal ExpectedShortfall) Margin(IEnumerable<decimal> rowPnl, decimal confidence)
    {
        decimal[] losses = [.. rowPnl.Select(pnl => -pnl).OrderDescending()];
        int tail = Math.Max(1, (int)Math.Ceiling((1m - confidence) * losses.Length));
        return (Math.Max(0m, losses[tail - 1]), Math.Max(0m, losses.Take(tail).Average()));
    }
}
