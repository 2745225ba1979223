// Signatures on a disk that gets full: they wait, the journal does not, and none is missing when there is room.
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Signing;
using MarginEngine.Tests.CommandTests;
using MarginEngine.Tests.ProcessTests;
using NUnit.Framework;

namespace MarginEngine.Tests.AuditTests;

[NonParallelizable]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
internal sealed class FullDiskSigningTests
{
    private const int Records = 200;

    [Test]
    public void Signatures_wait_for_room_and_none_is_missing_or_torn()
    {
        using SmallDisk disk = SmallDisk.Mount(megabytes: 4);
        using ScratchFolder scratch = new();
        using SigningKey key = SigningKeys.Create(scratch.File("signing.pem"), add: false);
        JournalOptions options = new()
        {
            Directory = Path.Combine(disk.Path, "journal"), SegmentBytes = 1 << 20, BatchBytes = 16 << 10, ReserveBytes = 0, SyncMode = SyncMode.FileSync,
        };
        Storage storage = new();
        using JournalWriter writer = JournalWriter.Open(options, EngineIdentity.Current, storage);
        using Signer signer = new(storage, options.Directory, new SigningOptions { KeyFile = scratch.File("signing.pem"), EveryRecords = 1 }, 0);
        long now = 0;
        Follow(10);
        Assert.That((signer.SignedUpTo, signer.Problem), Is.EqualTo((10L, (string?)null)));

        disk.FillUp();
        Follow(Records);
        long signed = signer.SignedUpTo;
        Assert.That(signed, Is.InRange(10, Records), "a page of the log had room");
        Assert.That(signer.Problem, Is.Not.Null);
        Assert.That(SignatureLog.Read(options.Directory).Select(statement => statement.Sequence), Is.EqualTo(Enumerable.Range(1, (int)signed)), "only whole lines");

        disk.Grow(megabytes: 8);
        Follow(10);
        Assert.That((signer.SignedUpTo, signer.Problem), Is.EqualTo((20L + Records, (string?)null)));
        signer.Close(writer.DurableSequence, ++now);
        using SigningKey known = SigningKeys.ReadPublic(PublicFile(scratch, key));
        SignedHistory found = SignedHistory.Check(storage, options.Directory, known);
        Assert.That((found.Problem, found.SignedUpTo, found.IsClosed, found.Signatures), Is.EqualTo(((string?)null, 20L + Records, true, 21 + Records)));

        void Follow(int count)
        {
            for (int i = 0; i < count; i++)
            {
                Assert.That(writer.TryAppend(1, 1, writer.LastSequence + 1, writer.LastSequence + 1, new byte[100]), Is.True);
                writer.Commit();
                signer.Poll(writer.DurableSequence, ++now);
            }
        }
    }

    private static string PublicFile(ScratchFolder scratch, SigningKey key)
    {
        File.WriteAllText(scratch.File("public.pem"), key.PublicPem);
        return scratch.File("public.pem");
    }
}
