// A stream's log: three terms and a page of metadata in Aeron's layout, in memory of this process or in a file that others map too.
// A publication appends to it and its sender reads it; an image is written by its receiver and read by its subscribers. What a log is
// made of is read from the metadata once: later changes by whoever else maps the file move no bound in this process.
//
//   | term 0 | term 1 | term 2 | metadata 4096 |
//   metadata: 0 tail words 3 x i64 (term id << 32 | offset) · 24 active term count · 128 end of stream position · 136 is connected
//             256 correlation id · 264 initial term id · 268 header length · 272 MTU · 276 term length · 280 page size
//             284 publication window · 288 receiver window · 320 default frame header · 448 entity tag · 456 response correlation id
//             464 linger · 472 untethered window limit · 480 untethered resting · 488 group, is response, rejoin, reliable, sparse,
//             signals end of stream, spies simulate connection, tether · 496 is revoked · 497 type · 500 untethered linger

using System.Numerics;
using System.Runtime.CompilerServices;

namespace MarginEngine.Aeron;

/// <summary>Who writes a log: any number of producers, one, or a receiver. The values are those of the layout.</summary>
internal enum LogType : byte
{
    Concurrent = 0,
    Exclusive = 1,
    Image = 2,
}

/// <summary>What a log is made for: its geometry and the identity of its stream.</summary>
internal readonly record struct LogSpec
{
    public LogSpec()
    {
    }

    public int TermLength { get; init; }
    public int Mtu { get; init; }
    public int InitialTermId { get; init; }
    public int SessionId { get; init; }
    public int StreamId { get; init; }

    /// <summary>Where the stream begins; a multiple of the frame alignment.</summary>
    public long StartPosition { get; init; }

    public int WindowLength { get; init; }
    public LogType Type { get; init; } = LogType.Exclusive;

    /// <summary>The id a driver knows the stream by; 0 for a log that only this process sees.</summary>
    public long CorrelationId { get; init; }

    public long LingerNanos { get; init; }
    public bool SignalsEndOfStream { get; init; }
    public bool IsReliable { get; init; }
    public bool IsGroup { get; init; }

    /// <summary>Take the file's blocks from the system at once; otherwise as they are first written.</summary>
    public bool IsReserved { get; init; }
}

internal sealed unsafe class LogBuffer : IDisposable
{
    public const int MetadataLength = 4096;

    private const int ActiveTermCountOffset = 24;
    private const int EndOfStreamPositionOffset = 128;
    private const int IsConnectedOffset = 136;
    private const int ActiveTransportCountOffset = 140;
    private const int CorrelationIdOffset = 256;
    private const int InitialTermIdOffset = 264;
    private const int HeaderLengthOffset = 268;
    private const int MtuOffset = 272;
    private const int TermLengthOffset = 276;
    private const int PageSizeOffset = 280;
    private const int PublicationWindowOffset = 284;
    private const int ReceiverWindowOffset = 288;
    private const int DefaultHeaderOffset = 320;
    private const int EntityTagOffset = 448;
    private const int ResponseCorrelationIdOffset = 456;
    private const int LingerOffset = 464;
    private const int UntetheredWindowLimitOffset = 472;
    private const int UntetheredRestingOffset = 480;
    private const int GroupOffset = 488;
    private const int RejoinOffset = 490;
    private const int ReliableOffset = 491;
    private const int SparseOffset = 492;
    private const int SignalsEndOfStreamOffset = 493;
    private const int TetherOffset = 495;
    private const int RevokedOffset = 496;
    private const int TypeOffset = 497;
    private const int UntetheredLingerOffset = 500;

    private const long UntetheredWindowLimitNanos = 5_000_000_000;
    private const long UntetheredRestingNanos = 10_000_000_000;
    private const long UntetheredLingerNanos = 5_000_000_000;

    private readonly byte* _metadata;
    private byte* _base;

    /// <summary>A log in memory of this process.</summary>
    public LogBuffer(in LogSpec spec)
        : this(spec, LinuxCalls.MapZeroed(LengthOf(spec.TermLength))) => WriteMetadata(spec);

    private LogBuffer(in LogSpec spec, byte* memory)
    {
        TermLength = spec.TermLength;
        Mtu = spec.Mtu;
        InitialTermId = spec.InitialTermId;
        SessionId = spec.SessionId;
        StreamId = spec.StreamId;
        CorrelationId = spec.CorrelationId;
        Type = spec.Type;
        PositionBits = BitOperations.TrailingZeroCount(spec.TermLength);
        _base = memory;
        _metadata = _base + ((long)Limits.TermCount * TermLength);
    }

    public int TermLength { get; }
    public int Mtu { get; }
    public int InitialTermId { get; }
    public int SessionId { get; }
    public int StreamId { get; }
    public long CorrelationId { get; }
    public LogType Type { get; }

    /// <summary>The file others may map; null for a log that only this process sees.</summary>
    public string? Path { get; private init; }

    /// <summary>log2 of the term length.</summary>
    public int PositionBits { get; }

    /// <summary>The header a frame of this stream begins as; made from what is known here, not read back.</summary>
    public DataHeader DefaultHeader => new()
    {
        Version = FrameHeader.CurrentVersion,
        Flags = FrameFlags.Unfragmented,
        Type = FrameType.Data,
        SessionId = SessionId,
        StreamId = StreamId,
        TermId = InitialTermId,
    };

    public long EndOfStreamPosition
    {
        get => Volatile.Read(ref *(long*)(_metadata + EndOfStreamPositionOffset));
        set => Volatile.Write(ref *(long*)(_metadata + EndOfStreamPositionOffset), value);
    }

    public bool IsConnected
    {
        get => Volatile.Read(ref *(int*)(_metadata + IsConnectedOffset)) != 0;
        set => Volatile.Write(ref *(int*)(_metadata + IsConnectedOffset), value ? 1 : 0);
    }

    /// <summary>For an image: whether its sender was heard lately.</summary>
    public bool HasTransport
    {
        set => Volatile.Write(ref *(int*)(_metadata + ActiveTransportCountOffset), value ? 1 : 0);
    }

    public bool IsRevoked
    {
        get => Volatile.Read(ref _metadata[RevokedOffset]) != 0;
        set => Volatile.Write(ref _metadata[RevokedOffset], value ? (byte)1 : (byte)0);
    }

    public int ActiveTermCount => Volatile.Read(ref *(int*)(_metadata + ActiveTermCountOffset));

    public long TotalLength => LengthOf(TermLength);

    /// <summary>Bytes of a log with terms of this length.</summary>
    public static long LengthOf(int termLength) => ((long)Limits.TermCount * termLength) + MetadataLength;

    /// <summary>Makes the file of a log; nobody but its user can open it.</summary>
    /// <exception cref="IOException">the file exists, or the system has no room for it</exception>
    public static LogBuffer Create(string path, in LogSpec spec)
    {
        byte* memory = MappedFile.Create(path, LengthOf(spec.TermLength), spec.IsReserved);
        var log = new LogBuffer(spec, memory) { Path = path };
        log.WriteMetadata(spec);
        return log;
    }

    /// <summary>Maps the log that a driver made.</summary>
    /// <exception cref="IOException">the file cannot be mapped, or its metadata describes no log of its length</exception>
    public static LogBuffer Open(string path)
    {
        byte* memory = MappedFile.Open(path, LengthOf(Limits.MinTermLength), LengthOf(Limits.MaxTermLength), out long length);
        byte* metadata = memory + length - MetadataLength;
        var header = *(DataHeader*)(metadata + DefaultHeaderOffset);
        var spec = new LogSpec
        {
            TermLength = *(int*)(metadata + TermLengthOffset),
            Mtu = *(int*)(metadata + MtuOffset),
            InitialTermId = *(int*)(metadata + InitialTermIdOffset),
            SessionId = header.SessionId,
            StreamId = header.StreamId,
            CorrelationId = *(long*)(metadata + CorrelationIdOffset),
            Type = (LogType)metadata[TypeOffset],
        };
        // Only a log of 4 KiB pages is a log to us: with larger ones the file is longer than the terms and this page.
        if (!int.IsPow2(spec.TermLength) || spec.TermLength is < Limits.MinTermLength or > Limits.MaxTermLength
            || LengthOf(spec.TermLength) != length || spec.Mtu is < Limits.MinMtu or > Limits.MaxMtu
            || spec.Mtu % Limits.FrameAlignment != 0 || *(int*)(metadata + HeaderLengthOffset) != DataHeader.Length)
        {
            MappedFile.Unmap(memory, length);
            throw new IOException($"{path} is no log: its metadata does not describe a file of {length} bytes");
        }
        return new LogBuffer(spec, memory) { Path = path };
    }

    public byte* Term(int index) => _base + ((long)index * TermLength);

    /// <summary>Within a term for any position: the bounds are this process's own.</summary>
    public byte* At(long position) =>
        Term(LogPosition.TermIndex(position, PositionBits)) + LogPosition.TermOffset(position, TermLength);

    /// <summary>Whether a frame of this length can stand at a position; in a shared log it may be anything.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Holds(long position, int frameLength) => unchecked(
        (uint)(frameLength - DataHeader.Length) <= (uint)(TermLength - DataHeader.Length - LogPosition.TermOffset(position, TermLength)));

    public long Position(int termId, int termOffset) => LogPosition.Compute(termId, termOffset, PositionBits, InitialTermId);

    /// <summary>Producer's progress as others see it; the producer keeps its own copy.</summary>
    public void StoreTail(int termIndex, int termId, int termOffset) =>
        Volatile.Write(ref TailWord(termIndex), TailOf(termId, termOffset));

    /// <summary>Term id and offset of a term's tail; the offset may lie beyond the term's end.</summary>
    public long LoadTail(int termIndex) => Volatile.Read(ref TailWord(termIndex));

    /// <summary>Claims the next bytes of a term for one of many producers; returns the tail word before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long ClaimTail(int termIndex, int length) => unchecked(Interlocked.Add(ref TailWord(termIndex), length) - length);

    /// <summary>
    /// Turns to the next term after the one of this count and id; of many producers that try, one does it. True for that one.
    /// </summary>
    public bool TryRotate(int termCount, int termId)
    {
        int nextIndex = unchecked((int)((uint)(termCount + 1) % Limits.TermCount));
        int nextTermId = unchecked(termId + 1);
        int replaced = unchecked(nextTermId - Limits.TermCount);
        long tail;
        do
        {
            tail = LoadTail(nextIndex);
            if (TermIdOf(tail) != replaced)
                break;
        }
        while (Interlocked.CompareExchange(ref TailWord(nextIndex), TailOf(nextTermId, 0), tail) != tail);
        return Interlocked.CompareExchange(
            ref *(int*)(_metadata + ActiveTermCountOffset), unchecked(termCount + 1), termCount) == termCount;
    }

    /// <summary>The position behind the last claimed byte, from the tail words.</summary>
    public long TailPosition()
    {
        long tail = LoadTail(unchecked((int)((uint)ActiveTermCount % Limits.TermCount)));
        return Position(TermIdOf(tail), OffsetOf(tail));
    }

    public int OffsetOf(long tail) => (int)Math.Min(unchecked((uint)tail), (uint)TermLength);

    public static int TermIdOf(long tail) => unchecked((int)(tail >> 32));

    public void StoreActiveTermCount(int count) => Volatile.Write(ref *(int*)(_metadata + ActiveTermCountOffset), count);

    /// <summary>Length word of the frame at <paramref name="frame"/>; positive once the whole frame may be read.</summary>
    public static int FrameLength(byte* frame) => Volatile.Read(ref *(int*)frame);

    /// <summary>
    /// Zeroes [from, to) as far as the end of from's term and returns how far it came. The first eight bytes go last, so that a reader
    /// that finds a length there finds the whole frame.
    /// </summary>
    public long Clean(long from, long to)
    {
        int offset = LogPosition.TermOffset(from, TermLength);
        int length = (int)Math.Min(to - from, TermLength - offset);
        if (length <= 0)
            return from;
        byte* start = At(from);
        new Span<byte>(start + FrameHeader.Length, length - FrameHeader.Length).Clear();
        Volatile.Write(ref *(long*)start, 0);
        return from + length;
    }

    /// <summary>Makes every page resident, so that the first pass through the log takes no page faults.</summary>
    public void Touch()
    {
        for (long offset = 0; offset < TotalLength; offset += MetadataLength)
            Volatile.Write(ref _base[offset], Volatile.Read(ref _base[offset]));
    }

    /// <summary>Unmaps the log. Its file stays: who made it deletes it.</summary>
    public void Dispose()
    {
        if (_base == null)
            return;
        MappedFile.Unmap(_base, TotalLength);
        _base = null;
    }

    private static long TailOf(int termId, int termOffset) => unchecked(((long)termId << 32) | (uint)termOffset);

    private ref long TailWord(int termIndex) => ref *(long*)(_metadata + (termIndex * sizeof(long)));

    private void WriteMetadata(in LogSpec spec)
    {
        int firstCount = unchecked((int)(spec.StartPosition >> PositionBits));
        int firstTermId = unchecked(spec.InitialTermId + firstCount);
        int firstIndex = LogPosition.TermIndex(spec.StartPosition, PositionBits);
        StoreTail(firstIndex, firstTermId, LogPosition.TermOffset(spec.StartPosition, TermLength));
        for (int ahead = 1; ahead < Limits.TermCount; ahead++)
            StoreTail((firstIndex + ahead) % Limits.TermCount, unchecked(firstTermId + ahead - Limits.TermCount), 0);
        StoreActiveTermCount(firstCount);

        EndOfStreamPosition = long.MaxValue;
        Put(CorrelationIdOffset, spec.CorrelationId);
        Put(InitialTermIdOffset, spec.InitialTermId);
        Put(HeaderLengthOffset, DataHeader.Length);
        Put(MtuOffset, spec.Mtu);
        Put(TermLengthOffset, spec.TermLength);
        Put(PageSizeOffset, MetadataLength);
        Put(spec.Type == LogType.Image ? ReceiverWindowOffset : PublicationWindowOffset, spec.WindowLength);
        *(DataHeader*)(_metadata + DefaultHeaderOffset) = DefaultHeader;
        Put(EntityTagOffset, -1L);
        Put(ResponseCorrelationIdOffset, -1L);
        Put(LingerOffset, spec.LingerNanos);
        Put(UntetheredWindowLimitOffset, UntetheredWindowLimitNanos);
        Put(UntetheredRestingOffset, UntetheredRestingNanos);
        Put(UntetheredLingerOffset, UntetheredLingerNanos);
        Put(GroupOffset, spec.IsGroup);
        Put(RejoinOffset, spec.Type == LogType.Image);
        Put(ReliableOffset, spec.IsReliable);
        Put(SparseOffset, !spec.IsReserved);
        Put(SignalsEndOfStreamOffset, spec.SignalsEndOfStream);
        Put(TetherOffset, spec.Type == LogType.Image);
        _metadata[TypeOffset] = (byte)spec.Type;
    }

    private void Put(int offset, int value) => *(int*)(_metadata + offset) = value;

    private void Put(int offset, long value) => *(long*)(_metadata + offset) = value;

    private void Put(int offset, bool value) => _metadata[offset] = value ? (byte)1 : (byte)0;
}
