namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>One class of a product group: P&amp;L in USD at a relative move of its underlying, volatility unchanged, and its number of contracts.</summary>
internal sealed record TimsClass(Func<double, double> Pnl, double Contracts);

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

    public static double[] Points(double low, double high)
        => [.. Enumerable.Range(1, PointsEachSide).Select(step => low * step / PointsEachSide), .. Enumerable.Range(1, PointsEachSide).Select(step => high * step / PointsEachSide)];

    public static double Requirement(IReadOnlyList<TimsClass> group, double low, double high, double offset, double minimumPerContract)
    {
        double worst = 0.0;
        foreach (double move in Points(low, high))
        {
            double[] pnl = [.. group.Select(member => member.Pnl(move))];
            double net = group.Count == 1 ? pnl[0] : pnl.Sum(value => value < 0.0 ? value : value * offset);
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
    public static double[] Filtered(IReadOnlyList<double> returns, double decay)
    {
        double variance = returns.Average(value => value * value);
        var volatilities = new double[returns.Count];
        for (int day = 0; day < returns.Count; day++)
        {
            volatilities[day] = Math.Sqrt(variance);
            variance = decay * variance + (1.0 - decay) * returns[day] * returns[day];
        }

        return [.. returns.Select((value, day) => volatilities[day] > 0.0 ? value * Math.Sqrt(variance) / volatilities[day] : value)];
    }

    public static (double ValueAtRisk, double ExpectedShortfall) Margin(IEnumerable<double> rowPnl, double confidence)
    {
        double[] losses = [.. rowPnl.Select(pnl => -pnl).OrderDescending()];
        // 1 - 0.99 is a little above 0.01 in binary: without the rounding 100 rows would give two instead of one.
        int tail = Math.Max(1, (int)Math.Ceiling(Math.Round((1.0 - confidence) * losses.Length, 9)));
        return (Math.Max(0.0, losses[tail - 1]), Math.Max(0.0, losses.Take(tail).Average()));
    }
}
