using System.Text.Json;
using MarginEngine.Journal;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>`margin snapshot`, and `margin replay --snapshot` from what it wrote.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class SnapshotVerbTests
{
    private ScratchFolder _scratch = null!;
    private LiveJournal _live = null!;

    [SetUp]
    public void WriteJournal()
    {
        _scratch = new ScratchFolder();
        _live = LiveJournal.Write(_scratch.File("journal"));
    }

    [TearDown]
    public void RemoveJournal() => _scratch.Dispose();

    private static JsonElement Json(CommandResult result)
    {
        Assert.That(result.Code, Is.Zero, result.ToString());
        return JsonDocument.Parse(result.Out.Trim()).RootElement.Clone();
    }

    private JsonElement Snapshot(params string[] options) => Json(MarginCommand.Run(["snapshot", _live.Directory, "--json", .. options]));

    private JsonElement Replay(params string[] options) => Json(MarginCommand.Run(["replay", _live.Directory, "--json", .. options]));

    [Test]
    public void The_end_of_a_journal_has_the_state_of_the_machine_and_a_replay_from_the_middle_comes_to_it()
    {
        JsonElement end = Snapshot("--to", _scratch.File("elsewhere"));
        Assert.That(end.GetProperty("sequence").GetInt64(), Is.EqualTo(_live.Inputs.Count));
        Assert.That(end.GetProperty("stateDigest").GetString(), Is.EqualTo($"0x{_live.StateDigest:x16}"));
        Assert.That(File.Exists(end.GetProperty("path").GetString()), Is.True);

        long middle = _live.Inputs.Count / 2;
        Assert.That(Snapshot("--at", $"{middle}").GetProperty("startedFrom").GetInt64(), Is.Zero);
        Assert.That(Snapshot("--at", $"{middle + 10}").GetProperty("startedFrom").GetInt64(), Is.EqualTo(middle), "it begins with the one that is there");
        JsonElement whole = Replay(), rest = Replay("--snapshot");
        Assert.That(rest.GetProperty("startedFrom").GetInt64(), Is.EqualTo(middle + 10));
        Assert.That(rest.GetProperty("records").GetInt64(), Is.EqualTo(_live.Inputs.Count - middle - 10));
        Assert.That(rest.GetProperty("stateDigest").GetString(), Is.EqualTo(whole.GetProperty("stateDigest").GetString()));
        Assert.That(rest.GetProperty("decisionDigest").GetString(), Is.EqualTo(whole.GetProperty("decisionDigest").GetString()));
    }

    [Test]
    public void A_replay_from_a_snapshot_verifies_the_heartbeats_behind_it()
    {
        _live.WriteHeartbeats();
        Snapshot("--at", $"{_live.Inputs.Count / 2}");
        CommandResult result = MarginCommand.Run("replay", _live.Directory, "--snapshot", "--verify");
        Assert.That(result.Code, Is.Zero, result.ToString());
        Assert.That(result.Out, Does.Contain("replay:     identical"));
    }

    [Test]
    public void One_that_is_damaged_is_named_and_the_next_older_one_is_used()
    {
        Snapshot("--at", "20");
        string newer = Snapshot("--at", "30").GetProperty("path").GetString()!;
        byte[] bytes = File.ReadAllBytes(newer);
        bytes[4_200] ^= 1;
        File.WriteAllBytes(newer, bytes);
        CommandResult result = MarginCommand.Run("replay", _live.Directory, "--snapshot");
        Assert.That(result.Code, Is.Zero, result.ToString());
        Assert.That(result.Error, Does.Contain("snapshot 30 is passed over: the checksum of block 0 is wrong"));
        Assert.That(result.Out, Does.Contain("of sequence 20"));
    }

    [Test]
    public void What_cannot_be_done_is_refused_with_the_reason()
    {
        CommandResult none = MarginCommand.Run("replay", _live.Directory, "--snapshot");
        Assert.That(none.Code, Is.EqualTo(ExitCode.Refused), none.ToString());
        Assert.That(none.Error, Does.Contain("can be used: there is none"));
        CommandResult beyond = MarginCommand.Run("snapshot", _live.Directory, "--at", "1000000");
        Assert.That(beyond.Code, Is.EqualTo(ExitCode.Refused), beyond.ToString());
        Assert.That(beyond.Error, Does.Contain($"ends at sequence {_live.Inputs.Count}, before 1000000"));
        Assert.That(MarginCommand.Run("snapshot", _scratch.File("nowhere")).Code, Is.EqualTo(ExitCode.Unreachable));
        Assert.That(SnapshotFolder.List(new Storage(), _live.Directory), Is.Empty, "and nothing is left");
    }
}
