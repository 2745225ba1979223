// What each model asks, by component: two stacked bars a model, initial above maintenance. Credits lie left of zero.
using System.Xml.Linq;
using static MarginEngine.Tool.Compare.Page.Html;

namespace MarginEngine.Tool.Compare.Page;

internal static class RequirementChart
{
    private const double Width = 1076;
    private const double Left = 190;
    private const double Right = 96;
    private const double InitialHeight = 24;
    private const double MaintenanceHeight = 15;
    private const double Gap = 20;
    private const double Top = 26;
    private const double RoomOfAFigure = 52;
    private const int LongestName = 26;

    /// <summary>Components with a tone of their own; further ones share the last.</summary>
    public const int Tones = 12;

    public static XElement Draw(ModelComparison comparison)
    {
        List<(ModelColumn Column, ModelAnswer Answer)> answers = [.. comparison.Answers];
        List<string> names = ComponentNames(comparison);
        double most = Math.Max(answers.Max(entry => Reach(entry.Answer, +1)), 1), least = answers.Min(entry => Reach(entry.Answer, -1));
        Axis axis = new(least * 1.02, most * 1.02, Left, Width - Right);
        double height = Top + (answers.Count * (InitialHeight + MaintenanceHeight + Gap)) + 4;
        List<XElement> parts = [];
        foreach (double tick in axis.Ticks(7))
        {
            parts.Add(Line(tick == 0 ? "zero" : "grid", axis.At(tick), Top - 4, axis.At(tick), height - 8));
            parts.Add(Label("tick middle", axis.At(tick), Top - 10, Amounts.Compact(tick)));
        }

        double y = Top + 4;
        foreach ((ModelColumn column, ModelAnswer answer) in answers)
        {
            parts.Add(Tag("text", At("class", "name end"), At("x", Left - 12), At("y", y + 17), Short(column.Name), Hint(column.Name)));
            parts.Add(Label("tick end muted", Left - 12, y + InitialHeight + 12.5, "maintenance"));
            parts.AddRange(Stack(answer, names, axis, y, InitialHeight, part => part.Initial, answer.Initial));
            parts.AddRange(Stack(answer, names, axis, y + InitialHeight + 2, MaintenanceHeight, part => part.Maintenance, answer.Maintenance));
            double equity = (double)answer.Equity;
            if (equity > 0 && equity <= axis.High)
                parts.Add(Tag("line", At("class", "equity"), At("x1", axis.At(equity)), At("x2", axis.At(equity)), At("y1", y - 4), At("y2", y + InitialHeight + MaintenanceHeight + 6),
                    Hint($"equity {Amounts.Usd(answer.Equity)} USD")));
            parts.Add(Total("name halo", axis, answer.Components.Select(part => part.Initial), answer.Initial, y + (InitialHeight / 2)));
            parts.Add(Total("tick muted halo", axis, answer.Components.Select(part => part.Maintenance), answer.Maintenance, y + InitialHeight + 2 + (MaintenanceHeight / 2)));
            y += InitialHeight + MaintenanceHeight + Gap;
        }

        return Svg(Width, height, "Requirement of each model by component", parts);
    }

    /// <summary>Component names with their colours, for a line above the chart.</summary>
    public static IEnumerable<XElement> Legend(ModelComparison comparison) =>
        ComponentNames(comparison).Select((name, index) => Block("span", $"key tone{Tone(index)}", name));

    /// <summary>Names of all components that any model asks something for, the largest first.</summary>
    public static List<string> ComponentNames(ModelComparison comparison) =>
    [
        .. comparison.Answers.SelectMany(entry => entry.Answer.Components)
            .Where(part => part.Initial != 0 || part.Maintenance != 0)
            .GroupBy(part => part.Name)
            .OrderByDescending(group => group.Max(part => Math.Max(Math.Abs(part.Initial), Math.Abs(part.Maintenance))))
            .ThenBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => group.Key),
    ];

    private static IEnumerable<XElement> Stack(
        ModelAnswer answer, List<string> names, Axis axis, double y, double height, Func<ComponentAmount, decimal> amountOf, decimal total)
    {
        double charges = 0, credits = 0;
        foreach (ComponentAmount part in answer.Components.OrderBy(part => names.IndexOf(part.Name)))
        {
            double amount = (double)amountOf(part);
            if (amount == 0) continue;
            double from = amount > 0 ? charges : credits + amount;
            double x = axis.At(from), width = axis.At(from + Math.Abs(amount)) - x;
            if (amount > 0) charges += amount;
            else credits += amount;
            yield return Rectangle($"part tone{Tone(names.IndexOf(part.Name))}", x, y, Math.Max(width - 1, 0.75), height,
                Hint($"{part.Name}: {Amounts.Usd(amountOf(part))} USD, {Amounts.Share(amountOf(part), total)}"));
            if (width > RoomOfAFigure) yield return Label("inside", x + 6, y + (height / 2) + 4, Amounts.Compact(amount));
        }
    }

    // Beside the end of its bar.
    private static XElement Total(string cssClass, Axis axis, IEnumerable<decimal> parts, decimal total, double middle) =>
        Label(cssClass, axis.At((double)parts.Sum(part => Math.Max(part, 0))) + 8, middle + 4.5, Amounts.Compact((double)total));

    private static double Reach(ModelAnswer answer, int sign) =>
        Math.Max(answer.Components.Sum(part => Math.Max(sign * (double)part.Initial, 0)), answer.Components.Sum(part => Math.Max(sign * (double)part.Maintenance, 0))) * sign;

    private static int Tone(int index) => Math.Min(index, Tones - 1);

    private static string Short(string name) => name.Length <= LongestName ? name : $"{name[..LongestName]}…";
}
