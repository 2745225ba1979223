// Two journals of the same history: a primary's and its standby's.
using MarginEngine.Journal;

namespace MarginEngine.Tool.Audit;

internal static class JournalComparison
{
    /// <summary>Null: the same records with the same times, epochs and bytes, to the same end. Otherwise the first difference in words.</summary>
    public static string? Compare(string left, string right)
    {
        using JournalInput ours = new(left, identity: null), theirs = new(right, identity: null);
        while (true)
        {
            bool hasOurs = ours.TryRead(out JournalRecord mine), hasTheirs = theirs.TryRead(out JournalRecord other);
            if (!hasOurs && !hasTheirs) return null;
            if (!hasOurs || !hasTheirs)
                return hasOurs ? $"{right} ends before sequence {mine.Sequence}" : $"{left} ends before sequence {other.Sequence}";
            if (mine.Sequence != other.Sequence) return $"sequence {mine.Sequence} stands against sequence {other.Sequence}";
            if (mine.TimestampNanos != other.TimestampNanos || mine.Epoch != other.Epoch || mine.Kind != other.Kind || !mine.Message.SequenceEqual(other.Message))
                return $"the records of sequence {mine.Sequence} differ";
        }
    }
}
