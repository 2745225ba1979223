using System.Collections.Concurrent;
using System.Text.Json;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Signing;
using MarginEngine.Tests.CommandTests;
using MarginEngine.Tests.PipelineTests;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.AuditTests;

/// <summary>`margin operate` against a node: each command is taken into the journal with who and why, told to the node's owner, and signed with the rest.</summary>
[TestFixture]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
[Parallelizable(ParallelScope.Self)]
public sealed class OperateTests
{
    private static CommandResult Operate(NodeOptions options, params string[] what) => MarginCommand.Run(
    [
        "operate", "--input", options.Input!.Channel, "--input-stream", $"{options.Input.Stream}", "--output", options.Output!.Channel,
        "--reply-stream", $"{options.Output.ReplyStream}", "--patience", "60", .. what,
    ]);

    [Test]
    public void Commands_are_journalled_with_who_and_why_told_to_the_owner_and_signed()
    {
        using ScratchFolder scratch = new();
        string keys = scratch.File("signing.pem"), publicKey = scratch.Write("public.pem", MarginCommand.Run("key", "create", scratch.File("signing.pem")).Out);
        NodeOptions options = TestNode.Primary(scratch.File("journal")) with { Signing = new SigningOptions { KeyFile = keys, EveryMillis = 100 } };
        ConcurrentQueue<OperatorEntry> told = new();
        using (TestNode.Running running = TestNode.Start(options, before: node => node.OnOperatorCommand = told.Enqueue))
        {
            foreach ((string command, string who, string why) in new[]
                { ("--halt", "night desk", "index feed is down"), ("--snapshot", "night desk", "before we look"), ("--resume", "day desk", "feed is back"), ("--promote", "day desk", "drill") })
            {
                CommandResult result = Operate(options, command, "--who", who, "--why", why);
                Assert.That(result.Code, Is.Zero, result.ToString());
                Assert.That(result.Out, Does.StartWith("taken by sequence "));
            }

            CommandResult refused = Operate(options, "--model", "portfolio", "--journal", options.Journal.Directory, "--activation", "+100", "--who", "risk", "--why", "wider ranges");
            Assert.That(refused.Code, Is.EqualTo(ExitCode.Refused), refused.ToString());
            Assert.That(refused.Error, Does.Contain("unknownModel").And.Contain("activation"), "a first version cannot wait for a sequence");
            CommandResult model = Operate(options, "--model", "portfolio", "--journal", options.Journal.Directory, "--who", "risk", "--why", "opening");
            Assert.That(model.Code, Is.Zero, model.ToString());
            Assert.That(MarginCommand.Run("key", "create", keys, "--add").Code, Is.Zero);
            CommandResult change = Operate(options, "--signing-key", keys, "--signed-by", keys, "--who", "security", "--why", "yearly change");
            Assert.That(change.Code, Is.Zero, change.ToString());
            Until.True(() => told.Count >= 6, () => { }, () => $"{told.Count} told");
            Until.True(() => running.Node.Status().Signed > told.Last().Sequence, () => { }, () => $"signed {running.Node.Status().Signed}: {running.Node.SigningProblem}");
            running.Check();
            Assert.That(running.Node.Stop(TimeSpan.FromSeconds(30)), Is.True);
            Assert.That(running.Node.SigningProblem, Is.Null);
        }

        Assert.That(told.Select(entry => entry.Act), Is.EqualTo(new[]
        {
            OperatorAct.Halt, OperatorAct.Snapshot, OperatorAct.Resume, OperatorAct.Promote, OperatorAct.Model, OperatorAct.SigningKey,
        }), "what was refused is not told");
        CommandResult log = MarginCommand.Run("inspect", options.Journal.Directory, "--operators", "--json");
        JsonElement[] lines = [.. log.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.Clone())];
        Assert.That(lines.Select(line => $"{line.GetProperty("who").GetString()}|{line.GetProperty("why").GetString()}|{line.GetProperty("outcome").GetString()}"), Is.EqualTo(new[]
        {
            "night desk|index feed is down|taken", "night desk|before we look|taken", "day desk|feed is back|taken", "day desk|drill|taken",
            "risk|wider ranges|refused: unknownModel", "risk|opening|taken", "security|yearly change|taken",
        }), log.ToString());
        Assert.That(lines[5].GetProperty("what").GetString(), Does.StartWith($"model 1 portfolio version {ModelDocument.Portfolio.Version} at once"));
        CommandResult verify = MarginCommand.Run("verify", options.Journal.Directory, "--public-key", publicKey, "--json");
        Assert.That(verify.Code, Is.Zero, verify.ToString());
        JsonElement signed = JsonDocument.Parse(verify.Out).RootElement.GetProperty("signed");
        Assert.That((signed.GetProperty("closed").GetBoolean(), signed.GetProperty("keys").GetArrayLength()), Is.EqualTo((true, 2)), verify.Out);
        CommandResult replay = MarginCommand.Run("replay", options.Journal.Directory);
        Assert.That(replay.Code, Is.Zero, replay.ToString());
    }

    [Test]
    public void A_node_with_a_key_that_others_can_read_does_not_start()
    {
        using ScratchFolder scratch = new();
        using (SigningKeys.Create(scratch.File("key.pem"), add: false)) { }
        File.SetUnixFileMode(scratch.File("key.pem"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        CommandResult result = MarginCommand.Run("run", "--journal", scratch.File("journal"), "--sign-key", scratch.File("key.pem"), "--input", Ports.Channel(), "--output", Ports.Channel());
        Assert.That(result.Code, Is.EqualTo(ExitCode.Usage), result.ToString());
        Assert.That(result.Error, Does.Contain("mode 404"));
    }

    [TestCase(ExitCode.Usage, "--halt", "--resume", "--who", "a", "--why", "b")]
    [TestCase(ExitCode.Usage, "--who", "a", "--why", "b")]
    [TestCase(ExitCode.Usage, "--halt", "--why", "b")]
    [TestCase(ExitCode.Usage, "--halt", "--who", "a", "--why", " ")]
    [TestCase(ExitCode.Usage, "--halt", "--who", "somebody with a long name", "--why", "b")]
    [TestCase(ExitCode.Usage, "--model", "portfolio", "--who", "a", "--why", "b")]
    [TestCase(ExitCode.Usage, "--signing-key", "x.pem", "--who", "a", "--why", "b")]
    public void A_command_without_who_or_why_or_of_two_minds_is_refused(int code, params string[] line) =>
        Assert.That(MarginCommand.Run(["operate", .. line]).Code, Is.EqualTo(code));

    [Test]
    public void Where_no_node_is_the_command_says_so()
    {
        CommandResult result = MarginCommand.Run("operate", "--halt", "--who", "a", "--why", "b", "--patience", "1", "--input", Ports.Channel(), "--output", Ports.Channel());
        Assert.That(result.Code, Is.EqualTo(ExitCode.Unreachable), result.ToString());
        Assert.That(result.Error, Does.Contain("nobody listens"));
    }
}
