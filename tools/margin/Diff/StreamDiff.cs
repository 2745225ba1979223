// Two records of a published stream: JSON lines of `watch --json`, compared field by field, or fingerprints of `watch --record`, which
// tell only which message differs. Messages are compared in the order of their sequences, so what a subscriber heard twice counts once.
using System.Globalization;
using System.Text.Json;
using MarginEngine.Tool.Shell;
using MarginEngine.Tool.Wire;

namespace MarginEngine.Tool.Diff;

internal static class StreamDiff
{
    /// <exception cref="CommandFailure">Unreachable: a file is neither, or the two are not of one kind.</exception>
    public static Difference Compare(string left, string right)
    {
        bool isPrints = IsPrints(left);
        if (isPrints != IsPrints(right)) throw CommandFailure.Unreachable("one file is a record of fingerprints (watch --record), the other is not");
        List<Entry> mine = isPrints ? Prints(left) : Lines(left), other = isPrints ? Prints(right) : Lines(right);
        int equal = 0;
        for (; equal < mine.Count && equal < other.Count; equal++)
        {
            if (mine[equal].Text == other[equal].Text) continue;
            return Differ(mine, other, equal, isPrints);
        }

        long from = equal > 0 ? mine[0].Sequence : 0, last = equal > 0 ? mine[equal - 1].Sequence : 0;
        if (mine.Count == other.Count) return new Difference { Outcome = DiffOutcome.Same, Equal = equal, From = from, LastEqual = last };
        List<Entry> longer = mine.Count > other.Count ? mine : other;
        return new Difference
        {
            Outcome = DiffOutcome.Longer, Equal = equal, From = from, LastEqual = last, Sequence = longer[equal].Sequence,
            LongerName = longer == mine ? left : right, More = longer.Count - equal,
        };
    }

    private readonly record struct Entry(long Sequence, string Text);

    private static Difference Differ(List<Entry> mine, List<Entry> other, int at, bool isPrints)
    {
        FieldDifference field = new("sequence", Number(mine[at].Sequence), Number(other[at].Sequence));
        string template = "a message";
        if (mine[at].Sequence == other[at].Sequence)
        {
            if (isPrints)
            {
                field = new FieldDifference("the fingerprint", mine[at].Text, other[at].Text);
            }
            else
            {
                using JsonDocument ours = JsonDocument.Parse(mine[at].Text), theirs = JsonDocument.Parse(other[at].Text);
                template = ours.RootElement.TryGetProperty("template", out JsonElement name) ? name.GetString()! : template;
                field = FieldDifference.First(ours.RootElement, theirs.RootElement, "message") ?? new FieldDifference("spelling", mine[at].Text, other[at].Text);
            }
        }

        return new Difference
        {
            Outcome = DiffOutcome.Different, Equal = at, From = at > 0 ? mine[0].Sequence : 0, LastEqual = at > 0 ? mine[at - 1].Sequence : 0,
            Sequence = Math.Min(mine[at].Sequence, other[at].Sequence), Template = template, Field = field.Path, Left = field.Left, Right = field.Right,
        };
    }

    private static bool IsPrints(string path)
    {
        Span<byte> name = stackalloc byte[PublishedLogWriter.Name.Length];
        using FileStream file = File.OpenRead(path);
        return file.ReadAtLeast(name, name.Length, throwOnEndOfStream: false) == name.Length && name.SequenceEqual(PublishedLogWriter.Name);
    }

    private static List<Entry> Prints(string path) =>
        [.. PublishedLogFile.Read(path).Select(entry => new Entry(entry.Sequence, $"0x{entry.Fingerprint:x16}")).Distinct()];

    private static List<Entry> Lines(string path)
    {
        List<Entry> entries = [];
        HashSet<Entry> seen = [];
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            try
            {
                using JsonDocument document = JsonDocument.Parse(line);
                JsonElement message = document.RootElement.GetProperty("message");
                Entry entry = new(message.TryGetProperty("sequence", out JsonElement sequence) ? sequence.GetInt64() : 0, message.GetRawText());
                if (seen.Add(entry)) entries.Add(entry);
            }
            catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
            {
                throw CommandFailure.Unreachable(string.Create(CultureInfo.InvariantCulture,
                    $"{path}, line {number}: no message of watch --json; and the file is no record of watch --record either"));
            }
        }

        // Stable: messages on one input keep the order in which they were published.
        return [.. entries.OrderBy(entry => entry.Sequence)];
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
