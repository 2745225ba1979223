// `margin market`: a matching engine's stand-in that feeds a node: prices, fills, transfers, and the fills of liquidations.
using System.CommandLine;
using System.Text.Json;
using MarginEngine.Tool.Calc;
using MarginEngine.Tool.Market;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Verbs;

internal static class MarketVerb
{
    public static Verb Create(Terminal terminal)
    {
        MarketOptions defaults = new();
        Option<string?> data = Options.Data();
        Option<string?> source = Options.Source();
        Option<int> accounts = Options.Accounts(defaults.Accounts);
        Option<int> seconds = Options.Seconds(defaults.Seconds);
        Option<int> rate = Options.Rate(defaults.EventsPerSecond);
        Option<ulong> seed = Options.Seed(defaults.Seed);
        Option<string> model = Options.Model();
        Option<string> messages = Options.Messages();
        Option<string> input = new("--input") { Description = "Aeron channel the engine listens to.", HelpName = "URI", DefaultValueFactory = _ => defaults.InputChannel };
        Option<string> output = new("--output") { Description = "Aeron channel the engine publishes to.", HelpName = "URI", DefaultValueFactory = _ => defaults.OutputChannel };
        Option<bool> json = Options.Json();
        Option<bool> withParent = Options.WithParent();
        Verb verb = new("market", "Plays a market into an engine: the matching engine's stand-in.",
            "margin market --accounts 100 --seconds 10", "margin market --data ../shared/data --source btc-2025-10 --seconds 120 --json",
            "margin market --model paradex-pm")
        {
            data, source, accounts, seconds, rate, seed, model, messages, input, output, json, withParent,
        };
        return verb.Does(line =>
        {
            MarketOptions options = defaults with
            {
                DataDirectory = line.GetValue(data),
                Source = line.GetValue(source),
                Accounts = line.GetValue(accounts),
                Seconds = line.GetValue(seconds),
                EventsPerSecond = line.GetValue(rate),
                Seed = line.GetValue(seed),
                Model = line.GetValue(model) == ModelChoice.Default ? null : ModelChoice.Load(line.GetValue(model)!),
                AllMessages = line.GetValue(messages) == Options.AllMessages,
                InputChannel = line.GetValue(input)!,
                OutputChannel = line.GetValue(output)!,
            };
            return line.GetValue(withParent) ? RunForParent(terminal, options) : Run(terminal, options, line.GetValue(json));
        });
    }

    private static int Run(Terminal terminal, MarketOptions options, bool json)
    {
        using Progress progress = new(terminal, "playing");
        return MarketCommand.Run(options, terminal.Interrupted, terminal.Out, json,
            status => progress.Report((double)status.Events / Math.Max(1, status.EventsOfAll), always: true));
    }

    // A JSON line for every status; the last one is the summary.
    private static int RunForParent(Terminal terminal, MarketOptions options)
    {
        terminal.FollowParent();
        return MarketCommand.Run(options, terminal.Interrupted, TextWriter.Null, json: false, status =>
        {
            Utf8JsonWriter writer = JsonOutput.Begin(terminal, oneLine: true);
            status.WriteJson(writer);
            JsonOutput.End(terminal, writer);
        });
    }
}
