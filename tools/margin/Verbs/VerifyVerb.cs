// `margin verify`: reads every byte of a journal and says whether it is whole. Changes nothing. Damage ends with 3 and names the place.
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MarginEngine.Journal;
using MarginEngine.Signing;
using MarginEngine.Tool.Audit;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Verbs;

internal static class VerifyVerb
{
    public static Verb Create(Terminal terminal)
    {
        Argument<string> journal = new("JOURNAL") { Description = "Directory of the journal." };
        Option<string?> publicKey = new("--public-key") { Description = "Also check the journal's signatures against this key: complete and unaltered, up to where.", HelpName = "FILE" };
        Option<bool> json = Options.Json();
        Verb verb = new("verify", "Checks a journal: checksums, hash chain, continuity of sequences and times, who wrote it; with a key its signatures.",
            "margin verify /var/lib/margin/journal", "margin verify ./journal --public-key public.pem", "margin verify ./journal --json")
        {
            journal, publicKey, json,
        };
        return verb.Does(line => Run(terminal, line.GetValue(journal)!, line.GetValue(publicKey), line.GetValue(json)));
    }

    private static int Run(Terminal terminal, string directory, string? publicKey, bool json)
    {
        using SigningKey? key = publicKey is null ? null : ReadKey(publicKey);
        JournalSummary summary = JournalSummary.Read(terminal, directory);
        SignedHistory? signed = key is null || summary.Damage is not null ? null : SignedHistory.Check(new Storage(), directory, key);
        if (json) WriteJson(terminal, summary, signed);
        else WriteText(terminal, summary, signed);
        if (summary.Damage is not null || signed?.Problem is not null) return ExitCode.Difference;
        return summary.Refusal is null ? ExitCode.Done : ExitCode.Refused;
    }

    private static SigningKey ReadKey(string path)
    {
        try
        {
            return SigningKeys.ReadPublic(path);
        }
        catch (SigningKeyException failure)
        {
            throw CommandFailure.Unreachable(failure.Message);
        }
    }

    private static void WriteText(Terminal terminal, JournalSummary summary, SignedHistory? signed)
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
        if (signed is not null) WriteSigned(Line, signed);
        Line("result", summary.Damage ?? signed?.Problem ?? (signed is null ? "intact" : string.Create(CultureInfo.InvariantCulture, $"intact; complete and unaltered as signed up to {signed.SignedUpTo}")));
    }

    private static void WriteSigned(Action<string, string> line, SignedHistory signed)
    {
        string rest = signed.LastSequence > signed.SignedUpTo ? string.Create(CultureInfo.InvariantCulture, $"; {signed.LastSequence - signed.SignedUpTo} records behind it are not") : "";
        line("signed", signed.SignedUpTo == 0 ? "nothing" : string.Create(CultureInfo.InvariantCulture,
            $"up to sequence {signed.SignedUpTo}, {Times.Text(signed.SignedTimeNanos)}, by {signed.Signatures} signatures{(signed.IsClosed ? ", the last when the node stopped in order" : "")}{rest}"));
        if (signed.FirstSequence > 1) line("begins", string.Create(CultureInfo.InvariantCulture, $"at sequence {signed.FirstSequence}; what was before is not kept here"));
        if (signed.Keys.Count > 0) line("keys", string.Join(", then ", signed.Keys));
        foreach (string note in signed.Notes) line("note", note);
    }

    private static void WriteSigned(Utf8JsonWriter writer, SignedHistory signed)
    {
        writer.WriteStartObject("signed");
        if (signed.Problem is not null) writer.WriteString("problem", signed.Problem);
        writer.WriteNumber("upTo", signed.SignedUpTo);
        writer.WriteNumber("timeNanos", signed.SignedTimeNanos);
        writer.WriteBoolean("closed", signed.IsClosed);
        writer.WriteNumber("signatures", signed.Signatures);
        writer.WriteStartArray("keys");
        foreach (string key in signed.Keys) writer.WriteStringValue(key);
        writer.WriteEndArray();
        writer.WriteStartArray("notes");
        foreach (string note in signed.Notes) writer.WriteStringValue(note);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteJson(Terminal terminal, JournalSummary summary, SignedHistory? signed)
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
        if (signed is not null) WriteSigned(writer, signed);
        writer.WriteEndObject();
        JsonOutput.End(terminal, writer);
    }
}
