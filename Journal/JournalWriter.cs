namespace MarginEngine.Journal;

/// <summary>
/// Appends records to the journal. <see cref="TryAppend"/> and <see cref="Commit"/> belong to one thread, <see cref="PrepareNext"/>
/// to one cold thread, the properties to any. After <see cref="Commit"/> returns, everything appended survives a power cut.
/// No call allocates, except where a segment begins.
/// </summary>
public sealed class JournalWriter : IDisposable
{
    readonly JournalOptions _options;
    readonly JournalIdentity _identity;
    readonly SegmentPreparer _preparer;
    readonly Lock _preparing = new();
    readonly IDisposable _writerLock;
    readonly bool _syncsFile;
    readonly AlignedBuffer _buffer; // one block for a segment header, then the group
    readonly AlignedBuffer? _readBack; // as large; null: commits are not read back

    IStorageFile? _file;
    long _segment;
    int _position;          // where the next group goes; 0 while the segment's header is still to be written
    int _segmentBytes;
    int _groupLimit;        // largest group of this segment
    bool _mustRollOver;
    PreparedSegment? _prepared;

    Chain _chain;
    Chain _chainAtGroup;
    int _groupBytes;        // header and records of the open group; 0 where there is none
    int _groupCapacity;
    int _groupRecords;
    bool _isSealed;

    string _failure = "";
    volatile bool _failed;
    bool _inDoubt;          // a write began and has not returned; belongs to the writer's thread
    bool _disposed;
    long _durableSequence;
    long _bytesWritten;
    long _coldRollOvers;
    bool _nearlyFull;

    JournalWriter(
        JournalOptions options, in JournalIdentity identity, SegmentPreparer preparer, IDisposable writerLock, RecoveryReport recovered, in JournalStart start)
    {
        _options = options;
        _identity = identity;
        _preparer = preparer;
        _writerLock = writerLock;
        _syncsFile = recovered.SyncMode == SyncMode.FileSync;
        _buffer = new AlignedBuffer(Format.BlockBytes + options.BatchBytes);
        _readBack = options.VerifyReadBack ? new AlignedBuffer(Format.BlockBytes + options.BatchBytes) : null;
        _isSealed = true;
        Recovered = recovered;
        _chain = recovered.IsEmpty
            ? new Chain(start.Sequence, start.Checksum, start.Epoch, start.TimestampNanos)
            : new Chain(recovered.LastSequence + 1, recovered.LastChecksum, recovered.LastEpoch, recovered.LastTimestampNanos);
        _durableSequence = _chain.NextSequence - 1;
    }

    /// <summary>
    /// Takes the writer's lock, recovers the journal (or starts a new one) and makes its first segment ready. Throws
    /// <see cref="JournalLockedException"/>, <see cref="JournalRefusedException"/>, <see cref="JournalDamagedException"/>,
    /// <see cref="StorageException"/>.
    /// </summary>
    /// <param name="begin">
    /// Asked where a journal that holds nothing yet begins, once the lock is held; null, or its null: at <see cref="JournalOptions.FirstSequence"/>.
    /// </param>
    public static JournalWriter Open(JournalOptions options, in JournalIdentity identity, IStorage storage, Func<JournalStart?>? begin = null)
    {
        options.Check();
        IdentityFields.CheckTexts(identity);
        storage.CreateDirectory(options.Directory);
        IDisposable writerLock = storage.Lock(Path.Combine(options.Directory, SegmentNames.Lock));
        JournalWriter? writer = null;
        try
        {
            RecoveryReport recovered = Recovery.RecoverLocked(storage, options.Directory, identity);
            SyncMode mode = storage.Supported(options.Directory, options.SyncMode);
            recovered = recovered with
            {
                SyncMode = mode,
                SyncNote = mode == options.SyncMode ? "" : $"the file system refuses {options.SyncMode}, {mode} is used",
            };
            JournalStart start = new(options.FirstSequence, 0, 0, 0);
            if (recovered.IsEmpty && begin?.Invoke() is { } behind)
            {
                start = behind;
                recovered = recovered with
                {
                    LastSequence = start.Sequence - 1,
                    LastChecksum = start.Checksum,
                    LastEpoch = start.Epoch,
                    LastTimestampNanos = start.TimestampNanos,
                };
            }
            writer = new JournalWriter(options, identity, new SegmentPreparer(storage, options, mode), writerLock, recovered, start);
            writer.Start();
            return writer;
        }
        catch
        {
            if (writer is null)
                writerLock.Dispose();
            else
                writer.Release();
            throw;
        }
    }

    /// <summary>What was found and done when the journal was opened.</summary>
    public RecoveryReport Recovered { get; }
    /// <summary>Sequence of the last record appended.</summary>
    public long LastSequence => _chain.NextSequence - 1;
    /// <summary>Sequence of the last record that survives a power cut; never goes back.</summary>
    public long DurableSequence => Volatile.Read(ref _durableSequence);
    /// <summary>The hash chain after the last record appended.</summary>
    public uint LastChecksum => _chain.Checksum;
    public long LastEpoch => _chain.Epoch;
    /// <summary>Bytes of all group commits since opening, headers and padding included.</summary>
    public long BytesWritten => Volatile.Read(ref _bytesWritten);
    /// <summary>New segments since opening that the writer had to wait for, or prepare itself: each was a pause.</summary>
    public long ColdRollOvers => Volatile.Read(ref _coldRollOvers);
    /// <summary>The node must stop taking input: the reserve is reached. Updated by <see cref="PrepareNext"/> and at a new segment.</summary>
    public bool IsNearlyFull => Volatile.Read(ref _nearlyFull);
    public bool IsFailed => _failed;
    /// <summary>The largest message that fits a group.</summary>
    public int LargestMessageBytes => _options.BatchBytes - GroupHeader.Bytes - RecordLayout.HeaderBytes;

    /// <summary>
    /// Copies a record into the open group. False where the group is full: <see cref="Commit"/>, then append again. A wrong sequence,
    /// a lower epoch or a message too large is the caller's defect and throws before anything is changed.
    /// </summary>
    public bool TryAppend(byte kind, long epoch, long sequence, long timestampNanos, ReadOnlySpan<byte> message)
    {
        if (IsUnusable)
            ThrowUnusable();
        if (sequence != _chain.NextSequence || epoch < _chain.Epoch || message.Length > LargestMessageBytes)
            ThrowMisuse(epoch, sequence, message.Length);
        int recordBytes = RecordLayout.BytesFor(message.Length);
        if (_groupBytes == 0)
            BeginGroup(recordBytes);
        if (_groupBytes + recordBytes > _groupCapacity)
            return false;
        Span<byte> target = _buffer.Span[(Format.BlockBytes + _groupBytes)..];
        uint checksum = RecordLayout.Write(target, _chain.Checksum, kind, epoch, sequence, timestampNanos, message);
        _chain = new Chain(sequence + 1, checksum, epoch, timestampNanos);
        _groupBytes += recordBytes;
        _groupRecords++;
        return true;
    }

    /// <summary>
    /// One aligned write and one sync for everything appended; then <see cref="DurableSequence"/> equals <see cref="LastSequence"/>.
    /// A failure is final (<see cref="JournalFailedException"/>).
    /// </summary>
    public void Commit()
    {
        if (IsUnusable)
            ThrowUnusable();
        if (_groupBytes == 0)
            return;
        WriteGroup();
        _isSealed = false;
        Volatile.Write(ref _durableSequence, _chain.NextSequence - 1);
    }

    /// <summary>
    /// Deletes what is no longer retained, checks the reserve and zero-fills the next segment where that is not done. Called
    /// regularly (say every 100 ms) from a cold thread; takes long where there is something to fill. Returns whether the next
    /// segment is ready: a nearly full disk has room for a little more then, without touching what is kept for accepted records.
    /// </summary>
    public bool PrepareNext()
    {
        lock (_preparing)
        {
            if (_failed || _disposed)
                ThrowUnusable();
            try
            {
                _preparer.Retain(_segment);
                if (_prepared is null)
                    _prepared = _preparer.PrepareAhead(_segment + 1);
                else
                    _ = _preparer.HasRoom(_options.ReserveBytes);
            }
            catch (StorageException cause)
            {
                throw Fail("preparing a segment failed", cause);
            }
            Volatile.Write(ref _nearlyFull, _preparer.IsNearlyFull);
            return _prepared is not null;
        }
    }

    /// <summary>
    /// Closes the journal. What was appended and not committed is dropped. Where anything was committed, a seal is written behind it,
    /// so that later damage to the last records cannot pass for a torn write.
    /// </summary>
    public void Dispose()
    {
        lock (_preparing)
        {
            if (_disposed)
                return;
            try
            {
                Seal();
            }
            catch (JournalFailedException)
            {
                // Nothing was promised that depends on the seal: the next opening recovers as after a crash.
            }
            finally
            {
                _disposed = true;
                Release();
            }
        }
    }

    bool IsUnusable => _failed || _inDoubt || _disposed;

    void Release()
    {
        _file?.Dispose();
        _prepared?.File.Dispose();
        _buffer.Dispose();
        _readBack?.Dispose();
        _writerLock.Dispose();
    }

    void Start()
    {
        RecoveryReport found = Recovered;
        if (found.LastHeader is { } header)
        {
            _segment = header.Segment;
            _prepared = _preparer.IsReady(_segment + 1) ? _preparer.Open(_segment + 1) : null;
            _file = _preparer.Open(_segment).File;
            _position = (int)found.LastPosition;
            _segmentBytes = header.SegmentBytes;
            _groupLimit = Math.Min(header.LargestGroupBytes, _options.BatchBytes);
            _mustRollOver = header.Identity != _identity;
            if (Planted.Is(Defect.ForgetChain))
                _chain.Checksum = 0;
        }
        else
        {
            long first = Math.Max(found.Tail.Segment, 0);
            Use((_preparer.IsReady(first) ? _preparer.Open(first) : _preparer.Prepare(first, _options.ReserveBytes))
                ?? throw new StorageException($"{_options.Directory} has no room for a segment of {_options.SegmentBytes} bytes besides the reserve of {_options.ReserveBytes}."));
        }
        _ = _preparer.HasRoom(_options.ReserveBytes);
        _nearlyFull = _preparer.IsNearlyFull;
    }

    void Use(PreparedSegment next)
    {
        _file?.Dispose();
        _file = next.File;
        _segment = next.Number;
        _position = 0;
        _segmentBytes = _options.SegmentBytes;
        _groupLimit = _options.BatchBytes;
        _mustRollOver = false;
    }

    int GroupStart => _position == 0 ? Format.BlockBytes : _position;

    void BeginGroup(int recordBytes)
    {
        int bytes = Format.RoundUpToBlock(GroupHeader.Bytes + recordBytes);
        if (_mustRollOver || bytes > Math.Min(_groupLimit, _segmentBytes - GroupStart))
            RollOver();
        _groupCapacity = Math.Min(_groupLimit, _segmentBytes - GroupStart);
        _chainAtGroup = _chain;
        _groupRecords = 0;
        _groupBytes = GroupHeader.Bytes;
    }

    void RollOver()
    {
        bool mustWait = !_preparing.TryEnter();
        if (mustWait)
            _preparing.Enter();
        try
        {
            if (mustWait || _prepared is null)
                _coldRollOvers++;
            try
            {
                if (_prepared is null)
                {
                    // Records already accepted may use the reserve: that is what it is for.
                    _prepared = _preparer.Prepare(_segment + 1, leaving: null);
                }
                else
                {
                    // A disk may fill between two looks of the cold thread: then it shows here, while there is still a segment for time besides the reserve.
                    _ = _preparer.HasRoom(_options.ReserveBytes + _options.SegmentBytes);
                }
                Volatile.Write(ref _nearlyFull, _preparer.IsNearlyFull);
            }
            catch (StorageException cause)
            {
                throw Fail("preparing a segment failed", cause);
            }
            if (_prepared is null)
                throw Fail($"the disk is full: no room for segment {_segment + 1}", null);
            Use(_prepared);
            _prepared = null;
        }
        finally
        {
            _preparing.Exit();
        }
    }

    void WriteGroup()
    {
        int totalBytes = Format.RoundUpToBlock(_groupBytes);
        Span<byte> group = _buffer.Span.Slice(Format.BlockBytes, totalBytes);
        group[_groupBytes..].Clear();
        var header = new GroupHeader
        {
            Segment = _segment,
            Offset = GroupStart,
            FirstSequence = _chainAtGroup.NextSequence,
            RecordBytes = _groupBytes - GroupHeader.Bytes,
            RecordCount = _groupRecords,
            ZeroSectors = Format.CountZeroSectors(group[Format.SectorBytes..]),
            PreviousChecksum = _chainAtGroup.Checksum,
            LastChecksum = _chain.Checksum,
        };
        header.Write(group);

        ReadOnlySpan<byte> write = group;
        if (_position == 0)
        {
            WriteSegmentHeader();
            write = _buffer.Span[..(Format.BlockBytes + totalBytes)];
        }
        _inDoubt = true;
        try
        {
            _file!.Write(_position, write);
            if (_syncsFile && !Planted.Is(Defect.SkipSync))
                _file.Sync();
            if (_readBack is not null)
                CompareWithDisk(write, _readBack.Span[..write.Length]);
        }
        catch (StorageException cause)
        {
            throw Fail($"the group commit of sequences {_chainAtGroup.NextSequence} to {_chain.NextSequence - 1} failed", cause);
        }
        _inDoubt = false;
        _position += write.Length;
        _groupBytes = 0;
        Volatile.Write(ref _bytesWritten, _bytesWritten + write.Length);
    }

    void CompareWithDisk(ReadOnlySpan<byte> written, Span<byte> found)
    {
        if (_syncsFile)
            _file!.DropCache(); // a direct file has none
        int bytes = _file!.Read(_position, found);
        int same = written.CommonPrefixLength(found[..bytes]);
        if (same < written.Length)
            throw new StorageException($"segment {_segment} holds something else at byte {_position + same} than was written there");
    }

    void WriteSegmentHeader() => new SegmentHeader
    {
        Segment = _segment,
        FirstSequence = _chainAtGroup.NextSequence,
        EpochBefore = _chainAtGroup.Epoch,
        TimestampBefore = _chainAtGroup.TimestampNanos,
        SegmentBytes = _segmentBytes,
        LargestGroupBytes = _groupLimit,
        ChainStart = _chainAtGroup.Checksum,
        Identity = _identity,
    }.Write(_buffer.Span);

    /// <summary>A group without records, only where something was committed since opening and there is a place for it.</summary>
    void Seal()
    {
        if (IsUnusable || _isSealed)
            return;
        if (_groupBytes > 0)
            _chain = _chainAtGroup;
        _groupBytes = 0;
        if (_segmentBytes - GroupStart < Format.BlockBytes && _prepared is null)
            return;
        BeginGroup(0);
        WriteGroup();
        _isSealed = true;
    }

    JournalFailedException Fail(string what, StorageException? cause)
    {
        _failure = cause is null ? what : $"{what}: {cause.Message}";
        _failed = true;
        return new JournalFailedException($"The journal failed and must not be used any more: {_failure}", cause);
    }

    void ThrowUnusable()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        throw new JournalFailedException($"The journal failed earlier: {(_failed ? _failure : "a write did not return")}.");
    }

    void ThrowMisuse(long epoch, long sequence, int messageBytes)
    {
        if (sequence != _chain.NextSequence)
            throw new ArgumentOutOfRangeException(nameof(sequence), sequence, $"The next sequence is {_chain.NextSequence}.");
        if (epoch < _chain.Epoch)
            throw new ArgumentOutOfRangeException(nameof(epoch), epoch, $"The journal is at epoch {_chain.Epoch}.");
        throw new ArgumentException($"A message of {messageBytes} bytes exceeds the {LargestMessageBytes} that fit a group.");
    }
}
