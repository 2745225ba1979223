using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace MarginEngine.Journal;

/// <summary>What a snapshot consists of: blocks of bytes, each in a numbered section, in their order.</summary>
public interface ISnapshotContent
{
    int Blocks { get; }

    /// <summary>The bytes of a block, at most <see cref="SnapshotFile.LargestBlock"/>, and the section they belong to.</summary>
    ReadOnlySpan<byte> Block(int number, out int section);
}

/// <summary>Takes the blocks of a snapshot that is read, in their order; the bytes are valid during the call.</summary>
public interface ISnapshotTarget
{
    void Take(int section, ReadOnlySpan<byte> block);
}

/// <summary>
/// One snapshot in one file: a header block (SnapshotHeader.cs), then the blocks.
/// <code>
///   block, zeros up to a multiple of 4096
///   0         4         8         12        16
///   +---------+---------+---------+---------+-----------...--+-------+
///   |checksum | bytes of| number  | section | content        | zeros |
///   |  u32    | content | i32     | i32     |                |       |
///   +---------+---------+---------+---------+-----------...--+-------+
/// </code>
/// It is written under another name, synced, renamed, and its name synced: a file with the name of a snapshot was complete once. Reading checks
/// every byte all the same.
/// </summary>
public static class SnapshotFile
{
    const int BlockHeaderBytes = 16;
    const int LargestOnDisk = 1 << 20;

    /// <summary>Most content bytes of a block.</summary>
    public const int LargestBlock = LargestOnDisk - BlockHeaderBytes;

    /// <summary>Writes and syncs the file. Length, number of blocks and checksums in the header are filled in here.</summary>
    internal static SnapshotHeader Write(IStorage storage, string path, in SnapshotHeader header, ISnapshotContent content)
    {
        IdentityFields.CheckTexts(header.Identity);
        long bytes = SnapshotHeader.Bytes;
        for (int number = 0; number < content.Blocks; number++)
            bytes += OnDisk(content.Block(number, out _).Length);
        using var buffer = new AlignedBuffer(LargestOnDisk);
        using IStorageFile file = storage.Create(path, bytes);
        uint[] checksums = new uint[content.Blocks];
        long offset = SnapshotHeader.Bytes;
        for (int number = 0; number < content.Blocks; number++)
        {
            ReadOnlySpan<byte> block = Encode(buffer.Span, content.Block(number, out int section), number, section);
            checksums[number] = BinaryPrimitives.ReadUInt32LittleEndian(block);
            file.Write(offset, block);
            offset += block.Length;
        }
        SnapshotHeader complete = header with { FileBytes = bytes, Blocks = content.Blocks, BlocksChecksum = OfAll(checksums) };
        complete.Write(buffer.Span);
        file.Write(0, buffer.Span[..SnapshotHeader.Bytes]);
        file.Sync();
        file.DropCache();
        return complete;
    }

    /// <summary>Reads and checks the header alone.</summary>
    /// <exception cref="SnapshotUnusableException">It is damaged or of another format.</exception>
    public static SnapshotHeader ReadHeader(IStorage storage, string path)
    {
        using IStorageFile file = storage.OpenToRead(path);
        return ReadHeader(file);
    }

    /// <summary>Reads and checks the whole file, and hands its blocks on.</summary>
    /// <param name="target">Null: only check.</param>
    /// <exception cref="SnapshotUnusableException">It is damaged, cut, or of another format.</exception>
    public static SnapshotHeader Read(IStorage storage, string path, ISnapshotTarget? target)
    {
        using IStorageFile file = storage.OpenToRead(path);
        SnapshotHeader header = ReadHeader(file);
        byte[] buffer = new byte[LargestOnDisk];
        uint[] checksums = new uint[header.Blocks];
        long offset = SnapshotHeader.Bytes;
        for (int number = 0; number < header.Blocks; number++)
        {
            int read = file.Read(offset, buffer);
            ReadOnlySpan<byte> block = Decode(buffer.AsSpan(0, read), number, out ReadOnlySpan<byte> content, out int section);
            checksums[number] = BinaryPrimitives.ReadUInt32LittleEndian(block);
            offset += block.Length;
            target?.Take(section, content);
        }
        if (offset != header.FileBytes || OfAll(checksums) != header.BlocksChecksum)
            throw new SnapshotUnusableException("its blocks are not those of its header");
        return header;
    }

    static SnapshotHeader ReadHeader(IStorageFile file)
    {
        byte[] first = new byte[SnapshotHeader.Bytes];
        if (file.Read(0, first) < first.Length)
            throw new SnapshotUnusableException("it is shorter than its header");
        SnapshotHeader header = SnapshotHeader.Read(first);
        if (file.Length != header.FileBytes)
            throw new SnapshotUnusableException($"it has {file.Length} bytes instead of {header.FileBytes}");
        return header;
    }

    static int OnDisk(int content) => Format.RoundUpToBlock(BlockHeaderBytes + content);

    static ReadOnlySpan<byte> Encode(Span<byte> buffer, ReadOnlySpan<byte> content, int number, int section)
    {
        if (content.Length > LargestBlock)
            throw new ArgumentException($"a block of a snapshot has at most {LargestBlock} bytes", nameof(content));
        Span<byte> block = buffer[..OnDisk(content.Length)];
        block.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(block[4..], content.Length);
        BinaryPrimitives.WriteInt32LittleEndian(block[8..], number);
        BinaryPrimitives.WriteInt32LittleEndian(block[12..], section);
        content.CopyTo(block[BlockHeaderBytes..]);
        BinaryPrimitives.WriteUInt32LittleEndian(block, Checksum.OfStructure(block));
        return block;
    }

    static ReadOnlySpan<byte> Decode(ReadOnlySpan<byte> bytes, int number, out ReadOnlySpan<byte> content, out int section)
    {
        int length = bytes.Length < BlockHeaderBytes ? -1 : BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        if (length < 0 || length > LargestBlock || OnDisk(length) > bytes.Length)
            throw new SnapshotUnusableException($"block {number} does not fit into it");
        ReadOnlySpan<byte> block = bytes[..OnDisk(length)];
        if (BinaryPrimitives.ReadUInt32LittleEndian(block) != Checksum.OfStructure(block))
            throw new SnapshotUnusableException($"the checksum of block {number} is wrong");
        if (BinaryPrimitives.ReadInt32LittleEndian(block[8..]) != number)
            throw new SnapshotUnusableException($"another block stands in the place of block {number}");
        section = BinaryPrimitives.ReadInt32LittleEndian(block[12..]);
        content = block.Slice(BlockHeaderBytes, length);
        return block;
    }

    static uint OfAll(uint[] checksums) => Checksum.Of(MemoryMarshal.AsBytes<uint>(checksums));
}
