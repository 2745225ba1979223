// Options that several verbs share, so that they read and refuse alike.
using System.CommandLine;
using System.CommandLine.Parsing;

namespace MarginEngine.Tool.Shell;

internal static class Options
{
    public static Option<bool> Json() => new("--json") { Description = "Machine-readable output." };

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
