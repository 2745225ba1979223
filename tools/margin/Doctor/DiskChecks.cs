// The disk under a journal directory: file system, free space, direct I/O, and what one durable 4 KiB write costs, measured through the
// journal's own storage. Leaves nothing behind.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using MarginEngine.Journal;

namespace MarginEngine.Tool.Doctor;

internal static class DiskChecks
{
    private const int ProbeBlocks = 256;
    private const int FewestWrites = 20;
    private const long MeasureMillis = 300;
    private const long WantedFreeBytes = 10L << 30;

    /// <summary>Direct writes have no page cache between a commit and the disk: the other mode has to be clearly faster to be worth that.</summary>
    private const double ClearlyFaster = 0.8;

    /// <summary>The subject under which <see cref="All"/> names the value for <c>journal.syncMode</c>.</summary>
    public const string SyncModeKey = "journal.syncMode";

    /// <exception cref="IOException">The directory cannot be written.</exception>
    public static IEnumerable<Finding> All(string directory)
    {
        string full = Path.GetFullPath(directory);
        Storage storage = new();
        string kind = FileSystemOf(full);
        yield return Finding.Judge("file system", $"{kind} ({full})", kind is "ext4" or "xfs",
            kind is "tmpfs" or "ramfs" ? "this is memory: a journal here does not survive a power cut" : "ext4 and XFS are what the journal is measured on");
        long free = storage.FreeBytes(full);
        yield return Finding.Judge("free space", $"{free >> 20} MiB", free >= WantedFreeBytes, "the node stops taking input before the disk is full");
        SyncMode mode = storage.Supported(full, SyncMode.DirectSync);
        yield return Finding.Judge("direct I/O", mode == SyncMode.DirectSync ? "yes" : "no", mode == SyncMode.DirectSync,
            "without O_DIRECT each group commit is a write and an fdatasync");
        List<double> fileSync = MeasureIn(storage, full, SyncMode.FileSync);
        List<double> micros = mode == SyncMode.DirectSync ? MeasureIn(storage, full, mode) : fileSync;
        SyncMode faster = mode == SyncMode.DirectSync && Median(fileSync) < Median(micros) * ClearlyFaster ? SyncMode.FileSync : mode;
        yield return new Finding(SyncModeKey, faster.ToString());
        yield return Latency($"durable write of 4 KiB, {mode}", micros);
        if (mode == SyncMode.DirectSync) yield return Latency($"durable write of 4 KiB, {SyncMode.FileSync}", fileSync);
    }

    private static double Median(List<double> micros) => micros[micros.Count / 2];

    private static Finding Latency(string subject, List<double> micros)
    {
        double median = Median(micros), p99 = micros[micros.Count * 99 / 100];
        string value = string.Create(CultureInfo.InvariantCulture, $"p50 {median:F0} us, p99 {p99:F0} us, max {micros[^1]:F0} us ({micros.Count} writes)");
        return Finding.Judge(subject, value, median < 2_000, "margins leave after this: use a local NVMe disk with power-loss protection");
    }

    private static List<double> MeasureIn(Storage storage, string directory, SyncMode mode)
    {
        string path = Path.Combine(directory, $"margin-doctor-{Environment.ProcessId}.probe");
        try
        {
            return Measure(storage, path, mode);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static List<double> Measure(Storage storage, string path, SyncMode mode)
    {
        Span<byte> block = AlignedBlock();
        block.Fill(0x5a);
        using (IStorageFile zeros = storage.Create(path, (long)ProbeBlocks * Format.BlockBytes))
        {
            // Filled first, as the journal does: the measured writes then change no metadata.
            for (int index = 0; index < ProbeBlocks; index++) zeros.Write((long)index * Format.BlockBytes, block);
            zeros.Sync();
        }

        List<double> micros = [];
        using IStorageFile file = storage.OpenToWrite(path, mode);
        long begin = Stopwatch.GetTimestamp();
        for (int index = 0; index < ProbeBlocks; index++)
        {
            if (index >= FewestWrites && Stopwatch.GetElapsedTime(begin).TotalMilliseconds > MeasureMillis) break;
            long start = Stopwatch.GetTimestamp();
            file.Write((long)index * Format.BlockBytes, block);
            if (mode != SyncMode.DirectSync) file.Sync();
            micros.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }

        micros.Sort();
        return micros;
    }

    // Direct writes need memory at a block boundary.
    private static Span<byte> AlignedBlock()
    {
        byte[] memory = GC.AllocateArray<byte>(2 * Format.BlockBytes, pinned: true);
        nint past = Marshal.UnsafeAddrOfPinnedArrayElement(memory, 0) % Format.BlockBytes;
        return memory.AsSpan((int)((Format.BlockBytes - past) % Format.BlockBytes), Format.BlockBytes);
    }

    /// <summary>Type of the mount with the longest path that holds the directory; "unknown" where there is no mount table.</summary>
    internal static string FileSystemOf(string directory)
    {
        const string table = "/proc/self/mounts";
        if (!File.Exists(table)) return "unknown";
        string kind = "unknown";
        int longest = -1;
        foreach (string line in File.ReadLines(table))
        {
            string[] fields = line.Split(' ');
            if (fields.Length < 3) continue;
            // Blanks stand as \040 in the table.
            string mount = fields[1].Replace(@"\040", " ", StringComparison.Ordinal);
            bool holds = mount == "/" || directory == mount || directory.StartsWith(mount + "/", StringComparison.Ordinal);
            if (!holds || mount.Length < longest) continue;
            longest = mount.Length;
            kind = fields[2];
        }

        return kind;
    }
}
