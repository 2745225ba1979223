using MarginEngine.Journal;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

/// <summary>What a successor never had is taken off a journal's end: kept beside it, nothing else touched, whatever happens in the middle.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class TailCutTests
{
    const string Folder = "/journal";
    const int Seed = 11;
    const long Last = 60;

    static JournalOptions Options => TestJournals.SmallOptions(Folder);

    static FaultyStorage Written(int perCommit, long last = Last)
    {
        var storage = new FaultyStorage();
        using JournalWriter writer = JournalWriter.Open(Options, TestJournals.Identity, storage);
        TestJournals.Append(writer, Seed, 1, last, perCommit, epoch: 3);
        writer.PrepareNext();
        return storage;
    }

    static uint ChainBefore(IStorage storage, long sequence)
    {
        using var reader = JournalReader.Open(storage, Folder, TestJournals.Identity);
        Assert.That(reader.SeekTo(sequence) && reader.TryRead(out JournalRecord record) && record.Sequence == sequence, Is.True);
        reader.SeekTo(sequence);
        reader.TryRead(out record);
        return record.PreviousChecksum;
    }

    static TailReport Cut(IStorage storage, long first, uint chain) => TailCut.Cut(storage, Options, TestJournals.Identity, first, chain);

    [Test]
    public void Everything_from_a_sequence_on_goes_to_a_journal_beside_and_the_rest_can_be_continued([Values(1, 3, 7, 100)] int perCommit)
    {
        for (long first = 1; first <= Last; first++)
        {
            FaultyStorage storage = Written(perCommit);
            TailReport report = Cut(storage, first, ChainBefore(storage, first));
            Assert.That((report.First, report.Last, report.Records, report.Epoch), Is.EqualTo((first, Last, Last - first + 1, 3L)), $"first {first}");
            Assert.That(report.KeptTo, Is.LessThan(first), $"first {first}");
            Assert.That(report.Directory, Is.EqualTo($"{Folder}/unreplicated-epoch-3-sequences-{first}-{Last}"));
            Assert.That(TestJournals.ReadAndCheck(storage, report.Directory, Seed, first), Is.EqualTo(Last), $"first {first}");
            Assert.That(Recovery.Examine(storage, report.Directory).IsSealed, Is.True);
            using JournalWriter writer = JournalWriter.Open(Options, TestJournals.Identity, storage);
            Assert.That(writer.LastSequence, Is.EqualTo(report.KeptTo), $"first {first}");
            TestJournals.Append(writer, Seed, report.KeptTo + 1, Last + 20, 4, epoch: 4);
            Assert.That(TestJournals.ReadAndCheck(storage, Folder, Seed), Is.EqualTo(Last + 20), $"first {first}");
        }
    }

    [Test]
    public void Snapshots_whose_state_includes_what_is_cut_go_and_older_ones_stay()
    {
        FaultyStorage storage = Written(5);
        foreach (long sequence in (long[])[20, 39, 40, 55])
            storage.Create(SnapshotFolder.PathOf(Folder, sequence), 4096).Dispose();
        Cut(storage, 40, ChainBefore(storage, 40));
        Assert.That(SnapshotFolder.List(storage, Folder), Is.EqualTo(new long[] { 20, 39 }));
    }

    [Test]
    public void A_journal_that_ends_before_the_place_is_left_alone()
    {
        FaultyStorage storage = Written(5);
        string[] before = storage.Paths;
        Assert.That(Cut(storage, Last + 1, 0).Records, Is.Zero);
        Assert.That(storage.Paths, Is.EqualTo(before));
        Assert.That(TestJournals.ReadAndCheck(storage, Folder, Seed), Is.EqualTo(Last));
    }

    [Test]
    public void Another_history_before_the_place_is_refused_and_nothing_is_changed()
    {
        FaultyStorage storage = Written(5);
        uint chain = ChainBefore(storage, 40);
        Assert.That(() => Cut(storage, 40, chain ^ 1), Throws.InstanceOf<HistoryDivergedException>()
            .With.Message.Contains($"before sequence 40: our chain there is 0x{chain:x8}, the primary's is 0x{chain ^ 1:x8}"));
        Assert.That(TestJournals.ReadAndCheck(storage, Folder, Seed), Is.EqualTo(Last));
        Assert.That(storage.Paths.Where(path => path.Contains("unreplicated", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void A_place_that_retention_has_deleted_cannot_be_compared_and_is_refused()
    {
        var storage = new FaultyStorage();
        using (JournalWriter writer = JournalWriter.Open(Options with { RetainSegments = 1 }, TestJournals.Identity, storage))
        {
            TestJournals.Append(writer, Seed, 1, 200, 3);
            writer.PrepareNext();
        }

        Assert.That(() => Cut(storage, 2, 0), Throws.InstanceOf<JournalRefusedException>().With.Message.Contains("cannot be compared"));
    }

    [Test]
    public void A_crash_at_every_step_loses_no_record_and_the_cut_can_be_repeated([Values] bool after, [Values] bool powerCut, [Values(1, 9)] int perCommit)
    {
        const long First = 23;
        int crashes = 0;
        for (int step = 1; ; step++, crashes++)
        {
            string context = $"crash {(after ? "after" : "in")} step {step}, {(powerCut ? "power cut" : "kill")}";
            FaultyStorage storage = Written(perCommit).Copy();
            uint chain = ChainBefore(storage, First);
            storage.CrashAt = storage.Steps + step;
            storage.CrashAfter = after;
            try
            {
                Cut(storage, First, chain);
                break;
            }
            catch (IOException) when (storage.HasStopped)
            {
                context += $" ({storage.LastCall})";
            }

            FaultyStorage found = powerCut ? storage.AfterPowerCut(new Random(step)) : storage.AfterKill();
            RecoveryReport recovered = Recovery.Recover(found, Folder, TestJournals.Identity);
            Assert.That(TestJournals.ReadAndCheck(found, Folder, Seed), Is.EqualTo(recovered.LastSequence), context);
            if (recovered.LastSequence < Last)
                AssertSideIsWhole(found, First, context);
            if (recovered.LastSequence < First)
                continue;
            TailReport report = Cut(found, First, chain);
            Assert.That((report.First, report.Last, report.KeptTo), Is.EqualTo((First, recovered.LastSequence, recovered.LastSequence < First ? 0 : report.KeptTo)), context);
            Assert.That(TestJournals.ReadAndCheck(found, report.Directory, Seed, First), Is.EqualTo(recovered.LastSequence), context);
            Assert.That(TestJournals.ReadAndCheck(found, Folder, Seed), Is.EqualTo(report.KeptTo).And.LessThan(First), context);
            AssertSideIsWhole(found, First, context);
        }

        Assert.That(crashes, Is.GreaterThan(20), "steps of a cut");
    }

    static void AssertSideIsWhole(IStorage storage, long first, string context)
    {
        string side = $"{Folder}/unreplicated-epoch-3-sequences-{first}-{Last}";
        Assert.That(Recovery.Examine(storage, side).IsSealed, Is.True, context);
        Assert.That(TestJournals.ReadAndCheck(storage, side, Seed, first), Is.EqualTo(Last), context);
    }
}
