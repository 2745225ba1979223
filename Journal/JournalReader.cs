namespace MarginEngine.Journal;

/// <summary>
/// Reads all records of a journal forward, checking every byte. Used by replay, standby catch-up and audit, also while a writer
/// is alive. It never ends early in silence: where an intact group follows a broken one, it throws
/// <see cref="JournalDamagedException"/>.
/// </summary>
public sealed class JournalReader : IDisposable
{
    readonly IStorage _storage;
    readonly string _directory;
    readonly JournalScan _scan;
    int _recordOffset;
    int _recordsEnd;

    JournalReader(IStorage storage, string directory, JournalIdentity? identity, bool follow)
    {
        _storage = storage;
        _directory = directory;
        _scan = new JournalScan(storage, directory, identity, follow);
    }

    /// <param name="storage">The disk.</param>
    /// <param name="directory">The journal's directory; an empty one holds no records, a missing one throws.</param>
    /// <param name="identity">Where given, a journal of another schema or arithmetic is refused.</param>
    /// <param name="follow">
    /// For a reader that polls behind a live writer: reaching the end costs one block and is not verified. Without it the rest of
    /// the journal is read at the end, to prove that it is one.
    /// </param>
    public static JournalReader Open(IStorage storage, string directory, JournalIdentity? identity = null, bool follow = false) =>
        new(storage, directory, identity, follow);

    /// <summary>
    /// Records beyond this sequence are not read. Set it to <see cref="JournalWriter.DurableSequence"/> to stay behind a live writer:
    /// a group can be visible before it is durable.
    /// </summary>
    public long Limit { get; set; } = long.MaxValue;

    /// <summary>Sequence of the last record read, 0 before the first.</summary>
    public long LastReadSequence { get; private set; }

    /// <summary>Who wrote the segment of the last record read; null before the first.</summary>
    public JournalIdentity? Identity => _scan.HasSegment ? _scan.Header.Identity : null;

    /// <summary>Where the history ends, once <see cref="TryRead"/> has returned false before the limit.</summary>
    public JournalTail Tail => _scan.Tail;

    /// <summary>
    /// The next record; false at the end or at the limit, and a later call tries again. The record is valid until the next call.
    /// </summary>
    public bool TryRead(out JournalRecord record)
    {
        while (_recordOffset == _recordsEnd)
        {
            record = default;
            if (_scan.HasSegment && _scan.Chain.NextSequence > Limit)
                return false;
            if (!_scan.TryNextGroup())
                return false;
            _recordOffset = GroupHeader.Bytes;
            _recordsEnd = GroupHeader.Bytes + _scan.Group.RecordBytes;
        }
        ReadOnlySpan<byte> rest = _scan.GroupBytes[_recordOffset.._recordsEnd];
        ReadOnlySpan<byte> bytes = rest[..RecordLayout.BytesAt(rest)];
        record = default;
        if (RecordLayout.Sequence(bytes) > Limit)
            return false;
        record = new JournalRecord(bytes, _scan.Group.Segment, _scan.Group.Offset + _recordOffset);
        _recordOffset += bytes.Length;
        LastReadSequence = record.Sequence;
        return true;
    }

    /// <summary>
    /// Moves so that the next record read is the given sequence. Jumps to its segment and reads (and checks) from there.
    /// False where the journal does not hold it; the reader then stands at its end or, for a sequence before the first, at its start.
    /// </summary>
    public bool SeekTo(long sequence)
    {
        long found = -1;
        foreach (long number in SegmentNames.List(_storage, _directory))
        {
            using IStorageFile file = _storage.OpenToRead(Path.Combine(_directory, SegmentNames.Segment(number)));
            if (!SegmentHeader.TryRead(file, out SegmentHeader header))
                break; // the scan names it where it is damage
            if (found >= 0 && header.FirstSequence > sequence)
                break;
            found = number;
        }
        _recordOffset = _recordsEnd = 0;
        LastReadSequence = 0;
        if (found < 0)
            return false;
        _scan.StartAt(found);
        if (sequence < _scan.Chain.NextSequence)
            return false;
        while (_scan.TryNextGroup())
        {
            if (_scan.Chain.NextSequence <= sequence)
                continue;
            _recordOffset = GroupHeader.Bytes;
            _recordsEnd = GroupHeader.Bytes + _scan.Group.RecordBytes;
            SkipTo(sequence);
            return true;
        }
        return false;
    }

    /// <summary>
    /// The chain after a sequence; the next record read is the one behind it. Null where the journal holds neither that record nor begins right behind it.
    /// </summary>
    public uint? ChainAfter(long sequence)
    {
        if (SeekTo(sequence))
            return TryRead(out JournalRecord record) ? record.Checksum : null;
        foreach (long number in SegmentNames.List(_storage, _directory))
        {
            using IStorageFile file = _storage.OpenToRead(Path.Combine(_directory, SegmentNames.Segment(number)));
            if (!SegmentHeader.TryRead(file, out SegmentHeader header))
                return null;
            if (header.FirstSequence != sequence + 1)
                continue;
            _scan.StartAt(number);
            return header.ChainStart;
        }
        return null;
    }

    /// <summary>
    /// Finds where a later epoch than the given one began: the first record that carries one, which <see cref="SeekTo"/> and <see cref="TryRead"/>
    /// then give. Reads one segment. False where there is no such record, or where retention has deleted the place.
    /// </summary>
    /// <param name="epoch">The epoch whose end is looked for.</param>
    /// <param name="sequence">The first record behind it, where there is one.</param>
    /// <param name="isKept">False: the journal begins in a later epoch.</param>
    public bool TryFindEpochAfter(long epoch, out long sequence, out bool isKept)
    {
        sequence = 0;
        long found = -1;
        Span<byte> sector = stackalloc byte[SegmentHeader.Bytes];
        foreach (long number in SegmentNames.List(_storage, _directory))
        {
            using IStorageFile file = _storage.OpenToRead(Path.Combine(_directory, SegmentNames.Segment(number)));
            if (file.Read(0, sector) < sector.Length || !SegmentHeader.TryRead(sector, out SegmentHeader header, out _) || header.EpochBefore > epoch)
                break;
            found = number;
        }
        _recordOffset = _recordsEnd = 0;
        LastReadSequence = 0;
        isKept = found >= 0;
        if (!isKept)
            return false;
        _scan.StartAt(found);
        while (TryRead(out JournalRecord record))
        {
            sequence = record.Sequence;
            if (record.Epoch > epoch)
                return true;
        }
        return false;
    }

    public void Dispose() => _scan.Dispose();

    void SkipTo(long sequence)
    {
        while (true)
        {
            ReadOnlySpan<byte> rest = _scan.GroupBytes[_recordOffset.._recordsEnd];
            if (RecordLayout.Sequence(rest) == sequence)
                return;
            LastReadSequence = RecordLayout.Sequence(rest);
            _recordOffset += RecordLayout.BytesAt(rest);
        }
    }
}
