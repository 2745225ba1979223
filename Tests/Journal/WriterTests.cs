using MarginEngine.Journal;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

/// <summary>The writer's promises one by one, on the simulated disk.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class WriterTests
{
    const string Folder = "/journal";
    static readonly JournalOptions Options = TestJournals.SmallOptions(Folder);

    static JournalWriter Open(FaultyStorage disk, JournalOptions? options = null) => JournalWriter.Open(options ?? Options, TestJournals.Identity, disk);

    static long[] SegmentsOf(FaultyStorage disk) => [.. SegmentNames.List(disk, Folder)];

    [TestCase(SyncMode.DirectSync, 0)]
    [TestCase(SyncMode.FileSync, 1)]
    [TestCase(SyncMode.NoneLosesDataOnPowerCut, 0)]
    public void A_commit_is_one_write_and_at_most_one_sync(SyncMode mode, int syncs)
    {
        var disk = new FaultyStorage();
        using JournalWriter writer = Open(disk, Options with { SyncMode = mode });
        writer.PrepareNext();
        for (int commit = 0; commit < 6; commit++)
        {
            (int writesBefore, int syncsBefore) = (disk.Writes, disk.Syncs);
            for (int record = 0; record < 5; record++)
                Assert.That(writer.TryAppend(1, 1, writer.LastSequence + 1, 0, new byte[200]), Is.True);
            writer.Commit();
            Assert.That((disk.Writes - writesBefore, disk.Syncs - syncsBefore), Is.EqualTo((1, syncs)), $"commit {commit}");
        }
        int before = disk.Steps;
        writer.Commit();
        Assert.That(disk.Steps, Is.EqualTo(before), "a commit of nothing touches nothing");
    }

    [Test]
    public void Only_a_commit_makes_durable()
    {
        var disk = new FaultyStorage();
        using JournalWriter writer = Open(disk);
        Assert.That(writer.TryAppend(1, 1, 1, 0, [1]), Is.True);
        Assert.That((writer.LastSequence, writer.DurableSequence), Is.EqualTo((1L, 0L)));
        writer.Commit();
        Assert.That((writer.LastSequence, writer.DurableSequence), Is.EqualTo((1L, 1L)));
    }

    [TestCase(2, 5L, 0, "sequence", TestName = "A repeated sequence is refused")]
    [TestCase(4, 5L, 0, "sequence", TestName = "A skipped sequence is refused")]
    [TestCase(3, 4L, 0, "epoch", TestName = "A lower epoch is refused")]
    [TestCase(3, 5L, 3 * 4096 - 64 - 40 + 1, "message", TestName = "A message that fits no group is refused")]
    public void Misuse_throws_and_changes_nothing(long sequence, long epoch, int messageBytes, string named)
    {
        var disk = new FaultyStorage();
        using JournalWriter writer = Open(disk);
        _ = writer.TryAppend(1, 5, 1, 0, [1]);
        _ = writer.TryAppend(1, 5, 2, 0, [2]);
        Assert.That(() => writer.TryAppend(1, epoch, sequence, 0, new byte[messageBytes]), Throws.InstanceOf<ArgumentException>().With.Message.Contains(named));
        Assert.That(writer.TryAppend(1, 5, 3, 0, [3]), Is.True);
        writer.Commit();
        Assert.That(Recovery.Examine(disk, Folder).LastSequence, Is.EqualTo(3));
    }

    [Test]
    public void The_largest_message_fills_a_group_alone()
    {
        var disk = new FaultyStorage();
        using JournalWriter writer = Open(disk);
        byte[] message = new byte[writer.LargestMessageBytes];
        new Random(3).NextBytes(message);
        Assert.That(writer.TryAppend(1, 1, 1, 0, [1]), Is.True);
        Assert.That(writer.TryAppend(1, 1, 2, 0, message), Is.False, "the group has a record already");
        Assert.That(writer.LastSequence, Is.EqualTo(1));
        writer.Commit();
        Assert.That(writer.TryAppend(1, 1, 2, 0, message), Is.True);
        writer.Commit();
        using var reader = JournalReader.Open(disk, Folder);
        Assert.That(reader.SeekTo(2) && reader.TryRead(out JournalRecord record) && record.Message.SequenceEqual(message), Is.True);
    }

    [Test]
    public void A_failed_call_at_any_step_is_final_and_loses_nothing_acknowledged([Values(SyncMode.DirectSync, SyncMode.FileSync)] SyncMode mode)
    {
        int failures = 0;
        for (int step = 1; ; step++)
        {
            var disk = new FaultyStorage { FailAt = step, Chance = new Random(step) };
            long durable = 0;
            JournalWriter? writer = null;
            try
            {
                writer = Open(disk, Options with { SyncMode = mode });
                for (int commit = 0; commit < 16; commit++)
                {
                    TestJournals.Append(writer, seed: 4, commit * 3 + 1, commit * 3 + 3, perCommit: 3);
                    durable = writer.DurableSequence;
                    writer.PrepareNext();
                }
            }
            catch (StorageException) when (writer is null)
            {
            }
            catch (JournalFailedException)
            {
                durable = writer!.DurableSequence;
                int before = disk.Steps;
                Assert.That(writer.IsFailed, Is.True);
                Assert.That(() => writer.TryAppend(1, 1, writer.LastSequence + 1, 0, default), Throws.TypeOf<JournalFailedException>(), $"append after step {step}");
                Assert.That(writer.Commit, Throws.TypeOf<JournalFailedException>(), $"commit after step {step}");
                Assert.That(() => writer.PrepareNext(), Throws.TypeOf<JournalFailedException>(), $"prepare after step {step}");
                writer.Dispose();
                Assert.That(disk.Steps, Is.EqualTo(before), $"calls to the disk after step {step} failed");
            }
            if (disk.Steps < step)
                break;
            failures++;
            foreach (FaultyStorage left in (FaultyStorage[])[disk.AfterKill(), disk.AfterPowerCut(new Random(step))])
            {
                long found = Recovery.Recover(left, Folder).LastSequence;
                Assert.That(found, Is.GreaterThanOrEqualTo(durable), $"after step {step} ({disk.LastCall}) failed");
                Assert.That(TestJournals.ReadAndCheck(left, Folder, seed: 4), Is.EqualTo(found), $"after step {step} failed");
                // After a failed sync the system shows pages that the disk does not have: recovery must not rely on them.
                Assert.That(TestJournals.ReadAndCheck(left.AfterPowerCut(new Random(step)), Folder, seed: 4), Is.EqualTo(found),
                    $"after step {step} ({disk.LastCall}) failed, recovery and a power cut");
            }
        }
        Assert.That(failures, Is.GreaterThan(40));
    }

    [Test]
    public void A_second_writer_is_refused_until_the_first_is_closed()
    {
        var disk = new FaultyStorage();
        using (Open(disk))
        {
            Assert.That(() => Open(disk), Throws.TypeOf<JournalLockedException>());
            Assert.That(() => Recovery.Recover(disk, Folder), Throws.TypeOf<JournalLockedException>());
        }
        Open(disk).Dispose();
    }

    [TestCase(8, 3, 0xFEED_BEEF_0123_4567UL, "accounts 8", "schema 7")]
    [TestCase(7, 2, 0xFEED_BEEF_0123_4567UL, "accounts 8", "version 3")]
    [TestCase(7, 3, 1UL, "accounts 8", "arithmetic")]
    [TestCase(7, 3, 0xFEED_BEEF_0123_4567UL, "accounts 9", "accounts 8")]
    public void A_journal_of_another_identity_is_refused_with_the_reason(int schema, int version, ulong arithmetic, string configuration, string reason)
    {
        var disk = new FaultyStorage();
        using (JournalWriter writer = Open(disk))
            TestJournals.Append(writer, seed: 1, 1, 5, perCommit: 2);
        JournalIdentity other = TestJournals.Identity with { SchemaId = (ushort)schema, SchemaVersion = (ushort)version, ArithmeticDigest = arithmetic, Configuration = configuration };
        Assert.That(() => JournalWriter.Open(Options, other, disk), Throws.TypeOf<JournalRefusedException>().With.Message.Contains(reason));
        Assert.That(() => JournalReader.Open(disk, Folder, other).TryRead(out _), Throws.TypeOf<JournalRefusedException>().With.Message.Contains(reason));
        Assert.That(JournalReader.Open(disk, Folder).TryRead(out _), Is.True, "an audit may read it without an identity");
        Open(disk).Dispose();
    }

    [Test]
    public void A_reader_without_a_configuration_takes_the_journal_s_own_and_refuses_a_second_one()
    {
        var disk = new FaultyStorage();
        using (JournalWriter writer = Open(disk))
            TestJournals.Append(writer, seed: 1, 1, 5, perCommit: 5);
        // A writer that does not care continues it: the next segment then tells something else.
        using (JournalWriter careless = JournalWriter.Open(Options, TestJournals.Identity with { Configuration = "" }, disk))
            TestJournals.Append(careless, seed: 1, 6, 10, perCommit: 5);
        using var reader = JournalReader.Open(disk, Folder, TestJournals.Identity with { Configuration = "" });
        for (int i = 0; i < 5; i++)
            Assert.That(reader.TryRead(out _), Is.True);
        Assert.That(reader.Identity!.Value.Configuration, Is.EqualTo("accounts 8"));
        Assert.That(() => reader.TryRead(out _), Throws.TypeOf<JournalRefusedException>().With.Message.Contains("accounts 8"));
    }

    [Test]
    public void Another_build_or_a_newer_schema_continues_in_a_new_segment()
    {
        var disk = new FaultyStorage();
        using (JournalWriter writer = Open(disk))
            TestJournals.Append(writer, seed: 1, 1, 5, perCommit: 5);
        JournalIdentity newer = TestJournals.Identity with { SchemaVersion = 4, BuildId = "build 2" };
        using (JournalWriter writer = JournalWriter.Open(Options, newer, disk))
            TestJournals.Append(writer, seed: 1, 6, 10, perCommit: 5);
        using var reader = JournalReader.Open(disk, Folder, newer);
        var builds = new List<string>();
        while (reader.TryRead(out _))
            builds.Add(reader.Identity!.Value.BuildId);
        Assert.That(builds, Is.EqualTo(Enumerable.Repeat("build 1", 5).Concat(Enumerable.Repeat("build 2", 5))));
    }

    [Test]
    public void A_new_journal_can_start_at_any_sequence()
    {
        var disk = new FaultyStorage();
        using (JournalWriter writer = Open(disk, Options with { FirstSequence = 1000 }))
        {
            Assert.That((writer.LastSequence, writer.DurableSequence), Is.EqualTo((999L, 999L)));
            TestJournals.Append(writer, seed: 2, 1000, 1010, perCommit: 4);
        }
        using (JournalWriter writer = Open(disk))
            TestJournals.Append(writer, seed: 2, 1011, 1020, perCommit: 4);
        Assert.That(TestJournals.ReadAndCheck(disk, Folder, seed: 2, first: 1000), Is.EqualTo(1020));
        Assert.That(Recovery.Examine(disk, Folder).FirstSequence, Is.EqualTo(1000));
    }

    [Test]
    public void A_segment_is_ready_before_it_is_needed([Values] bool prepared)
    {
        var disk = new FaultyStorage();
        using JournalWriter writer = Open(disk);
        for (int commit = 1; commit <= 60; commit++)
        {
            TestJournals.Append(writer, seed: 2, commit, commit, perCommit: 1);
            if (prepared)
                Assert.That(writer.PrepareNext(), Is.True);
        }
        Assert.That(writer.ColdRollOvers, prepared ? Is.Zero : Is.GreaterThan(5));
        Assert.That(SegmentsOf(disk), Has.Length.GreaterThan(6));
    }

    [TestCase(1)]
    [TestCase(3)]
    public void Only_the_retained_segments_are_kept_and_they_read_on_their_own(int retain)
    {
        var disk = new FaultyStorage();
        long first;
        using (JournalWriter writer = Open(disk, Options with { RetainSegments = retain }))
        {
            for (int commit = 1; commit <= 80; commit++)
            {
                TestJournals.Append(writer, seed: 2, commit, commit, perCommit: 1);
                writer.PrepareNext();
                Assert.That(SegmentsOf(disk), Has.Length.LessThanOrEqualTo(retain + 2), "retained, current, prepared");
            }
            Assert.That(SegmentsOf(disk), Has.Length.EqualTo(retain + 2), "retained, current, prepared");
            first = Recovery.Examine(disk, Folder).FirstSequence;
            Assert.That(first, Is.GreaterThan(1));
        }
        Assert.That(TestJournals.ReadAndCheck(disk, Folder, seed: 2, first), Is.EqualTo(80));
        using (JournalWriter writer = Open(disk, Options with { RetainSegments = retain }))
            Assert.That(writer.LastSequence, Is.EqualTo(80));
    }

    [Test]
    public void Input_is_stopped_before_the_disk_is_full_and_what_was_accepted_still_fits()
    {
        const int Spare = 3;
        var disk = new FaultyStorage { CapacityBytes = 10 * Options.SegmentBytes };
        JournalOptions options = Options with { ReserveBytes = Spare * Options.SegmentBytes };
        JournalWriter writer = Open(disk, options);
        long sequence = 0;
        while (!writer.IsNearlyFull)
        {
            TestJournals.Append(writer, seed: 6, ++sequence, sequence, perCommit: 1);
            writer.PrepareNext();
            Assert.That(sequence, Is.LessThan(1000), "the reserve must be reached");
        }
        int segments = SegmentsOf(disk).Length;
        Assert.That(disk.FreeBytes(Folder), Is.EqualTo((Spare - 1) * Options.SegmentBytes), "one segment out of the reserve's first half");
        Assert.That(writer.PrepareNext(), Is.True, "which is ready for a node that only keeps time");
        while (SegmentsOf(disk).Length == segments && writer.PrepareNext())
            TestJournals.Append(writer, seed: 6, ++sequence, sequence, perCommit: 1);
        Assert.That((writer.PrepareNext(), writer.IsNearlyFull), Is.EqualTo((false, true)), "no second one: the other half is for what was accepted");
        Assert.That(SegmentsOf(disk), Has.Length.EqualTo(segments));

        // A node that goes on all the same uses up the reserve and is then refused, loudly and for good.
        Assert.That(() =>
        {
            while (true)
                TestJournals.Append(writer, seed: 6, sequence + 1, ++sequence, perCommit: 1);
        }, Throws.TypeOf<JournalFailedException>().With.Message.Contains("disk is full"));
        Assert.That(SegmentsOf(disk), Has.Length.EqualTo(segments + Spare - 1));
        long durable = writer.DurableSequence;
        writer.Dispose();
        Assert.That(TestJournals.ReadAndCheck(disk, Folder, seed: 6), Is.EqualTo(durable));
    }

    [Test]
    public void Space_that_comes_back_ends_the_stop()
    {
        var disk = new FaultyStorage { CapacityBytes = 3 * Options.SegmentBytes };
        using JournalWriter writer = Open(disk, Options with { ReserveBytes = 2 * Options.SegmentBytes });
        disk.CapacityBytes--;
        Assert.That((writer.PrepareNext(), writer.IsNearlyFull), Is.EqualTo((false, true)));
        disk.CapacityBytes++;
        Assert.That((writer.PrepareNext(), writer.IsNearlyFull), Is.EqualTo((true, true)), "out of the reserve");
        disk.CapacityBytes += Options.SegmentBytes;
        Assert.That((writer.PrepareNext(), writer.IsNearlyFull), Is.EqualTo((true, false)));
    }

    [Test]
    public void A_disk_that_has_no_room_for_the_first_segment_is_refused()
    {
        var disk = new FaultyStorage { CapacityBytes = Options.SegmentBytes - 1 };
        Assert.That(() => Open(disk), Throws.TypeOf<StorageException>().With.Message.Contains("no room"));
    }

    [Test]
    public void Other_sizes_take_effect_and_old_segments_stay_readable()
    {
        var disk = new FaultyStorage();
        long sequence = 0;
        foreach ((int segment, int batch) in ((int, int)[])[(8, 3), (4, 2), (16, 8), (5, 4), (8, 3)])
        {
            JournalOptions options = Options with { SegmentBytes = segment * 4096, BatchBytes = batch * 4096 };
            using JournalWriter writer = Open(disk, options);
            for (int commit = 0; commit < 25; commit++)
            {
                TestJournals.Append(writer, seed: 8, sequence + 1, sequence + 3, perCommit: 3);
                sequence += 3;
                if (commit % 4 == 0)
                    writer.PrepareNext();
            }
        }
        Assert.That(TestJournals.ReadAndCheck(disk, Folder, seed: 8), Is.EqualTo(sequence));
    }

    [Test]
    public void A_segment_keeps_the_largest_group_it_was_begun_with()
    {
        var disk = new FaultyStorage();
        using (JournalWriter writer = Open(disk, Options with { BatchBytes = 4096 }))
            TestJournals.Append(writer, seed: 8, 1, 1, perCommit: 1);
        using (JournalWriter writer = Open(disk, Options with { BatchBytes = 3 * 4096 }))
        {
            for (long sequence = 2; sequence <= 5; sequence++)
            {
                Assert.That(writer.TryAppend(1, 1, sequence, 0, new byte[9000]), Is.True, $"sequence {sequence}");
                writer.Commit();
            }
        }
        Assert.That(Recovery.Examine(disk, Folder).LastSequence, Is.EqualTo(5));
    }

    [Test]
    public void A_prepared_segment_is_used_by_the_next_run_and_replaced_where_its_length_is_another([Values(8, 12)] int blocks)
    {
        var disk = new FaultyStorage();
        using (JournalWriter writer = Open(disk))
        {
            TestJournals.Append(writer, seed: 8, 1, 1, perCommit: 1);
            writer.PrepareNext();
        }
        int before = disk.Writes;
        using (JournalWriter writer = Open(disk, Options with { SegmentBytes = blocks * 4096 }))
        {
            Assert.That(writer.PrepareNext(), Is.True);
            Assert.That(disk.Writes - before, blocks == 8 ? Is.Zero : Is.Positive);
            TestJournals.Append(writer, seed: 8, 2, 60, perCommit: 1);
        }
        Assert.That(TestJournals.ReadAndCheck(disk, Folder, seed: 8), Is.EqualTo(60));
    }

    [Test]
    public void A_half_made_segment_is_cleared_away()
    {
        var disk = new FaultyStorage();
        using (JournalWriter writer = Open(disk))
            TestJournals.Append(writer, seed: 1, 1, 3, perCommit: 1);
        disk.Create($"{Folder}/{SegmentNames.Preparing(1)}", 4096).Dispose();
        using (JournalWriter writer = Open(disk))
            Assert.That(writer.PrepareNext(), Is.True);
        Assert.That(disk.Paths, Has.None.EndsWith(".preparing"));
    }

    [Test]
    public void Closing_drops_what_was_not_committed_and_seals_the_rest()
    {
        var disk = new FaultyStorage();
        using (JournalWriter writer = Open(disk))
        {
            TestJournals.Append(writer, seed: 1, 1, 3, perCommit: 3);
            Assert.That(Recovery.Examine(disk, Folder).IsSealed, Is.False);
            _ = writer.TryAppend(1, 1, 4, 0, [4]);
        }
        RecoveryReport report = Recovery.Examine(disk, Folder);
        Assert.That((report.LastSequence, report.IsSealed), Is.EqualTo((3L, true)));
        int before = disk.Writes;
        Open(disk).Dispose();
        Assert.That(disk.Writes, Is.EqualTo(before), "a journal that was only opened is not sealed again");
    }

    [Test]
    public void A_file_system_without_direct_writes_falls_back_and_says_so()
    {
        var disk = new FaultyStorage { RefusesDirect = true };
        using JournalWriter writer = Open(disk);
        Assert.That(writer.Recovered.SyncMode, Is.EqualTo(SyncMode.FileSync));
        Assert.That(writer.Recovered.SyncNote, Does.Contain("DirectSync").And.Contain("FileSync"));
        TestJournals.Append(writer, seed: 1, 1, 3, perCommit: 1);
        Assert.That(TestJournals.ReadAndCheck(disk.AfterPowerCut(new Random(1)), Folder, seed: 1), Is.EqualTo(3));
    }

    [TestCase(4096, 4096)]
    [TestCase(8192, 4095)]
    [TestCase(8191, 4096)]
    [TestCase(1 << 20, 0)]
    [TestCase(1 << 30, 17 << 20)]
    public void Sizes_that_do_not_fit_are_refused(int segmentBytes, int batchBytes) =>
        Assert.That(() => Open(new FaultyStorage(), Options with { SegmentBytes = segmentBytes, BatchBytes = batchBytes }), Throws.ArgumentException);
}
