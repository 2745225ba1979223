using System.Buffers.Binary;
using System.Globalization;

namespace MarginEngine.Journal;

/// <summary>
/// The first sector of a segment file; the rest of its first block is zero and the first group starts at byte 4096.
/// It is written in one piece with the segment's first group.
/// <code>
///   0         4         8         16        24        32        40        48        56        64        72       80
///   +---------+---------+---------+---------+---------+---------+---------+---------+---------+---------+--------+
///   |checksum | format  |"MEJOURNL| segment | first   | epoch   | segment | chain   | digest  | time    | zero   |
///   |  u32    | version | "       | number  | sequence| before  | bytes,  | start,  | of the  | before  |        |
///   |         |  u32    |         |  i64    |  i64    |  i64    | largest | schema  | arith-  | ns, i64 |        |
///   |         |         |         |         |         |         | group   | id and  | metic   |         |        |
///   |         |         |         |         |         |         | i32 i32 | version | u64     |         |        |
///   +---------+---------+---------+---------+---------+---------+---------+---------+---------+---------+--------+
///   80 build, 136 runtime, 176 processor, 256 configuration (to 512): one byte of length, then UTF-8, then zeros
/// </code>
/// "Chain start" is the checksum of the last record of the segment before.
/// </summary>
internal readonly struct SegmentHeader
{
    public const int Bytes = Format.SectorBytes;
    const ulong Magic = 0x4C4E_5255_4F4A_454D; // "MEJOURNL"

    public int FormatVersion { get; init; }
    public long Segment { get; init; }
    public long FirstSequence { get; init; }
    public long EpochBefore { get; init; }
    public long TimestampBefore { get; init; }
    public int SegmentBytes { get; init; }
    public int LargestGroupBytes { get; init; }
    public uint ChainStart { get; init; }
    public JournalIdentity Identity { get; init; }

    public void Write(Span<byte> target)
    {
        Span<byte> header = target[..Bytes];
        header.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], Format.Version);
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], Magic);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], Segment);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], FirstSequence);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], EpochBefore);
        BinaryPrimitives.WriteInt32LittleEndian(header[40..], SegmentBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header[44..], LargestGroupBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(header[48..], ChainStart);
        BinaryPrimitives.WriteInt64LittleEndian(header[64..], TimestampBefore);
        IdentityFields.Write(header, Identity);
        BinaryPrimitives.WriteUInt32LittleEndian(header, Checksum.OfStructure(header));
    }

    /// <summary>Reads the header of a file; false where there is none, or none that is intact.</summary>
    public static bool TryRead(IStorageFile file, out SegmentHeader header)
    {
        header = default;
        Span<byte> sector = stackalloc byte[Bytes];
        return file.Read(0, sector) == sector.Length && TryRead(sector, out header, out _);
    }

    /// <summary>Reads a header; where that is not possible, <paramref name="reason"/> says why.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out SegmentHeader header, out string reason)
    {
        header = default;
        ReadOnlySpan<byte> bytes = source[..Bytes];
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) != Magic)
        {
            reason = "the segment header does not begin as one";
            return false;
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Checksum.OfStructure(bytes))
        {
            reason = "the segment header's checksum is wrong";
            return false;
        }
        header = new SegmentHeader
        {
            FormatVersion = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]),
            Segment = BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]),
            FirstSequence = BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
            EpochBefore = BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]),
            SegmentBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[40..]),
            LargestGroupBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[44..]),
            ChainStart = BinaryPrimitives.ReadUInt32LittleEndian(bytes[48..]),
            TimestampBefore = BinaryPrimitives.ReadInt64LittleEndian(bytes[64..]),
            Identity = IdentityFields.Read(bytes),
        };
        bool sizesFit = header.FormatVersion != Format.Version || JournalOptions.SizesFit(header.SegmentBytes, header.LargestGroupBytes);
        reason = sizesFit ? "" : $"the sizes in the segment header are out of range ({header.SegmentBytes}, {header.LargestGroupBytes})";
        return sizesFit;
    }
}

/// <summary>The names of the journal's files. A segment gets its final name only after its zeros are on the disk.</summary>
internal static class SegmentNames
{
    public const string Lock = "writer.lock";
    const string Suffix = ".segment";
    const string PreparingSuffix = ".preparing";

    public static string Segment(long number) => number.ToString("D12", CultureInfo.InvariantCulture) + Suffix;

    public static string Preparing(long number) => number.ToString("D12", CultureInfo.InvariantCulture) + PreparingSuffix;

    public static bool IsPreparing(string name) => name.EndsWith(PreparingSuffix, StringComparison.Ordinal);

    public static bool TryParse(string name, out long number)
    {
        number = 0;
        return name.EndsWith(Suffix, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(0, name.Length - Suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && name == Segment(number);
    }

    /// <summary>The numbers of all segments in a directory, ascending.</summary>
    public static List<long> List(IStorage storage, string directory)
    {
        var numbers = new List<long>();
        foreach (string name in storage.List(directory))
        {
            if (TryParse(name, out long number))
                numbers.Add(number);
        }
        numbers.Sort();
        return numbers;
    }
}
