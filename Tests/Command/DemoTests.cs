using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>`margin demo` for real: five processes over loopback, an orderly end, and no process or folder left in any case.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class DemoTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    // A folder of its own for temporary files, so that a test sees what is left.
    private static Dictionary<string, string> Temporary(ScratchFolder scratch) => new() { ["TMPDIR"] = scratch.Path };

    private static string[] Arguments(int seconds) =>
        ["demo", "--seconds", $"{seconds}", "--accounts", "50", "--rate", "100", "--seed", "7", "--json"];

    [Test]
    public void A_short_demo_ends_identical_and_leaves_nothing()
    {
        using ScratchFolder scratch = new();
        CommandResult result = MarginCommand.RunIn(scratch.Path, Temporary(scratch), Arguments(3));
        Assert.That(result.Code, Is.Zero, result.ToString());
        JsonElement summary = JsonDocument.Parse(result.Out).RootElement;
        Assert.Multiple(() =>
        {
            Assert.That(summary.GetProperty("replay").GetString(), Is.EqualTo("identical"));
            Assert.That(summary.GetProperty("standby").GetString(), Is.EqualTo("identical"));
            Assert.That(summary.GetProperty("accounts").GetInt32(), Is.GreaterThanOrEqualTo(50));
            Assert.That(summary.GetProperty("messagesIn").GetInt64(), Is.GreaterThan(1_000));
            Assert.That(summary.GetProperty("updatesOut").GetInt64(), Is.GreaterThan(100));
            Assert.That(summary.GetProperty("publishedEqual").GetInt64(), Is.GreaterThanOrEqualTo(summary.GetProperty("updatesOut").GetInt64()));
            Assert.That(summary.GetProperty("heartbeatsEqual").GetInt64(), Is.GreaterThan(0));
            Assert.That(summary.GetProperty("standbyHeartbeatsEqual").GetInt64(), Is.GreaterThan(0));
            Assert.That(summary.GetProperty("tickToMarginNanos").GetProperty("p50").GetInt64(), Is.GreaterThan(0));
            Assert.That(summary.GetProperty("interrupted").GetBoolean(), Is.False);
        });
        Assert.That(Directory.GetFileSystemEntries(scratch.Path, "margin-demo-*"), Is.Empty);
    }

    [Test]
    public void With_its_primary_killed_in_the_middle_nothing_is_lost_or_missing_and_both_journals_are_one_history()
    {
        using ScratchFolder scratch = new();
        CommandResult result = MarginCommand.RunIn(scratch.Path, Temporary(scratch), [.. Arguments(8), "--failover"]);
        Assert.That(result.Code, Is.Zero, result.ToString());
        JsonElement summary = JsonDocument.Parse(result.Out).RootElement;
        Assert.Multiple(() =>
        {
            Assert.That(summary.GetProperty("failover").GetBoolean(), Is.True);
            Assert.That(summary.GetProperty("inputsLost").GetInt64(), Is.Zero);
            Assert.That(summary.GetProperty("replay").GetString(), Is.EqualTo("identical"));
            Assert.That(summary.GetProperty("standby").GetString(), Is.EqualTo("identical"));
            Assert.That(summary.GetProperty("failoverSilenceNanos").GetInt64(), Is.GreaterThan(0));
            Assert.That(summary.GetProperty("duplicatesDropped").GetInt64(), Is.GreaterThan(0), "the new primary says again what may not have been heard");
        });
        Assert.That(Directory.GetFileSystemEntries(scratch.Path, "margin-demo-*"), Is.Empty);
    }

    // One of each family: rows with skew and a peg, past days, tiers of notional; and everything that a market can send, marks of options among it.
    [TestCase("derive-pmrm2", "common")]
    [TestCase("hvar", "common")]
    [TestCase("brackets", "common")]
    [TestCase("paradex-pm", "all")]
    public void Any_shipped_model_runs_live_and_its_replay_and_its_standby_are_identical(string model, string messages)
    {
        using ScratchFolder scratch = new();
        CommandResult result = MarginCommand.RunIn(scratch.Path, Temporary(scratch), [.. Arguments(2), "--model", model, "--messages", messages]);
        Assert.That(result.Code, Is.Zero, result.ToString());
        JsonElement summary = JsonDocument.Parse(result.Out).RootElement;
        Assert.Multiple(() =>
        {
            Assert.That(summary.GetProperty("model").GetString(), Does.StartWith(model + " "));
            Assert.That(summary.GetProperty("replay").GetString(), Is.EqualTo("identical"));
            Assert.That(summary.GetProperty("standby").GetString(), Is.EqualTo("identical"));
            Assert.That(summary.GetProperty("updatesOut").GetInt64(), Is.GreaterThan(100));
            Assert.That(summary.GetProperty("stateChanges").GetInt64(), Is.GreaterThan(0));
            Assert.That(result.Error, Does.Contain($"margin model {model}"));
        });
    }

    [Test]
    public void A_model_of_a_file_runs_live_and_one_that_nobody_knows_is_refused_before_anything_starts()
    {
        using ScratchFolder scratch = new();
        File.WriteAllText(scratch.File("mine.json"), """
            {"name": "mine", "version": 4, "rows": [{"spot": -0.2}, {"spot": 0.2}], "underlyings": {"*": {"priceRange": 0.2}}, "currencies": {"USD": {"haircut": 0}}}
            """);
        CommandResult result = MarginCommand.RunIn(scratch.Path, Temporary(scratch), [.. Arguments(1), "--model", "mine.json"]);
        Assert.That(result.Code, Is.Zero, result.ToString());
        Assert.That(JsonDocument.Parse(result.Out).RootElement.GetProperty("model").GetString(), Is.EqualTo("mine 4"));
        CommandResult unknown = MarginCommand.RunIn(scratch.Path, Temporary(scratch), [.. Arguments(1), "--model", "nobodys"]);
        Assert.That(unknown.Code, Is.EqualTo(ExitCode.Unreachable), unknown.ToString());
        Assert.That(unknown.Error, Does.Contain("'nobodys' is neither a shipped model"));
    }

    [Test]
    public void A_kept_folder_can_be_audited_afterwards()
    {
        using ScratchFolder scratch = new();
        string[] arguments = [.. Arguments(2), "--keep", scratch.File("kept")];
        CommandResult result = MarginCommand.RunIn(scratch.Path, Temporary(scratch), arguments);
        Assert.That(result.Code, Is.Zero, result.ToString());
        string primary = Path.Combine(scratch.File("kept"), "primary"), published = Path.Combine(scratch.File("kept"), "published.log");
        CommandResult replay = MarginCommand.Run("replay", primary, "--verify", "--published", published);
        Assert.That(replay.Out, Does.Contain("replay:     identical"), replay.ToString());
        Assert.That(File.ReadAllText(Path.Combine(scratch.File("kept"), "tick-to-margin.hgrm")), Does.Contain("#[Max"));
        CommandResult again = MarginCommand.RunIn(scratch.Path, Temporary(scratch), arguments);
        Assert.That((again.Code, again.Error), Is.EqualTo((ExitCode.Refused, again.Error)), again.ToString());
        Assert.That(again.Error, Does.Contain("is not empty"));
    }

    [Test]
    public void A_terminated_demo_stops_early_and_still_compares()
    {
        using ScratchFolder scratch = new();
        using Process demo = StartTrading(scratch);
        Signal("TERM", demo.Id);
        CommandResult result = MarginCommand.Finish(demo, "demo");
        Assert.That(result.Code, Is.Zero, result.ToString());
        JsonElement summary = JsonDocument.Parse(result.Out).RootElement;
        Assert.That(summary.GetProperty("interrupted").GetBoolean(), Is.True);
        Assert.That(summary.GetProperty("replay").GetString(), Is.EqualTo("identical"));
        Assert.That(Directory.GetFileSystemEntries(scratch.Path, "margin-demo-*"), Is.Empty);
    }

    [TestCase("run --role primary", "primary")]
    [TestCase("run --role standby", "standby")]
    [TestCase("market", "market")]
    [TestCase("listen", "market maker")]
    public void A_child_that_dies_ends_the_demo_and_all_others(string commandLine, string name)
    {
        using ScratchFolder scratch = new();
        using Process demo = StartTrading(scratch);
        int[] children = Children(demo.Id);
        Assert.That(children, Has.Length.EqualTo(4));
        int victim = children.Single(child => CommandLine(child).Contains($"margin.dll {commandLine}", StringComparison.Ordinal));
        Signal("KILL", victim);
        CommandResult result = MarginCommand.Finish(demo, "demo");
        Assert.That(result.Code, Is.EqualTo(ExitCode.Unreachable), result.ToString());
        Assert.That(result.Error, Does.Contain($"the {name} ended with 137"), result.ToString());
        Assert.That(children.Where(IsAlive), Is.Empty);
        Assert.That(Directory.GetFileSystemEntries(scratch.Path, "margin-demo-*"), Is.Empty);
    }

    [Test]
    public void Children_end_when_the_demo_itself_is_killed()
    {
        using ScratchFolder scratch = new();
        using Process demo = StartTrading(scratch);
        int[] children = Children(demo.Id);
        demo.Kill(entireProcessTree: false);
        demo.WaitForExit();
        long begin = Stopwatch.GetTimestamp();
        while (children.Any(IsAlive) && Stopwatch.GetElapsedTime(begin) < Patience) Thread.Sleep(10);
        Assert.That(children.Where(IsAlive).Select(CommandLine), Is.Empty);
    }

    // Until the market trades: everybody is there and has something to lose.
    private static Process StartTrading(ScratchFolder scratch)
    {
        Process demo = MarginCommand.Start(scratch.Path, Temporary(scratch), Arguments(60));
        List<string> lines = [];
        while (demo.StandardError.ReadLine() is string line)
        {
            lines.Add(line);
            if (line.Contains("trading", StringComparison.Ordinal)) return demo;
        }

        demo.Kill(entireProcessTree: true);
        throw new InvalidOperationException($"the demo never came to trading:\n{string.Join('\n', lines)}");
    }

    private static void Signal(string name, int process) => Process.Start("kill", [$"-{name}", $"{process}"])!.WaitForExit();

    private static int[] Children(int parent) =>
        [.. Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _))
            .Select(name => int.Parse(name!, CultureInfo.InvariantCulture)).Where(process => ParentOf(process) == parent)];

    // The name in brackets may hold blanks; state and parent follow it.
    private static string[] Status(int process)
    {
        try
        {
            string status = File.ReadAllText($"/proc/{process}/stat");
            return status[(status.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static int ParentOf(int process) => Status(process) is [_, string parent, ..] ? int.Parse(parent, CultureInfo.InvariantCulture) : 0;

    private static bool IsAlive(int process) => Status(process) is [not "Z", ..];

    private static string CommandLine(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline").Replace('\0', ' ');
        }
        catch (IOException)
        {
            return "";
        }
    }
}
