using System.Buffers.Binary;

namespace MarginEngine.Journal;

/// <summary>
/// One record as a reader hands it out. <see cref="Message"/> points into the reader's buffer: it is valid until the next read.
/// </summary>
public readonly ref struct JournalRecord
{
    internal JournalRecord(ReadOnlySpan<byte> record, long segment, long offset)
    {
        Kind = RecordLayout.Kind(record);
        Epoch = RecordLayout.Epoch(record);
        Sequence = RecordLayout.Sequence(record);
        TimestampNanos = RecordLayout.TimestampNanos(record);
        Checksum = RecordLayout.StoredChecksum(record);
        PreviousChecksum = RecordLayout.PreviousChecksum(record);
        Message = record.Slice(RecordLayout.HeaderBytes, RecordLayout.MessageBytes(record));
        Bytes = record;
        Segment = segment;
        Offset = offset;
    }

    public byte Kind { get; }
    public long Epoch { get; }
    public long Sequence { get; }
    public long TimestampNanos { get; }
    /// <summary>The chain after this record: equal chains mean equal histories (up to the strength of CRC32C).</summary>
    public uint Checksum { get; }
    /// <summary>The chain before this record.</summary>
    public uint PreviousChecksum { get; }
    public ReadOnlySpan<byte> Message { get; }
    /// <summary>The whole record, header and padding included.</summary>
    public ReadOnlySpan<byte> Bytes { get; }
    /// <summary>Number of the segment file the record stands in.</summary>
    public long Segment { get; }
    /// <summary>Byte offset of the record's header in that file.</summary>
    public long Offset { get; }
}

/// <summary>
/// The bytes of one record: a header of 40 bytes, the message, zeros up to a multiple of 8.
/// <code>
///   0         4         8        12   13        16        24        32        40
///   +---------+---------+---------+----+---------+---------+---------+---------+------------+-------+
///   |checksum | message | previous|kind| zero    | epoch   | sequence| time    | message    | zeros |
///   |  u32    | bytes   | checksum| u8 | 3 bytes | i64     | i64     | ns, i64 | n bytes    | 0..7  |
///   |         |  i32    |  u32    |    |         |         |         |         |            |       |
///   +---------+---------+---------+----+---------+---------+---------+---------+------------+-------+
/// </code>
/// The checksum covers the whole record, padding included, with its own field taken as zero; through the field
/// "previous checksum" it covers all history before it.
/// </summary>
internal static class RecordLayout
{
    public const int HeaderBytes = 40;

    const int ChecksumOffset = 0;
    const int MessageBytesOffset = 4;
    const int PreviousOffset = 8;
    const int KindOffset = 12;
    const int EpochOffset = 16;
    const int SequenceOffset = 24;
    const int TimestampOffset = 32;

    public static int BytesFor(int messageBytes) => (HeaderBytes + messageBytes + 7) & ~7;

    /// <summary>Writes a whole record to the start of <paramref name="target"/> and returns its checksum.</summary>
    public static uint Write(
        Span<byte> target, uint previousChecksum, byte kind, long epoch, long sequence, long timestampNanos, ReadOnlySpan<byte> message)
    {
        Span<byte> record = target[..BytesFor(message.Length)];
        record[^8..].Clear();
        BinaryPrimitives.WriteInt32LittleEndian(record[MessageBytesOffset..], message.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record[PreviousOffset..], previousChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(record[KindOffset..], kind);
        BinaryPrimitives.WriteInt64LittleEndian(record[EpochOffset..], epoch);
        BinaryPrimitives.WriteInt64LittleEndian(record[SequenceOffset..], sequence);
        BinaryPrimitives.WriteInt64LittleEndian(record[TimestampOffset..], timestampNanos);
        message.CopyTo(record[HeaderBytes..]);
        uint checksum = MarginEngine.Journal.Checksum.OfStructure(record);
        BinaryPrimitives.WriteUInt32LittleEndian(record[ChecksumOffset..], checksum);
        return checksum;
    }

    public static uint StoredChecksum(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadUInt32LittleEndian(record[ChecksumOffset..]);
    public static int MessageBytes(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadInt32LittleEndian(record[MessageBytesOffset..]);
    public static uint PreviousChecksum(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadUInt32LittleEndian(record[PreviousOffset..]);
    public static byte Kind(ReadOnlySpan<byte> record) => record[KindOffset];
    public static long Epoch(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadInt64LittleEndian(record[EpochOffset..]);
    public static long Sequence(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadInt64LittleEndian(record[SequenceOffset..]);
    public static long TimestampNanos(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadInt64LittleEndian(record[TimestampOffset..]);

    /// <summary>
    /// Bytes of the record that starts at <paramref name="bytes"/>, or 0 where no record of the stated length fits in there.
    /// </summary>
    public static int BytesAt(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes)
            return 0;
        int messageBytes = MessageBytes(bytes);
        if (messageBytes < 0 || messageBytes > bytes.Length - HeaderBytes)
            return 0;
        int recordBytes = BytesFor(messageBytes);
        return recordBytes <= bytes.Length ? recordBytes : 0;
    }
}
