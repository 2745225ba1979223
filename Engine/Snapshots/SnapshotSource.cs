// The snapshots beside a journal, as candidates for a beginning: read, checked, made a machine again.
using System.Diagnostics.CodeAnalysis;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;

namespace MarginEngine.Snapshots;

/// <param name="storage">The disk.</param>
/// <param name="directory">Where the snapshots are.</param>
/// <param name="journal">The journal they must agree with.</param>
/// <param name="limits">Capacities of the machine.</param>
internal sealed class SnapshotSource(IStorage storage, string directory, string journal, Limits limits)
{
    private readonly JournalIdentity _identity = EngineIdentity.Of(limits);

    public Limits Limits => limits;

    public IEnumerable<long> NewestFirst()
    {
        List<long> sequences = SnapshotFolder.List(storage, directory);
        sequences.Reverse();
        return sequences;
    }

    /// <summary>Reads a snapshot and makes it a machine; where it cannot be used, adds the reason.</summary>
    /// <param name="objection">Called with an intact header: why it must not be used all the same; null: nothing.</param>
    public bool TryLoad(long sequence, Func<SnapshotHeader, string?> objection, List<string> passedOver, [NotNullWhen(true)] out StartingPoint? found)
    {
        found = null;
        try
        {
            found = Load(sequence, objection, passedOver);
            return true;
        }
        catch (Exception unusable) when (unusable is SnapshotUnusableException or StateFormatException or StorageException)
        {
            passedOver.Add($"snapshot {sequence} is passed over: {unusable.Message}");
            return false;
        }
    }

    /// <summary>The journal's chain after a sequence; null where it does not hold that record and does not begin right behind it.</summary>
    public uint? ChainAt(long sequence)
    {
        using JournalReader reader = JournalReader.Open(storage, journal, follow: true);
        return reader.ChainAfter(sequence);
    }

    private StartingPoint Load(long sequence, Func<SnapshotHeader, string?> objection, List<string> passedOver)
    {
        string path = SnapshotFolder.PathOf(directory, sequence);
        SnapshotHeader header = SnapshotFile.ReadHeader(storage, path);
        string? reason = header.Sequence != sequence ? $"it is the snapshot of sequence {header.Sequence}"
            : header.Layout != MarginMachine.StateVersion ? $"its state has layout {header.Layout}, this program's has {MarginMachine.StateVersion}"
            : _identity.ReasonToRefuse(header.Identity) ?? objection(header);
        if (reason is not null)
            throw new SnapshotUnusableException(reason);
        var image = new SnapshotImage();
        _ = SnapshotFile.Read(storage, path, image);
        MarginMachine machine = MarginMachine.Load(limits, image.State);
        if (machine.LastSequence == sequence && machine.StateDigest() == header.StateDigest)
            return StartingPoint.At(machine, header, image, passedOver);
        machine.Dispose();
        throw new SnapshotUnusableException("what it holds is another state than the one it was taken of");
    }
}
