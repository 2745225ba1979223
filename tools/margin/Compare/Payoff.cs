// Profit against the price: as the portfolio stands today, at the first expiry, and when everything that expires has settled.
namespace MarginEngine.Tool.Compare;

/// <param name="Label">When: <c>today</c>, or the day of an expiry.</param>
/// <param name="ProfitUsd">By price of the payoff.</param>
internal sealed record PayoffCurve(string Label, double[] ProfitUsd);

/// <param name="Index">Price now, USD.</param>
/// <param name="Prices">Ascending; every strike in range is one of them, so kinks are exact.</param>
/// <param name="Strikes">In range, ascending.</param>
/// <param name="Curves">Today first, the last settlement last; with perpetuals alone only today.</param>
internal sealed record Payoff(double Index, double[] Prices, double[] Strikes, IReadOnlyList<PayoffCurve> Curves)
{
    private const int Steps = 160;
    private const double LowestFactor = 0.1;
    private const double HighestFactor = 4;

    /// <summary>The curve that is final.</summary>
    public PayoffCurve Last => Curves[^1];

    /// <summary>Prices at which <see cref="Last"/> changes its sign.</summary>
    public IReadOnlyList<double> BreakEvens { get; } = Crossings(Prices, Curves[^1].ProfitUsd);

    public static Payoff Of(double index, IReadOnlyList<PositionValue> positions)
    {
        double[] strikes = [.. positions.Where(position => position.Name.IsOption).Select(position => (double)position.Name.Strike).Distinct().Order()];
        double low = Math.Max(Math.Min(0.6 * index, strikes.Length == 0 ? index : 0.85 * strikes[0]), LowestFactor * index);
        double high = Math.Min(Math.Max(1.4 * index, strikes.Length == 0 ? index : 1.15 * strikes[^1]), HighestFactor * index);
        strikes = [.. strikes.Where(strike => strike > low && strike < high)];
        double[] prices =
        [
            .. Enumerable.Range(0, Steps + 1).Select(step => low + ((high - low) * step / Steps)).Concat(strikes).Append(index).Distinct().Order(),
        ];
        return new Payoff(index, prices, strikes, [.. Moments(positions).Select(moment => Curve(index, prices, positions, moment))]);
    }

    private static PayoffCurve Curve(double index, double[] prices, IReadOnlyList<PositionValue> positions, (string Label, double Years) moment) =>
        new(moment.Label, [.. prices.Select(price => positions.Sum(position => position.ProfitUsd(price / index, 1, moment.Years)))]);

    private static List<(string Label, double Years)> Moments(IReadOnlyList<PositionValue> positions)
    {
        List<(string Label, double Years)> moments = [("today", 0)];
        (string Label, double Years)[] expiries = [.. positions.Where(position => position.Years > 0).Select(position => (position.Name.ExpiryDay!, position.Years)).Distinct().OrderBy(expiry => expiry.Years)];
        if (expiries.Length > 0) moments.Add(expiries[0]);
        if (expiries.Length > 1) moments.Add(expiries[^1]);
        return moments;
    }

    private static List<double> Crossings(double[] prices, double[] profits)
    {
        List<double> crossings = [];
        for (int at = 1; at < prices.Length; at++)
        {
            double before = profits[at - 1], after = profits[at];
            if (before != 0 && after == 0 && at + 1 < prices.Length && before * profits[at + 1] < 0) crossings.Add(prices[at]);
            if (before * after < 0) crossings.Add(prices[at - 1] + ((prices[at] - prices[at - 1]) * before / (before - after)));
        }

        return crossings;
    }
}
