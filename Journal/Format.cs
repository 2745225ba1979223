namespace MarginEngine.Journal;

/// <summary>The fixed sizes of the format on disk, in bytes. All numbers on disk are little endian.</summary>
public static class Format
{
    /// <summary>Version of the layout in Segment.cs, Group.cs and Record.cs; another version is refused.</summary>
    public const int Version = 1;

    /// <summary>What a disk writes whole or not at all. A sector that a crash kept from the disk still reads as zeros.</summary>
    public const int SectorBytes = 512;

    /// <summary>Alignment of every write: a group never shares a block with an earlier one.</summary>
    public const int BlockBytes = 4096;

    /// <summary>Upper limit of one group commit, whatever the options say.</summary>
    public const int GroupLimitBytes = 16 << 20;

    /// <summary>Upper limit of one segment file.</summary>
    public const int SegmentLimitBytes = 1 << 30;

    internal static int RoundUpToBlock(int bytes) => (bytes + BlockBytes - 1) & ~(BlockBytes - 1);

    internal static bool IsZero(ReadOnlySpan<byte> bytes) => bytes.IndexOfAnyExcept((byte)0) < 0;

    /// <summary>How many whole sectors of <paramref name="blocks"/> hold only zeros.</summary>
    internal static int CountZeroSectors(ReadOnlySpan<byte> blocks)
    {
        int count = 0;
        for (int offset = 0; offset < blocks.Length; offset += SectorBytes)
        {
            if (IsZero(blocks.Slice(offset, SectorBytes)))
                count++;
        }
        return count;
    }
}
