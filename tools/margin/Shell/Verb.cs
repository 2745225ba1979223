// A subcommand of `margin` with its examples. Every verb is one of these, so that help, refusals and exit codes are alike.
using System.CommandLine;
using System.CommandLine.Parsing;

namespace MarginEngine.Tool.Shell;

/// <summary>A verb: name, one sentence, and at least one example line that works as it stands.</summary>
internal sealed class Verb : Command
{
    public Verb(string name, string summary, params string[] examples)
        : base(name, summary)
    {
        Examples = examples;
        Validators.Add(RefuseUnknownOptions);
    }

    /// <summary>Command lines shown at the end of the verb's help.</summary>
    public IReadOnlyList<string> Examples { get; }

    /// <summary>What the verb does; returns an exit code.</summary>
    public Verb Does(Func<ParseResult, int> action)
    {
        SetAction(action);
        return this;
    }

    // The parser takes an unknown `--option` for the value of whatever stands before it or for a positional argument, and goes on.
    // Nothing this command takes starts with a dash except negative numbers and what follows a lone `--`.
    private static void RefuseUnknownOptions(CommandResult result)
    {
        foreach (SymbolResult child in result.Children)
        {
            if (child is OptionResult { Implicit: true }) continue;
            foreach (Token token in child.Tokens)
                if (LooksLikeOption(token.Value))
                    result.AddError($"Unknown option '{token.Value}' for '{result.Command.Name}'.");
        }
    }

    private static bool LooksLikeOption(string value) =>
        value.Length > 1 && value[0] == '-' && !char.IsAsciiDigit(value[1]) && value[1] != '.';
}
