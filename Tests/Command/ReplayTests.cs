using System.Text.Json;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>`margin replay` and `margin inspect` on a journal whose decisions are known.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class ReplayTests
{
    private ScratchFolder _scratch = null!;
    private LiveJournal _live = null!;

    [OneTimeSetUp]
    public void WriteJournal()
    {
        _scratch = new ScratchFolder();
        _live = LiveJournal.Write(_scratch.File("journal"));
        Assert.That(_live.DecisionsOf(HeartbeatDecoder.TemplateId).Count(), Is.GreaterThan(5));
        Assert.That(_live.DecisionsOf(LiquidationInstructionDecoder.TemplateId), Is.Not.Empty, "the market of this test ends in a liquidation");
    }

    [OneTimeTearDown]
    public void RemoveJournal() => _scratch.Dispose();

    [TearDown]
    public void RemoveHeartbeats() => File.Delete(Path.Combine(_live.Directory, "heartbeats.log"));

    private CommandResult Replay(params string[] options) => MarginCommand.Run(["replay", _live.Directory, .. options]);

    private static JsonElement LastLine(CommandResult result) =>
        JsonDocument.Parse(result.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]).RootElement.Clone();

    [Test]
    public void A_replay_comes_to_the_state_the_machine_had()
    {
        CommandResult result = Replay("--json");
        Assert.That(result.Code, Is.Zero, result.ToString());
        JsonElement summary = LastLine(result);
        Assert.That(summary.GetProperty("stateDigest").GetString(), Is.EqualTo($"0x{_live.StateDigest:x16}"));
        Assert.That(summary.GetProperty("records").GetInt64(), Is.EqualTo(_live.Inputs.Count));
        Assert.That(summary.GetProperty("decisions").GetProperty("MarginUpdate").GetInt64(), Is.EqualTo(_live.DecisionsOf(MarginUpdateDecoder.TemplateId).Count()));
    }

    [Test]
    public void A_replay_takes_the_capacities_of_the_node_from_the_journal()
    {
        LiveJournal full = LiveJournal.Write(_scratch.File("full"), Limits.Small with { Instruments = 2 });
        Assert.That(full.DecisionsOf(RejectDecoder.TemplateId), Is.Not.Empty, "the third instrument finds no room");
        CommandResult result = MarginCommand.Run("replay", full.Directory, "--json");
        Assert.That(result.Code, Is.Zero, result.ToString());
        Assert.That(LastLine(result).GetProperty("stateDigest").GetString(), Is.EqualTo($"0x{full.StateDigest:x16}").And.Not.EqualTo($"0x{_live.StateDigest:x16}"));
    }

    [Test]
    public void Heartbeats_and_published_messages_that_agree_are_identical()
    {
        _live.WriteHeartbeats();
        LiveJournal.WritePublished(_scratch.File("published"), _live.Decisions);
        CommandResult result = Replay("--verify", "--published", _scratch.File("published"));
        Assert.That(result.Code, Is.Zero, result.ToString());
        Assert.That(result.Out, Does.Contain("replay:     identical").And.Contain($"{_live.Decisions.Count} equal"), result.ToString());
    }

    [Test]
    public void A_heartbeat_log_torn_by_a_crash_is_compared_as_far_as_it_goes()
    {
        _live.WriteHeartbeats(text => text[..^20]);
        Assert.That(Replay("--verify").Code, Is.Zero);
    }

    [TestCase(0, TestName = "A_state_digest_that_differs_is_found")]
    [TestCase(1, TestName = "A_heartbeat_without_its_input_is_found")]
    public void A_difference_in_heartbeats_ends_with_3(int kind)
    {
        _live.WriteHeartbeats(text => kind == 0
            ? text.Replace(text.Split(' ')[1], "00000000deadbeef", StringComparison.Ordinal)
            : text + "999999 0000000000000001 0000000000000002\n");
        CommandResult result = Replay("--verify");
        Assert.That(result.Code, Is.EqualTo(ExitCode.Difference), result.ToString());
        Assert.That(result.Out, Does.Contain("DIFFERENT"));
        Assert.That(result.Error, Does.Contain(kind == 0 ? "deadbeef" : "999999"), result.ToString());
    }

    private static IEnumerable<TestCaseData> Forgeries()
    {
        static byte[] Flip(byte[] message)
        {
            byte[] copy = [.. message];
            copy[^1] ^= 1;
            return copy;
        }

        yield return new TestCaseData((Func<List<byte[]>, IEnumerable<byte[]>>)(all => all.Select((message, index) => index == 40 ? Flip(message) : message)))
            .SetArgDisplayNames("one bit of a message");
        yield return new TestCaseData((Func<List<byte[]>, IEnumerable<byte[]>>)(all => all.Where((message, _) => BitConverter.ToUInt16(message, 2) != MarginCallDecoder.TemplateId)))
            .SetArgDisplayNames("margin calls never sent");
        yield return new TestCaseData((Func<List<byte[]>, IEnumerable<byte[]>>)(all => all.Append(AtSequence(all[^1], 1_000_000)))).SetArgDisplayNames("a message from nowhere");
    }

    private static byte[] AtSequence(byte[] message, ulong sequence)
    {
        byte[] copy = [.. message];
        BitConverter.TryWriteBytes(copy.AsSpan(8), sequence);
        return copy;
    }

    [TestCaseSource(nameof(Forgeries))]
    public void A_published_message_that_the_journal_does_not_explain_ends_with_3(Func<List<byte[]>, IEnumerable<byte[]>> forge)
    {
        LiveJournal.WritePublished(_scratch.File("forged"), forge(_live.Decisions));
        CommandResult result = Replay("--published", _scratch.File("forged"));
        Assert.That(result.Code, Is.EqualTo(ExitCode.Difference), result.ToString());
        Assert.That(result.Error, Does.Contain("sequence"), result.ToString());
    }

    [Test]
    public void Conflated_margin_updates_and_a_late_subscriber_are_no_difference()
    {
        int seen = 0;
        IEnumerable<byte[]> some = _live.Decisions.Skip(60).Where(message => BitConverter.ToUInt16(message, 2) != MarginUpdateDecoder.TemplateId || seen++ % 3 == 0);
        LiveJournal.WritePublished(_scratch.File("some"), some);
        CommandResult result = Replay("--published", _scratch.File("some"));
        Assert.That(result.Code, Is.Zero, result.ToString());
    }

    [Test]
    public void Without_anything_to_compare_with_verify_says_so()
    {
        CommandResult result = Replay("--verify");
        Assert.That(result.Code, Is.EqualTo(ExitCode.Unreachable), result.ToString());
        Assert.That(result.Error, Does.Contain("heartbeats.log is missing"));
    }

    [TestCase("heartbeats.log", "rubbish\n")]
    [TestCase("published", "rubbish")]
    public void A_file_that_is_no_log_cannot_be_read(string name, string text)
    {
        bool heartbeats = name == "heartbeats.log";
        File.WriteAllText(heartbeats ? Path.Combine(_live.Directory, name) : _scratch.File(name), text);
        CommandResult result = heartbeats ? Replay("--verify") : Replay("--published", _scratch.File(name));
        Assert.That(result.Code, Is.EqualTo(ExitCode.Unreachable), result.ToString());
    }

    [Test]
    public void One_account_is_followed_to_a_sequence_and_reported_as_of_it()
    {
        CommandResult result = Replay("--to", "150", "--account", "42", "--json");
        Assert.That(result.Code, Is.Zero, result.ToString());
        JsonElement[] lines = [.. result.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.Clone())];
        Assert.That(lines, Has.Length.GreaterThan(3));
        foreach (JsonElement line in lines[..^2])
        {
            Assert.That(line.GetProperty("message").GetProperty("accountId").GetUInt64(), Is.EqualTo(LiveJournal.Account));
            Assert.That(line.GetProperty("message").GetProperty("sequence").GetInt64(), Is.LessThanOrEqualTo(150));
        }

        Assert.That(lines[^2].GetProperty("report").GetProperty("asOfSequence").GetInt64(), Is.EqualTo(150));
        Assert.That(lines[^1].GetProperty("lastSequence").GetInt64(), Is.EqualTo(150));
    }

    [Test]
    public void An_account_that_is_not_there_is_told() => Assert.That(Replay("--account", "7").Code, Is.EqualTo(ExitCode.Unreachable));

    [Test]
    public void Inspect_shows_the_records_of_a_range_as_they_are()
    {
        CommandResult json = MarginCommand.Run("inspect", _live.Directory, "--from", "2", "--to", "6", "--json");
        Assert.That(json.Code, Is.Zero, json.ToString());
        JsonElement[] lines = [.. json.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.Clone())];
        Assert.That(lines.Select(line => line.GetProperty("sequence").GetInt64()), Is.EqualTo(new long[] { 2, 3, 4, 5, 6 }));
        for (int index = 0; index < lines.Length; index++)
        {
            ushort template = BitConverter.ToUInt16(_live.Inputs[index + 1], 2);
            Assert.That(lines[index].GetProperty("message").GetProperty("template").GetString(), Is.EqualTo(Schema.NameOf(template)));
        }

        CommandResult words = MarginCommand.Run("inspect", _live.Directory, "--account", "42");
        Assert.That(words.Code, Is.Zero, words.ToString());
        int fills = _live.Inputs.Count(message => BitConverter.ToUInt16(message, 2) == FillDecoder.TemplateId);
        Assert.That(words.Out.Split('\n').Count(line => line.Contains(" Fill ")), Is.EqualTo(fills), words.ToString());
        Assert.That(words.Out, Does.Not.Contain("IndexPrice").And.Contain("accountId=42"));
    }

    [TestCase("--from", "5", "--to", "4", ExitCode.Usage)]
    [TestCase("--from", "0", "--to", "4", ExitCode.Usage)]
    [TestCase("--from", "99999999", "--to", "100000000", ExitCode.Unreachable)]
    public void A_range_that_is_not_there_is_refused(string option, string value, string other, string second, int code) =>
        Assert.That(MarginCommand.Run("inspect", _live.Directory, option, value, other, second).Code, Is.EqualTo(code));

    [Test]
    public void Output_that_nobody_reads_any_more_ends_the_command()
    {
        using System.Diagnostics.Process process = MarginCommand.Start(Environment.CurrentDirectory, [], "inspect", _live.Directory, "--json");
        process.StandardOutput.ReadLine();
        process.StandardOutput.Close();
        Assert.That(process.WaitForExit(TimeSpan.FromMinutes(1)), Is.True, "it writes on into a closed pipe");
    }
}
