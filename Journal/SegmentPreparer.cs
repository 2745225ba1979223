namespace MarginEngine.Journal;

/// <summary>A zero-filled segment with a durable name, open for writing and not used yet.</summary>
internal sealed record PreparedSegment(long Number, IStorageFile File);

/// <summary>
/// Makes the segments that the writer will need, deletes those that are no longer kept and watches the free space. Its calls
/// come from one cold thread, or from the writer where that came too late; <see cref="JournalWriter"/> holds the lock.
/// </summary>
internal sealed class SegmentPreparer(IStorage storage, JournalOptions options, SyncMode mode)
{
    const int ChunkBytes = 256 << 10;

    /// <summary>True while the disk has less free space than the reserve, or no room for the next segment besides it.</summary>
    public bool IsNearlyFull { get; private set; }

    /// <summary>
    /// The next segment, before it is needed. Where the disk has no room for it besides the reserve it comes from the reserve's first half: a node
    /// that takes no input still keeps time. The second half is for records that were accepted.
    /// </summary>
    public PreparedSegment? PrepareAhead(long number)
    {
        PreparedSegment? ready = Prepare(number, options.ReserveBytes);
        if (ready is not null || options.ReserveBytes == 0)
            return ready;
        ready = Prepare(number, options.ReserveBytes / 2);
        IsNearlyFull = true;
        return ready;
    }

    /// <summary>The segment with this number, or null where the disk has no room for it.</summary>
    /// <param name="number">Of the segment.</param>
    /// <param name="leaving">Bytes that must stay free; null: whatever is free may be used.</param>
    public PreparedSegment? Prepare(long number, long? leaving)
    {
        if (!HasRoom((leaving ?? options.ReserveBytes) + options.SegmentBytes) && leaving is not null)
            return null;
        string preparing = Path.Combine(options.Directory, SegmentNames.Preparing(number));
        string path = PathOf(number);
        try
        {
            Fill(preparing);
        }
        catch (StorageException cause) when (cause.IsOutOfSpace)
        {
            IsNearlyFull = true;
            if (Array.IndexOf(storage.List(options.Directory), SegmentNames.Preparing(number)) >= 0)
                storage.Delete(preparing);
            return null;
        }
        storage.Rename(preparing, path);
        storage.SyncDirectory(options.Directory);
        return Open(number);
    }

    /// <summary>Opens a segment for the writer.</summary>
    public PreparedSegment Open(long number) => new(number, storage.OpenToWrite(PathOf(number), mode));

    /// <summary>Whether so much space is free; remembers the answer for <see cref="IsNearlyFull"/>.</summary>
    public bool HasRoom(long bytes)
    {
        IsNearlyFull = storage.FreeBytes(options.Directory) < bytes;
        return !IsNearlyFull;
    }

    /// <summary>
    /// Deletes finished segments from the oldest on until only those to retain stand before the current one, and none that the oldest snapshot
    /// needs: a restart from it reads every record behind it.
    /// </summary>
    public void Retain(long current)
    {
        if (options.RetainSegments == 0)
            return;
        bool deleted = false;
        List<long> snapshots = SnapshotFolder.List(storage, options.Directory);
        foreach (long number in SegmentNames.List(storage, options.Directory))
        {
            if (number >= current - options.RetainSegments || (snapshots.Count > 0 && !EndsBefore(number, snapshots[0] + 1)))
                break;
            storage.Delete(PathOf(number));
            storage.SyncDirectory(options.Directory); // oldest first, also after a power cut
            deleted = true;
        }
        if (deleted)
            _ = HasRoom(options.ReserveBytes);
    }

    /// <summary>
    /// Whether the segment was prepared in an earlier run, with the length wanted now. Recovery has shown that it holds only zeros; one of
    /// another length is replaced when it is its turn.
    /// </summary>
    public bool IsReady(long number)
    {
        if (Array.IndexOf(storage.List(options.Directory), SegmentNames.Segment(number)) < 0)
            return false;
        using IStorageFile file = storage.OpenToRead(PathOf(number));
        return file.Length == options.SegmentBytes;
    }

    bool EndsBefore(long number, long sequence)
    {
        using IStorageFile next = storage.OpenToRead(PathOf(number + 1));
        return SegmentHeader.TryRead(next, out SegmentHeader header) && header.FirstSequence <= sequence;
    }

    string PathOf(long number) => Path.Combine(options.Directory, SegmentNames.Segment(number));

    void Fill(string path)
    {
        using IStorageFile file = storage.Create(path, options.SegmentBytes);
        using var zeros = new AlignedBuffer(Math.Min(ChunkBytes, options.SegmentBytes));
        for (long offset = 0; offset < options.SegmentBytes; offset += ChunkBytes)
            file.Write(offset, zeros.Span[..(int)Math.Min(ChunkBytes, options.SegmentBytes - offset)]);
        file.Sync();
    }
}
