// `margin snapshot`: the state at a place of a journal as a file, from which a node starts without replaying what came before. Never touches a running node.
using System.CommandLine;
using System.Text.Json;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Snapshots;
using MarginEngine.Tool.Audit;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Verbs;

internal static class SnapshotVerb
{
    public static Verb Create(Terminal terminal)
    {
        Argument<string> journal = new("JOURNAL") { Description = "Directory of the journal; a node may be running on it." };
        Option<string?> to = new("--to") { Description = "Directory that gets the snapshot, such as that of a new standby's journal; left out: the journal's own.", HelpName = "DIR" };
        Option<long?> at = new("--at") { Description = "The state after this sequence; left out: as far as the journal goes.", HelpName = "N" };
        Option<int> keep = Options.Count("--keep", "Delete older snapshots there than the newest so many; 0: none.", 0, 0, 1_000_000);
        Option<bool> json = Options.Json();
        at.Validators.Add(result => Options.Bound(result, 1, long.MaxValue));
        Verb verb = new("snapshot", "Writes the state at a place of a journal: a start begins there instead of at the first record.",
            "margin snapshot ./journal", "margin snapshot ./journal --to ./standby", "margin snapshot ./journal --at 120000 --to ./compare --json")
        {
            journal, to, at, keep, json,
        };
        return verb.Does(line =>
        {
            string from = line.GetValue(journal)!;
            OfflineSnapshotRequest request = new(from, line.GetValue(to) ?? from, line.GetValue(at) ?? long.MaxValue, line.GetValue(keep));
            OfflineSnapshotResult result = Take(terminal, request);
            if (line.GetValue(json)) WriteJson(terminal, result);
            else WriteText(terminal, result);
            return ExitCode.Done;
        });
    }

    private static OfflineSnapshotResult Take(Terminal terminal, OfflineSnapshotRequest request)
    {
        Limits limits = LimitsOf(request.Journal);
        return OfflineSnapshot.Take(new Storage(), request, limits, _ => terminal.Interrupted.ThrowIfCancellationRequested());
    }

    private static Limits LimitsOf(string journal)
    {
        using JournalInput input = new(journal, EngineIdentity.Current);
        if (!input.TryRead(out _)) throw CommandFailure.Unreachable($"the journal in {journal} holds no records");
        return EngineIdentity.LimitsOf(input.Identity)
            ?? throw CommandFailure.Refused("the journal does not tell the capacities of the node that wrote it");
    }

    private static void WriteText(Terminal terminal, OfflineSnapshotResult result)
    {
        void Line(string name, string value) => terminal.Out.WriteLine($"{name,-12}{value}");
        foreach (string reason in result.PassedOver) terminal.Say($"margin: {reason}");
        Line("snapshot", $"{result.Path}: {result.Header.FileBytes} bytes");
        Line("sequence", $"{result.Header.Sequence}, epoch {result.Header.Epoch}, {Times.Text(result.Header.TimestampNanos)}");
        Line("state", $"0x{result.Header.StateDigest:x16}");
        Line("chain", $"0x{result.Header.Chain:x8}");
        Line("from", result.StartedFrom == 0 ? "the first record" : $"the snapshot of sequence {result.StartedFrom}");
    }

    private static void WriteJson(Terminal terminal, OfflineSnapshotResult result)
    {
        Utf8JsonWriter writer = JsonOutput.Begin(terminal);
        writer.WriteStartObject();
        writer.WriteString("path", result.Path);
        writer.WriteNumber("bytes", result.Header.FileBytes);
        writer.WriteNumber("sequence", result.Header.Sequence);
        writer.WriteNumber("epoch", result.Header.Epoch);
        writer.WriteNumber("timeNanos", result.Header.TimestampNanos);
        writer.WriteString("stateDigest", $"0x{result.Header.StateDigest:x16}");
        writer.WriteString("chain", $"0x{result.Header.Chain:x8}");
        writer.WriteNumber("startedFrom", result.StartedFrom);
        writer.WriteStartArray("passedOver");
        foreach (string reason in result.PassedOver) writer.WriteStringValue(reason);
        writer.WriteEndArray();
        writer.WriteEndObject();
        JsonOutput.End(terminal, writer);
    }
}
