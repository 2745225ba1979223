using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using MarginEngine.Journal;

namespace MarginEngine.Bench;

/// <summary>
/// Device against log, in turns in one run: raw aligned writes of the size that a group commit has, then the group commits
/// themselves. Where the log loses much to the device, the loss is in the journal's code. Called by the bench program and, with
/// few commits, by the tests.
/// </summary>
public static class JournalBench
{
    /// <param name="Directory">A folder on the disk to measure; a folder of its own is made there and deleted.</param>
    /// <param name="Commits">Commits (and raw writes) for each mode and size.</param>
    /// <param name="SegmentBytes">Length of a segment.</param>
    public sealed record Settings(string Directory, int Commits = 2000, int SegmentBytes = 64 << 20)
    {
        public int MessageBytes { get; init; } = 200;

        /// <summary>Each commit is read back and compared.</summary>
        public bool VerifyReadBack { get; init; }

        public IReadOnlyList<int> MessagesPerCommit { get; init; } = [1, 100, 1000, 4200];
        public IReadOnlyList<SyncMode> Modes { get; init; } = [SyncMode.DirectSync, SyncMode.FileSync];
    }

    /// <summary>One line of the table: latencies in nanoseconds, rates in messages and bytes a second.</summary>
    public sealed record Line(SyncMode Mode, int MessagesPerCommit, int GroupBytes, Latencies Device, Latencies Log, long ColdRollOvers, long AllocatedBytes)
    {
        public double MessagesPerSecond => MessagesPerCommit * Log.PerSecond;
        /// <summary>Bytes a second of the log over those of the device: 1 is a log that costs nothing.</summary>
        public double ThroughputRatio => Log.PerSecond / Device.PerSecond;
    }

    public sealed record Latencies(long P50, long P90, long P99, long Max, double PerSecond)
    {
        internal static Latencies Of(long[] ticks, int count)
        {
            long total = 0;
            for (int index = 0; index < count; index++)
                total += ticks[index];
            Array.Sort(ticks, 0, count);
            long At(double share) => (long)(ticks[Math.Min(count - 1, (int)(count * share))] * (1e9 / Stopwatch.Frequency));
            return new Latencies(At(0.5), At(0.9), At(0.99), At(1.0), count / ((double)total / Stopwatch.Frequency));
        }
    }

    public static IReadOnlyList<Line> Run(Settings settings, TextWriter output)
    {
        var storage = new Storage();
        string directory = Path.Combine(settings.Directory, $"journal-bench-{Environment.ProcessId}");
        var lines = new List<Line>();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"journal: {settings.MessageBytes}-byte messages, {settings.Commits} commits a line, {settings.SegmentBytes >> 20} MiB segments{(settings.VerifyReadBack ? ", read back" : "")}, in {Path.GetFullPath(settings.Directory)}"));
        output.WriteLine($"{Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}");
        output.WriteLine("mode        msgs/commit  bytes   device p50   p99     max us |  log p50     p99     max us |   messages/s    MB/s  of device  cold  allocated");
        foreach (SyncMode mode in settings.Modes)
        {
            foreach (int messages in settings.MessagesPerCommit)
            {
                try
                {
                    Line line = Measure(settings, storage, directory, mode, messages);
                    lines.Add(line);
                    output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                        $"{line.Mode,-10} {messages,12} {line.GroupBytes,6} {line.Device.P50 / 1e3,12:F0} {line.Device.P99 / 1e3,6:F0} ")
                        + string.Create(CultureInfo.InvariantCulture,
                        $"{line.Device.Max / 1e3,9:F0} | {line.Log.P50 / 1e3,8:F0} {line.Log.P99 / 1e3,7:F0} {line.Log.Max / 1e3,9:F0} | ")
                        + string.Create(CultureInfo.InvariantCulture,
                        $"{line.MessagesPerSecond,12:F0} {line.Log.PerSecond * line.GroupBytes / 1e6,7:F0} {line.ThroughputRatio,9:P0} {line.ColdRollOvers,5} {line.AllocatedBytes,10}"));
                }
                finally
                {
                    if (Directory.Exists(directory))
                        Directory.Delete(directory, recursive: true);
                }
            }
        }
        output.WriteLine($"collections: {GC.CollectionCount(0)} {GC.CollectionCount(1)} {GC.CollectionCount(2)}");
        return lines;
    }

    static Line Measure(Settings settings, Storage storage, string directory, SyncMode mode, int messagesPerCommit)
    {
        JournalOptions options = new() { Directory = directory, SegmentBytes = settings.SegmentBytes, SyncMode = mode, RetainSegments = 2, ReserveBytes = 0, VerifyReadBack = settings.VerifyReadBack };
        using var writer = JournalWriter.Open(options, new JournalIdentity(1, 1, 1, "bench", "", "", ""), storage);
        int groupBytes = (64 + messagesPerCommit * ((40 + settings.MessageBytes + 7) & ~7) + 4095) & ~4095;
        using RawFile raw = RawFile.Create(storage, directory, settings.SegmentBytes, groupBytes, writer.Recovered.SyncMode);
        byte[] message = new byte[settings.MessageBytes];
        new Random(1).NextBytes(message);
        long[] device = new long[settings.Commits];
        long[] log = new long[settings.Commits];

        using var stop = new CancellationTokenSource();
        var preparer = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                writer.PrepareNext();
                stop.Token.WaitHandle.WaitOne(1);
            }
        }) { IsBackground = true };
        preparer.Start();
        long allocated = 0;
        const int Turn = 50; // device and log take turns, so that a drifting disk hits both
        for (int from = 0; from < settings.Commits; from += Turn)
        {
            int to = Math.Min(from + Turn, settings.Commits);
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int index = from; index < to; index++)
                device[index] = raw.Write();
            for (int index = from; index < to; index++)
                log[index] = Commit(writer, message, messagesPerCommit);
            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
        }
        stop.Cancel();
        preparer.Join();
        return new Line(writer.Recovered.SyncMode, messagesPerCommit, groupBytes,
            Latencies.Of(device, settings.Commits), Latencies.Of(log, settings.Commits), writer.ColdRollOvers, allocated);
    }

    /// <summary>Appends the messages of one commit and commits them: the ticks of both together.</summary>
    static long Commit(JournalWriter writer, byte[] message, int messages)
    {
        long start = Stopwatch.GetTimestamp();
        for (int count = 0; count < messages; count++)
        {
            long sequence = writer.LastSequence + 1;
            while (!writer.TryAppend(1, 1, sequence, sequence, message))
                writer.Commit();
        }
        writer.Commit();
        return Stopwatch.GetTimestamp() - start;
    }

    /// <summary>A zero-filled file that is overwritten from its start to its end again and again.</summary>
    sealed unsafe class RawFile : IDisposable
    {
        readonly IStorageFile _file;
        readonly void* _memory;
        readonly int _bytes;
        readonly long _fileBytes;
        readonly bool _syncs;
        long _position;

        RawFile(IStorageFile file, int bytes, long fileBytes, bool syncs)
        {
            _file = file;
            _bytes = bytes;
            _fileBytes = fileBytes;
            _syncs = syncs;
            _memory = NativeMemory.AlignedAlloc((nuint)bytes, 4096);
            new Span<byte>(_memory, bytes).Fill(0xA5);
        }

        public static RawFile Create(Storage storage, string directory, int fileBytes, int bytes, SyncMode mode)
        {
            string path = Path.Combine(directory, "raw");
            using (IStorageFile file = storage.Create(path, fileBytes))
            {
                byte[] zeros = new byte[1 << 20];
                for (long offset = 0; offset < fileBytes; offset += zeros.Length)
                    file.Write(offset, zeros.AsSpan(0, (int)Math.Min(zeros.Length, fileBytes - offset)));
                file.Sync();
            }
            return new RawFile(storage.OpenToWrite(path, mode), bytes, fileBytes, mode == SyncMode.FileSync);
        }

        /// <summary>One write, made durable: its ticks.</summary>
        public long Write()
        {
            if (_position + _bytes > _fileBytes)
                _position = 0;
            long start = Stopwatch.GetTimestamp();
            _file.Write(_position, new ReadOnlySpan<byte>(_memory, _bytes));
            if (_syncs)
                _file.Sync();
            long ticks = Stopwatch.GetTimestamp() - start;
            _position += _bytes;
            return ticks;
        }

        public void Dispose()
        {
            _file.Dispose();
            NativeMemory.AlignedFree(_memory);
        }
    }
}
