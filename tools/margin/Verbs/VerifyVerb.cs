// `margin verify`: reads every byte of a journal and says whether it is whole. Changes nothing. Damage ends with 3 and names the place.
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MarginEngine.Journal;
using MarginEngine.Tool.Audit;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Verbs;

internal static class VerifyVerb
{
    public static Verb Create(Terminal terminal)
    {
        Argument<string> journal = new("JOURNAL") { Description = "Directory of the journal." };
        Option<bool> json = Options.Json();
        Verb verb = new("verify", "Checks a journal: checksums, hash chain, continuity of sequences and times, who wrote it.",
            "margin verify /var/lib/margin/journal", "margin verify ./journal --json")
        {
            journal, json,
        };
        return verb.Does(line => Run(terminal, line.GetValue(journal)!, line.GetValue(json)));
    }

    private static int Run(Terminal terminal, string directory, bool json)
    {
        JournalSummary summary = JournalSummary.Read(terminal, directory);
        if (json) WriteJson(terminal, summary);
        else WriteText(terminal, summary);
        if (summary.Damage is not null) return ExitCode.Difference;
        return summary.Refusal is null ? ExitCode.Done : ExitCode.Refused;
    }

    private static void WriteText(Terminal terminal, JournalSummary summary)
    {
        void Line(string name, string value) => terminal.Out.WriteLine($"{name,-12}{value}");
        Line("journal", string.Create(CultureInfo.InvariantCulture, $"{summary.Directory}: {summary.Segments} segments, {summary.Bytes} bytes"));
        Line("records", summary.Records == 0 ? "none" : string.Create(CultureInfo.InvariantCulture,
            $"{summary.Records}, sequences {summary.FirstSequence} to {summary.LastSequence}, epochs {summary.FirstEpoch} to {summary.LastEpoch}"));
        if (summary.Records > 0)
        {
            Line("time", $"{Times.Text(summary.FirstTime)} to {Times.Text(summary.LastTime)}");
            Line("chain", $"0x{summary.Checksum:x8}");
        }

        foreach (JournalIdentity writer in summary.Writers)
            Line("written by", $"{writer.BuildId}, {writer.Runtime}, {writer.Processor}, arithmetic 0x{writer.ArithmeticDigest:x16}");
        Line("closed", summary.IsSealed ? "in order" : "no: it is in use, the node ended without closing it, or its end is missing");
        if (summary.TornBytes > 0)
            Line("torn end", $"{summary.TornBytes} bytes of a group that was never acknowledged; the next start cuts them");
        if (summary.Refusal is not null) Line("replay here", $"refused: {summary.Refusal}");
        Line("result", summary.Damage ?? "intact");
    }

    private static void WriteJson(Terminal terminal, JournalSummary summary)
    {
        Utf8JsonWriter writer = JsonOutput.Begin(terminal);
        writer.WriteStartObject();
        writer.WriteString("journal", summary.Directory);
        writer.WriteBoolean("intact", summary.Damage is null);
        writer.WriteBoolean("closed", summary.IsSealed);
        if (summary.Damage is not null) writer.WriteString("damage", summary.Damage);
        if (summary.Refusal is not null) writer.WriteString("refusal", summary.Refusal);
        writer.WriteNumber("segments", summary.Segments);
        writer.WriteNumber("bytes", summary.Bytes);
        writer.WriteNumber("records", summary.Records);
        writer.WriteNumber("firstSequence", summary.FirstSequence);
        writer.WriteNumber("lastSequence", summary.LastSequence);
        writer.WriteNumber("firstEpoch", summary.FirstEpoch);
        writer.WriteNumber("lastEpoch", summary.LastEpoch);
        writer.WriteNumber("firstTimeNanos", summary.FirstTime);
        writer.WriteNumber("lastTimeNanos", summary.LastTime);
        writer.WriteString("chain", $"0x{summary.Checksum:x8}");
        writer.WriteNumber("tornBytes", summary.TornBytes);
        writer.WriteStartArray("writers");
        foreach (JournalIdentity identity in summary.Writers)
        {
            writer.WriteStartObject();
            writer.WriteNumber("schemaId", identity.SchemaId);
            writer.WriteNumber("schemaVersion", identity.SchemaVersion);
            writer.WriteString("arithmeticDigest", $"0x{identity.ArithmeticDigest:x16}");
            writer.WriteString("build", identity.BuildId);
            writer.WriteString("runtime", identity.Runtime);
            writer.WriteString("processor", identity.Processor);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        JsonOutput.End(terminal, writer);
    }
}
