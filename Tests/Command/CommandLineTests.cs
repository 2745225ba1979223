using System.Text.Json;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>What every verb promises: help with an example, refusal of what it does not know, exit codes, data and messages apart.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class CommandLineTests
{
    private static IEnumerable<string> Verbs()
    {
        using Terminal terminal = new();
        return [.. Tool.Program.CommandLine(terminal).Subcommands.Where(verb => !verb.Hidden).Select(verb => verb.Name)];
    }

    [TestCaseSource(nameof(Verbs))]
    public void Help_of_a_verb_shows_usage_and_an_example_that_starts_with_it(string verb)
    {
        CommandResult result = MarginCommand.Run(verb, "--help");
        Assert.That(result.Code, Is.Zero, result.ToString());
        Assert.That(result.Out, Does.Contain($"margin {verb} ").And.Contain("Examples:").And.Contain("Exit codes:"), result.ToString());
        string examples = result.Out[result.Out.IndexOf("Examples:", StringComparison.Ordinal)..];
        Assert.That(examples, Does.Contain($"  margin {verb}"), result.ToString());
        Assert.That(result.Error, Is.Empty);
    }

    [TestCaseSource(nameof(Verbs))]
    public void Examples_in_help_are_lines_that_the_parser_takes(string verb)
    {
        using Terminal terminal = new();
        System.CommandLine.RootCommand root = Tool.Program.CommandLine(terminal);
        Verb command = root.Subcommands.OfType<Verb>().Single(candidate => candidate.Name == verb);
        Assert.That(command.Examples, Is.Not.Empty);
        foreach (string example in command.Examples)
        {
            // What stands behind > is for the shell.
            string[] words = example.Split('>')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..];
            Assert.That(root.Parse(words).Errors.Select(error => error.Message), Is.Empty, example);
        }
    }

    [TestCaseSource(nameof(Verbs))]
    public void An_unknown_option_is_a_usage_error_that_names_it(string verb)
    {
        CommandResult result = MarginCommand.Run(verb, "--bogus");
        Assert.That(result.Code, Is.EqualTo(ExitCode.Usage), result.ToString());
        Assert.That(result.Error, Does.Contain("--bogus").And.Contain($"margin {verb} --help"), result.ToString());
        Assert.That(result.Out, Is.Empty, "messages do not go to standard output");
    }

    [TestCaseSource(nameof(Verbs))]
    public void Every_option_is_a_whole_word_with_a_description(string verb)
    {
        using Terminal terminal = new();
        System.CommandLine.Command command = Tool.Program.CommandLine(terminal).Subcommands.Single(candidate => candidate.Name == verb);
        foreach (System.CommandLine.Option option in command.Options)
        {
            Assert.That(option.Name, Does.Match("^--[a-z][a-z-]+$"), verb);
            Assert.That(option.Aliases, Is.Empty, $"{verb} {option.Name}");
            Assert.That(option.Description, Is.Not.Null.And.Not.Empty, $"{verb} {option.Name}");
        }
    }

    [Test]
    public void An_unknown_option_is_not_taken_for_the_value_of_the_one_before_it()
    {
        CommandResult result = MarginCommand.Run("doctor", "--directory", "--bogus");
        Assert.That(result.Code, Is.EqualTo(ExitCode.Usage), result.ToString());
        Assert.That(result.Error, Does.Contain("Unknown option '--bogus'"), result.ToString());
    }

    private static IEnumerable<TestCaseData> Lines()
    {
        yield return new(ExitCode.Usage, "which verb?", Array.Empty<string>());
        yield return new(ExitCode.Usage, "'nonsense' is not one of its verbs", new[] { "nonsense" });
        yield return new(ExitCode.Usage, "'--bogus' is not one of its verbs", new[] { "--bogus" });
        yield return new(ExitCode.Usage, "'@file' is not one of its verbs", new[] { "@file" });
        yield return new(ExitCode.Usage, "surplus", new[] { "doctor", "surplus" });
        yield return new(ExitCode.Unreachable, "no directory /no/such/place", new[] { "doctor", "--directory", "/no/such/place" });
    }

    [TestCaseSource(nameof(Lines))]
    public void A_line_that_cannot_be_done_ends_with_its_code_and_a_reason(int code, string reason, string[] arguments)
    {
        CommandResult result = MarginCommand.Run(arguments);
        Assert.That(result.Code, Is.EqualTo(code), result.ToString());
        Assert.That(result.Error, Does.StartWith("margin: ").And.Contain(reason), result.ToString());
        Assert.That(result.Out, Is.Empty, result.ToString());
    }

    [Test]
    public void Version_names_the_build()
    {
        CommandResult result = MarginCommand.Run("--version");
        Assert.That(result.Code, Is.Zero, result.ToString());
        Assert.That(result.Out, Does.Match(@"^margin \d+\.\d+\.\d+\S* \(\.NET 10\.\S+, \S+\)\n$"));
    }

    [Test]
    public void Output_that_is_no_terminal_carries_no_colours_and_no_trailing_blanks()
    {
        CommandResult result = MarginCommand.Run("doctor");
        Assert.That(result.Code, Is.EqualTo(ExitCode.Done).Or.EqualTo(ExitCode.Refused), result.ToString());
        Assert.That(result.Out, Does.Contain("clock source").And.Not.Contain("\u001b"), result.ToString());
        Assert.That(result.Out.Split('\n').Where(line => line.EndsWith(' ')), Is.Empty);
    }

    [Test]
    public void Doctor_says_in_json_what_it_says_in_words()
    {
        CommandResult words = MarginCommand.Run("doctor"), json = MarginCommand.Run("doctor", "--json");
        using JsonDocument document = JsonDocument.Parse(json.Out);
        JsonElement[] findings = [.. document.RootElement.GetProperty("findings").EnumerateArray()];
        Assert.That(findings, Has.Length.AtLeast(12));
        foreach (JsonElement finding in findings)
        {
            Assert.That(words.Out, Does.Contain(finding.GetProperty("subject").GetString()));
            Assert.That(finding.GetProperty("severity").GetString(), Is.AnyOf("good", "unseen", "advice", "problem"));
            Assert.That(finding.TryGetProperty("fix", out _), Is.EqualTo(finding.GetProperty("severity").GetString() != "good"));
        }
    }

    [Test]
    public void Doctor_measures_both_ways_to_sync_and_sets_the_better_one_in_a_configuration()
    {
        using ScratchFolder scratch = new();
        string config = scratch.Write("margin.json", """{ "epoch": 3, "journal": { "directory": "j", "syncMode": "NoneLosesDataOnPowerCut" } }""");
        CommandResult result = MarginCommand.Run("doctor", "--json", "--directory", Path.GetDirectoryName(config)!, "--config", config);
        using JsonDocument said = JsonDocument.Parse(result.Out);
        using JsonDocument written = JsonDocument.Parse(File.ReadAllText(config));
        string? mode = said.RootElement.GetProperty("findings").EnumerateArray()
            .Single(finding => finding.GetProperty("subject").GetString() == "journal.syncMode").GetProperty("value").GetString();
        Assert.That(mode, Is.AnyOf("DirectSync", "FileSync"));
        Assert.That(written.RootElement.GetProperty("journal").GetProperty("syncMode").GetString(), Is.EqualTo(mode));
        Assert.That(written.RootElement.GetProperty("epoch").GetInt32(), Is.EqualTo(3));
        CommandResult refused = MarginCommand.Run("doctor", "--directory", Path.GetDirectoryName(config)!, "--config", scratch.Write("other.json", "[]"));
        Assert.That((refused.Code, refused.Error.Contains("there is no journal in it", StringComparison.Ordinal)), Is.EqualTo((ExitCode.Usage, true)), refused.ToString());
    }
}
