using System.Buffers.Binary;

namespace MarginEngine.Journal;

/// <summary>
/// The first block of a snapshot file: what it holds and where in which history it was taken.
/// <code>
///   0         4         8         16        24        32        40        48        52        56        64       72     76     80
///   +---------+---------+---------+---------+---------+---------+---------+---------+---------+---------+--------+------+------+
///   |checksum | version | magic   | sequence| epoch   | time    | state   | chain   | schema  | arith-  | bytes  |blocks|check-|
///   |  u32    |  i32    | "MESNA- | i64     | i64     | i64     | digest  | after it| id and  | metic   | of the | i32  |sum of|
///   |         |         |  PSH"   |         |         |  ns     | u64     | u32     | version | u64     | file   |      |blocks|
///   +---------+---------+---------+---------+---------+---------+---------+---------+---------+---------+--------+------+------+
///   80 build, 136 runtime, 176 processor, 256 configuration, as in a segment (IdentityFields.cs)
///   512 layout of the content, i32; 516 to 4096 zeros
/// </code>
/// "Chain after it" is the checksum of the journal's record with that sequence: a snapshot belongs to a journal whose chain is the same there.
/// "Checksum of blocks" is the CRC32C of the blocks' own checksums in their order.
/// </summary>
public readonly record struct SnapshotHeader
{
    internal const int Bytes = Format.BlockBytes;
    internal const int FormatVersion = 1;
    const ulong Magic = 0x4853_5041_4E53_454D; // "MESNAPSH"
    const int LayoutOffset = 512;

    /// <summary>Sequence of the newest input in the state.</summary>
    public long Sequence { get; init; }

    public long Epoch { get; init; }

    /// <summary>Stamp of that input.</summary>
    public long TimestampNanos { get; init; }

    /// <summary>The journal's chain after that input.</summary>
    public uint Chain { get; init; }

    public ulong StateDigest { get; init; }

    /// <summary>Version of what the blocks hold: another one cannot be read.</summary>
    public int Layout { get; init; }

    /// <summary>Who took it.</summary>
    public JournalIdentity Identity { get; init; }

    public long FileBytes { get; init; }

    public int Blocks { get; init; }

    internal uint BlocksChecksum { get; init; }

    internal void Write(Span<byte> target)
    {
        Span<byte> header = target[..Bytes];
        header.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], FormatVersion);
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], Magic);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], Epoch);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], TimestampNanos);
        BinaryPrimitives.WriteUInt64LittleEndian(header[40..], StateDigest);
        BinaryPrimitives.WriteUInt32LittleEndian(header[48..], Chain);
        IdentityFields.Write(header, Identity);
        BinaryPrimitives.WriteInt64LittleEndian(header[64..], FileBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header[72..], Blocks);
        BinaryPrimitives.WriteUInt32LittleEndian(header[76..], BlocksChecksum);
        BinaryPrimitives.WriteInt32LittleEndian(header[LayoutOffset..], Layout);
        BinaryPrimitives.WriteUInt32LittleEndian(header, Checksum.OfStructure(header));
    }

    /// <exception cref="SnapshotUnusableException">It is none, is damaged, or of another format.</exception>
    internal static SnapshotHeader Read(ReadOnlySpan<byte> header)
    {
        if (Format.IsZero(header))
            throw new SnapshotUnusableException("it was never written to its end");
        if (BinaryPrimitives.ReadUInt64LittleEndian(header[8..]) != Magic)
            throw new SnapshotUnusableException("it does not begin as a snapshot");
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != Checksum.OfStructure(header))
            throw new SnapshotUnusableException("the checksum of its header is wrong");
        int version = BinaryPrimitives.ReadInt32LittleEndian(header[4..]);
        if (version != FormatVersion)
            throw new SnapshotUnusableException($"it has snapshot format {version}, this program reads format {FormatVersion}");
        return new SnapshotHeader
        {
            Sequence = BinaryPrimitives.ReadInt64LittleEndian(header[16..]),
            Epoch = BinaryPrimitives.ReadInt64LittleEndian(header[24..]),
            TimestampNanos = BinaryPrimitives.ReadInt64LittleEndian(header[32..]),
            StateDigest = BinaryPrimitives.ReadUInt64LittleEndian(header[40..]),
            Chain = BinaryPrimitives.ReadUInt32LittleEndian(header[48..]),
            Identity = IdentityFields.Read(header),
            FileBytes = BinaryPrimitives.ReadInt64LittleEndian(header[64..]),
            Blocks = BinaryPrimitives.ReadInt32LittleEndian(header[72..]),
            BlocksChecksum = BinaryPrimitives.ReadUInt32LittleEndian(header[76..]),
            Layout = BinaryPrimitives.ReadInt32LittleEndian(header[LayoutOffset..]),
        };
    }
}

/// <summary>A snapshot file cannot be used; the message says why and fits behind "snapshot N is passed over: ".</summary>
public sealed class SnapshotUnusableException(string message) : IOException(message);
