using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Tool.Audit;
using MarginEngine.Tool.Demo;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>`margin run`: where its settings come from, what it refuses, how it ends.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class RunTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static JsonNode Effective(Dictionary<string, string> environment, params string[] options)
    {
        CommandResult result = MarginCommand.RunIn(Environment.CurrentDirectory, environment, ["run", "--print-config", .. options]);
        Assert.That(result.Code, Is.Zero, result.ToString());
        return JsonNode.Parse(result.Out)!;
    }

    // A node on its own ports with a small journal, so that tests can run side by side.
    private static JsonNode Config(string journal)
    {
        JsonNode config = Effective([], "--journal", journal);
        int[] ports = FreePorts.Take(2);
        config["input"]!["channel"] = $"aeron:udp?endpoint=127.0.0.1:{ports[0]}";
        config["output"]!["channel"] = $"aeron:udp?endpoint=127.0.0.1:{ports[1]}";
        config["journal"]!["segmentBytes"] = 1 << 20;
        config["journal"]!["batchBytes"] = 64 << 10;
        config["journal"]!["reserveBytes"] = 0;
        return config;
    }

    private static Process Start(string config)
    {
        Process process = MarginCommand.Start(Environment.CurrentDirectory, [], "run", "--config", config, "--json", "--status-millis", "100");
        string? line = process.StandardOutput.ReadLine();
        Assert.That(line, Does.Contain("\"role\":\"primary\""), "the first status line says that it runs");
        return process;
    }

    private static CommandResult Terminate(Process process)
    {
        Process.Start("kill", ["-TERM", $"{process.Id}"])!.WaitForExit();
        return MarginCommand.Finish(process, "run");
    }

    [Test]
    public void Its_own_configuration_is_one_it_takes()
    {
        using ScratchFolder scratch = new();
        JsonNode printed = Effective([], "--journal", scratch.File("journal"), "--gate", "journal", "--epoch", "3");
        JsonNode again = Effective([], "--config", scratch.Write("margin.json", printed.ToJsonString()));
        Assert.That(JsonNode.DeepEquals(printed, again), Is.True, $"{printed}\n{again}");
        Assert.That(printed["epoch"]!.GetValue<int>(), Is.EqualTo(3));
    }

    [Test]
    public void Options_go_before_the_environment_and_that_before_the_file()
    {
        using ScratchFolder scratch = new();
        JsonNode file = Effective([], "--journal", "from-file", "--epoch", "1", "--placement", "merged");
        string config = scratch.Write("margin.json", file.ToJsonString());
        Dictionary<string, string> environment = new() { ["MARGIN_CONFIG"] = config, ["MARGIN_JOURNAL"] = "from-environment", ["MARGIN_EPOCH"] = "2" };
        JsonNode effective = Effective(environment, "--epoch", "5");
        Assert.That(effective["placement"]!.GetValue<string>(), Is.EqualTo("Merged"));
        Assert.That(effective["journal"]!["directory"]!.GetValue<string>(), Is.EqualTo("from-environment"));
        Assert.That(effective["epoch"]!.GetValue<int>(), Is.EqualTo(5));
    }

    [Test]
    public void A_mode_on_the_line_replaces_mode_and_gate_of_the_file_and_the_default_is_shown()
    {
        using ScratchFolder scratch = new();
        string[] pair = ["--replication", "aeron:udp?endpoint=127.0.0.1:40102", "--acks", "aeron:udp?endpoint=127.0.0.1:40103"];
        Assert.That(ModeAndGate(Effective([])), Is.EqualTo("Alone, null"));
        JsonNode durable = Effective([], pair);
        Assert.That(ModeAndGate(durable), Is.EqualTo("Durable, null"));
        string config = scratch.Write("margin.json", durable.ToJsonString());
        Assert.That(ModeAndGate(Effective([], "--config", config, "--mode", "fast")), Is.EqualTo("Fast, null"));
        Assert.That(ModeAndGate(Effective([], "--config", config, "--gate", "journal")), Is.EqualTo("null, Journal"));
        Assert.That(ModeAndGate(Effective(new() { ["MARGIN_MODE"] = "fast" }, "--config", config)), Is.EqualTo("Fast, null"));
        Assert.That(ModeAndGate(Effective(new() { ["MARGIN_MODE"] = "fast" }, "--config", config, "--mode", "durable", "--gate", "both")), Is.EqualTo("Durable, Both"));

        static string ModeAndGate(JsonNode effective) => $"{effective["mode"]?.GetValue<string>() ?? "null"}, {effective["gate"]?.GetValue<string>() ?? "null"}";
    }

    private static IEnumerable<TestCaseData> Faults()
    {
        static TestCaseData Case(string name, Action<JsonNode> change, string complaint) => new TestCaseData(change, complaint).SetArgDisplayNames(name);
        yield return Case("an unknown key", config => config["inputRingSlot"] = 64, "unknown key 'inputRingSlot'");
        yield return Case("an unknown key in a part", config => config["journal"]!["directoy"] = "x", "unknown key 'directoy'");
        yield return Case("a ring that is no power of two", config => config["inputRingSlots"] = 1000, "inputRingSlots is 1000");
        yield return Case("an epoch of zero", config => config["epoch"] = 0, "epoch is 0");
        yield return Case("a negative epoch", config => config["epoch"] = -1, "the wrong type");
        yield return Case("a number where a word belongs", config => config["role"] = "third", "none of the choices");
        yield return Case("a primary without input", config => config["input"] = null, "input is missing");
        yield return Case("one stream for margins and replies", config => config["output"]!["replyStream"] = 1001, "must differ");
        yield return Case("a gate on a standby that is not there", config => config["gate"] = "Both", "needs replication");
        yield return Case("a journal without a directory", config => config["journal"]!.AsObject().Remove("directory"), "directory");
        yield return Case("a segment that does not fit", config => config["journal"]!["segmentBytes"] = 5000, "5000");
    }

    [TestCaseSource(nameof(Faults))]
    public void A_faulty_configuration_is_a_usage_error_that_names_the_key(Action<JsonNode> change, string complaint)
    {
        using ScratchFolder scratch = new();
        JsonNode config = Config(scratch.File("journal"));
        change(config);
        CommandResult result = MarginCommand.Run("run", "--config", scratch.Write("margin.json", config.ToJsonString()));
        Assert.That(result.Code, Is.EqualTo(ExitCode.Usage), result.ToString());
        Assert.That(result.Error, Does.Contain(complaint).And.Not.Contain("MarginEngine."), result.ToString());
        Assert.That(Directory.Exists(scratch.File("journal")), Is.False, "nothing is touched before the configuration is known to be sound");
    }

    [TestCase(ExitCode.Unreachable, "cannot read", "--config", "/no/such/margin.json")]
    [TestCase(ExitCode.Usage, "primary, standby", "--role", "third")]
    [TestCase(ExitCode.Usage, "auto, merged, paired, dedicated", "--placement", "1")]
    [TestCase(ExitCode.Usage, "no whole number", "--epoch", "one")]
    [TestCase(ExitCode.Usage, "replication is missing", "--role", "standby")]
    [TestCase(ExitCode.Usage, "alone, durable, fast", "--mode", "both")]
    [TestCase(ExitCode.Usage, "mode Fast needs replication", "--mode", "fast")]
    [TestCase(ExitCode.Usage, "mode Alone and gate Both contradict each other", "--mode", "alone", "--gate", "both", "--replication", "aeron:udp?endpoint=127.0.0.1:40102", "--acks", "aeron:udp?endpoint=127.0.0.1:40103")]
    public void A_faulty_option_ends_with_its_code_and_a_reason(int code, string reason, params string[] options)
    {
        CommandResult result = MarginCommand.Run(["run", .. options]);
        Assert.That(result.Code, Is.EqualTo(code), result.ToString());
        Assert.That(result.Error, Does.Contain(reason), result.ToString());
    }

    [Test]
    public void A_terminated_node_closes_its_journal_and_says_where_it_was()
    {
        using ScratchFolder scratch = new();
        string config = scratch.Write("margin.json", Config(scratch.File("journal")).ToJsonString());
        using Process process = Start(config);
        // The first time tick of an idle node is its first input.
        while (process.StandardOutput.ReadLine() is string line && line.Contains("\"received\":0,", StringComparison.Ordinal))
        {
        }

        CommandResult result = Terminate(process);
        Assert.That(result.Code, Is.Zero, result.ToString());
        Assert.That(result.Error, Does.Contain("effective settings").And.Contain("primary stopped in order"), result.ToString());
        string last = result.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        JsonElement status = JsonDocument.Parse(last).RootElement;
        Assert.That(status.GetProperty("published").GetInt64(), Is.EqualTo(status.GetProperty("received").GetInt64()).And.GreaterThan(0), last);
        CommandResult verify = MarginCommand.Run("verify", scratch.File("journal"));
        Assert.That(verify.Out, Does.Contain("closed      in order").And.Contain("intact"), verify.ToString());
    }

    [Test]
    public void A_restarted_node_goes_on_where_it_was_and_replays_identically()
    {
        using ScratchFolder scratch = new();
        string config = scratch.Write("margin.json", Config(scratch.File("journal")).ToJsonString());
        using (Process first = Start(config))
        {
            // Long enough for a heartbeat: the time ticks of an idle node carry it.
            WaitFor(() => HeartbeatLog.Read(scratch.File("journal")) is { Count: > 0 });
            first.Kill();
            first.WaitForExit();
        }

        int before = HeartbeatLog.Read(scratch.File("journal"))!.Count;
        using Process second = Start(config);
        WaitFor(() => HeartbeatLog.Read(scratch.File("journal"))!.Count > before);
        Assert.That(Terminate(second).Code, Is.Zero);
        CommandResult replay = MarginCommand.Run("replay", scratch.File("journal"), "--verify");
        Assert.That(replay.Code, Is.Zero, replay.ToString());
        Assert.That(replay.Out, Does.Contain("identical"));
    }

    [Test]
    public void A_journal_in_use_is_refused()
    {
        using ScratchFolder scratch = new();
        JsonNode config = Config(scratch.File("journal"));
        string path = scratch.Write("margin.json", config.ToJsonString());
        using Process process = Start(path);
        CommandResult second = MarginCommand.Run("run", "--config", scratch.Write("other.json", Moved(config).ToJsonString()));
        Assert.That(second.Code, Is.EqualTo(ExitCode.Refused), second.ToString());
        Assert.That(second.Error, Does.Contain("locked"));
        Terminate(process);
    }

    private static JsonNode Moved(JsonNode config)
    {
        JsonNode moved = config.DeepClone();
        moved["input"]!["channel"] = $"aeron:udp?endpoint=127.0.0.1:{FreePorts.Take(1)[0]}";
        return moved;
    }

    [Test]
    public void A_journal_of_other_arithmetic_is_refused_with_the_reason()
    {
        using ScratchFolder scratch = new();
        string config = scratch.Write("margin.json", Config(scratch.File("journal")).ToJsonString());
        JournalIdentity foreign = EngineIdentity.Current with { ArithmeticDigest = EngineIdentity.Current.ArithmeticDigest ^ 1 };
        JournalOptions options = new() { Directory = scratch.File("journal"), SegmentBytes = 1 << 20, BatchBytes = 64 << 10, ReserveBytes = 0 };
        using (JournalWriter writer = JournalWriter.Open(options, foreign, new Storage()))
        {
            writer.TryAppend(1, 1, 1, 1, new byte[16]);
            writer.Commit();
        }

        CommandResult result = MarginCommand.Run("run", "--config", config);
        Assert.That(result.Code, Is.EqualTo(ExitCode.Refused), result.ToString());
        Assert.That(result.Error, Does.Contain("arithmetic"));
    }

    [Test]
    public void A_damaged_journal_ends_with_3()
    {
        using ScratchFolder scratch = new();
        LiveJournal live = LiveJournal.Write(scratch.File("journal"));
        string segment = Directory.GetFiles(live.Directory, "*.segment").Order(StringComparer.Ordinal).First();
        byte[] bytes = File.ReadAllBytes(segment);
        bytes[5000] ^= 1;
        File.WriteAllBytes(segment, bytes);
        CommandResult result = MarginCommand.Run("run", "--config", scratch.Write("margin.json", Config(live.Directory).ToJsonString()));
        Assert.That(result.Code, Is.EqualTo(ExitCode.Difference), result.ToString());
        Assert.That(result.Error, Does.Contain("damaged at byte"));
    }

    private static void WaitFor(Func<bool> condition)
    {
        long begin = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(begin) > Patience) Assert.Fail($"not within {Patience}");
            Thread.Sleep(10);
        }
    }
}
