// Two states in snapshot files: what a diverged standby and its primary wrote down beside their journals, or any two of one sequence.
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Snapshots;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Diff;

internal static class StateDiff
{
    private const string Suffix = ".snapshot";

    public static bool IsState(string path) => path.EndsWith(Suffix, StringComparison.Ordinal);

    /// <summary>The newest sequence at which both wrote a state down after a divergence; null: there is none.</summary>
    public static Difference? OfDumps(string left, string right)
    {
        Storage storage = new();
        string ours = Path.Combine(left, StateDump.FolderName), theirs = Path.Combine(right, StateDump.FolderName);
        if (!Directory.Exists(ours) || !Directory.Exists(theirs)) return null;
        long newest = SnapshotFolder.List(storage, ours).Intersect(SnapshotFolder.List(storage, theirs)).LastOrDefault();
        return newest == 0 ? null : Compare(SnapshotFolder.PathOf(ours, newest), SnapshotFolder.PathOf(theirs, newest));
    }

    /// <exception cref="CommandFailure">Refused: one of them cannot be used here, or they are of different sequences.</exception>
    public static Difference Compare(string left, string right)
    {
        Storage storage = new();
        try
        {
            long sequence = SnapshotFile.ReadHeader(storage, left).Sequence, other = SnapshotFile.ReadHeader(storage, right).Sequence;
            if (sequence != other) throw CommandFailure.Refused($"{left} is the state after sequence {sequence}, {right} that after {other}: only states of one sequence can be compared");
            StateDifference? found = SnapshotComparison.Between(storage, left, right);
            if (found is null) return new Difference { Outcome = DiffOutcome.Same, Equal = 0, Sequence = sequence, Template = Difference.StateTemplate };
            return new Difference
            {
                Outcome = DiffOutcome.Different, Equal = 0, Sequence = sequence, Template = Difference.StateTemplate, Field = found.One.Path, Left = found.One.Value,
                Right = found.One.Path == found.Other.Path ? found.Other.Value : $"{found.Other.Path}: {found.Other.Value}",
            };
        }
        catch (SnapshotUnusableException unusable)
        {
            throw CommandFailure.Refused(unusable.Message);
        }
    }
}
