using MarginEngine.Journal;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

/// <summary>
/// A small journal, damaged in every place: the outcome is the whole history, or (only where a torn write explains it) the history
/// up to the last group, or a refusal that names the place. Never a shorter history in silence.
/// </summary>
[Parallelizable(ParallelScope.Self)]
public sealed class DamageTests
{
    const string Folder = "/journal";
    const int Block = Format.BlockBytes;
    const int Sector = Format.SectorBytes;

    /// <summary>A journal of three segments, and what its last group is.</summary>
    sealed record Sample(
        FaultyStorage Disk, long LastSequence, long BeforeLastGroup, string[] Segments, string UsedSegment, long TailOffset, long LastGroupOffset);

    static readonly JournalOptions Options =
        TestJournals.SmallOptions(Folder) with { SegmentBytes = 7 * Block, BatchBytes = 2 * Block };

    static Sample Build(bool closed, int seed = 99)
    {
        var disk = new FaultyStorage();
        JournalWriter writer = JournalWriter.Open(Options, TestJournals.Identity, disk);
        int[] messageBytes = [2500, 3000, 0, 5000, 40, 700, 300, 1200, 900, 4400, 1700, 1200, 600, 900, 100, 4100, 3000, 3000, 100, 200, 1500, 100];
        long before = 0;
        long sequence = 0;
        var random = new Random(seed);
        foreach (int bytes in messageBytes)
        {
            byte[] message = new byte[bytes];
            random.NextBytes(message);
            sequence++;
            if (!writer.TryAppend(1, 1, sequence, sequence, message) || sequence % 2 == 0)
            {
                before = writer.DurableSequence;
                writer.Commit();
            }
            if (writer.LastSequence < sequence)
                _ = writer.TryAppend(1, 1, sequence, sequence, message);
        }
        before = writer.DurableSequence < writer.LastSequence ? writer.DurableSequence : before;
        writer.Commit();
        writer.PrepareNext();
        FaultyStorage left = disk.Copy();
        writer.Dispose();
        if (closed)
            left = disk.Copy();
        RecoveryReport report = Recovery.Examine(left, Folder);
        string[] segments = [.. left.Paths.Where(path => path.EndsWith(".segment", StringComparison.Ordinal))];
        Assert.That((report.IsSealed, report.LastSequence), Is.EqualTo((closed, sequence)));
        Assert.That((segments.Length, report.Tail.Segment), Is.EqualTo((4, 2L)), "three used segments and a prepared one");
        using var reader = JournalReader.Open(left, Folder);
        long lastGroup = 0;
        while (reader.TryRead(out JournalRecord record))
            lastGroup = record.Sequence == before + 1 ? record.Offset - 64 : lastGroup;
        return new Sample(left, sequence, before, segments, segments[2], report.Tail.Offset, lastGroup);
    }

    /// <summary>Damages a file, examines the journal, checks the outcome, undoes the damage; returns what happened.</summary>
    static string Outcome(Sample sample, string path, int place, bool mayLoseLastGroup, Func<byte[], byte[]> damage, string what)
    {
        byte[] original = sample.Disk.BytesOf(path);
        sample.Disk.Damage(path, damage);
        try
        {
            RecoveryReport report = Recovery.Examine(sample.Disk, Folder, TestJournals.Identity);
            if (report.LastSequence == sample.LastSequence)
                return "whole";
            if (mayLoseLastGroup && report.LastSequence == sample.BeforeLastGroup)
                return "cut";
            Assert.Fail($"{what}: silently shortened to {report.LastSequence} of {sample.LastSequence}");
        }
        catch (JournalDamagedException refusal)
        {
            if (refusal.Path != path || refusal.Offset > place || (refusal.Offset == 0 && place >= Block && path != sample.Segments[^1]))
                Assert.Fail($"{what}: the refusal names another place: {refusal.Message}");
            return "refused";
        }
        finally
        {
            sample.Disk.Damage(path, _ => original);
        }
        return "";
    }

    static byte[] Flip(byte[] bytes, int place, int bit)
    {
        bytes[place] ^= (byte)(1 << bit);
        return bytes;
    }

    static byte[] Zero(byte[] bytes, int start, int count)
    {
        bytes.AsSpan(start, count).Clear();
        return bytes;
    }

    [Test]
    public void A_flipped_bit_anywhere_is_refused_or_harmless([Values] bool closed)
    {
        Sample sample = Build(closed);
        var outcomes = new Dictionary<string, int>();
        foreach (string path in sample.Segments)
        {
            byte[] original = sample.Disk.BytesOf(path);
            int stride;
            for (int place = 0; place < original.Length; place += stride)
            {
                // Sectors that are zero are alike: a few places in each will do.
                stride = original.AsSpan(place & -Sector, Sector).IndexOfAnyExcept((byte)0) < 0 ? 101 : closed ? 1 : 7;
                int bit = (place * 5 + 3) % 8;
                bool used = path != sample.Segments[^1] && (path != sample.UsedSegment || place < sample.TailOffset);
                string outcome = Outcome(sample, path, place, mayLoseLastGroup: false, bytes => Flip(bytes, place, bit), $"bit {bit} of byte {place} of {path}");
                if (used && outcome != "refused")
                    Assert.Fail($"bit {bit} of byte {place} of {path}: {outcome}");
                outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
            }
        }
        TestContext.Out.WriteLine(string.Join(", ", outcomes));
        Assert.That(outcomes["refused"], Is.GreaterThan(closed ? 20_000 : 3_000));
    }

    [TestCase(Sector)]
    [TestCase(Block)]
    public void A_lost_sector_or_block_of_a_closed_journal_is_refused(int bytes)
    {
        Sample sample = Build(closed: true);
        int refused = 0;
        ForEachPiece(sample, bytes, (path, place, isZero) =>
        {
            string what = $"{bytes} bytes at {place} of {path} zeroed";
            string outcome = Outcome(sample, path, place, mayLoseLastGroup: false, file => Zero(file, place, bytes), what);
            bool isSeal = path == sample.UsedSegment && place == sample.TailOffset - Block;
            Assert.That(outcome, Is.EqualTo(isZero || isSeal ? "whole" : "refused"), what);
            refused += outcome == "refused" ? 1 : 0;
        });
        Assert.That(refused, Is.GreaterThan(5));
    }

    [TestCase(Sector)]
    [TestCase(Block)]
    public void A_lost_sector_or_block_after_a_crash_costs_at_most_the_last_group(int bytes)
    {
        Sample sample = Build(closed: false);
        int cut = 0;
        ForEachPiece(sample, bytes, (path, place, isZero) =>
        {
            string what = $"{bytes} bytes at {place} of {path} zeroed";
            // Where the last group is the first of its segment, the segment's header was written with it.
            bool inLastGroup = path == sample.UsedSegment && (place >= sample.LastGroupOffset || sample.LastGroupOffset == Block);
            string outcome = Outcome(sample, path, place, inLastGroup, file => Zero(file, place, bytes), what);
            Assert.That(outcome, Is.EqualTo(isZero ? "whole" : inLastGroup ? "cut" : "refused"), what);
            cut += outcome == "cut" ? 1 : 0;
        });
        Assert.That(cut, Is.GreaterThan(0));
    }

    static void ForEachPiece(Sample sample, int bytes, Action<string, int, bool> check)
    {
        foreach (string path in sample.Segments)
        {
            byte[] original = sample.Disk.BytesOf(path);
            for (int place = 0; place < original.Length; place += bytes)
                check(path, place, original.AsSpan(place, bytes).IndexOfAnyExcept((byte)0) < 0);
        }
    }

    [Test]
    public void A_truncated_segment_is_refused_at_every_length([Values] bool closed)
    {
        Sample sample = Build(closed);
        foreach (string path in sample.Segments[..^1])
        {
            for (int length = 0; length < Options.SegmentBytes; length += length % Sector is 0 or 1 or Sector - 1 ? 1 : 97)
            {
                string what = $"{path} truncated to {length} bytes";
                int kept = length;
                Assert.That(Outcome(sample, path, kept, mayLoseLastGroup: false, bytes => bytes[..kept], what), Is.EqualTo("refused"), what);
            }
        }
    }

    [Test]
    public void A_block_written_to_another_place_is_refused_or_harmless([Values] bool closed)
    {
        Sample sample = Build(closed);
        int refused = 0;
        (string Path, int Place)[] blocks =
            [.. sample.Segments.SelectMany(path => Enumerable.Range(0, Options.SegmentBytes / Block).Select(index => (path, index * Block)))];
        foreach ((string fromPath, int fromPlace) in blocks)
        {
            byte[] block = sample.Disk.BytesOf(fromPath)[fromPlace..(fromPlace + Block)];
            foreach ((string path, int place) in blocks)
            {
                if (block.AsSpan().SequenceEqual(sample.Disk.BytesOf(path).AsSpan(place, Block)))
                    continue;
                bool inLastGroup = path == sample.UsedSegment && (place >= sample.LastGroupOffset || sample.LastGroupOffset == Block);
                string outcome = Outcome(sample, path, place, mayLoseLastGroup: inLastGroup && !closed, bytes =>
                {
                    block.CopyTo(bytes, place);
                    return bytes;
                }, $"block {fromPlace} of {fromPath} over block {place} of {path}");
                refused += outcome == "refused" ? 1 : 0;
            }
        }
        Assert.That(refused, Is.GreaterThan(blocks.Length));
    }

    [Test]
    public void Any_part_of_the_last_write_missing_is_cut_and_nothing_else([Values] bool firstOfSegment)
    {
        int cut = 0;
        for (int seed = 1; seed <= 1500; seed++)
        {
            var random = new Random(seed);
            var disk = new FaultyStorage();
            JournalOptions options = Options with { SegmentBytes = 5 * Block, BatchBytes = 4 * Block };
            JournalWriter writer = JournalWriter.Open(options, TestJournals.Identity, disk);
            byte[] message = new byte[firstOfSegment ? 3 * Block : 100];
            random.NextBytes(message);
            _ = writer.TryAppend(1, 1, 1, 1, message);
            writer.Commit();
            FaultyStorage before = disk.Copy();
            byte[] last = new byte[random.Next(firstOfSegment ? 1 : 0, 10_000)];
            if (random.Next(3) != 0)
                random.NextBytes(last);
            _ = writer.TryAppend(1, 1, 2, 2, last);
            writer.Commit();
            string path = disk.Paths.Last(name => name.EndsWith(".segment", StringComparison.Ordinal));
            byte[] written = disk.BytesOf(path);
            byte[] unwritten = firstOfSegment ? new byte[written.Length] : before.BytesOf(path);
            double survives = random.NextDouble();
            for (int sector = 0; sector < written.Length; sector += Sector)
            {
                if (random.NextDouble() > survives)
                    unwritten.AsSpan(sector, Sector).CopyTo(written.AsSpan(sector));
            }
            bool isWhole = written.AsSpan().SequenceEqual(disk.BytesOf(path));
            FaultyStorage torn = disk.Copy();
            torn.Damage(path, _ => written);
            RecoveryReport report = Recovery.Recover(torn, Folder, TestJournals.Identity);
            Assert.That(report.LastSequence, Is.EqualTo(isWhole ? 2 : 1), $"seed {seed}");
            int from = firstOfSegment ? Block : 0; // the header of a segment may be there before its first group is
            if (!isWhole)
                Assert.That(torn.BytesOf(path).AsSpan(from).SequenceEqual(unwritten.AsSpan(from)), $"the bytes of before, seed {seed}");
            cut += report.BytesCut > 0 ? 1 : 0;
        }
        Assert.That(cut, Is.GreaterThan(300), "seeds with a torn tail");
    }

    [Test]
    public void A_missing_segment_is_refused()
    {
        Sample sample = Build(closed: true);
        FaultyStorage disk = sample.Disk.Copy();
        disk.Delete(sample.Segments[1]);
        Assert.That(() => Recovery.Recover(disk, Folder), Throws.TypeOf<JournalDamagedException>()
            .With.Property(nameof(JournalDamagedException.Path)).EqualTo(sample.Segments[0]).And.Message.Contains("segment 1 is missing"));
    }

    [Test]
    public void A_segment_that_lost_its_header_or_all_its_bytes_is_refused_where_history_follows()
    {
        var disk = new FaultyStorage();
        using (JournalWriter writer = JournalWriter.Open(Options with { SegmentBytes = 3 * Block }, TestJournals.Identity, disk))
        {
            for (long sequence = 1; sequence <= 4; sequence++)
            {
                _ = writer.TryAppend(1, 1, sequence, sequence, new byte[Block]); // two blocks: one group fills a segment
                writer.Commit();
            }
        }
        string[] segments = [.. disk.Paths.Where(path => path.EndsWith(".segment", StringComparison.Ordinal))];
        Assert.That(segments, Has.Length.GreaterThanOrEqualTo(4));
        foreach (string path in segments[..3])
        {
            foreach (int bytes in (int[])[Sector, Block, 3 * Block])
            {
                FaultyStorage damaged = disk.Copy();
                damaged.Damage(path, file => Zero(file, 0, bytes));
                Assert.That(() => Recovery.Examine(damaged, Folder), Throws.TypeOf<JournalDamagedException>(), $"{bytes} bytes of {path} zeroed");
            }
        }
    }

    [Test]
    public void Stray_data_behind_the_end_is_cut_only_where_a_torn_commit_could_have_left_it()
    {
        var disk = new FaultyStorage();
        JournalOptions options = Options with { SegmentBytes = 8 * Block };
        using (JournalWriter writer = JournalWriter.Open(options, TestJournals.Identity, disk))
            TestJournals.Append(writer, seed: 1, 1, 2, perCommit: 2);
        int end = (int)Recovery.Examine(disk, Folder).Tail.Offset;
        Assert.That(end + options.BatchBytes, Is.LessThan(options.SegmentBytes), "there is room beyond the reach of one commit");
        string path = $"{Folder}/{SegmentNames.Segment(0)}";
        for (int place = end; place < options.SegmentBytes; place += 100)
        {
            FaultyStorage damaged = disk.Copy();
            damaged.Damage(path, bytes => Flip(bytes, place, 1));
            if (place >= end + Sector && place < end + options.BatchBytes)
            {
                RecoveryReport report = Recovery.Recover(damaged, Folder);
                Assert.That((report.LastSequence, report.Tail.Offset, report.BytesCut > 0), Is.EqualTo((2L, (long)end, true)), $"byte {place}");
                Assert.That(damaged.BytesOf(path).AsSpan().SequenceEqual(disk.BytesOf(path)), Is.True, $"byte {place} is zero again");
            }
            else
            {
                Assert.That(() => Recovery.Recover(damaged, Folder), Throws.TypeOf<JournalDamagedException>()
                    .With.Property(nameof(JournalDamagedException.Offset)).EqualTo(end), $"byte {place}");
            }
        }
    }

    [Test]
    public void A_segment_of_another_journal_is_refused()
    {
        Sample sample = Build(closed: true);
        FaultyStorage other = Build(closed: true, seed: 98).Disk;
        FaultyStorage disk = sample.Disk.Copy();
        disk.Damage(sample.Segments[1], _ => other.BytesOf(sample.Segments[1]));
        Assert.That(() => Recovery.Recover(disk, Folder), Throws.TypeOf<JournalDamagedException>()
            .With.Property(nameof(JournalDamagedException.Path)).EqualTo(sample.Segments[1]).And.Message.Contains("another history"));
    }

    [Test]
    public void A_sector_that_cannot_be_read_is_refused_not_taken_for_the_end()
    {
        Sample sample = Build(closed: true);
        foreach (string path in sample.Segments)
        {
            for (int place = 100; place < Options.SegmentBytes; place += Sector)
            {
                sample.Disk.Unreadable = (path, place);
                Assert.That(() => Recovery.Examine(sample.Disk, Folder), Throws.TypeOf<JournalDamagedException>()
                    .With.Property(nameof(JournalDamagedException.Path)).EqualTo(path).And.Message.Contains("cannot be read"), $"byte {place} of {path}");
            }
        }
    }

    [Test]
    public void A_reader_refuses_what_recovery_refuses()
    {
        Sample sample = Build(closed: true);
        for (int place = Block; place < 3 * Block; place += 61)
        {
            FaultyStorage disk = sample.Disk.Copy();
            disk.Damage(sample.Segments[0], bytes => Flip(bytes, place, 2));
            foreach (bool follow in (bool[])[false, true])
            {
                using var reader = JournalReader.Open(disk, Folder, follow: follow);
                Assert.That(() =>
                {
                    while (reader.TryRead(out _))
                    {
                    }
                }, Throws.TypeOf<JournalDamagedException>(), $"byte {place}, follow {follow}");
            }
        }
    }
}
