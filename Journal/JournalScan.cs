namespace MarginEngine.Journal;

/// <summary>Where the intact history ends and what stands there.</summary>
/// <param name="Segment">Segment of the end; -1 in an empty journal without any segment.</param>
/// <param name="Offset">Where the next group would be written; 0 where the segment's own header is still to be written.</param>
/// <param name="RemainsEnd">End of what a torn write left behind, or <paramref name="Offset"/> where nothing was left.</param>
public readonly record struct JournalTail(long Segment, long Offset, long RemainsEnd)
{
    public bool IsTorn => RemainsEnd > Offset;
}

/// <summary>
/// Walks the groups of a journal in order and checks every byte of them. Recovery and readers stand on it. It changes nothing;
/// what it finds behind the last intact group it decides by the table in Recovery.cs.
/// </summary>
internal sealed class JournalScan : IDisposable
{
    const int ReadAheadBytes = 1 << 20;
    const int FollowAheadBytes = 64 << 10;

    readonly IStorage _storage;
    readonly string _directory;
    JournalIdentity? _identity;
    readonly bool _follow;
    List<long> _segments;
    IStorageFile? _file;
    byte[] _buffer = [];
    byte[] _scratch = [];
    long _bufferOffset;
    int _bufferBytes;
    Chain _chain;
    int _groupStart;

    public JournalScan(IStorage storage, string directory, JournalIdentity? identity, bool follow)
    {
        _storage = storage;
        _directory = directory;
        _identity = identity;
        _follow = follow;
        _segments = SegmentNames.List(storage, directory);
        Tail = new JournalTail(-1, 0, 0);
    }

    public Chain Chain => _chain;
    /// <summary>Header of the current segment; meaningless before the first group.</summary>
    public SegmentHeader Header { get; private set; }
    public bool HasSegment => _file is not null;
    public IReadOnlyList<long> Segments => _segments;
    /// <summary>Offset of the next group in the current segment.</summary>
    public long Position { get; private set; }
    public GroupHeader Group { get; private set; }
    public ReadOnlySpan<byte> GroupBytes => _buffer.AsSpan(_groupStart, Group.TotalBytes);
    /// <summary>Set when <see cref="TryNextGroup"/> has returned false.</summary>
    public JournalTail Tail { get; private set; }

    /// <summary>Starts at the given segment, whose own header says how the history came there.</summary>
    public void StartAt(long segment)
    {
        _file?.Dispose();
        _file = null;
        if (Enter(segment, out bool entered) is { } fault)
            throw fault;
        if (!entered)
            throw new StorageException($"{PathOf(segment)} holds no records.");
    }

    /// <summary>
    /// Moves to the next group. False at the end of the history (see <see cref="Tail"/>); a later call looks again.
    /// Throws where the history is damaged.
    /// </summary>
    public bool TryNextGroup()
    {
        if (_file is null)
        {
            _segments = SegmentNames.List(_storage, _directory);
            if (_segments.Count == 0)
                return false;
            if (Enter(_segments[0], out bool entered) is { } fault)
                throw fault;
            if (!entered)
                return false;
        }
        while (true)
        {
            if (TryGroupHere(fresh: false, out _, out _) || TryGroupHere(fresh: true, out GroupState state, out string reason))
                return true;
            JournalDamagedException? fault = DecideEnd(state, reason, out bool entered);
            if (fault is not null)
            {
                // A writer may have written here since we looked: whatever it wrote later, it wrote after this.
                if (TryGroupHere(fresh: true, out _, out _))
                    return true;
                throw fault;
            }
            if (!entered)
                return false;
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    bool TryGroupHere(bool fresh, out GroupState state, out string reason)
    {
        state = GroupState.Missing;
        reason = "";
        long room = Header.SegmentBytes - Position;
        if (room < Format.BlockBytes)
            return false;
        if (fresh)
            _bufferBytes = 0;
        int limitBytes = (int)Math.Min(Header.LargestGroupBytes, room);
        // The block alone when looking again: what is behind it is not there yet, or will be read ahead later.
        ReadOnlySpan<byte> block = View(Format.BlockBytes, fresh ? Format.BlockBytes : _follow ? FollowAheadBytes : ReadAheadBytes);
        state = GroupCheck.Check(block, Header.Segment, Position, limitBytes, ref _chain, out GroupHeader group, out reason);
        if (state == GroupState.NeedsMoreBytes)
            state = GroupCheck.Check(View(group.TotalBytes, group.TotalBytes), Header.Segment, Position, limitBytes, ref _chain, out group, out reason);
        Group = group;
        if (state != GroupState.Intact)
            return false;
        _groupStart = (int)(Position - _bufferOffset);
        Position += group.TotalBytes;
        return true;
    }

    /// <summary>At least the given number of bytes from the current position on; where they must be read, with more read ahead.</summary>
    ReadOnlySpan<byte> View(int bytes, int aheadBytes)
    {
        long skip = Position - _bufferOffset;
        if (_bufferBytes == 0 || skip < 0 || skip + bytes > _bufferBytes)
        {
            int wanted = (int)Math.Min(Math.Max(aheadBytes, bytes), Header.SegmentBytes - Position);
            if (_buffer.Length < wanted)
                _buffer = new byte[wanted];
            _bufferOffset = Position;
            _bufferBytes = 0;
            _bufferBytes = ReadOrThrow(_file!, Header.Segment, Position, _buffer.AsSpan(0, wanted));
            if (_bufferBytes < bytes)
                throw Damage(Header.Segment, Position, "the file ends here");
            skip = 0;
        }
        return _buffer.AsSpan((int)skip, _bufferBytes - (int)skip);
    }

    /// <summary>Opens a segment and moves there where it holds a header that continues the history.</summary>
    JournalDamagedException? Enter(long segment, out bool entered)
    {
        entered = false;
        IStorageFile? file = _storage.OpenToRead(PathOf(segment));
        try
        {
            Span<byte> block = stackalloc byte[Format.BlockBytes];
            if (ReadOrThrow(file, segment, 0, block) < block.Length)
                return Damage(segment, 0, $"the file has only {file.Length} bytes");
            if (Format.IsZero(block[..SegmentHeader.Bytes]))
                return DecideUnstarted(file, segment);
            if (!SegmentHeader.TryRead(block, out SegmentHeader header, out string reason))
                return Damage(segment, 0, reason);
            if (header.FormatVersion != Format.Version)
                throw new JournalRefusedException(
                    $"{PathOf(segment)} is refused: it has journal format {header.FormatVersion}, this program reads format {Format.Version}.");
            if (header.Segment != segment)
                return Damage(segment, 0, $"the header of segment {header.Segment} stands here");
            var start = new Chain(header.FirstSequence, header.ChainStart, header.EpochBefore, header.TimestampBefore);
            if (_file is not null && header.FirstSequence > _chain.NextSequence)
                return Damage(Header.Segment, Position, $"the history ends here, yet segment {segment} starts with sequence {header.FirstSequence}");
            if (_file is not null && start != _chain)
                return Damage(segment, 0, $"the segment continues another history: it starts with sequence {header.FirstSequence}, chain 0x{header.ChainStart:x8}, epoch {header.EpochBefore}");
            if (!Format.IsZero(block[SegmentHeader.Bytes..]))
                return Damage(segment, 0, "the block of the segment header is not zero behind it");
            if (file.Length != header.SegmentBytes)
                return Damage(segment, Math.Min(file.Length, header.SegmentBytes), $"the file has {file.Length} bytes instead of {header.SegmentBytes}");
            if (_identity is { } identity && identity.ReasonToRefuse(header.Identity) is { } refusal)
                throw new JournalRefusedException($"{PathOf(segment)} is refused: {refusal}.");
            if (_identity is { Configuration.Length: 0 } reading)
                _identity = reading with { Configuration = header.Identity.Configuration }; // one history has one

            _file?.Dispose();
            (_file, file) = (file, null);
            Header = header;
            Position = Format.BlockBytes;
            _chain = start;
            _bufferBytes = 0;
            entered = true;
            return null;
        }
        finally
        {
            file?.Dispose();
        }
    }

    /// <summary>A segment whose header sector is zero: prepared and never used, or its first write was torn.</summary>
    JournalDamagedException? DecideUnstarted(IStorageFile file, long segment)
    {
        Tail = _file is null ? new JournalTail(segment, 0, 0) : new JournalTail(Header.Segment, Position, Position);
        if (_follow)
            return null;
        var remains = new Remains(0, Format.BlockBytes + Format.GroupLimitBytes, groupAt: Format.BlockBytes);
        if (FindRemains(file, segment, file.Length, ref remains) is { } fault)
            return fault;
        if (FirstUsedSegmentAfter(segment) is long later and >= 0)
            return Damage(segment, 0, $"the segment header is missing, yet segment {later} holds data");
        if (remains.End > 0)
            Tail = new JournalTail(segment, 0, remains.End);
        return null;
    }

    /// <summary>There is no intact group at the current position: end, next segment, or damage (the table in Recovery.cs).</summary>
    JournalDamagedException? DecideEnd(GroupState state, string reason, out bool entered)
    {
        entered = false;
        long segment = Header.Segment;
        Tail = new JournalTail(segment, Position, Position);
        _segments = SegmentNames.List(_storage, _directory);
        if (state == GroupState.Damaged && !_follow && !Planted.Is(Defect.CutDamage))
            return Damage(segment, Position, reason);
        if (state is GroupState.Torn or GroupState.Damaged)
        {
            // While following, a group that is just being written can look like anything, but nothing can stand behind it.
            long groupEnd = Position + (state == GroupState.Torn ? Group.TotalBytes : Math.Min(Header.LargestGroupBytes, Header.SegmentBytes - Position));
            var behind = new Remains(groupEnd, groupEnd, groupAt: -1);
            if (FindRemains(_file!, segment, Header.SegmentBytes, ref behind) is { } fault)
                return Damage(segment, Position, reason + "; " + fault.Reason);
            if (FirstUsedSegmentAfter(segment) is long used and >= 0)
                return Damage(segment, Position, $"{reason}; segment {used} holds data");
            Tail = new JournalTail(segment, Position, groupEnd);
            return null;
        }
        if (!_follow)
        {
            var remains = new Remains(Position, Position + Header.LargestGroupBytes, groupAt: -1);
            if (FindRemains(_file!, segment, Header.SegmentBytes, ref remains) is { } fault)
                return fault;
            if (remains.End > Position)
            {
                if (FirstUsedSegmentAfter(segment) is long used and >= 0)
                    return Damage(segment, Position, $"the group's first sector is missing; segment {used} holds data");
                Tail = new JournalTail(segment, Position, remains.End);
                return null;
            }
        }
        return EnterNext(segment, out entered);
    }

    JournalDamagedException? EnterNext(long segment, out bool entered)
    {
        entered = false;
        int index = _segments.FindIndex(number => number > segment);
        if (index < 0)
            return null;
        if (_segments[index] == segment + 1)
            return Enter(segment + 1, out entered);
        return FirstUsedSegmentAfter(segment) is long later and >= 0
            ? Damage(segment, Position, $"segment {segment + 1} is missing, yet segment {later} holds data")
            : null;
    }

    /// <summary>What may stand behind the last intact group: bytes of one group, up to <paramref name="reach"/>, and no other group's header.</summary>
    struct Remains(long start, long reach, long groupAt)
    {
        public readonly long Start = start;
        public readonly long Reach = reach;
        public readonly long GroupAt = groupAt;
        public long End = start;
    }

    JournalDamagedException? FindRemains(IStorageFile file, long segment, long fileBytes, ref Remains remains)
    {
        if (_scratch.Length < Math.Min(ReadAheadBytes, fileBytes))
            _scratch = new byte[Math.Min(ReadAheadBytes, Format.RoundUpToBlock((int)Math.Min(ReadAheadBytes, fileBytes)))];
        for (long offset = remains.Start; offset < fileBytes; offset += _scratch.Length)
        {
            int bytes = ReadOrThrow(file, segment, offset, _scratch.AsSpan(0, (int)Math.Min(_scratch.Length, fileBytes - offset)));
            Span<byte> chunk = _scratch.AsSpan(0, Format.RoundUpToBlock(bytes));
            chunk[bytes..].Clear();
            if (Format.IsZero(chunk))
                continue;
            for (int inChunk = 0; inChunk < chunk.Length; inChunk += Format.BlockBytes)
            {
                ReadOnlySpan<byte> block = chunk.Slice(inChunk, Format.BlockBytes);
                if (Format.IsZero(block))
                    continue;
                long at = offset + inChunk;
                if (at >= remains.Reach)
                    return Damage(segment, remains.Start, $"no intact group stands here, yet byte {at} holds data");
                if (at != remains.GroupAt && GroupHeader.TryRead(block, out GroupHeader later))
                    return Damage(segment, remains.Start, $"no intact group stands here, yet the group of sequence {later.FirstSequence} stands at byte {at}");
                remains.End = at + Format.BlockBytes;
            }
        }
        return null;
    }

    long FirstUsedSegmentAfter(long segment)
    {
        foreach (long number in _segments)
        {
            if (number <= segment)
                continue;
            using IStorageFile file = _storage.OpenToRead(PathOf(number));
            var nothing = new Remains(0, 0, groupAt: -1);
            if (FindRemains(file, number, file.Length, ref nothing) is not null)
                return number;
        }
        return -1;
    }

    int ReadOrThrow(IStorageFile file, long segment, long offset, Span<byte> target)
    {
        try
        {
            return file.Read(offset, target);
        }
        catch (StorageException cause)
        {
            throw Damage(segment, offset, cause.Message);
        }
    }

    JournalDamagedException Damage(long segment, long offset, string reason) =>
        new(PathOf(segment), segment, offset, _chain.NextSequence, reason);

    string PathOf(long segment) => Path.Combine(_directory, SegmentNames.Segment(segment));
}
