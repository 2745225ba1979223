// `margin doctor`: looks at the machine and says what to fix. Ends with 4 where the engine would refuse to run here.
using System.CommandLine;
using System.Text.Json;
using MarginEngine.Tool.Doctor;
using MarginEngine.Tool.Shell;
using Spectre.Console;

namespace MarginEngine.Tool.Verbs;

internal static class DoctorVerb
{
    public static Verb Create(Terminal terminal)
    {
        Option<string> directory = new("--directory")
        {
            Description = "Where a journal would be kept; its disk is measured for a moment.",
            HelpName = "DIR",
            DefaultValueFactory = _ => Directory.GetCurrentDirectory(),
        };
        Option<bool> json = Options.Json();
        Verb verb = new("doctor", "Checks whether this machine suits the engine and says what to fix.",
            "margin doctor", "margin doctor --directory /var/lib/margin --json")
        {
            directory, json,
        };
        return verb.Does(line => Run(terminal, line.GetValue(directory)!, line.GetValue(json)));
    }

    private static int Run(Terminal terminal, string directory, bool json)
    {
        if (!Directory.Exists(directory)) throw CommandFailure.Unreachable($"no directory {directory}");
        List<Finding> findings = [.. MachineChecks.All(), NetworkChecks.LoopbackMulticast(), KernelCheck.Digest(), .. DiskChecks.All(directory)];
        if (json) WriteJson(terminal, findings);
        else WriteTable(terminal, findings);
        return findings.Exists(finding => finding.Severity == Severity.Problem) ? ExitCode.Refused : ExitCode.Done;
    }

    private static void WriteJson(Terminal terminal, List<Finding> findings)
    {
        using Utf8JsonWriter writer = JsonOutput.Begin(terminal);
        writer.WriteStartObject();
        writer.WriteString("build", BuildVersion.Id);
        writer.WriteStartArray("findings");
        foreach (Finding finding in findings)
        {
            writer.WriteStartObject();
            writer.WriteString("subject", finding.Subject);
            writer.WriteString("value", finding.Value);
            writer.WriteString("severity", finding.Severity.ToString().ToLowerInvariant());
            if (finding.Fix is not null) writer.WriteString("fix", finding.Fix);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        JsonOutput.End(terminal, writer);
    }

    private static void WriteTable(Terminal terminal, List<Finding> findings)
    {
        Table table = new Table().NoBorder().HideHeaders().AddColumns("", "", "");
        foreach (Finding finding in findings)
        {
            string mark = finding.Severity switch
            {
                Severity.Good => "[green]good[/]",
                Severity.Advice => "[yellow]advice[/]",
                _ => "[red]problem[/]",
            };
            table.AddRow(mark, Markup.Escape(finding.Subject), Markup.Escape(finding.Value));
            if (finding.Fix is not null) table.AddRow("", "", Markup.Escape($"-> {finding.Fix}"));
        }

        terminal.Show(table);
    }
}
