// Profit over price and volatility as a heat map: red loses, blue gains, the worst cell is framed, every cell carries its figure.
using System.Xml.Linq;
using static MarginEngine.Tool.Compare.Page.Html;

namespace MarginEngine.Tool.Compare.Page;

internal static class SurfaceChart
{
    private const double Left = 84;
    private const double Top = 42;
    private const double CellWidth = 66;
    private const double CellHeight = 38;
    private const double StrongShade = 0.8;

    public static XElement Draw(UnderlyingPicture picture)
    {
        ProfitSurface surface = picture.Surface;
        double largest = surface.ProfitUsd.SelectMany(row => row).Max(Math.Abs);
        List<XElement> parts = [Label("axis middle", Left + (surface.SpotShocks.Count * CellWidth / 2), 14, "price"), Label("axis", 0, Top - 10, "volatility")];
        for (int column = 0; column < surface.SpotShocks.Count; column++)
            parts.Add(Label(surface.SpotShocks[column] == 0 ? "tick middle now" : "tick middle", Left + ((column + 0.5) * CellWidth), Top - 10, Amounts.Shift(surface.SpotShocks[column])));
        for (int row = 0; row < surface.VolatilityShocks.Count; row++)
        {
            parts.Add(Label(surface.VolatilityShocks[row] == 0 ? "tick end now" : "tick end", Left - 10, Top + ((row + 0.5) * CellHeight) + 4, Amounts.Shift(surface.VolatilityShocks[row])));
            for (int column = 0; column < surface.SpotShocks.Count; column++) parts.AddRange(Cell(picture, row, column, largest));
        }

        parts.AddRange(WorstFrame(surface, largest));
        double width = Left + (surface.SpotShocks.Count * CellWidth) + 2, height = Top + (surface.VolatilityShocks.Count * CellHeight) + 4;
        return Svg(width, height, $"Profit of {picture.Code} positions over price and volatility", parts);
    }

    private static IEnumerable<XElement> Cell(UnderlyingPicture picture, int row, int column, double largest)
    {
        ProfitSurface surface = picture.Surface;
        double profit = surface.ProfitUsd[row][column], spot = surface.SpotShocks[column], volatility = surface.VolatilityShocks[row];
        double shade = Shade(profit, largest);
        string tone = profit < 0 ? "loss" : "gain";
        double x = Left + (column * CellWidth), y = Top + (row * CellHeight);
        yield return Rectangle($"cell {tone}", x + 1, y + 1, CellWidth - 2, CellHeight - 2, At("rx", 3), At("style", $"--shade:{Number(shade * 100)}%"),
            Hint($"{picture.Code} at {Amounts.Price(picture.Index * (1 + spot))}, volatility {Amounts.Shift(volatility)}: {Amounts.Usd(profit)} USD"));
        yield return Label($"figure middle {Strength(shade)}", x + (CellWidth / 2), y + (CellHeight / 2) + (IsWorst(surface, row, column) ? 9 : 4), Amounts.Compact(profit));
        if (spot == 0 && volatility == 0) yield return Rectangle("frame now", x + 2, y + 2, CellWidth - 4, CellHeight - 4, At("rx", 3));
    }

    private static IEnumerable<XElement> WorstFrame(ProfitSurface surface, double largest)
    {
        if (!IsWorst(surface, surface.Worst.Row, surface.Worst.Column)) yield break;
        double x = Left + (surface.Worst.Column * CellWidth), y = Top + (surface.Worst.Row * CellHeight);
        yield return Rectangle("frame worst", x + 1, y + 1, CellWidth - 2, CellHeight - 2, At("rx", 3));
        yield return Label($"mark middle {Strength(Shade(surface.WorstProfitUsd, largest))}", x + (CellWidth / 2), y + 12, "WORST");
    }

    // The root brings out small figures beside large ones.
    private static double Shade(double profit, double largest) => largest > 0 ? Math.Sqrt(Math.Abs(profit) / largest) : 0;

    private static string Strength(double shade) => shade > StrongShade ? "strong" : "faint";

    private static bool IsWorst(ProfitSurface surface, int row, int column) => surface.Worst == (row, column) && surface.WorstProfitUsd < 0;
}
