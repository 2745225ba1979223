// `margin calc`: what-if without a running engine. A portfolio and a market in, the whole margin answer out.
using System.CommandLine;
using System.Text.Json;
using MarginEngine.Logic;
using MarginEngine.Tool.Calc;
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
        Option<bool> json = Options.Json();
        Verb verb = new("calc", "Computes the margin of a portfolio in a file, with every component, row and contribution.",
            "margin calc tools/margin/examples/hedged-option-book.json", "margin calc book.json --model my-model.json --json")
        {
            file, model, json,
        };
        return verb.Does(line => Run(terminal, line.GetValue(file)!, line.GetValue(model)!, line.GetValue(json)));
    }

    private static int Run(Terminal terminal, string file, string modelName, bool json)
    {
        ModelDocument model = ModelChoice.Load(modelName);
        Portfolio portfolio = PortfolioReader.Read(file);
        MarginReport report = Calculation.Run(portfolio, model, file);
        if (json)
        {
            WriteJson(terminal, portfolio, report);
            return ExitCode.Done;
        }

        foreach (string note in portfolio.Notes) terminal.Say($"note: {note}");
        ReportText.Write(terminal, report);
        return ExitCode.Done;
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
