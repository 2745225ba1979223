// The portfolio itself, before any margin model looks at it: its profit over price and volatility, and at settlement.
using MarginEngine.Tool.Calc;

namespace MarginEngine.Tool.Compare;

/// <summary>One picture for each underlying that has positions, in the order of the document.</summary>
internal sealed record PortfolioPicture(IReadOnlyList<UnderlyingPicture> Underlyings)
{
    public static PortfolioPicture Of(Portfolio portfolio)
    {
        List<PositionValue> positions = [.. portfolio.Positions.Select(position => new PositionValue(portfolio, position))];
        return new PortfolioPicture(
        [
            .. portfolio.Coins
                .Select(coin => (coin, Held: positions.FindAll(position => position.Name.Underlying == coin.Code)))
                .Where(entry => entry.Held.Count > 0)
                .Select(entry => UnderlyingPicture.Of(entry.coin.Code, (double)entry.coin.Index, entry.Held)),
        ]);
    }
}

/// <param name="Index">USD.</param>
/// <param name="Calm">Profit by price with volatility as it is.</param>
/// <param name="Stressed">Profit by price with volatility up by <see cref="StressedVolatility"/>.</param>
internal sealed record UnderlyingPicture(
    string Code, double Index, ProfitSurface Surface, Payoff Payoff, PriceProfile Calm, PriceProfile Stressed, IReadOnlyList<PositionLine> Positions)
{
    public const double StressedVolatility = 0.5;

    public bool HasCoinSettled { get; init; }

    public static UnderlyingPicture Of(string code, double index, IReadOnlyList<PositionValue> positions)
    {
        ProfitSurface surface = ProfitSurface.Of(positions);
        double worstSpot = 1 + surface.WorstSpotShock, worstVolatility = 1 + surface.WorstVolatilityShock;
        return new UnderlyingPicture(code, index, surface, Payoff.Of(index, positions), PriceProfile.Of(positions, 0), PriceProfile.Of(positions, StressedVolatility),
        [
            .. positions.Select(position => new PositionLine(
                position.Name.Symbol, position.Contracts, position.ProfitUsd(0.9, 1), position.ProfitUsd(1.1, 1), position.ProfitUsd(1, 1.25),
                position.ProfitUsd(worstSpot, worstVolatility))),
        ])
        {
            HasCoinSettled = positions.Any(position => position.Name.IsInverse),
        };
    }
}

/// <summary>What one position does; profits in USD against now.</summary>
/// <param name="Down">Price -10 %.</param>
/// <param name="Up">Price +10 %.</param>
/// <param name="VolatilityUp">Volatility +25 %.</param>
/// <param name="AtWorst">In the worst cell of the underlying's surface.</param>
internal sealed record PositionLine(string Symbol, decimal Contracts, double Down, double Up, double VolatilityUp, double AtWorst);

/// <summary>Profit in USD by relative shifts of volatility (outer) and price (inner).</summary>
internal sealed record ProfitSurface(IReadOnlyList<double> SpotShocks, IReadOnlyList<double> VolatilityShocks, double[][] ProfitUsd)
{
    /// <summary>Fine where days are usual, wide enough for a day that is not.</summary>
    public static IReadOnlyList<double> StandardSpot { get; } =
        [-0.5, -0.4, -0.3, -0.2, -0.15, -0.1, -0.05, 0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5];

    public static IReadOnlyList<double> StandardVolatility { get; } = [1, 0.75, 0.5, 0.25, 0, -0.25, -0.5];

    /// <summary>Row and column of the lowest cell; of equal ones the first.</summary>
    public (int Row, int Column) Worst { get; } = Lowest(ProfitUsd);

    public double WorstProfitUsd => ProfitUsd[Worst.Row][Worst.Column];

    public double WorstSpotShock => SpotShocks[Worst.Column];

    public double WorstVolatilityShock => VolatilityShocks[Worst.Row];

    public static ProfitSurface Of(IReadOnlyList<PositionValue> positions) => Of(positions, StandardSpot, StandardVolatility);

    public static ProfitSurface Of(IReadOnlyList<PositionValue> positions, IReadOnlyList<double> spotShocks, IReadOnlyList<double> volatilityShocks) =>
        new(spotShocks, volatilityShocks,
        [
            .. volatilityShocks.Select(volatility => spotShocks
                .Select(spot => positions.Sum(position => position.ProfitUsd(1 + spot, 1 + volatility)))
                .ToArray()),
        ]);

    private static (int Row, int Column) Lowest(double[][] cells)
    {
        (int Row, int Column) lowest = (0, 0);
        for (int row = 0; row < cells.Length; row++)
            for (int column = 0; column < cells[row].Length; column++)
                if (cells[row][column] < cells[lowest.Row][lowest.Column]) lowest = (row, column);
        return lowest;
    }
}
