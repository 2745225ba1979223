// Options that several verbs share, so that they read and refuse alike.
using System.CommandLine;
using System.CommandLine.Parsing;
using MarginEngine.Logic;
using MarginEngine.Tool.Calc;

namespace MarginEngine.Tool.Shell;

internal static class Options
{
    public static Option<bool> Json() => new("--json") { Description = "Machine-readable output." };

    /// <summary>Given by the demo to its processes: end when standard input does.</summary>
    public static Option<bool> WithParent() => new("--with-parent") { Description = "End when standard input does.", Hidden = true };

    public static Option<string?> Data() => new("--data") { Description = "Folder with recorded chains and candles; without it the market is built in.", HelpName = "DIR" };

    public static Option<string?> Source() => new("--source")
    {
        Description = "builtin, deribit, or candles such as btc-2025-10. Default: deribit where there is a --data, else builtin.",
        HelpName = "NAME",
    };

    /// <summary>Margin model of the accounts.</summary>
    public static Option<string> Model() => new("--model")
    {
        Description = $"Margin model of the accounts: one that is shipped ({string.Join(", ", ModelDocument.ShippedNames)}) or a JSON file.",
        HelpName = "NAME|FILE",
        DefaultValueFactory = _ => ModelChoice.Default,
    };

    /// <summary>What a market sends.</summary>
    public static Option<string> Messages()
    {
        Option<string> option = new("--messages")
        {
            Description = "common, or all: besides prices and trades grids in place of slices, account classes, fees of settlement, open interest, and marks of options where the model takes them.",
            HelpName = "common|all",
            DefaultValueFactory = _ => CommonMessages,
        };
        option.AcceptOnlyFromAmong(CommonMessages, AllMessages);
        return option;
    }

    public const string CommonMessages = "common", AllMessages = "all";

    public static Option<int> Accounts(int fallback) => Count("--accounts", "Accounts to open.", fallback, 2, 1_000_000);

    public static Option<int> Seconds(int fallback) => Count("--seconds", "Wall time that the market is pressed into.", fallback, 1, 86_400);

    public static Option<int> Rate(int fallback) => Count("--rate", "Market events a second.", fallback, 1, 1_000_000);

    public static Option<ulong> Seed(ulong fallback) =>
        new("--seed") { Description = "Of everything that is random.", HelpName = "N", DefaultValueFactory = _ => fallback };

    /// <summary>A whole number with bounds.</summary>
    public static Option<int> Count(string name, string description, int fallback, int least, int most)
    {
        Option<int> option = new(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => fallback };
        option.Validators.Add(result => Bound(result, least, most));
        return option;
    }

    /// <summary>Refuses a number outside the bounds, which are allowed themselves.</summary>
    public static void Bound(OptionResult result, long least, long most)
    {
        // A value that is no number has its own message already.
        if (result.Errors.Any() || result.Tokens.Count != 1 || !long.TryParse(result.Tokens[0].Value, out long value)) return;
        if (value < least || value > most) result.AddError($"{result.Option.Name} must be {least} to {most}.");
    }
}
