// Two journals of one history, record by record: a primary's and its standby's, or before and after something that should change nothing.
using System.Globalization;
using System.Text.Json;
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Tool.Audit;
using MarginEngine.Tool.Explain;

namespace MarginEngine.Tool.Diff;

internal static class JournalDiff
{
    /// <summary>Compares sequence, epoch, kind, time and every byte. Where one begins later, because retention has deleted what was before, from there on.</summary>
    public static Difference Compare(string left, string right)
    {
        using JournalInput ours = new(left, identity: null), theirs = new(right, identity: null);
        bool hasOurs = ours.TryRead(out JournalRecord mine), hasTheirs = theirs.TryRead(out JournalRecord other);
        if (hasOurs && hasTheirs && mine.Sequence < other.Sequence && ours.SeekTo(other.Sequence)) hasOurs = ours.TryRead(out mine);
        else if (hasOurs && hasTheirs && other.Sequence < mine.Sequence && theirs.SeekTo(mine.Sequence)) hasTheirs = theirs.TryRead(out other);
        long from = hasOurs ? mine.Sequence : hasTheirs ? other.Sequence : 0, equal = 0, last = 0;
        while (hasOurs && hasTheirs)
        {
            if (Of(mine, other) is FieldDifference found)
                return new Difference
                {
                    Outcome = DiffOutcome.Different, Equal = equal, From = from, LastEqual = last, Sequence = mine.Sequence,
                    Template = Templates(mine.Message, other.Message), Field = found.Path, Left = found.Left, Right = found.Right,
                };
            equal++;
            last = mine.Sequence;
            hasOurs = ours.TryRead(out mine);
            hasTheirs = theirs.TryRead(out other);
        }

        if (!hasOurs && !hasTheirs) return new Difference { Outcome = DiffOutcome.Same, Equal = equal, From = from, LastEqual = last };
        long next = hasOurs ? mine.Sequence : other.Sequence, more = 1;
        JournalInput longer = hasOurs ? ours : theirs;
        while (longer.TryRead(out _)) more++;
        return new Difference
        {
            Outcome = DiffOutcome.Longer, Equal = equal, From = from, LastEqual = last, Sequence = next, LongerName = hasOurs ? left : right, More = more,
        };
    }

    private static FieldDifference? Of(in JournalRecord left, in JournalRecord right)
    {
        if (left.Sequence != right.Sequence) return Numbers("sequence", left.Sequence, right.Sequence);
        if (left.Epoch != right.Epoch) return Numbers("epoch", left.Epoch, right.Epoch);
        if (left.Kind != right.Kind) return Numbers("kind", left.Kind, right.Kind);
        if (left.TimestampNanos != right.TimestampNanos) return Numbers("time", left.TimestampNanos, right.TimestampNanos);
        return left.Message.SequenceEqual(right.Message) ? null : OfMessages(left.Message, right.Message);
    }

    /// <summary>The first field of the schema that differs; where the difference is in no field of it, the first byte.</summary>
    private static FieldDifference OfMessages(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        using JsonDocument mine = JsonDocument.Parse(Explainer.ToJson(left)), other = JsonDocument.Parse(Explainer.ToJson(right));
        if (FieldDifference.First(mine.RootElement, other.RootElement, "message") is FieldDifference field) return field;
        if (MessageHeaderDecoder.TryWrap(left, out MessageHeaderDecoder ours) && MessageHeaderDecoder.TryWrap(right, out MessageHeaderDecoder theirs) && ours.Version != theirs.Version)
            return Numbers("message.schemaVersion", ours.Version, theirs.Version);
        int at = left.CommonPrefixLength(right);
        return new FieldDifference(string.Create(CultureInfo.InvariantCulture, $"byte {at}"), Byte(left, at), Byte(right, at));
    }

    private static string Byte(ReadOnlySpan<byte> message, int at) => at < message.Length ? $"0x{message[at]:x2}" : "nothing";

    private static string Templates(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        string mine = NameOf(left), other = NameOf(right);
        return mine == other ? mine : $"{mine} and {other}";
    }

    private static string NameOf(ReadOnlySpan<byte> message) => Schema.TryTemplateOf(message, out ushort template) ? Schema.NameOf(template) : "undecodable";

    private static FieldDifference Numbers(string name, long left, long right) =>
        new(name, left.ToString(CultureInfo.InvariantCulture), right.ToString(CultureInfo.InvariantCulture));
}
