namespace MarginEngine.Journal;

/// <summary>What a journal holds and what recovery did to it.</summary>
public sealed record RecoveryReport
{
    /// <summary>First sequence that is kept, 0 in an empty journal.</summary>
    public long FirstSequence { get; init; }
    /// <summary>Last sequence of the intact history, 0 in an empty journal.</summary>
    public long LastSequence { get; init; }
    public long LastEpoch { get; init; }
    public long LastTimestampNanos { get; init; }
    /// <summary>The hash chain after the last record.</summary>
    public uint LastChecksum { get; init; }
    public long Records { get; init; }
    public long Groups { get; init; }
    /// <summary>Segment files, the prepared one included.</summary>
    public int Segments { get; init; }
    /// <summary>The writer was closed in order: nothing can be missing at the end.</summary>
    public bool IsSealed { get; init; }
    /// <summary>Where the history ends, and the remains of a torn group commit behind it.</summary>
    public JournalTail Tail { get; init; }
    /// <summary>Bytes of a torn, never acknowledged group commit that were zeroed (or, examined only, would be).</summary>
    public long BytesCut => Tail.RemainsEnd - Tail.Offset;
    /// <summary>Who wrote the last segment; null in an empty journal.</summary>
    public JournalIdentity? LastIdentity => LastHeader?.Identity;
    public bool IsEmpty => LastHeader is null;
    /// <summary>How commits reach the disk from here on; set when a writer opened the journal.</summary>
    public SyncMode SyncMode { get; init; }
    /// <summary>Why that is not the mode asked for, or empty.</summary>
    public string SyncNote { get; init; } = "";

    /// <summary>Header of the last segment with records, and where its next group goes.</summary>
    internal SegmentHeader? LastHeader { get; init; }
    internal long LastPosition { get; init; }
}

/// <summary>
/// Finds the end of the history before a writer continues it, cuts a torn group commit off, or refuses. Called by
/// <see cref="JournalWriter.Open"/> and by audit. It promises: every record that was ever reported durable is kept; nothing is
/// cut that a crash of the last group commit does not explain; a crash during recovery changes nothing of that.
/// <code>
///   at X, the first place without an intact group        what stands behind it                    decision
///   ---------------------------------------------------  ---------------------------------------  ------------------------------
///   first sector zero                                    zeros, no used segment                   clean end
///   first sector zero                                    zeros, next segment continues the chain  go on there
///   first sector zero                                    zeros, next segment does not continue    damaged, named in next segment
///   first sector zero                                    data within one group, no group header   torn: cut
///   first sector zero                                    a group header, or data farther away     damaged
///   first sector zero                                    data within one group, and a used segment damaged
///   header intact, sectors missing                       zeros behind the group, no used segment  torn: cut
///   header intact, sectors missing                       anything else                            damaged
///   header intact, no sector missing, a record wrong     -                                        damaged
///   header broken, or of another place or history        -                                        damaged
///   segment header zero                                  zeros, no used segment                   clean end in the segment before
///   segment header zero                                  one group's data at most, no used segment torn first write: cut
///   segment header zero                                  anything else                            damaged
///   segment header broken, file of another length        -                                        damaged
///   segment number missing                               a used segment                           damaged
///   other schema, newer version, other arithmetic        -                                        refused
/// </code>
/// "Sectors missing" can be told from rot because a segment is zero before it is written: a sector that a crash kept
/// from the disk is zero, and the group header says how many zero sectors the group had when it was written.
/// </summary>
public static class Recovery
{
    /// <summary>Reads and checks the whole journal and changes nothing; a torn tail is reported, damage thrown.</summary>
    public static RecoveryReport Examine(IStorage storage, string directory, JournalIdentity? identity = null)
    {
        using var scan = new JournalScan(storage, directory, identity, follow: false);
        long firstSequence = 0;
        long records = 0;
        long groups = 0;
        bool isSealed = false;
        while (scan.TryNextGroup())
        {
            if (groups == 0)
                firstSequence = scan.Group.FirstSequence;
            groups++;
            records += scan.Group.RecordCount;
            isSealed = scan.Group.RecordCount == 0;
        }
        return new RecoveryReport
        {
            FirstSequence = firstSequence,
            LastSequence = scan.HasSegment ? scan.Chain.NextSequence - 1 : 0,
            LastEpoch = scan.Chain.Epoch,
            LastTimestampNanos = scan.Chain.TimestampNanos,
            LastChecksum = scan.Chain.Checksum,
            Records = records,
            Groups = groups,
            Segments = scan.Segments.Count,
            IsSealed = isSealed,
            Tail = scan.Tail,
            LastHeader = scan.HasSegment ? scan.Header : null,
            LastPosition = scan.Position,
        };
    }

    /// <summary>
    /// Makes the journal ready to be continued: syncs everything before it reads it, then cuts a torn tail. Throws
    /// <see cref="JournalDamagedException"/>, <see cref="JournalRefusedException"/> or <see cref="JournalLockedException"/>.
    /// </summary>
    public static RecoveryReport Recover(IStorage storage, string directory, JournalIdentity? identity = null)
    {
        storage.CreateDirectory(directory);
        using IDisposable writerLock = storage.Lock(Path.Combine(directory, SegmentNames.Lock));
        return RecoverLocked(storage, directory, identity);
    }

    internal static RecoveryReport RecoverLocked(IStorage storage, string directory, JournalIdentity? identity)
    {
        SyncAll(storage, directory);
        RecoveryReport report = Examine(storage, directory, identity);
        if (report.Tail.IsTorn)
            Cut(storage, Path.Combine(directory, SegmentNames.Segment(report.Tail.Segment)), report.Tail);
        return report;
    }

    /// <summary>The page cache may show bytes that never reached the disk: first sync, then drop the cache, then read.</summary>
    static void SyncAll(IStorage storage, string directory)
    {
        storage.SyncDirectory(directory);
        foreach (string name in storage.List(directory))
        {
            if (SegmentNames.IsPreparing(name))
            {
                storage.Delete(Path.Combine(directory, name));
            }
            else if (SegmentNames.TryParse(name, out _))
            {
                using IStorageFile file = storage.OpenToWrite(Path.Combine(directory, name), SyncMode.FileSync);
                file.Sync();
                file.DropCache();
            }
        }
        storage.SyncDirectory(directory);
    }

    /// <summary>Zeros what the torn write left. Repeating it after a crash at any point ends in the same bytes.</summary>
    static void Cut(IStorage storage, string path, in JournalTail tail)
    {
        const int ChunkBytes = 256 << 10;
        using IStorageFile file = storage.OpenToWrite(path, SyncMode.FileSync);
        using var zeros = new AlignedBuffer(ChunkBytes);
        for (long offset = tail.Offset; offset < tail.RemainsEnd; offset += ChunkBytes)
            file.Write(offset, zeros.Span[..(int)Math.Min(ChunkBytes, tail.RemainsEnd - offset)]);
        file.Sync();
        file.DropCache();
    }
}
