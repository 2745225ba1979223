// An explanation for people: the answer, the way there, what was decided, what it depends on, then the account in full.
using System.Globalization;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Reports;
using MarginEngine.Tool.Shell;
using Spectre.Console;

namespace MarginEngine.Tool.Explain;

internal static class ExplanationText
{
    public static void Write(Terminal terminal, Explanation explanation)
    {
        TextWriter output = terminal.Out;
        output.WriteLine(explanation.Answer);
        output.WriteLine($"As of sequence {explanation.Sequence}, taken {Times.Text(explanation.TimeNanos)}; prices age by {Times.Text(explanation.PriceTimeNanos)}.");
        Heading(output, $"The ratio on its way ({Part(explanation.Path.Count, explanation.PathLength)} changes)");
        terminal.Show(Path(explanation.Path));
        Messages(output, "Decisions on the account", explanation.Decisions, explanation.DecisionCount);
        Messages(output, "Inputs that changed what it holds or its rules", explanation.Inputs, explanation.InputCount);
        Heading(output, "Prices it depends on");
        terminal.Show(Prices(explanation.Prices));
        Heading(output, $"Thresholds of model {explanation.Rules.Model} version {explanation.Rules.Version}");
        RulesReport rules = explanation.Rules;
        for (AccountState state = AccountState.Warning; state <= AccountState.Liquidation; state++)
            output.WriteLine($"  {Names.Of(state),-12} from ratio {Decimal(rules.ThresholdE8[(int)state])}, left below {Decimal(rules.ThresholdE8[(int)state] - rules.HysteresisE8)}");
        output.WriteLine($"  a liquidation closes until the ratio is {Decimal(rules.TargetRatioE8)}; it is repeated after {Span(rules.LiquidationRetryNanos)} unfilled");
        WriteWorst(terminal, explanation.Report);
        Heading(output, "The account");
        ReportText.Write(terminal, explanation.Report);
    }

    private static void WriteWorst(Terminal terminal, MarginReport report)
    {
        if (Explainer.WorstRow(report) is not (UnitReport unit, RowReport row)) return;
        Heading(terminal.Out, $"Worst row: {unit.Underlying} row {row.Index}, spot {Decimal(row.SpotShockE8 * 100)} %, volatility {Names.Of(row.Volatility)}{(row.IsTail ? ", tail" : "")}");
        Table table = Columns("position", "lots", $"profit there, {unit.Currency}");
        foreach (PositionReport position in unit.Positions.OrderBy(position => position.RowProfits[row.Index]))
            table.AddRow(position.Symbol, Number(position.Lots), JsonOutput.Decimal(position.RowProfits[row.Index], -unit.Decimals));
        if (row.Adjustment != 0) table.AddRow("weight, dampener, discount", "", JsonOutput.Decimal(row.Adjustment, -unit.Decimals));
        table.AddRow("counted", "", JsonOutput.Decimal(row.Counted, -unit.Decimals));
        terminal.Show(table);
    }

    private static Table Path(IReadOnlyList<PathPoint> path)
    {
        Table table = Columns("sequence", "time", "equity", "maintenance", "ratio", "state");
        foreach (PathPoint point in path)
            table.AddRow(Number(point.Sequence), Times.Text(point.TimeNanos), JsonOutput.Decimal(point.Equity, -6), JsonOutput.Decimal(point.Maintenance, -6),
                point.RatioE8 >= Limits.RatioCeiling ? "no equity" : Decimal(point.RatioE8), Names.Of(point.State));
        return table;
    }

    private static Table Prices(IReadOnlyList<SourcedPrice> prices)
    {
        Table table = Columns("price", "of", "value", "sequence", "taken", "age", "stale after", "confidence");
        foreach ((PriceReport price, RecordPlace? place) in prices)
            table.AddRow(Names.Of(price.Key.Kind), price.Name, price.Value is decimal value ? ExplanationJson.Exact(value) : price.Key.Kind is PriceKind.Surface or PriceKind.Array ? Names.Of(price.Key.Kind) : "none",
                place is RecordPlace at ? Number(at.Sequence) : "-", place is RecordPlace when ? Times.Text(when.TimeNanos) : "never",
                price.AgeNanos is long age ? Span(age) + (price.IsStale ? " STALE" : "") : "-", price.LimitNanos > 0 ? Span(price.LimitNanos) : "never", ExplanationJson.Exact(price.Confidence));
        return table;
    }

    private static void Messages(TextWriter output, string title, IReadOnlyList<ToldMessage> messages, long count)
    {
        Heading(output, $"{title} ({Part(messages.Count, count)})");
        foreach (ToldMessage told in messages) output.WriteLine($"  {told.Sequence,10}  {Times.Text(told.TimeNanos)}  {told.Json}");
    }

    private static void Heading(TextWriter output, string title)
    {
        output.WriteLine();
        output.WriteLine(title);
    }

    private static Table Columns(params string[] names)
    {
        Table table = new Table().NoBorder();
        foreach (string name in names) table.AddColumn(new TableColumn(name));
        return table;
    }

    private static string Part(long shown, long all) => shown == all ? Number(all) : $"the last {Number(shown)} of {Number(all)}";

    private static string Span(long nanos) => string.Create(CultureInfo.InvariantCulture, $"{nanos / 1e9m:0.######} s");

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Decimal(long e8) => JsonOutput.Decimal(e8, -8);
}
