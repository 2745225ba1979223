using MarginEngine.Journal;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

/// <summary>Where an epoch ended is found by the segments' headers and one segment's records.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class EpochSearchTests
{
    const string Folder = "/journal";

    [Test]
    public void The_first_record_of_the_next_epoch_is_found_wherever_it_stands([Values(1, 4, 50)] int perCommit)
    {
        for (long border = 2; border <= 80; border += 3)
        {
            var storage = new FaultyStorage();
            using JournalWriter writer = JournalWriter.Open(TestJournals.SmallOptions(Folder), TestJournals.Identity, storage);
            TestJournals.Append(writer, 5, 1, border - 1, perCommit, epoch: 2);
            uint chain = writer.LastChecksum;
            TestJournals.Append(writer, 5, border, border + 40, perCommit, epoch: 5);
            using JournalReader reader = JournalReader.Open(storage, Folder, follow: true);
            foreach (long epoch in (long[])[2, 3, 4])
            {
                Assert.That(reader.TryFindEpochAfter(epoch, out long sequence, out bool isKept), Is.True, $"border {border}");
                Assert.That((sequence, isKept), Is.EqualTo((border, true)));
                Assert.That(reader.SeekTo(sequence) && reader.TryRead(out JournalRecord record) && record.PreviousChecksum == chain, Is.True);
            }

            Assert.That(reader.TryFindEpochAfter(1, out long first, out _), Is.True);
            Assert.That(first, Is.EqualTo(1));
            Assert.That(reader.TryFindEpochAfter(5, out _, out bool isThere), Is.False);
            Assert.That(isThere, Is.True);
        }
    }

    [Test]
    public void A_place_that_retention_has_deleted_is_said_to_be_gone()
    {
        var storage = new FaultyStorage();
        using JournalWriter writer = JournalWriter.Open(TestJournals.SmallOptions(Folder) with { RetainSegments = 1 }, TestJournals.Identity, storage);
        TestJournals.Append(writer, 5, 1, 10, 3, epoch: 1);
        TestJournals.Append(writer, 5, 11, 200, 3, epoch: 2);
        writer.PrepareNext();
        using JournalReader reader = JournalReader.Open(storage, Folder, follow: true);
        Assert.That(reader.TryFindEpochAfter(1, out _, out bool isKept), Is.False);
        Assert.That(isKept, Is.False);
    }
}
