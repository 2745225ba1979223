using System.Security.Cryptography;
using MarginEngine.Journal;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

/// <summary>
/// The machine stops at every step, by kill or by power cut, also in the middle of recovering from the last time. Whatever was
/// reported durable is there, a commit in flight is there whole or not at all, and nothing else is.
/// </summary>
[Parallelizable(ParallelScope.Self)]
public sealed class CrashTests
{
    const string Folder = "/journal";

    /// <summary>What a journal must hold: the messages acknowledged and those of a commit in flight.</summary>
    sealed class History
    {
        readonly List<byte[]> _messages = [];
        long _durable;
        long _inFlight;

        public long Last => _messages.Count;

        public History Clone()
        {
            var copy = new History { _durable = _durable, _inFlight = _inFlight };
            copy._messages.AddRange(_messages);
            return copy;
        }

        public byte[] Add(Random random)
        {
            byte[] message = new byte[random.Next(4) == 0 ? random.Next(6000) : random.Next(300)];
            if (random.Next(6) != 0)
                random.NextBytes(message);
            _messages.Add(message);
            return message;
        }

        public void RemoveLast() => _messages.RemoveAt(_messages.Count - 1);
        public void CommitBegins() => _inFlight = Last;
        public void CommitEnds() => _durable = Last;

        public void Reconcile(long found, string context)
        {
            Assert.That(found, Is.EqualTo(_durable).Or.EqualTo(_inFlight), $"last sequence after recovery; {context}");
            _messages.RemoveRange((int)found, _messages.Count - (int)found);
            _durable = _inFlight = found;
        }

        public void Check(IStorage storage, string context)
        {
            using var reader = JournalReader.Open(storage, Folder, TestJournals.Identity);
            long sequence = 0;
            while (reader.TryRead(out JournalRecord record))
            {
                sequence++;
                if (record.Sequence != sequence || sequence > Last || !record.Message.SequenceEqual(_messages[(int)sequence - 1]))
                    Assert.Fail($"record {record.Sequence} is not message {sequence} of {Last}; {context}");
            }
            Assert.That(sequence, Is.EqualTo(Last), $"records read; {context}");
        }
    }

    static JournalOptions Options(SyncMode mode) => TestJournals.SmallOptions(Folder) with { SyncMode = mode, SegmentBytes = 6 * 4096, BatchBytes = 3 * 4096 };

    /// <summary>Opens, appends, commits, prepares and closes until done or until the machine stops.</summary>
    static void Work(FaultyStorage storage, History history, Random random, SyncMode mode, int calls, string context)
    {
        using JournalWriter writer = JournalWriter.Open(Options(mode), TestJournals.Identity, storage);
        history.Reconcile(writer.LastSequence, context);
        for (int call = 0; call < calls; call++)
        {
            switch (random.Next(8))
            {
                case 0:
                    writer.PrepareNext();
                    break;
                case < 3:
                    Commit(writer, history);
                    break;
                default:
                    byte[] message = history.Add(random);
                    if (!writer.TryAppend(1, 1, history.Last, history.Last, message))
                    {
                        history.RemoveLast();
                        Commit(writer, history);
                    }
                    break;
            }
        }
        Commit(writer, history);
    }

    static void Commit(JournalWriter writer, History history)
    {
        history.CommitBegins();
        writer.Commit();
        history.CommitEnds();
    }

    static bool WorkUntilCrash(FaultyStorage storage, History history, Random random, SyncMode mode, int calls, string context)
    {
        try
        {
            Work(storage, history, random, mode, calls, context);
            return storage.HasStopped;
        }
        catch (IOException) when (storage.HasStopped)
        {
            return true;
        }
    }

    [Test]
    public void A_crash_at_every_step_keeps_exactly_the_acknowledged_history(
        [Values(SyncMode.DirectSync, SyncMode.FileSync)] SyncMode mode, [Values] bool after, [Values] bool powerCut)
    {
        for (int seed = 1; seed <= 3; seed++)
        {
            int crashes = 0;
            for (int step = 1; ; step++, crashes++)
            {
                string context = $"seed {seed}, {mode}, crash {(after ? "after" : "in")} step {step}, {(powerCut ? "power cut" : "kill")}";
                var storage = new FaultyStorage { CrashAt = step, CrashAfter = after, Chance = new Random(seed + step) };
                var history = new History();
                if (!WorkUntilCrash(storage, history, new Random(seed), mode, calls: 90, context))
                    break;
                context += $" ({storage.LastCall})";
                FaultyStorage found = powerCut ? storage.AfterPowerCut(new Random(seed * 1000 + step)) : storage.AfterKill();
                RecoverThroughCrashes(found, history, mode, seed, context, nested: (step + seed) % 4 == 0);
            }
            Assert.That(crashes, Is.GreaterThan(50), $"steps of seed {seed}");
        }
    }

    /// <summary>Recovers, where nested with a crash at every step of recovery, each time from the same disk, and at last without one.</summary>
    static void RecoverThroughCrashes(FaultyStorage found, History history, SyncMode mode, int seed, string context, bool nested)
    {
        for (int step = nested ? 1 : int.MaxValue; ; step++)
        {
            string inner = $"{context}, then in step {step} of recovery";
            FaultyStorage disk = found.AfterKill();
            disk.CrashAt = step;
            disk.CrashAfter = step % 2 == 0;
            History expected = history.Clone();
            bool crashed = WorkUntilCrash(disk, expected, new Random(seed), mode, calls: 2, inner);
            FaultyStorage next = crashed ? disk.AfterPowerCut(new Random(seed * 1000 + step)) : disk.Copy();
            Work(next, expected, new Random(seed + 1), mode, calls: 8, inner);
            expected.Check(next, inner);
            if (!crashed)
                return;
        }
    }

    [Test]
    public void Many_crashes_in_a_row_keep_exactly_the_acknowledged_history()
    {
        for (int seed = 1; seed <= 300; seed++)
        {
            var random = new Random(seed);
            SyncMode mode = random.Next(2) == 0 ? SyncMode.DirectSync : SyncMode.FileSync;
            var storage = new FaultyStorage { Chance = new Random(seed) };
            var history = new History();
            for (int life = 1; life <= 12; life++)
            {
                string context = $"seed {seed}, life {life}, {mode}";
                storage.CrashAt = storage.Steps + random.Next(1, 80);
                storage.CrashAfter = random.Next(2) == 0;
                if (WorkUntilCrash(storage, history, random, mode, calls: 50, context))
                    storage = random.Next(3) == 0 ? storage.AfterKill() : storage.AfterPowerCut(random);
            }
            storage.CrashAt = 0;
            Work(storage, history, random, mode, calls: 10, $"seed {seed}, last life");
            history.Check(storage, $"seed {seed}");
        }
    }

    [Test]
    public void Recovery_done_twice_leaves_the_same_bytes()
    {
        int torn = 0;
        for (int seed = 1; seed <= 800; seed++)
        {
            var random = new Random(seed);
            var storage = new FaultyStorage { CrashAt = random.Next(25, 90), Chance = random };
            var history = new History();
            _ = WorkUntilCrash(storage, history, random, SyncMode.DirectSync, calls: 80, $"seed {seed}");
            FaultyStorage disk = storage.AfterPowerCut(random);
            RecoveryReport first = Recovery.Recover(disk, Folder, TestJournals.Identity);
            string bytes = Fingerprint(disk);
            RecoveryReport second = Recovery.Recover(disk, Folder, TestJournals.Identity);
            torn += first.Tail.IsTorn ? 1 : 0;
            Assert.That(second.BytesCut, Is.Zero, $"seed {seed}");
            Assert.That((second.LastSequence, second.LastChecksum), Is.EqualTo((first.LastSequence, first.LastChecksum)), $"seed {seed}");
            Assert.That(Fingerprint(disk), Is.EqualTo(bytes), $"seed {seed}");
        }
        Assert.That(torn, Is.GreaterThan(15), "seeds with a torn tail");
    }

    static string Fingerprint(FaultyStorage disk) =>
        string.Join(", ", disk.Paths.Select(path => $"{path} {Convert.ToHexString(SHA256.HashData(disk.BytesOf(path)))}"));
}
