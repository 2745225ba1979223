using System.Buffers.Binary;

namespace MarginEngine.Journal;

/// <summary>
/// The header of one group commit: it starts a 4 KiB block, the group's records follow it, zeros fill the last block.
/// <code>
///   0         4         8         16        24        32        40        48        56        64
///   +---------+---------+---------+---------+---------+---------+---------+---------+---------+--...--+-------+
///   |checksum | "MEGR"  | segment | offset  | first   | record  | zero    | last    | zero    |records| zeros |
///   |  u32    |  u32    |  i64    | in file | sequence| bytes,  | sectors,| checksum|         |       | to the|
///   |         |         |         |  i64    |  i64    | count   | previous|  u32,   |         |       | block |
///   |         |         |         |         |         | i32 i32 | i32 u32 | zero u32|         |       |       |
///   +---------+---------+---------+---------+---------+---------+---------+---------+---------+--...--+-------+
/// </code>
/// Segment and offset find a block that was written to the wrong place; "previous" is the chain before the first record and
/// "last" the chain after the last one. "Zero sectors" is how many of the group's 512-byte sectors hold only zeros as written: a
/// group with more of them has lost a sector (a torn write), one with the same number and a wrong checksum was damaged later.
/// A group without records is a seal: the writer was closed after everything before it was durable.
/// </summary>
internal readonly struct GroupHeader
{
    public const int Bytes = 64;
    const uint Magic = 0x5247_454D; // "MEGR"

    public long Segment { get; init; }
    public long Offset { get; init; }
    public long FirstSequence { get; init; }
    public int RecordBytes { get; init; }
    public int RecordCount { get; init; }
    public int ZeroSectors { get; init; }
    public uint PreviousChecksum { get; init; }
    public uint LastChecksum { get; init; }

    public int TotalBytes => Format.RoundUpToBlock(Bytes + RecordBytes);

    public void Write(Span<byte> target)
    {
        Span<byte> header = target[..Bytes];
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], Magic);
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], Segment);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], Offset);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], FirstSequence);
        BinaryPrimitives.WriteInt32LittleEndian(header[32..], RecordBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header[36..], RecordCount);
        BinaryPrimitives.WriteInt32LittleEndian(header[40..], ZeroSectors);
        BinaryPrimitives.WriteUInt32LittleEndian(header[44..], PreviousChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(header[48..], LastChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(header, Checksum.OfStructure(header));
    }

    /// <summary>False where the bytes are no group header or a damaged one; the sizes of a header that is read are in range.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out GroupHeader header)
    {
        ReadOnlySpan<byte> bytes = source[..Bytes];
        header = default;
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Checksum.OfStructure(bytes))
            return false;
        header = new GroupHeader
        {
            Segment = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]),
            Offset = BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]),
            FirstSequence = BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
            RecordBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]),
            RecordCount = BinaryPrimitives.ReadInt32LittleEndian(bytes[36..]),
            ZeroSectors = BinaryPrimitives.ReadInt32LittleEndian(bytes[40..]),
            PreviousChecksum = BinaryPrimitives.ReadUInt32LittleEndian(bytes[44..]),
            LastChecksum = BinaryPrimitives.ReadUInt32LittleEndian(bytes[48..]),
        };
        return header.RecordBytes >= 0 && header.RecordBytes <= Format.GroupLimitBytes - Bytes && header.RecordCount >= 0;
    }
}
