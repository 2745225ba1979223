// `margin span`: a clearing house's SPAN parameter file in; what it charges, a margin model of it and its market as a calc document out.
using System.CommandLine;
using MarginEngine.Tool.Import;
using MarginEngine.Tool.Shell;
using MarginEngine.Tool.Span;

namespace MarginEngine.Tool.Verbs;

internal static class SpanVerb
{
    private sealed record Arguments(string File, string[] Commodities, bool Json, bool Arrays, string? Model, string? Calc);

    public static Verb Create(Terminal terminal)
    {
        Argument<string> file = new("FILE") { Description = "A SPAN 4.00 XML parameter file, plain or packed." };
        Option<string[]> commodities = new("--commodity")
        {
            Description = "Only these combined commodities, and the spreads between them.",
            HelpName = "CC",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [],
        };
        Option<bool> json = Options.Json();
        Option<bool> arrays = new("--arrays") { Description = "Model and document take the risk arrays that the file publishes, instead of computing them." };
        Option<string?> model = new("--model") { Description = "Writes the margin model of the file, for `margin calc --model`.", HelpName = "FILE" };
        Option<string?> calc = new("--calc") { Description = "Writes contracts, prices and volatilities with an empty portfolio, for `margin calc`.", HelpName = "FILE" };
        Verb verb = new("span", "Reads a SPAN parameter file: scan ranges, spreads, credits and minimums of its commodities.",
            "margin span parameters.spn.gz", "margin span parameters.spn.gz --commodity XU030 AKBNKE --model span.json --calc market.json")
        {
            file, commodities, json, arrays, model, calc,
        };
        return verb.Does(line => Run(terminal, new Arguments(
            line.GetValue(file)!, line.GetValue(commodities)!, line.GetValue(json), line.GetValue(arrays), line.GetValue(model), line.GetValue(calc))));
    }

    private static int Run(Terminal terminal, Arguments arguments)
    {
        SpanParameters file = Load(arguments.File);
        foreach (string code in arguments.Commodities)
            if (file.Commodities.All(commodity => commodity.Code != code))
                throw CommandFailure.Usage($"--commodity: {file.File} has no commodity '{code}' (it has {string.Join(", ", file.Commodities.Select(commodity => commodity.Code))})");
        SpanMarket market = SpanMarket.Of(file, arguments.Commodities);
        if (market.Underlyings.Count == 0) throw CommandFailure.Refused($"{file.File}: no contract that the engine can hold: {string.Join("; ", market.Exceptions.Take(5).Select(each => $"{each.Name} {each.Reason}"))}");
        if (arguments.Model is string model) Write(terminal, "model", model, SpanModel.Text(market, arguments.Arrays));
        if (arguments.Calc is string calc) Write(terminal, "calc document", calc, SpanCalc.Text(market, arguments.Arrays));
        if (arguments.Json) SpanReport.WriteJson(terminal, market);
        else SpanReport.WriteText(terminal, market);
        return ExitCode.Done;
    }

    private static SpanParameters Load(string path)
    {
        if (!File.Exists(path)) throw CommandFailure.Unreachable($"no file {path}");
        try
        {
            return SpanReader.Read(path);
        }
        catch (ImportException damage)
        {
            throw CommandFailure.Unreachable(damage.Message);
        }
    }

    private static void Write(Terminal terminal, string what, string path, string text)
    {
        File.WriteAllText(path, text);
        terminal.Say($"{what}: {path}");
    }
}
