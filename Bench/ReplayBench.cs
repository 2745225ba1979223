// How fast a journal is replayed, which is how long a restart takes; and what a snapshot costs instead. `replay [JOURNAL]`, `snapshot [ACCOUNTS]`.
using System.Diagnostics;
using System.Globalization;
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Snapshots;

namespace MarginEngine.Bench;

public static class ReplayBench
{
    private const int Messages = 1_000_000;
    private const long StepNanos = 1_000;
    private const long Start = 1_770_000_000_000_000_000; // 2026-02-02

    /// <summary>The verb <c>replay</c>: a journal that is given, or one made of messages that price nothing.</summary>
    public static int Command(string? journal, TextWriter output, TextWriter errors)
    {
        output.WriteLine($"{Environment.ProcessorCount} processors, {System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription}");
        if (journal is not null)
        {
            try
            {
                Replay(journal, output);
                return 0;
            }
            catch (Exception error) when (error is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                errors.WriteLine($"replay: {error.Message}");
                return 2;
            }
        }

        string made = Directory.CreateTempSubdirectory("margin-replay-").FullName;
        try
        {
            Make(made, Messages);
            Replay(made, output);
        }
        finally
        {
            Directory.Delete(made, recursive: true);
        }

        return 0;
    }

    /// <summary>Replays all records twice, the second time warm; returns messages a second of that.</summary>
    public static double Replay(string journal, TextWriter output)
    {
        double rate = 0.0;
        for (int run = 0; run < 2; run++)
        {
            using JournalReader reader = JournalReader.Open(new Storage(), journal, EngineIdentity.Current);
            MarginMachine? machine = null;
            Silent sink = new();
            long first = 0, records = 0, start = 0;
            TimeSpan processor = default;
            while (reader.TryRead(out JournalRecord record))
            {
                if (machine is null)
                {
                    machine = new MarginMachine(EngineIdentity.LimitsOf(reader.Identity) ?? throw new InvalidDataException($"{journal} does not say which capacities it was written under"));
                    first = record.TimestampNanos;
                    processor = Used();
                    start = Stopwatch.GetTimestamp();
                }

                machine.Epoch = (uint)record.Epoch;
                machine.Apply(record.Sequence, record.TimestampNanos, record.Message, sink);
                records++;
            }

            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            double used = (Used() - processor).TotalSeconds;
            double stamped = ((machine ?? throw new InvalidDataException($"{journal} holds no record")).LastTime - first) / 1e9;
            rate = records / seconds;
            ulong digest = machine.StateDigest();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{records} records in {seconds:F3} s: {rate:F0}/s ({records / used:F0} a second of processor time); {stamped:F1} s of stamped time: {stamped / seconds:F1} x real time; "
                + $"{machine.Evaluations} evaluations, {machine.Looks} looks, state 0x{digest:x16}"));
            machine.Dispose();
        }

        return rate;
    }

    // Others use the machine too: what this process had of it is the fairer measure.
    private static TimeSpan Used()
    {
        using Process self = Process.GetCurrentProcess();
        return self.TotalProcessorTime;
    }

    /// <summary>The verb <c>snapshot</c>: size of a state, and how long taking, writing and loading it need.</summary>
    public static int Snapshot(int accounts, TextWriter output)
    {
        Limits limits = new() { Accounts = accounts + 1, Units = accounts * 2, Positions = accounts * 4 };
        using MarginMachine machine = new(limits);
        Margins margins = new(accounts + 1);
        foreach (ReadOnlyMemory<byte> message in new ReplayScript().Opening(accounts))
        {
            margins.Begin(machine.LastSequence + 1, machine.LastTime + StepNanos);
            machine.Apply(machine.LastSequence + 1, machine.LastTime + StepNanos, message.Span, margins);
        }

        var image = new SnapshotImage();
        double[] takes = new double[6];
        SnapshotHeader header = default;
        for (int run = 0; run < takes.Length; run++)
        {
            long start = Stopwatch.GetTimestamp();
            header = image.Take(machine, margins.Kept);
            takes[run] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        string directory = Directory.CreateTempSubdirectory("margin-snapshot-").FullName;
        try
        {
            long start = Stopwatch.GetTimestamp();
            SnapshotHeader written = SnapshotFolder.Write(new Storage(), directory, header with { Identity = EngineIdentity.Of(limits) }, image, keep: 1);
            double writing = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            start = Stopwatch.GetTimestamp();
            var loaded = new SnapshotImage();
            _ = SnapshotFile.Read(new Storage(), SnapshotFolder.PathOf(directory, written.Sequence), loaded);
            using MarginMachine again = MarginMachine.Load(limits, loaded.State);
            bool equal = again.StateDigest() == written.StateDigest;
            double loading = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{machine.AccountCount} accounts, {machine.PositionCount} positions: state {image.State.Bytes} bytes, margins {image.Margins.Bytes}, file {written.FileBytes}; "
                + $"taken in {takes[0]:F2} ms at first, then {takes[1..].Min():F2}; written, synced, read back {writing:F0} ms; loaded {loading:F0} ms; equal {equal}"));
            return equal ? 0 : 1;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Accounts with books, then deposits, orders and cancellations.</summary>
    internal static void Make(string directory, int messages)
    {
        var script = new ReplayScript();
        Write(directory, new Limits(), StepNanos, [script.Opening(accounts: 100), script.Quiet(messages, accounts: 100)]);
    }

    /// <summary>The accounts and ticks of the path bench, each tick a millisecond after the other.</summary>
    internal static void MakeTicks(string directory, int accounts, int ticks)
    {
        var script = new PathScript(new PathMarket(null, Start), accounts, positions: 4);
        Write(directory, script.Capacities, 1_000_000 / PathMarket.Parts, [script.Opening(), Ticks(script, ticks)]);
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Ticks(PathScript script, int ticks)
    {
        for (int tick = 0; tick < ticks; tick++)
        {
            script.NextTick(dueTime: 0);
            for (int part = 0; part < PathMarket.Parts; part++)
                yield return script.Part(part).ToArray();
        }
    }

    private static void Write(string directory, Limits limits, long stepNanos, IEnumerable<IEnumerable<ReadOnlyMemory<byte>>> scripts)
    {
        JournalOptions options = new() { Directory = directory, ReserveBytes = 0, SyncMode = SyncMode.FileSync };
        using JournalWriter writer = JournalWriter.Open(options, EngineIdentity.Of(limits), new Storage());
        long sequence = 0;
        void Append(ReadOnlySpan<byte> message)
        {
            sequence++;
            while (!writer.TryAppend(Journaller.InputKind, 1, sequence, Start + (sequence * stepNanos), message))
            {
                writer.Commit();
                writer.PrepareNext();
            }
        }

        foreach (ReadOnlyMemory<byte> message in scripts.SelectMany(script => script))
            Append(message.Span);
        writer.Commit();
    }

    private sealed class Silent : IDecisionSink
    {
        public void OnDecision(ReadOnlySpan<byte> message)
        {
        }
    }

    private sealed class Margins(int accounts) : IDecisionSink
    {
        private long _sequence;
        private long _timestampNanos;

        public Conflater Kept { get; } = new(accounts);

        public void Begin(long sequence, long timestampNanos) => (_sequence, _timestampNanos) = (sequence, timestampNanos);

        public void OnDecision(ReadOnlySpan<byte> message)
        {
            if (MarginUpdateDecoder.TryWrap(message, out MarginUpdateDecoder update))
                Kept.Put(update.AccountId, _sequence, _timestampNanos, message);
        }
    }
}
