// `margin calc`: what-if without a running engine. A portfolio and a market in, the whole margin answer out; or the answers of several
// models side by side.
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using MarginEngine.Logic;
using MarginEngine.Tool.Calc;
using MarginEngine.Tool.Compare;
using MarginEngine.Tool.Compare.Page;
using MarginEngine.Tool.Reports;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Verbs;

internal static class CalcVerb
{
    public static Verb Create(Terminal terminal)
    {
        Argument<string> file = new("FILE.json") { Description = "Portfolio and market; calc.schema.json beside the tool describes it." };
        Option<string> model = new("--model")
        {
            Description = $"A shipped margin model ({string.Join(", ", ModelDocument.ShippedNames)}) or a JSON file.",
            HelpName = "NAME|FILE",
            DefaultValueFactory = _ => ModelChoice.Default,
        };
        Option<string?> compare = new("--compare") { Description = "Several models side by side: shipped names and files, separated by commas.", HelpName = "A,B,C" };
        Option<string?> html = new("--html")
        {
            Description = "Writes a page to look at: profit over price and volatility, payoff, requirement by component, every scenario row.",
            HelpName = "FILE",
        };
        Option<bool> json = Options.Json();
        Verb verb = new("calc", "Computes the margin of a portfolio in a file, with every component, row and contribution.",
            "margin calc tools/margin/examples/hedged-option-book.json", "margin calc book.json --model my-model.json --json",
            "margin calc book.json --compare portfolio,my-model.json --html comparison.html")
        {
            file, model, compare, html, json,
        };
        verb.Validators.Add(line =>
        {
            if (line.GetResult(compare) is not null && line.GetResult(model) is { Implicit: false })
                line.AddError("--compare names the models; leave --model out.");
        });
        return verb.Does(line => line.GetValue(compare) is string choices
            ? RunComparison(terminal, line.GetValue(file)!, choices, line.GetValue(html), line.GetValue(json))
            : Run(terminal, line.GetValue(file)!, line.GetValue(model)!, line.GetValue(html), line.GetValue(json)));
    }

    private static int Run(Terminal terminal, string file, string modelName, string? html, bool json)
    {
        ModelDocument model = ModelChoice.Load(modelName);
        Portfolio portfolio = PortfolioReader.Read(file);
        MarginReport report = Calculation.Run(portfolio, model, file);
        if (html is not null) WritePage(terminal, ModelComparison.Of(file, portfolio, [ReportColumn.Of(model.Name, model, report, portfolio)]), html);
        if (json)
        {
            WriteJson(terminal, portfolio, report);
            return ExitCode.Done;
        }

        foreach (string note in portfolio.Notes) terminal.Say($"note: {note}");
        ReportText.Write(terminal, report);
        return ExitCode.Done;
    }

    private static int RunComparison(Terminal terminal, string file, string choices, string? html, bool json)
    {
        ModelComparison comparison = ModelComparison.Run(choices, PortfolioReader.Read(file), file);
        if (html is not null) WritePage(terminal, comparison, html);
        if (json)
        {
            ComparisonJson.Write(terminal, comparison);
        }
        else
        {
            foreach (string note in comparison.Portfolio.Notes) terminal.Say($"note: {note}");
            ComparisonText.Write(terminal, comparison);
        }

        return comparison.Answers.Any() ? ExitCode.Done : ExitCode.Refused;
    }

    private static void WritePage(Terminal terminal, ModelComparison comparison, string path)
    {
        File.WriteAllText(path, ComparisonPage.Text(comparison));
        terminal.Say($"page: {path}");
    }

    private static void WriteJson(Terminal terminal, Portfolio portfolio, MarginReport report)
    {
        Utf8JsonWriter writer = JsonOutput.Begin(terminal);
        writer.WriteStartObject();
        writer.WriteString("valuationTime", Times.Text(portfolio.ValuationTime));
        ReportJson.WriteMembers(writer, report);
        writer.WriteStartArray("notes");
        foreach (string note in portfolio.Notes) writer.WriteStringValue(note);
        writer.WriteEndArray();
        writer.WriteEndObject();
        JsonOutput.End(terminal, writer);
    }
}
