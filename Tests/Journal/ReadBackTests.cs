// Commits that are read back from the disk: what it corrupts, misdirects or loses ends the writer at once; without reading back, the next start finds it.
using MarginEngine.Journal;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

public sealed class ReadBackTests
{
    private const string Folder = "/journal";

    [Test]
    public void What_the_disk_did_not_keep_is_final_at_the_commit(
        [Values(SyncMode.DirectSync, SyncMode.FileSync)] SyncMode mode, [Values] bool readsBack, [Values(1, 2, 3)] int fault)
    {
        var disk = new FaultyStorage { Chance = new Random(4) };
        using JournalWriter writer = JournalWriter.Open(
            TestJournals.SmallOptions(Folder) with { SyncMode = mode, VerifyReadBack = readsBack }, TestJournals.Identity, disk);
        TestJournals.Append(writer, seed: 1, 1, 3, perCommit: 2);
        Assert.That(writer.DurableSequence, Is.EqualTo(3));
        disk.OnWrite = () => (WriteFault)fault;
        Assert.That(writer.TryAppend(1, 1, 4, 4, "the disk does not keep this"u8), Is.True);
        if (!readsBack)
        {
            Assert.That(writer.Commit, Throws.Nothing);
            return;
        }

        Assert.That(writer.Commit, Throws.TypeOf<JournalFailedException>().With.Message.Contains("sequences 4 to 4").And.Message.Contains("than was written there"));
        Assert.That((writer.IsFailed, writer.DurableSequence), Is.EqualTo((true, 3)));
        Assert.That(writer.Commit, Throws.TypeOf<JournalFailedException>(), "never again");
    }

    [TestCase(SyncMode.DirectSync)]
    [TestCase(SyncMode.FileSync)]
    public void A_real_disk_gives_back_what_was_written(SyncMode mode)
    {
        string folder = Directory.CreateTempSubdirectory("margin-readback-").FullName;
        try
        {
            using (JournalWriter writer = JournalWriter.Open(
                TestJournals.SmallOptions(folder) with { SyncMode = mode, VerifyReadBack = true }, TestJournals.Identity, new Storage()))
                TestJournals.Append(writer, seed: 2, 1, 60, perCommit: 3);
            Assert.That(TestJournals.ReadAndCheck(new Storage(), folder, seed: 2), Is.EqualTo(60));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void Without_a_sync_there_is_nothing_to_read_back() =>
        Assert.That((TestJournals.SmallOptions(Folder) with { SyncMode = SyncMode.NoneLosesDataOnPowerCut, VerifyReadBack = true }).Check,
            Throws.ArgumentException.With.Message.Contains("VerifyReadBack"));
}
