// `margin promote`: makes a running standby the primary, on an operator's word.
using System.CommandLine;
using MarginEngine.Tool.Running;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Verbs;

internal static class PromoteVerb
{
    public static Verb Create(Terminal terminal)
    {
        Argument<string> journal = new("JOURNAL") { Description = "Directory of the standby's journal; the standby must run." };
        Option<string?> force = new("--force")
        {
            Description = "Promote it although something stands against it; say why, the node's log keeps it. Records it does not have are lost.",
            HelpName = "WHY",
        };
        force.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var why }] && string.IsNullOrWhiteSpace(why)) result.AddError("--force needs a reason.");
        });
        Verb verb = new("promote", "Makes a running standby the primary, if it has everything or is forced.",
            "margin promote ./standby", "margin promote ./standby --force primary-burnt-down")
        {
            journal, force,
        };
        return verb.Does(line => Run(terminal, line.GetValue(journal)!, line.GetValue(force)));
    }

    private static int Run(Terminal terminal, string journal, string? because)
    {
        ControlAnswer answer = ControlSocket.Ask(journal, new ControlRequest(because));
        if (answer.Objection is not null) throw CommandFailure.Refused($"not promoted: {answer.Objection}");
        terminal.Out.WriteLine(answer.Epoch > 0 ? $"promoted: primary of epoch {answer.Epoch}" : "the witness is asked for the lease; the node's status line shows when it has it");
        return ExitCode.Done;
    }
}
