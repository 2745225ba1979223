// `margin doctor`: looks at the machine and says what to fix. Ends with 4 where the engine would refuse to run here.
using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Logic;
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
        Option<string?> config = new("--config") { Description = "A configuration of `margin run`: journal.syncMode is set in it to what was measured to be right.", HelpName = "FILE" };
        Option<string> limits = new("--limits")
        {
            Description = "Capacities of which the memory is told: for example `accounts=1000000,positions=10000000`; others stand at their defaults.",
            HelpName = "LIMITS",
            DefaultValueFactory = _ => "",
        };
        Option<bool> json = Options.Json();
        Verb verb = new("doctor", "Checks whether this machine suits the engine and says what to fix.",
            "margin doctor", "margin doctor --directory /var/lib/margin --json", "margin doctor --directory /var/lib/margin --config margin.json",
            "margin doctor --limits accounts=1000000,units=2000000,positions=10000000,instruments=5000")
        {
            directory, config, limits, json,
        };
        return verb.Does(line => Run(terminal, line.GetValue(directory)!, line.GetValue(config), BookMemory.Read(line.GetValue(limits)!), line.GetValue(json)));
    }

    private static int Run(Terminal terminal, string directory, string? config, Limits limits, bool json)
    {
        if (!Directory.Exists(directory)) throw CommandFailure.Unreachable($"no directory {directory}");
        SystemFiles files = new();
        List<Finding> findings = [.. MachineChecks.All(files), .. BookMemory.Of(limits, files), NetworkChecks.LoopbackMulticast(), KernelCheck.Digest(), .. DiskChecks.All(directory)];
        if (config is not null) SetSyncMode(config, findings.Find(finding => finding.Subject == DiskChecks.SyncModeKey)!.Value);
        if (json) WriteJson(terminal, findings);
        else WriteTable(terminal, findings);
        return findings.Exists(finding => finding.Severity == Severity.Problem) ? ExitCode.Refused : ExitCode.Done;
    }

    private static void SetSyncMode(string config, string mode)
    {
        try
        {
            if (JsonNode.Parse(File.ReadAllText(config)) is not JsonObject document || document["journal"] is not JsonObject journal)
                throw CommandFailure.Usage($"{config}: there is no journal in it");
            journal["syncMode"] = mode;
            File.WriteAllText(config, document.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
        }
        catch (JsonException failure)
        {
            throw CommandFailure.Usage($"{config}: {failure.Message}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw CommandFailure.Unreachable($"cannot set journal.syncMode in {config}: {failure.Message}");
        }
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
            if (finding.Recommended is { } recommended)
            {
                writer.WriteString("recommended", recommended.Setting);
                writer.WriteString("why", recommended.Why);
            }

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
                Severity.Unseen => "unseen",
                Severity.Advice => "[yellow]advice[/]",
                _ => "[red]problem[/]",
            };
            table.AddRow(mark, Markup.Escape(finding.Subject), Markup.Escape(finding.Value));
            if (finding.Fix is not null) table.AddRow("", "", Markup.Escape($"-> {finding.Fix}"));
        }

        terminal.Show(table);
    }
}
