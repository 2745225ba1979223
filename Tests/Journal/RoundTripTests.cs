using MarginEngine.Journal;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

/// <summary>What goes in comes out, on the real disk.</summary>
public sealed class RoundTripTests
{
    string _directory = "";

    [SetUp]
    public void CreateDirectory() => _directory = Directory.CreateTempSubdirectory("journal-test-").FullName;

    [TearDown]
    public void DeleteDirectory() => Directory.Delete(_directory, recursive: true);

    [TestCase(SyncMode.DirectSync)]
    [TestCase(SyncMode.FileSync)]
    [TestCase(SyncMode.NoneLosesDataOnPowerCut)]
    public void What_was_committed_is_read_back_after_reopening(SyncMode mode)
    {
        var storage = new Storage();
        JournalOptions options = TestJournals.SmallOptions(_directory) with { SyncMode = mode };
        for (int round = 0; round < 4; round++)
        {
            using var writer = JournalWriter.Open(options, TestJournals.Identity, storage);
            Assert.That(writer.LastSequence, Is.EqualTo(round * 40));
            Assert.That(writer.DurableSequence, Is.EqualTo(round * 40));
            TestJournals.Append(writer, seed: 1, first: round * 40 + 1, last: round * 40 + 40, perCommit: 3);
            Assert.That(writer.DurableSequence, Is.EqualTo(round * 40 + 40));
        }
        Assert.That(TestJournals.ReadAndCheck(storage, _directory, seed: 1), Is.EqualTo(160));
        RecoveryReport report = Recovery.Examine(storage, _directory, TestJournals.Identity);
        Assert.That((report.LastSequence, report.Records, report.IsSealed, report.BytesCut), Is.EqualTo((160L, 160L, true, 0L)));
    }

    [Test]
    public void Any_messages_in_any_batches_come_back([Range(1, 12)] int seed)
    {
        var random = new Random(seed);
        var storage = new Storage();
        int batchBlocks = random.Next(1, 40);
        JournalOptions options = new()
        {
            Directory = _directory, BatchBytes = batchBlocks * 4096, SegmentBytes = (batchBlocks + random.Next(1, 60)) * 4096, ReserveBytes = 0,
            SyncMode = (SyncMode)random.Next(3),
        };
        var written = new List<(byte Kind, long Epoch, long Timestamp, byte[] Message)>();
        long epoch = 0;
        for (int opening = random.Next(1, 4); opening > 0; opening--)
        {
            using var writer = JournalWriter.Open(options, TestJournals.Identity, storage);
            for (int record = random.Next(150); record > 0; record--)
            {
                epoch += random.Next(10) == 0 ? random.Next(1, 1000) : 0;
                byte[] message = new byte[random.Next(20) == 0 ? random.Next(writer.LargestMessageBytes + 1) : random.Next(Math.Min(600, writer.LargestMessageBytes))];
                random.NextBytes(message);
                var entry = ((byte)random.Next(256), epoch, random.NextInt64(), message);
                while (!writer.TryAppend(entry.Item1, epoch, written.Count + 1, entry.Item3, message))
                    writer.Commit();
                written.Add(entry);
                if (random.Next(8) == 0)
                    writer.Commit();
                if (random.Next(12) == 0)
                    writer.PrepareNext();
            }
            writer.Commit();
        }
        using var reader = JournalReader.Open(storage, _directory, TestJournals.Identity);
        int read = 0;
        while (reader.TryRead(out JournalRecord record))
        {
            (byte kind, long recordEpoch, long timestamp, byte[] message) = written[read++];
            Assert.That((record.Kind, record.Epoch, record.Sequence, record.TimestampNanos), Is.EqualTo((kind, recordEpoch, (long)read, timestamp)), $"seed {seed}");
            Assert.That(record.Message.SequenceEqual(message), Is.True, $"message {read}, seed {seed}");
        }
        Assert.That(read, Is.EqualTo(written.Count), $"seed {seed}");
    }

    [Test]
    public void Two_writers_of_one_journal_are_one_too_many()
    {
        var storage = new Storage();
        JournalOptions options = TestJournals.SmallOptions(_directory);
        using (JournalWriter.Open(options, TestJournals.Identity, storage))
            Assert.That(() => JournalWriter.Open(options, TestJournals.Identity, new Storage()), Throws.TypeOf<JournalLockedException>());
        JournalWriter.Open(options, TestJournals.Identity, storage).Dispose();
    }

    [Test]
    public void A_journal_directory_is_made_with_its_parents()
    {
        string nested = Path.Combine(_directory, "a", "b");
        JournalWriter.Open(TestJournals.SmallOptions(nested), TestJournals.Identity, new Storage()).Dispose();
        Assert.That(Directory.GetFiles(nested), Has.Length.EqualTo(2), "a segment and the lock");
    }

    [Test]
    public void A_memory_file_system_works_and_the_report_says_how()
    {
        const string MemoryFileSystem = "/dev/shm";
        if (!Directory.Exists(MemoryFileSystem))
            Assert.Ignore($"there is no {MemoryFileSystem} here");
        string directory = Path.Combine(MemoryFileSystem, Path.GetFileName(_directory));
        try
        {
            var storage = new Storage();
            using (var writer = JournalWriter.Open(TestJournals.SmallOptions(directory), TestJournals.Identity, storage))
            {
                TestJournals.Append(writer, seed: 1, 1, 30, perCommit: 3);
                Assert.That(writer.Recovered.SyncNote, writer.Recovered.SyncMode == SyncMode.DirectSync ? Is.Empty : Does.Contain("refuses"));
                TestContext.Out.WriteLine($"{MemoryFileSystem}: {writer.Recovered.SyncMode} {writer.Recovered.SyncNote}");
            }
            Assert.That(TestJournals.ReadAndCheck(storage, directory, seed: 1), Is.EqualTo(30));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Test]
    public void A_missing_directory_is_an_error_not_an_empty_journal()
    {
        string missing = Path.Combine(_directory, "missing");
        Assert.That(() => Recovery.Examine(new Storage(), missing), Throws.TypeOf<StorageException>().With.Message.Contains(missing));
        Assert.That(() => JournalReader.Open(new Storage(), missing), Throws.TypeOf<StorageException>().With.Message.Contains(missing));
    }

    [Test]
    public void Free_space_is_that_of_the_disk_that_holds_the_directory()
    {
        var storage = new Storage();
        if (!Directory.Exists("/dev/shm") || new DriveInfo("/dev/shm").AvailableFreeSpace == new DriveInfo("/").AvailableFreeSpace)
            Assert.Ignore("there are no two file systems to tell apart");
        string directory = Directory.CreateDirectory(Path.Combine("/dev/shm", Path.GetFileName(_directory))).FullName;
        try
        {
            Assert.That(storage.FreeBytes(directory), Is.EqualTo(storage.FreeBytes("/dev/shm")).Within(10).Percent);
            Assert.That(storage.FreeBytes(directory), Is.Not.EqualTo(storage.FreeBytes("/")).Within(1).Percent);
        }
        finally
        {
            Directory.Delete(directory);
        }
    }

    [Test]
    public void What_is_not_a_journal_directory_is_named()
    {
        string file = Path.Combine(_directory, "file");
        File.WriteAllText(file, "");
        Assert.That(() => JournalWriter.Open(TestJournals.SmallOptions(file), TestJournals.Identity, new Storage()),
            Throws.InstanceOf<IOException>().With.Message.Contains(file));
    }

    [TestCase(SyncMode.DirectSync, true)]
    [TestCase(SyncMode.DirectSync, false)]
    [TestCase(SyncMode.FileSync, true)]
    [TestCase(SyncMode.FileSync, false)]
    [CancelAfter(60_000)]
    public void A_reader_beside_a_live_writer_sees_every_record_once(SyncMode mode, bool limited, CancellationToken late)
    {
        const int Records = 900;
        var storage = new Storage();
        JournalOptions options = TestJournals.SmallOptions(_directory) with { SyncMode = mode, SegmentBytes = 64 * 4096, BatchBytes = 8 * 4096 };
        using var writer = JournalWriter.Open(options, TestJournals.Identity, storage);
        Task writing = Task.Run(() => TestJournals.Append(writer, seed: 9, 1, Records, perCommit: 7), CancellationToken.None);
        using var reader = JournalReader.Open(storage, _directory, TestJournals.Identity, follow: true);
        long read = 0;
        while (read < Records && !writing.IsFaulted && !late.IsCancellationRequested)
        {
            long durable = writer.DurableSequence;
            if (limited)
                reader.Limit = durable;
            if (!reader.TryRead(out JournalRecord record))
            {
                if (limited)
                    Assert.That(read, Is.EqualTo(durable), "what is durable can be read");
                Thread.Yield();
                continue;
            }
            Assert.That(record.Sequence, Is.EqualTo(++read));
            Assert.That(record.Message.SequenceEqual(TestJournals.Message(9, read)), Is.True, $"message {read}");
        }
        writing.GetAwaiter().GetResult();
        Assert.That(read, Is.EqualTo(Records));
    }

    [TestCase(SyncMode.DirectSync)]
    [TestCase(SyncMode.FileSync)]
    [CancelAfter(60_000)]
    public void Segments_are_prepared_and_deleted_beside_the_writer(SyncMode mode, CancellationToken late)
    {
        const int Records = 400;
        var storage = new Storage();
        JournalOptions options = TestJournals.SmallOptions(_directory) with { SyncMode = mode, RetainSegments = 2, SegmentBytes = 24 * 4096 };
        using (var writer = JournalWriter.Open(options, TestJournals.Identity, storage))
        {
            Task writing = Task.Run(() => TestJournals.Append(writer, seed: 9, 1, Records, perCommit: 3), CancellationToken.None);
            while (!writing.IsCompleted && !late.IsCancellationRequested)
            {
                writer.PrepareNext();
                Thread.Yield();
            }
            writing.GetAwaiter().GetResult();
        }
        long first = Recovery.Examine(storage, _directory).FirstSequence;
        Assert.That(first, Is.GreaterThan(1), "old segments were deleted");
        Assert.That(TestJournals.ReadAndCheck(storage, _directory, seed: 9, first), Is.EqualTo(Records));
    }
}
