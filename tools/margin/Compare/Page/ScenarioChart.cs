// Every row of one model's scenario table for one risk unit as bars; the worst row is highlighted.
using System.Xml.Linq;
using static MarginEngine.Tool.Compare.Page.Html;

namespace MarginEngine.Tool.Compare.Page;

internal static class ScenarioChart
{
    private const double Width = 520;
    private const double Names = 212;
    private const double Figures = 66;
    private const double RowHeight = 17;
    private const double ThinRowHeight = 5;

    /// <summary>More rows than these are drawn thin, and only the worst is named.</summary>
    private const int MostNamedRows = 100;

    private const int LongestLabel = 36;

    /// <summary>Part of the bars' room that either side of zero has at least.</summary>
    private const double LeastSide = 0.08;

    /// <param name="unit">One unit of one model.</param>
    /// <param name="scale">Of the bars: the same for all models of the underlying.</param>
    public static XElement Draw(UnitColumn unit, Axis scale)
    {
        bool isThin = unit.Rows.Count > MostNamedRows;
        double height = isThin ? ThinRowHeight : RowHeight, y = 4, zero = scale.At(0);
        List<XElement> parts = [];
        for (int index = 0; index < unit.Rows.Count; index++)
        {
            bool isWorst = index == unit.WorstIndex;
            double rowHeight = isWorst ? RowHeight : height;
            if (isWorst) parts.Add(Rectangle("worst-row", 0, y, Width, rowHeight, At("rx", 3)));
            parts.AddRange(Row(unit, unit.Rows[index], y, rowHeight, scale, isWorst, !isThin || isWorst));
            y += rowHeight;
        }

        parts.Add(Line("zero", zero, 2, zero, y + 2));
        return Svg(Width, y + 4, $"Scenario rows of {unit.Title}", parts);
    }

    /// <summary>From the largest counted loss of any row to the largest counted profit, in USD.</summary>
    public static Axis Scale(IEnumerable<UnitColumn> units)
    {
        double[] counted = [0, .. units.SelectMany(unit => unit.Rows.Select(row => (double)(row.Counted * unit.PriceUsd)))];
        double low = counted.Min(), high = counted.Max(), range = Math.Max(high - low, 1);
        return new Axis(Math.Min(low, -LeastSide * range), Math.Max(high, LeastSide * range), Names, Width - Figures);
    }

    private static IEnumerable<XElement> Row(UnitColumn unit, ScenarioRow row, double y, double height, Axis scale, bool isWorst, bool isNamed)
    {
        double profit = (double)(row.Profit * unit.PriceUsd), counted = (double)(row.Counted * unit.PriceUsd);
        string hint = $"{row.Label}: {Amounts.Usd(row.Counted * unit.PriceUsd)} USD"
            + (row.Counted == row.Profit ? "" : $" counted of {Amounts.Usd(row.Profit * unit.PriceUsd)}");
        double inset = height > ThinRowHeight ? 3 : 0.5;
        if (profit != counted) yield return Bar("ghost", profit);
        yield return Bar(counted < 0 ? "bar loss" : "bar gain", counted);
        if (!isNamed) yield break;
        string weight = isWorst ? " bold" : profit != counted ? " muted" : "";
        string label = row.Label.Length <= LongestLabel ? row.Label : $"{row.Label[..LongestLabel]}…";
        yield return Tag("text", At("class", $"tick end{weight}"), At("x", Names - 8), At("y", y + 12.5), label, Hint(row.Label));
        yield return Label($"tick end{weight}", Width - 4, y + 12.5, Amounts.Compact(counted));

        XElement Bar(string cssClass, double amount)
        {
            double from = scale.At(Math.Max(Math.Min(amount, 0), scale.Low)), to = scale.At(Math.Min(Math.Max(amount, 0), scale.High));
            return Rectangle(cssClass, from, y + inset, to - from, height - (2 * inset), Hint(hint));
        }
    }
}
