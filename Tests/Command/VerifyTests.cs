using System.Text.Json;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Tool.Audit;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>`margin verify` on whole, torn, damaged, foreign and missing journals.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class VerifyTests
{
    private const int Records = 1_000;
    private const int SegmentBytes = 64 * 1024;

    private static void WriteJournal(string directory, JournalIdentity? identity = null)
    {
        JournalOptions options = new()
        {
            Directory = directory,
            SegmentBytes = SegmentBytes,
            BatchBytes = 16 * 1024,
            ReserveBytes = 0,
            SyncMode = SyncMode.FileSync,
        };
        using JournalWriter writer = JournalWriter.Open(options, identity ?? EngineIdentity.Current, new Storage());
        byte[] message = new byte[100];
        for (int sequence = 1; sequence <= Records; sequence++)
        {
            message.AsSpan().Fill((byte)(sequence % 251));
            Assert.That(writer.TryAppend(1, 1, sequence, 1_000_000L * sequence, message), Is.True);
            if (sequence % 20 == 0) writer.Commit();
        }

        writer.Commit();
    }

    private static void FlipByte(string file, long offset)
    {
        byte[] bytes = File.ReadAllBytes(file);
        bytes[offset] ^= 0x40;
        File.WriteAllBytes(file, bytes);
    }

    private static string FirstSegment(string directory) => Directory.GetFiles(directory, "*.segment").Order(StringComparer.Ordinal).First();

    [Test]
    public void A_whole_journal_is_intact_and_its_extent_is_told()
    {
        using ScratchFolder scratch = new();
        WriteJournal(scratch.File("journal"));
        CommandResult text = MarginCommand.Run("verify", scratch.File("journal")), json = MarginCommand.Run("verify", scratch.File("journal"), "--json");
        Assert.That((text.Code, json.Code), Is.EqualTo((ExitCode.Done, ExitCode.Done)), text + "\n" + json);
        Assert.That(text.Out, Does.Contain("result      intact").And.Contain($"{Records}, sequences 1 to {Records}, epochs 1 to 1"), text.ToString());
        using JsonDocument document = JsonDocument.Parse(json.Out);
        JsonElement root = document.RootElement;
        Assert.That(root.GetProperty("intact").GetBoolean(), Is.True);
        Assert.That(root.GetProperty("closed").GetBoolean(), Is.True);
        Assert.That(root.GetProperty("records").GetInt64(), Is.EqualTo(Records));
        Assert.That(root.GetProperty("segments").GetInt32(), Is.GreaterThan(2), "the test wants a journal of several segments");
        Assert.That(root.GetProperty("lastTimeNanos").GetInt64(), Is.EqualTo(1_000_000L * Records));
        Assert.That(root.GetProperty("writers").GetArrayLength(), Is.EqualTo(1));
    }

    [TestCase(4096 + 200)]
    [TestCase(3 * 4096 + 77)]
    [TestCase(9)]
    public void Damage_ends_with_3_and_names_the_place(int offset)
    {
        using ScratchFolder scratch = new();
        WriteJournal(scratch.File("journal"));
        string segment = FirstSegment(scratch.File("journal"));
        FlipByte(segment, offset);
        CommandResult result = MarginCommand.Run("verify", scratch.File("journal"), "--json");
        Assert.That(result.Code, Is.EqualTo(ExitCode.Difference), result.ToString());
        using JsonDocument document = JsonDocument.Parse(result.Out);
        Assert.That(document.RootElement.GetProperty("intact").GetBoolean(), Is.False);
        Assert.That(document.RootElement.GetProperty("damage").GetString(), Does.Contain(Path.GetFileName(segment)).And.Contain("byte"), result.ToString());
    }

    [Test]
    public void A_missing_segment_in_the_middle_is_damage()
    {
        using ScratchFolder scratch = new();
        WriteJournal(scratch.File("journal"));
        File.Delete(Directory.GetFiles(scratch.File("journal"), "*.segment").Order(StringComparer.Ordinal).ElementAt(1));
        CommandResult result = MarginCommand.Run("verify", scratch.File("journal"));
        Assert.That(result.Code, Is.EqualTo(ExitCode.Difference), result.ToString());
        Assert.That(result.Out, Does.Not.Contain("intact"), result.ToString());
    }

    [Test]
    public void A_missing_end_is_told_as_a_journal_that_was_never_closed()
    {
        using ScratchFolder scratch = new();
        WriteJournal(scratch.File("journal"));
        File.Delete(Directory.GetFiles(scratch.File("journal"), "*.segment").Order(StringComparer.Ordinal).Last());
        CommandResult result = MarginCommand.Run("verify", scratch.File("journal"));
        Assert.That(result.Out, Does.Contain("closed      no"), result.ToString());
    }

    [Test]
    public void A_journal_of_other_arithmetic_is_whole_but_refused_for_replay()
    {
        using ScratchFolder scratch = new();
        JournalIdentity foreign = EngineIdentity.Current with { ArithmeticDigest = EngineIdentity.Current.ArithmeticDigest ^ 1 };
        WriteJournal(scratch.File("journal"), foreign);
        CommandResult result = MarginCommand.Run("verify", scratch.File("journal"));
        Assert.That(result.Code, Is.EqualTo(ExitCode.Refused), result.ToString());
        Assert.That(result.Out, Does.Contain("refused").And.Contain("intact").And.Contain("arithmetic"), result.ToString());
    }

    [Test]
    public void Where_there_is_no_journal_the_command_says_so()
    {
        using ScratchFolder scratch = new();
        CommandResult missing = MarginCommand.Run("verify", scratch.File("nothing")), empty = MarginCommand.Run("verify", scratch.Path);
        Assert.That((missing.Code, empty.Code), Is.EqualTo((ExitCode.Unreachable, ExitCode.Unreachable)), missing + "\n" + empty);
        Assert.That(missing.Error, Does.Contain("no directory"));
        Assert.That(empty.Error, Does.Contain("no journal"));
    }
}
