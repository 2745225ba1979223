// A stream's log: three terms and a page of metadata in Aeron's layout, so that the same bytes can be mapped from a file.
// A publication appends to it and its sender reads it; an image is written by its receiver and read by its subscribers.
//
//   | term 0 | term 1 | term 2 | metadata 4096 |
//   metadata: 0 tail words 3 x i64 (term id << 32 | offset) · 24 active term count · 128 end of stream position · 136 is connected
//             256 correlation id · 264 initial term id · 268 header length · 272 MTU · 276 term length · 280 page size
//             284 publication window · 288 receiver window · 320 default frame header · 464 linger · 491.. flags · 497 type

using System.Numerics;

namespace MarginEngine.Aeron;

/// <summary>What a log is made for: its geometry and the identity of its stream.</summary>
internal readonly record struct LogSpec
{
    public int TermLength { get; init; }
    public int Mtu { get; init; }
    public int InitialTermId { get; init; }
    public int SessionId { get; init; }
    public int StreamId { get; init; }

    /// <summary>Where the stream begins; a multiple of the frame alignment.</summary>
    public long StartPosition { get; init; }

    public int WindowLength { get; init; }
    public bool IsImage { get; init; }
}

internal sealed unsafe class LogBuffer : IDisposable
{
    private const int MetadataLength = 4096;
    private const int ActiveTermCountOffset = 24;
    private const int EndOfStreamPositionOffset = 128;
    private const int IsConnectedOffset = 136;
    private const int InitialTermIdOffset = 264;
    private const int HeaderLengthOffset = 268;
    private const int MtuOffset = 272;
    private const int TermLengthOffset = 276;
    private const int PageSizeOffset = 280;
    private const int PublicationWindowOffset = 284;
    private const int ReceiverWindowOffset = 288;
    private const int DefaultHeaderOffset = 320;
    private const int TypeOffset = 497;
    private const byte TypeExclusive = 1;
    private const byte TypeImage = 2;

    private readonly byte* _metadata;
    private byte* _base;

    public LogBuffer(in LogSpec spec)
    {
        TermLength = spec.TermLength;
        Mtu = spec.Mtu;
        InitialTermId = spec.InitialTermId;
        SessionId = spec.SessionId;
        StreamId = spec.StreamId;
        PositionBits = BitOperations.TrailingZeroCount(spec.TermLength);
        _base = LinuxCalls.MapZeroed(TotalLength);
        _metadata = _base + ((long)Limits.TermCount * TermLength);
        WriteMetadata(spec);
    }

    public int TermLength { get; }
    public int Mtu { get; }
    public int InitialTermId { get; }
    public int SessionId { get; }
    public int StreamId { get; }

    /// <summary>log2 of the term length.</summary>
    public int PositionBits { get; }

    public DataHeader DefaultHeader => *(DataHeader*)(_metadata + DefaultHeaderOffset);

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

    private long TotalLength => ((long)Limits.TermCount * TermLength) + MetadataLength;

    public byte* Term(int index) => _base + ((long)index * TermLength);

    public byte* At(long position) =>
        Term(LogPosition.TermIndex(position, PositionBits)) + LogPosition.TermOffset(position, TermLength);

    public long Position(int termId, int termOffset) => LogPosition.Compute(termId, termOffset, PositionBits, InitialTermId);

    /// <summary>Producer's progress as others see it; the producer keeps its own copy.</summary>
    public void StoreTail(int termIndex, int termId, int termOffset) => Volatile.Write(
        ref *(long*)(_metadata + (termIndex * sizeof(long))), unchecked(((long)termId << 32) | (uint)termOffset));

    /// <summary>The position behind the last committed byte, from the tail words.</summary>
    public long TailPosition()
    {
        int count = Volatile.Read(ref *(int*)(_metadata + ActiveTermCountOffset));
        long tail = Volatile.Read(ref *(long*)(_metadata + (unchecked((int)((uint)count % Limits.TermCount)) * sizeof(long))));
        int offset = (int)Math.Min(unchecked((uint)tail), (uint)TermLength);
        return Position(unchecked((int)(tail >> 32)), offset);
    }

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

    public void Dispose()
    {
        if (_base == null)
            return;
        _ = LinuxCalls.Unmap(_base, (nuint)TotalLength);
        _base = null;
    }

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
        *(int*)(_metadata + InitialTermIdOffset) = spec.InitialTermId;
        *(int*)(_metadata + HeaderLengthOffset) = DataHeader.Length;
        *(int*)(_metadata + MtuOffset) = spec.Mtu;
        *(int*)(_metadata + TermLengthOffset) = spec.TermLength;
        *(int*)(_metadata + PageSizeOffset) = MetadataLength;
        *(int*)(_metadata + (spec.IsImage ? ReceiverWindowOffset : PublicationWindowOffset)) = spec.WindowLength;
        *(DataHeader*)(_metadata + DefaultHeaderOffset) = new DataHeader
        {
            Version = FrameHeader.CurrentVersion,
            Flags = FrameFlags.Unfragmented,
            Type = FrameType.Data,
            SessionId = spec.SessionId,
            StreamId = spec.StreamId,
            TermId = spec.InitialTermId,
        };
        _metadata[TypeOffset] = spec.IsImage ? TypeImage : TypeExclusive;
    }
}
