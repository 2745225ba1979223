// Writes a diverged standby's state beside its journal before the node stops, so that people can find the first field that differs.
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Watch;

namespace MarginEngine.Snapshots;

/// <summary>
/// The decider applies nothing more once digests differ, and writes what it has: the state in memory, which a replay could not show if memory was what
/// went wrong. It goes into a folder of its own, where no restart looks for snapshots.
/// </summary>
internal sealed class StateDump(IStorage storage, string journalDirectory, Limits limits, NodeGauges gauges)
{
    /// <summary>Folder in the journal's directory.</summary>
    public const string FolderName = "diverged";

    private string _told = "";
    private volatile bool _isDone;

    /// <summary>The acknowledger found a difference.</summary>
    public bool IsWanted => gauges.Diverged.Value != 0;

    public bool IsDone => _isDone;

    /// <summary>What became of it, in a sentence; empty until it is done.</summary>
    public string Told => _isDone ? _told : "";

    /// <summary>Once, on the decider's thread.</summary>
    public void Write(MarginMachine machine)
    {
        if (_isDone)
            return;
        string directory = Path.Combine(journalDirectory, FolderName);
        try
        {
            var image = new SnapshotImage();
            SnapshotHeader header = image.Take(machine, new Conflater(1)) with { Identity = EngineIdentity.Of(limits) };
            SnapshotFolder.Write(storage, directory, header, image, keep: 0);
            _told = $"The state here after sequence {header.Sequence} is in {SnapshotFolder.PathOf(directory, header.Sequence)}; "
                + $"the primary makes the other one beside its journal, and 'margin diff PRIMARY STANDBY' names the first field that differs";
        }
        catch (Exception refusal) when (refusal is StorageException or JournalLockedException)
        {
            _told = $"The state could not be written down: {refusal.Message}";
        }

        _isDone = true;
    }
}
