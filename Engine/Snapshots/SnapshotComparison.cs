// Two snapshot files compared: the first field that differs. Used where a standby has diverged.
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;

namespace MarginEngine.Snapshots;

public static class SnapshotComparison
{
    /// <summary>Null: the states are equal.</summary>
    /// <exception cref="SnapshotUnusableException">One of the files cannot be read here; the message says which and why.</exception>
    public static StateDifference? Between(IStorage storage, string first, string second)
    {
        (StateBlocks ours, Limits limits) = Read(storage, first);
        (StateBlocks theirs, Limits others) = Read(storage, second);
        if (limits != others)
            throw new SnapshotUnusableException($"{first} and {second} are of machines with other capacities");
        return StateDifference.Between(limits, ours, theirs);
    }

    private static (StateBlocks State, Limits Limits) Read(IStorage storage, string path)
    {
        try
        {
            var image = new SnapshotImage();
            SnapshotHeader header = SnapshotFile.Read(storage, path, image);
            if (header.Layout != MarginMachine.StateVersion)
                throw new SnapshotUnusableException($"its state has layout {header.Layout}, this program's has {MarginMachine.StateVersion}");
            if (EngineIdentity.Current.ReasonToRefuse(header.Identity) is { } reason)
                throw new SnapshotUnusableException(reason);
            return (image.State, EngineIdentity.LimitsOf(header.Identity) ?? throw new SnapshotUnusableException("it does not tell the capacities of its machine"));
        }
        catch (SnapshotUnusableException unusable)
        {
            throw new SnapshotUnusableException($"{path}: {unusable.Message}");
        }
    }
}
