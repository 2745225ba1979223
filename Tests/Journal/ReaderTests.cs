using MarginEngine.Journal;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

/// <summary>Seeking, stopping and following.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class ReaderTests
{
    const string Folder = "/journal";

    static FaultyStorage Journal(long records)
    {
        var disk = new FaultyStorage();
        using JournalWriter writer = JournalWriter.Open(TestJournals.SmallOptions(Folder) with { FirstSequence = 10 }, TestJournals.Identity, disk);
        TestJournals.Append(writer, seed: 3, 10, 9 + records, perCommit: 4);
        return disk;
    }

    [Test]
    public void Every_sequence_can_be_sought()
    {
        FaultyStorage disk = Journal(80);
        using var reader = JournalReader.Open(disk, Folder, TestJournals.Identity);
        foreach (long sequence in Enumerable.Range(10, 80).Concat([10, 89, 50, 49, 88]))
        {
            Assert.That(reader.SeekTo(sequence), Is.True, $"{sequence}");
            for (long next = sequence; next < Math.Min(sequence + 12, 90); next++)
            {
                Assert.That(reader.TryRead(out JournalRecord record), Is.True, $"{next} after seeking {sequence}");
                Assert.That(record.Sequence, Is.EqualTo(next), $"after seeking {sequence}");
                Assert.That(record.Message.SequenceEqual(TestJournals.Message(3, next)), Is.True, $"message of {next}");
            }
        }
    }

    [Test]
    public void What_the_journal_does_not_hold_is_not_found()
    {
        FaultyStorage disk = Journal(80);
        using var reader = JournalReader.Open(disk, Folder);
        Assert.That(reader.SeekTo(90), Is.False);
        Assert.That(reader.TryRead(out _), Is.False, "it stands at the end");
        Assert.That(reader.SeekTo(9), Is.False);
        Assert.That(reader.TryRead(out JournalRecord record) && record.Sequence == 10, Is.True, "it stands at the start");
    }

    [Test]
    public void An_empty_journal_holds_nothing()
    {
        var disk = new FaultyStorage();
        using (var reader = JournalReader.Open(disk, Folder))
        {
            Assert.That(reader.TryRead(out _), Is.False);
            Assert.That(reader.SeekTo(1), Is.False);
        }
        JournalWriter.Open(TestJournals.SmallOptions(Folder), TestJournals.Identity, disk).Dispose();
        using (var reader = JournalReader.Open(disk, Folder))
        {
            Assert.That(reader.SeekTo(1), Is.False);
            Assert.That(reader.TryRead(out _), Is.False);
        }
        Assert.That(Recovery.Examine(disk, Folder).IsEmpty, Is.True);
    }

    [Test]
    public void A_reader_stops_at_its_limit_and_goes_on_when_it_is_raised()
    {
        FaultyStorage disk = Journal(40);
        using var reader = JournalReader.Open(disk, Folder);
        long read = 9;
        for (long limit = 8; limit < 60; limit += 3)
        {
            reader.Limit = limit;
            while (reader.TryRead(out JournalRecord record))
                Assert.That(record.Sequence, Is.EqualTo(++read));
            Assert.That(read, Is.EqualTo(Math.Clamp(limit, 9, 49)), $"limit {limit}");
            Assert.That(reader.LastReadSequence, Is.EqualTo(read == 9 ? 0 : read));
        }
    }

    [Test]
    public void A_follower_reads_every_commit_when_it_comes([Values] bool follow)
    {
        var disk = new FaultyStorage();
        using JournalWriter writer = JournalWriter.Open(TestJournals.SmallOptions(Folder), TestJournals.Identity, disk);
        using var reader = JournalReader.Open(disk, Folder, follow: follow);
        Assert.That(reader.TryRead(out _), Is.False);
        for (long sequence = 1; sequence <= 100; sequence++)
        {
            TestJournals.Append(writer, seed: 3, sequence, sequence, perCommit: 1);
            if (sequence % 7 == 0)
                writer.PrepareNext();
            Assert.That(reader.TryRead(out JournalRecord record), Is.True, $"sequence {sequence}");
            Assert.That(record.Sequence, Is.EqualTo(sequence));
            Assert.That(reader.TryRead(out _), Is.False, $"after sequence {sequence}");
        }
    }

    [TestCase(2, TestName = "What a writer adds while the end is examined is not taken for damage, within a segment")]
    [TestCase(30, TestName = "What a writer adds while the end is examined is not taken for damage, across segments")]
    public void A_writer_may_go_on_while_the_end_is_examined(int commits)
    {
        var disk = new FaultyStorage();
        using JournalWriter writer = JournalWriter.Open(TestJournals.SmallOptions(Folder), TestJournals.Identity, disk);
        TestJournals.Append(writer, seed: 3, 1, 3, perCommit: 1);
        using var reader = JournalReader.Open(disk, Folder);
        while (reader.LastReadSequence < 3)
            Assert.That(reader.TryRead(out _), Is.True);
        disk.OnList = () => TestJournals.Append(writer, seed: 3, 4, 3 + commits, perCommit: 1);
        for (long sequence = 4; sequence <= 3 + commits; sequence++)
            Assert.That(reader.TryRead(out JournalRecord record) && record.Sequence == sequence, Is.True, $"sequence {sequence}");
        Assert.That(reader.TryRead(out _), Is.False);
    }

    [Test]
    public void A_record_says_where_it_stands()
    {
        FaultyStorage disk = Journal(80);
        using var reader = JournalReader.Open(disk, Folder);
        while (reader.TryRead(out JournalRecord record))
        {
            byte[] file = disk.BytesOf($"{Folder}/{SegmentNames.Segment(record.Segment)}");
            Assert.That(BitConverter.ToInt64(file, (int)record.Offset + 24), Is.EqualTo(record.Sequence));
            Assert.That(BitConverter.ToUInt32(file, (int)record.Offset), Is.EqualTo(record.Checksum));
        }
    }

    [Test]
    public void A_torn_tail_is_an_end_that_can_be_asked_for()
    {
        FaultyStorage disk = Journal(8);
        string path = $"{Folder}/{SegmentNames.Segment(0)}";
        long end = Recovery.Examine(disk, Folder).Tail.Offset;
        disk.Damage(path, bytes =>
        {
            bytes[end + 700] = 1; // the second sector of a group whose first one never arrived
            return bytes;
        });
        using var reader = JournalReader.Open(disk, Folder);
        while (reader.TryRead(out _))
        {
        }
        Assert.That(reader.LastReadSequence, Is.EqualTo(17));
        Assert.That(reader.Tail, Is.EqualTo(new JournalTail(0, end, end + 4096)));
    }
}
