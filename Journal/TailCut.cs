namespace MarginEngine.Journal;

/// <summary>What a cut took out of a journal.</summary>
/// <param name="First">First record taken out, 0 where there was none.</param>
/// <param name="Last">Last record taken out.</param>
/// <param name="Epoch">Epoch of the last one.</param>
/// <param name="KeptTo">Where the journal ends now: before <paramref name="First"/>, at the end of a group.</param>
/// <param name="Directory">The journal that holds what was taken out, for `margin inspect`; empty where there was nothing.</param>
public sealed record TailReport(long First, long Last, long Epoch, long KeptTo, string Directory)
{
    public long Records => First == 0 ? 0 : Last - First + 1;
}

/// <summary>The journals of two nodes differ where they should be the same: nothing was changed.</summary>
public sealed class HistoryDivergedException(long sequence, uint ours, uint theirs)
    : IOException($"the histories part before sequence {sequence}: our chain there is 0x{ours:x8}, the primary's is 0x{theirs:x8}; this journal is no start of that one")
{
    public long Sequence { get; } = sequence;
}

/// <summary>
/// Takes the end off the journal of a node that was the primary: records that it wrote and its successor never had. They are first
/// written to a journal of their own beside it, complete and sealed; then snapshots whose state includes them are deleted, then later
/// segments from the last one on, then groups are zeroed from the last one on, each durable before the next. So a crash at any step leaves a journal that recovery
/// opens, with some of the tail still to be cut, and nothing is ever in neither place.
/// </summary>
public static class TailCut
{
    /// <summary>
    /// Cuts everything from a sequence on. Groups go as wholes: a few records before it may go too, which the primary has and sends again.
    /// A journal that ends before the sequence is left as it is.
    /// </summary>
    /// <param name="storage">The disk.</param>
    /// <param name="options">Of the journal to cut; no writer may have it open.</param>
    /// <param name="identity">Whoever continues it.</param>
    /// <param name="first">First sequence that is not the successor's history.</param>
    /// <param name="chainBefore">The successor's chain before that sequence; ours must be the same.</param>
    /// <exception cref="HistoryDivergedException">It is not, and nothing was changed.</exception>
    /// <exception cref="JournalRefusedException">The journal no longer holds the place, so its chain cannot be compared; nothing was changed.</exception>
    public static TailReport Cut(IStorage storage, JournalOptions options, in JournalIdentity identity, long first, uint chainBefore)
    {
        using IDisposable writerLock = storage.Lock(Path.Combine(options.Directory, SegmentNames.Lock));
        RecoveryReport found = Recovery.RecoverLocked(storage, options.Directory, identity);
        if (found.LastSequence < first)
            return new TailReport(0, 0, 0, found.LastSequence, "");
        using (JournalReader reader = JournalReader.Open(storage, options.Directory, identity))
        {
            if (!reader.SeekTo(first) || !reader.TryRead(out JournalRecord record))
                throw new JournalRefusedException($"{options.Directory} begins at sequence {found.FirstSequence}: what stands before {first} cannot be compared with the primary's history any more.");
            if (record.PreviousChecksum != chainBefore)
                throw new HistoryDivergedException(first, record.PreviousChecksum, chainBefore);
        }
        string tail = Path.Combine(options.Directory, $"unreplicated-epoch-{found.LastEpoch}-sequences-{first}-{found.LastSequence}");
        Copy(storage, options, identity, first, found.LastSequence, tail);
        DeleteSnapshotsFrom(storage, options.Directory, first);
        (long segment, List<(long Offset, int Bytes)> groups, long keptTo) = GroupsFrom(storage, options.Directory, first);
        DeleteSegmentsBehind(storage, options.Directory, segment);
        ZeroBackwards(storage, Path.Combine(options.Directory, SegmentNames.Segment(segment)), groups);
        return new TailReport(first, found.LastSequence, found.LastEpoch, keptTo, tail);
    }

    static void Copy(IStorage storage, JournalOptions options, in JournalIdentity identity, long first, long last, string tail)
    {
        storage.CreateDirectory(tail);
        foreach (string name in storage.List(tail)) // a crash left it half written
            storage.Delete(Path.Combine(tail, name));
        JournalOptions side = options with { Directory = tail, FirstSequence = first, RetainSegments = 0, ReserveBytes = 0, SegmentBytes = SegmentBytesFor(options) };
        using JournalReader reader = JournalReader.Open(storage, options.Directory, identity);
        using JournalWriter writer = JournalWriter.Open(side, identity, storage);
        reader.SeekTo(first);
        while (reader.LastReadSequence < last && reader.TryRead(out JournalRecord record))
        {
            if (writer.TryAppend(record.Kind, record.Epoch, record.Sequence, record.TimestampNanos, record.Message))
                continue;
            writer.Commit();
            writer.TryAppend(record.Kind, record.Epoch, record.Sequence, record.TimestampNanos, record.Message);
        }
        writer.Commit();
        writer.PrepareNext(); // so that the seal has room in any case
    }

    /// <summary>A tail is short: one batch and room for its seal, not a whole segment of zeros.</summary>
    static int SegmentBytesFor(JournalOptions options) => Math.Min(options.SegmentBytes, 2 * options.BatchBytes + 2 * Format.BlockBytes);

    /// <summary>The segment that holds a sequence, and its groups from the one with that sequence on.</summary>
    static (long Segment, List<(long Offset, int Bytes)> Groups, long KeptTo) GroupsFrom(IStorage storage, string directory, long first)
    {
        using var scan = new JournalScan(storage, directory, null, follow: false);
        List<(long, int)> groups = [];
        long segment = -1;
        long keptTo = first - 1;
        while (scan.TryNextGroup())
        {
            GroupHeader group = scan.Group;
            if (scan.Chain.NextSequence <= first || segment >= 0 && group.Segment != segment)
                continue;
            if (segment < 0)
            {
                segment = group.Segment;
                keptTo = group.FirstSequence - 1;
            }
            groups.Add((group.Offset, group.TotalBytes));
        }
        return (segment, groups, keptTo);
    }

    /// <summary>Their state holds what is about to be cut; they can be made again of the tail and the journal.</summary>
    static void DeleteSnapshotsFrom(IStorage storage, string directory, long first)
    {
        foreach (long sequence in SnapshotFolder.List(storage, directory).Where(sequence => sequence >= first))
        {
            storage.Delete(SnapshotFolder.PathOf(directory, sequence));
            storage.SyncDirectory(directory);
        }
    }

    static void DeleteSegmentsBehind(IStorage storage, string directory, long segment)
    {
        List<long> numbers = SegmentNames.List(storage, directory);
        for (int index = numbers.Count - 1; index >= 0 && numbers[index] > segment; index--)
        {
            storage.Delete(Path.Combine(directory, SegmentNames.Segment(numbers[index])));
            storage.SyncDirectory(directory);
        }
    }

    /// <summary>A group that is half zeroed looks like a torn write, which recovery cuts.</summary>
    static void ZeroBackwards(IStorage storage, string path, List<(long Offset, int Bytes)> groups)
    {
        using IStorageFile file = storage.OpenToWrite(path, SyncMode.FileSync);
        using var zeros = new AlignedBuffer(groups.Max(group => group.Bytes));
        for (int index = groups.Count - 1; index >= 0; index--)
        {
            file.Write(groups[index].Offset, zeros.Span[..groups[index].Bytes]);
            file.Sync();
        }
        file.DropCache();
    }
}
