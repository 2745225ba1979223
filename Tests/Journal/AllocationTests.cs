using MarginEngine.Journal;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

/// <summary>The journalling thread creates no garbage.</summary>
public sealed class AllocationTests
{
    [Test]
    public void A_million_appends_their_commits_and_roll_overs_allocate_nothing()
    {
        string directory = Directory.CreateTempSubdirectory("journal-test-").FullName;
        try
        {
            JournalOptions options = new()
            {
                Directory = directory, SegmentBytes = 8 << 20, RetainSegments = 1, ReserveBytes = 0, SyncMode = SyncMode.NoneLosesDataOnPowerCut,
            };
            using JournalWriter writer = JournalWriter.Open(options, TestJournals.Identity, new Storage());
            byte[] message = new byte[64];
            long allocated = 0;
            for (int commit = 0; commit < 1000; commit++)
            {
                writer.PrepareNext();
                long before = GC.GetAllocatedBytesForCurrentThread();
                for (int record = 0; record < 1000; record++)
                {
                    long sequence = writer.LastSequence + 1;
                    if (writer.TryAppend(1, 1, sequence, sequence, message))
                        continue;
                    writer.Commit(); // the segment ends here
                    if (!writer.TryAppend(1, 1, sequence, sequence, message))
                        throw new InvalidOperationException($"sequence {sequence} was not taken");
                }
                writer.Commit();
                allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            }
            Assert.That(writer.DurableSequence, Is.EqualTo(1_000_000));
            Assert.That(writer.ColdRollOvers, Is.Zero);
            Assert.That(allocated, Is.Zero);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
