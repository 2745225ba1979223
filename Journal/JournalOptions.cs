namespace MarginEngine.Journal;

/// <summary>How a group commit reaches the disk.</summary>
public enum SyncMode
{
    /// <summary>O_DIRECT | O_DSYNC: one call writes and syncs, past the page cache.</summary>
    DirectSync,

    /// <summary>A buffered write followed by fdatasync.</summary>
    FileSync,

    /// <summary>No sync at all: a power cut loses acknowledged records. For benches only.</summary>
    NoneLosesDataOnPowerCut,
}

/// <summary>Where and how a journal is kept. <see cref="Check"/> names what is out of range.</summary>
public sealed record JournalOptions
{
    public required string Directory { get; init; }

    /// <summary>Length of a segment file, zero-filled before it is used; a multiple of 4096, at most 1 GiB.</summary>
    public int SegmentBytes { get; init; } = 64 << 20;

    /// <summary>Finished segments kept besides the current one; 0 keeps all.</summary>
    public int RetainSegments { get; init; }

    /// <summary>Free space to leave on the disk: with less, <see cref="JournalWriter.IsNearlyFull"/> asks the node to stop taking input.</summary>
    public long ReserveBytes { get; init; } = 256L << 20;

    /// <summary>Largest group commit, header and padding included; a multiple of 4096, at most 16 MiB and at most a segment less one block.</summary>
    public int BatchBytes { get; init; } = 1 << 20;

    public SyncMode SyncMode { get; init; } = SyncMode.DirectSync;

    /// <summary>
    /// After each commit its bytes are read back past the page cache and compared; a difference is a failed write, which is final. Finds what a disk
    /// corrupts, misdirects or loses while its writer still knows better, for one more read a commit.
    /// </summary>
    public bool VerifyReadBack { get; init; }

    /// <summary>Sequence of the first record of a new journal; a primary begins behind a snapshot only where this says so.</summary>
    public long FirstSequence { get; init; } = 1;

    public void Check()
    {
        if (string.IsNullOrEmpty(Directory))
            throw new ArgumentException("The journal needs a directory.", nameof(Directory));
        if (!SizesFit(SegmentBytes, BatchBytes))
            throw new ArgumentException(
                $"Journal sizes do not fit: SegmentBytes {SegmentBytes} and BatchBytes {BatchBytes} must be positive multiples of "
                + $"{Format.BlockBytes}, at most {Format.SegmentLimitBytes} and {Format.GroupLimitBytes}, and a segment must hold one batch and one block.");
        if (VerifyReadBack && SyncMode == SyncMode.NoneLosesDataOnPowerCut)
            throw new ArgumentException("VerifyReadBack needs a mode that syncs: what is not on the disk cannot be read back from it.");
        if (RetainSegments < 0 || ReserveBytes < 0 || FirstSequence < 1)
            throw new ArgumentException(
                $"Journal options out of range: RetainSegments {RetainSegments} and ReserveBytes {ReserveBytes} must not be negative, "
                + $"FirstSequence {FirstSequence} must be at least 1.");
    }

    internal static bool SizesFit(int segmentBytes, int groupBytes) =>
        segmentBytes % Format.BlockBytes == 0 && groupBytes % Format.BlockBytes == 0
        && groupBytes >= Format.BlockBytes && groupBytes <= Format.GroupLimitBytes
        && segmentBytes <= Format.SegmentLimitBytes && segmentBytes >= groupBytes + Format.BlockBytes;
}

/// <summary>Where a new journal begins that continues a history: behind a snapshot, with the chain of the journal it was taken from.</summary>
/// <param name="Sequence">Of its first record.</param>
/// <param name="Checksum">The chain before it.</param>
/// <param name="Epoch">Of the record before it.</param>
/// <param name="TimestampNanos">Of the record before it.</param>
public readonly record struct JournalStart(long Sequence, uint Checksum, long Epoch, long TimestampNanos);
