// A comparison for the terminal: a line a model, then the components of each.
using MarginEngine.Tool.Shell;
using Spectre.Console;

namespace MarginEngine.Tool.Compare;

internal static class ComparisonText
{
    public static void Write(Terminal terminal, ModelComparison comparison)
    {
        terminal.Show(Models(comparison));
        if (comparison.Answers.Any())
        {
            terminal.Out.WriteLine();
            terminal.Show(Components(comparison));
        }

        IReadOnlyList<string> headline = Reasons.Headline(comparison);
        if (headline.Count > 0) terminal.Out.WriteLine();
        foreach (string sentence in headline) terminal.Out.WriteLine(sentence);
        foreach (ModelColumn refused in comparison.Columns.Where(column => column.Answer is null))
            terminal.Out.WriteLine($"{refused.Name} is refused: {refused.Refusal}");
    }

    private static Table Models(ModelComparison comparison)
    {
        Table table = new Table().NoBorder();
        table.AddColumn("model");
        table.AddColumn("state");
        foreach (string column in (string[])["initial margin", "maintenance margin", "equity", "ratio", "buying power"])
            table.AddColumn(new TableColumn(column).RightAligned());
        table.AddColumn("worst row (USD)");
        foreach (ModelColumn column in comparison.Columns)
        {
            string name = Markup.Escape($"{column.Name} {column.Version}");
            if (column.Answer is not { } answer)
            {
                table.AddRow(name, "refused", "-", "-", "-", "-", "-", "-");
                continue;
            }

            table.AddRow(name, Markup.Escape(answer.State), Amounts.Usd(answer.Initial), Amounts.Usd(answer.Maintenance), Amounts.Usd(answer.Equity),
                Amounts.Ratio(answer.Ratio), Amounts.Usd(answer.BuyingPower), Markup.Escape(Reasons.WorstRow(answer)));
        }

        return table;
    }

    private static Table Components(ModelComparison comparison)
    {
        Table table = new Table().NoBorder();
        table.AddColumn("model");
        table.AddColumn("component (USD)");
        foreach (string column in (string[])["initial", "of it", "maintenance"]) table.AddColumn(new TableColumn(column).RightAligned());
        foreach ((ModelColumn column, ModelAnswer answer) in comparison.Answers)
            foreach (ComponentAmount part in answer.Components.Where(part => part.Initial != 0 || part.Maintenance != 0).OrderByDescending(part => part.Initial))
                table.AddRow(Markup.Escape(column.Name), Markup.Escape(part.Name), Amounts.Usd(part.Initial),
                    Amounts.Share(part.Initial, answer.Initial), Amounts.Usd(part.Maintenance));
        return table;
    }
}
