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
}
