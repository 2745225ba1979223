// How far the price can go before a given amount is lost: what a requirement of that amount would cover.
namespace MarginEngine.Tool.Compare;

/// <summary>Profit in USD against now, by price moves of whole per cent, at one shift of volatility.</summary>
/// <param name="ProfitUsd">From <see cref="LowestPercent"/> to <see cref="HighestPercent"/>.</param>
internal sealed record PriceProfile(double[] ProfitUsd)
{
    public const int LowestPercent = -90;
    public const int HighestPercent = 200;

    public static PriceProfile Of(IReadOnlyList<PositionValue> positions, double volatilityShock) => new(
    [
        .. Enumerable.Range(LowestPercent, HighestPercent - LowestPercent + 1)
            .Select(percent => positions.Sum(position => position.ProfitUsd(1 + (percent / 100.0), 1 + volatilityShock))),
    ]);

    /// <summary>The first move in a direction (+1, -1) that loses more than the amount, as a part; null: none in range. 0: the shift of volatility alone does.</summary>
    public double? FirstBeyond(double amountUsd, int direction)
    {
        for (int percent = 0; percent is >= LowestPercent and <= HighestPercent; percent += direction)
            if (ProfitUsd[percent - LowestPercent] < -amountUsd) return percent / 100.0;
        return null;
    }
}
