using MarginEngine.Journal;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

/// <summary>A snapshot file is whole or it is refused with the reason; whatever happens while one is written, the older ones stay.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class SnapshotFileTests
{
    private const string Folder = "/snapshots";

    /// <summary>Blocks of seeded bytes, among them an empty one and one of the largest size.</summary>
    private sealed class Content(int seed) : ISnapshotContent
    {
        private static readonly int[] Lengths = [10, 0, SnapshotFile.LargestBlock, 5_000];

        public int Blocks => Lengths.Length;

        public ReadOnlySpan<byte> Block(int number, out int section)
        {
            byte[] bytes = new byte[Lengths[number]];
            new Random((seed * 31) + number).NextBytes(bytes);
            section = 1 + (number % 2);
            return bytes;
        }
    }

    private sealed class Kept : ISnapshotTarget
    {
        public List<(int Section, byte[] Bytes)> Blocks { get; } = [];

        public void Take(int section, ReadOnlySpan<byte> block) => Blocks.Add((section, block.ToArray()));
    }

    private static SnapshotHeader HeaderOf(long sequence) => new()
    {
        Sequence = sequence,
        Epoch = 3,
        TimestampNanos = 1_000 + sequence,
        Chain = 0xABCD_0123,
        StateDigest = 0x0123_4567_89AB_CDEF,
        Layout = 9,
        Identity = TestJournals.Identity,
    };

    private static void Write(IStorage disk, long sequence, int keep = 0) =>
        SnapshotFolder.Write(disk, Folder, HeaderOf(sequence), new Content((int)(sequence % 1_000_003)), keep);

    private static void AssertWhole(IStorage disk, long sequence)
    {
        Kept kept = new();
        SnapshotHeader header = SnapshotFile.Read(disk, SnapshotFolder.PathOf(Folder, sequence), kept);
        Assert.That(
            header with { FileBytes = 0, Blocks = 0, BlocksChecksum = 0 }, Is.EqualTo(HeaderOf(sequence)), $"header of {sequence}");
        Content content = new((int)(sequence % 1_000_003));
        for (int number = 0; number < content.Blocks; number++)
        {
            byte[] expected = content.Block(number, out int section).ToArray();
            Assert.That(kept.Blocks[number].Section, Is.EqualTo(section));
            Assert.That(kept.Blocks[number].Bytes.AsSpan().SequenceEqual(expected), Is.True, $"block {number} of {sequence}");
        }
    }

    [Test]
    public void What_is_written_is_read_back_and_only_the_newest_stay()
    {
        FaultyStorage disk = new();
        foreach (long sequence in new long[] { 5, 70, 900, 12_345_678_901 })
            Write(disk, sequence, keep: 3);
        Assert.That(SnapshotFolder.List(disk, Folder), Is.EqualTo(new long[] { 70, 900, 12_345_678_901 }));
        foreach (long sequence in SnapshotFolder.List(disk, Folder))
            AssertWhole(disk, sequence);
    }

    [Test]
    public void A_bit_that_turns_anywhere_is_found()
    {
        FaultyStorage disk = new();
        Write(disk, 7);
        string path = SnapshotFolder.PathOf(Folder, 7);
        int length = disk.BytesOf(path).Length;
        Random random = new(11);
        IEnumerable<int> places = Enumerable.Range(0, 600).Select(_ => random.Next(length)).Concat(Enumerable.Range(0, 128)).Concat([512, 515, length - 1]);
        foreach (int place in places)
        {
            byte bit = (byte)(1 << random.Next(8));
            Turn(disk, path, place, bit);
            Assert.That(() => SnapshotFile.Read(disk, path, null), Throws.InstanceOf<SnapshotUnusableException>(), $"byte {place} of {length}");
            Turn(disk, path, place, bit);
        }

        AssertWhole(disk, 7);
    }

    private static void Turn(FaultyStorage disk, string path, int place, byte bit) => disk.Damage(path, bytes =>
    {
        bytes[place] ^= bit;
        return bytes;
    });

    [Test]
    public void A_file_that_is_cut_at_any_block_or_has_a_block_of_zeros_is_refused()
    {
        FaultyStorage whole = new();
        Write(whole, 7);
        string path = SnapshotFolder.PathOf(Folder, 7);
        int blocks = whole.BytesOf(path).Length / Format.BlockBytes;
        foreach (int block in Enumerable.Range(0, blocks).Where(block => block < 8 || block > blocks - 8 || block % 37 == 0))
        {
            FaultyStorage cut = whole.Copy(), zeroed = whole.Copy();
            cut.Damage(path, bytes => bytes[..(block * Format.BlockBytes)]);
            zeroed.Damage(path, bytes =>
            {
                bytes.AsSpan(block * Format.BlockBytes, Format.BlockBytes).Clear();
                return bytes;
            });
            Assert.That(() => SnapshotFile.Read(cut, path, null), Throws.InstanceOf<SnapshotUnusableException>(), $"cut at block {block}");
            Assert.That(() => SnapshotFile.Read(zeroed, path, null), Throws.InstanceOf<SnapshotUnusableException>(), $"zeros at block {block}");
        }
    }

    [Test]
    public void A_crash_at_any_step_leaves_the_snapshots_of_before_or_of_after([Values] bool after, [Values] bool powerCut)
    {
        FaultyStorage before = new();
        Write(before, 1);
        Write(before, 2);
        FaultyStorage measured = before.Copy();
        Write(measured, 3, keep: 2);
        int steps = measured.Steps;
        Assert.That(steps, Is.GreaterThan(10));
        for (int step = 1; step <= steps; step++)
        {
            FaultyStorage disk = before.Copy();
            disk.CrashAt = step;
            disk.CrashAfter = after;
            Assert.That(() => Write(disk, 3, keep: 2), Throws.InstanceOf<SimulatedCrashException>(), $"step {step}");
            FaultyStorage found = powerCut ? disk.AfterPowerCut(new Random(step)) : disk.AfterKill();
            List<long> sequences = SnapshotFolder.List(found, Folder);
            Assert.That(sequences, Is.EqualTo(new long[] { 1, 2 }).Or.EqualTo(new long[] { 1, 2, 3 }).Or.EqualTo(new long[] { 2, 3 }), $"step {step}");
            foreach (long sequence in sequences)
                AssertWhole(found, sequence);

            // And the next attempt is not disturbed by what was left.
            Write(found, 4, keep: 2);
            Assert.That(SnapshotFolder.List(found, Folder), Has.Count.EqualTo(2).And.Member(4));
            Assert.That(found.Paths.Where(path => path.EndsWith("writing", StringComparison.Ordinal)), Is.Empty);
        }
    }

    [Test]
    public void A_disk_that_refuses_any_step_costs_this_snapshot_and_no_other()
    {
        FaultyStorage before = new();
        Write(before, 1);
        FaultyStorage measured = before.Copy();
        Write(measured, 2, keep: 2);
        for (int step = 1; step <= measured.Steps; step++)
        {
            FaultyStorage disk = before.Copy();
            disk.FailAt = step;
            Assert.That(() => Write(disk, 2, keep: 2), Throws.InstanceOf<StorageException>().Or.InstanceOf<SnapshotUnusableException>(), $"step {step}");
            AssertWhole(disk, 1);
        }
    }

    [Test]
    public void One_that_is_damaged_is_written_again_and_one_that_is_whole_is_left_alone()
    {
        FaultyStorage disk = new();
        Write(disk, 7);
        int writes = disk.Writes;
        Write(disk, 7);
        Assert.That(disk.Writes, Is.EqualTo(writes));
        disk.Damage(SnapshotFolder.PathOf(Folder, 7), bytes => bytes[..4096]);
        Write(disk, 7);
        AssertWhole(disk, 7);
    }

    [Test]
    public void Retention_keeps_every_segment_that_the_oldest_snapshot_needs([Values(-1, 0, 37, 150, 299)] long snapshot)
    {
        FaultyStorage disk = new();
        JournalOptions options = TestJournals.SmallOptions(Folder) with { RetainSegments = 1 };
        if (snapshot >= 0)
        {
            Write(disk, snapshot);
            Write(disk, 10_000);
        }

        using JournalWriter writer = JournalWriter.Open(options, TestJournals.Identity, disk);
        for (long sequence = 1; sequence <= 300; sequence += 10)
        {
            TestJournals.Append(writer, 5, sequence, sequence + 9, perCommit: 5);
            writer.PrepareNext();
        }

        using JournalReader reader = JournalReader.Open(disk, Folder, TestJournals.Identity, follow: true);
        Assert.That(reader.TryRead(out JournalRecord first), Is.True);
        TestContext.Out.WriteLine($"snapshot {snapshot}: the journal begins at {first.Sequence}");
        if (snapshot < 0)
        {
            Assert.That(first.Sequence, Is.GreaterThan(200));
            return;
        }

        Assert.That(first.Sequence, Is.LessThanOrEqualTo(snapshot + 1));
        Assert.That(reader.ChainAfter(snapshot), snapshot == 0 ? Is.EqualTo(0) : Is.Not.Null, "what comes behind it is there");
        if (snapshot > 100)
            Assert.That(first.Sequence, Is.GreaterThan(1), "and what it does not need has gone");
    }

    [Test]
    public void The_chain_after_a_record_is_known_from_the_record_or_from_what_begins_behind_it()
    {
        FaultyStorage disk = new();
        using (JournalWriter writer = JournalWriter.Open(TestJournals.SmallOptions(Folder), TestJournals.Identity, disk))
            TestJournals.Append(writer, 5, 1, 100, perCommit: 5);
        Dictionary<long, uint> chains = [];
        using (JournalReader all = JournalReader.Open(disk, Folder, TestJournals.Identity))
        {
            while (all.TryRead(out JournalRecord record))
                chains[record.Sequence] = record.Checksum;
        }

        long second;
        using (JournalReader reader = JournalReader.Open(disk, Folder, TestJournals.Identity))
        {
            foreach ((long sequence, uint chain) in chains)
                Assert.That(reader.ChainAfter(sequence), Is.EqualTo(chain));
            Assert.That(reader.ChainAfter(101), Is.Null);
            second = chains.Keys.First(sequence => SegmentOf(disk, sequence) == 1);
        }

        disk.Delete(Path.Combine(Folder, SegmentNames.Segment(0)));
        using JournalReader rest = JournalReader.Open(disk, Folder, TestJournals.Identity);
        Assert.That(rest.ChainAfter(second - 1), Is.EqualTo(chains[second - 1]));
        Assert.That(rest.TryRead(out JournalRecord next) ? next.Sequence : 0, Is.EqualTo(second));
        Assert.That(rest.ChainAfter(second - 2), Is.Null);
    }

    [Test]
    public void A_journal_that_begins_behind_a_snapshot_has_the_chain_of_the_one_it_continues()
    {
        FaultyStorage disk = new(), other = new();
        using (JournalWriter writer = JournalWriter.Open(TestJournals.SmallOptions(Folder), TestJournals.Identity, disk))
            TestJournals.Append(writer, 5, 1, 60, perCommit: 5);
        uint chain, last;
        using (JournalReader reader = JournalReader.Open(disk, Folder, TestJournals.Identity))
            (chain, last) = (reader.ChainAfter(20)!.Value, reader.ChainAfter(60)!.Value);
        using (JournalWriter writer = JournalWriter.Open(
            TestJournals.SmallOptions(Folder), TestJournals.Identity, other, () => new JournalStart(21, chain, 1, TestJournals.Timestamp(20))))
        {
            Assert.That((writer.Recovered.LastSequence, writer.Recovered.LastEpoch, writer.LastSequence, writer.DurableSequence), Is.EqualTo((20L, 1L, 20L, 20L)));
            TestJournals.Append(writer, 5, 21, 60, perCommit: 5);
            Assert.That(writer.LastChecksum, Is.EqualTo(last));
        }

        // Asked only while there is nothing.
        using JournalWriter again = JournalWriter.Open(TestJournals.SmallOptions(Folder), TestJournals.Identity, other, () => throw new InvalidOperationException());
        Assert.That((again.Recovered.FirstSequence, again.Recovered.LastSequence), Is.EqualTo((21L, 60L)));
    }

    private static long SegmentOf(IStorage disk, long sequence)
    {
        using JournalReader reader = JournalReader.Open(disk, Folder, TestJournals.Identity);
        return reader.SeekTo(sequence) && reader.TryRead(out JournalRecord record) ? record.Segment : -1;
    }
}
