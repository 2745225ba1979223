using System.Buffers.Binary;

namespace MarginEngine.Journal;

/// <summary>
/// The epochs in which this machine was the primary, in one block beside the journal. When a standby holds records of an older epoch that a
/// primary lacks, this tells which of the two is behind: if the epoch was this machine's own, the standby has what was lost here.
/// <code>
///   0         4         8         12        16
///   +---------+---------+---------+---------+--...--+-------+
///   |checksum | "MELE"  | count   | zero    |epoch  | zeros |
///   |  u32    |         |  u32    |         | u32.. |       |
///   +---------+---------+---------+---------+--...--+-------+
/// </code>
/// The newest <see cref="Capacity"/> epochs are kept. A block that cannot be read stands for every epoch: then nothing is cut on its word.
/// </summary>
public sealed class LedEpochs
{
    /// <summary>Epochs that are remembered.</summary>
    public const int Capacity = (Format.BlockBytes - HeaderBytes) / sizeof(uint);

    private const string FileName = "led.epochs";
    private const int HeaderBytes = 16;
    private const uint Magic = 0x454C_454D; // "MELE"
    private readonly List<uint> _epochs;
    private readonly bool _isUnreadable;

    private LedEpochs(List<uint> epochs, bool isUnreadable) => (_epochs, _isUnreadable) = (epochs, isUnreadable);

    /// <summary>No epoch at all.</summary>
    public static LedEpochs None { get; } = new([], isUnreadable: false);

    public bool Contains(long epoch) => _isUnreadable || _epochs.Contains((uint)epoch);

    /// <summary>Reads what stands beside a journal; nothing where there is no such file.</summary>
    public static LedEpochs Read(IStorage storage, string directory)
    {
        if (Array.IndexOf(storage.List(directory), FileName) < 0)
            return None;
        using IStorageFile file = storage.OpenToRead(Path.Combine(directory, FileName));
        byte[] block = new byte[Format.BlockBytes];
        bool isWhole = file.Read(0, block) == block.Length
            && BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(4)) == Magic
            && BinaryPrimitives.ReadUInt32LittleEndian(block) == Checksum.OfStructure(block)
            && BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(8)) <= Capacity;
        if (!isWhole)
            return new LedEpochs([], isUnreadable: true);
        List<uint> epochs = [];
        for (int index = 0; index < BinaryPrimitives.ReadInt32LittleEndian(block.AsSpan(8)); index++)
            epochs.Add(BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(HeaderBytes + (index * sizeof(uint)))));
        return new LedEpochs(epochs, isUnreadable: false);
    }

    /// <summary>Adds an epoch; durable when this returns. Repeating it changes nothing.</summary>
    /// <exception cref="StorageException">The disk refused.</exception>
    public static LedEpochs Add(IStorage storage, string directory, uint epoch)
    {
        LedEpochs led = Read(storage, directory);
        if (led.Contains(epoch))
            return led;
        List<uint> epochs = [.. led._epochs.TakeLast(Capacity - 1), epoch];
        Write(storage, directory, epochs);
        return new LedEpochs(epochs, isUnreadable: false);
    }

    private static void Write(IStorage storage, string directory, List<uint> epochs)
    {
        using var buffer = new AlignedBuffer(Format.BlockBytes);
        Span<byte> block = buffer.Span;
        BinaryPrimitives.WriteUInt32LittleEndian(block[4..], Magic);
        BinaryPrimitives.WriteInt32LittleEndian(block[8..], epochs.Count);
        for (int index = 0; index < epochs.Count; index++)
            BinaryPrimitives.WriteUInt32LittleEndian(block[(HeaderBytes + (index * sizeof(uint)))..], epochs[index]);
        BinaryPrimitives.WriteUInt32LittleEndian(block, Checksum.OfStructure(block));
        string preparing = Path.Combine(directory, FileName + ".new");
        if (Array.IndexOf(storage.List(directory), FileName + ".new") >= 0) // a crash left it
            storage.Delete(preparing);
        using (IStorageFile file = storage.Create(preparing, Format.BlockBytes))
        {
            file.Write(0, block);
            file.Sync();
        }

        storage.Rename(preparing, Path.Combine(directory, FileName));
        storage.SyncDirectory(directory);
    }
}
