using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests.Compare;

/// <summary>`margin calc --compare` and `--html` as a process: the table, the JSON, the page, and every way to be refused.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed partial class CompareCommandTests
{
    private static readonly string Book = Books.ExampleFiles().First();

    [Test]
    public void The_table_gives_each_model_what_calc_gives_it_alone()
    {
        using ScratchFolder scratch = new();
        string wider = scratch.Write("wider.json", Books.WiderModel("wider"));
        CommandResult both = MarginCommand.Run("calc", Book, "--compare", $"portfolio,{wider}");
        Assert.That(both.Code, Is.Zero, both.ToString());
        string[] alone = [Summary("portfolio"), Summary(wider)];
        Assert.That(alone[0], Is.Not.EqualTo(alone[1]));
        string[] lines = both.Out.Split('\n');
        Assert.That(lines[0], Does.Match("^model +state +initial margin +maintenance margin +equity +ratio +buying power +worst row"));
        Assert.That(Blanks().Replace(lines[1], " "), Does.StartWith($"portfolio 2 healthy {alone[0]}"));
        Assert.That(Blanks().Replace(lines[2], " "), Does.StartWith($"wider 2 healthy {alone[1]}"));
        Assert.That(both.Out, Does.Contain("portfolio asks least").And.Contain("wider asks most").And.Contain("rows +"));
        Assert.That(lines.Where(line => line.EndsWith(' ')), Is.Empty);
    }

    [Test]
    public void Json_has_every_component_and_row_and_they_add_up()
    {
        using ScratchFolder scratch = new();
        CommandResult result = MarginCommand.Run("calc", Book, "--compare", $"portfolio,{scratch.Write("wider.json", Books.WiderModel("wider"))}", "--json");
        Assert.That(result.Code, Is.Zero, result.ToString());
        using JsonDocument document = JsonDocument.Parse(result.Out);
        JsonElement models = document.RootElement.GetProperty("models");
        Assert.That(models.GetArrayLength(), Is.EqualTo(2));
        foreach (JsonElement model in models.EnumerateArray())
        {
            JsonElement components = model.GetProperty("components");
            Assert.That(components.EnumerateArray().Sum(part => Figure(part, "initial")), Is.EqualTo(Figure(model, "initialMargin")));
            Assert.That(components.EnumerateArray().Sum(part => Figure(part, "maintenance")), Is.EqualTo(Figure(model, "maintenanceMargin")).Within(1e-6m));
            Assert.That(Figure(model, "equity") - Figure(model, "initialMargin"), Is.EqualTo(Figure(model, "buyingPower")));
            foreach (JsonElement unit in model.GetProperty("units").EnumerateArray())
            {
                decimal[] counted = [.. unit.GetProperty("rows").EnumerateArray().Select(row => Figure(row, "counted"))];
                Assert.That(counted[unit.GetProperty("worstRow").GetInt32()], Is.EqualTo(counted.Min()));
            }
        }

        JsonElement[] pictures = [.. document.RootElement.GetProperty("underlyings").EnumerateArray()];
        Assert.That(pictures.Select(picture => picture.GetProperty("underlying").GetString()), Is.EqualTo(new[] { "BTC", "ETH" }));
        Assert.That(pictures[0].GetProperty("surface").GetProperty("profitUsd")[0].GetArrayLength(), Is.EqualTo(15));
    }

    [Test]
    public void Every_number_of_the_table_is_in_the_page()
    {
        using ScratchFolder scratch = new();
        string page = scratch.File("page.html");
        CommandResult result = MarginCommand.Run("calc", Book, "--compare", $"portfolio,{scratch.Write("wider.json", Books.WiderModel("wider"))}", "--html", page);
        Assert.That(result.Code, Is.Zero, result.ToString());
        Assert.That(result.Error, Does.Contain(page));
        string text = File.ReadAllText(page);
        string[] numbers = [.. Numbers().Matches(result.Out).Select(match => match.Value).Distinct()];
        Assert.That(numbers, Has.Length.AtLeast(20));
        Assert.Multiple(() =>
        {
            foreach (string number in numbers) Assert.That(text, Does.Contain(number));
        });
    }

    [Test]
    public void One_model_has_a_page_too_and_its_report_stays_as_it_is()
    {
        using ScratchFolder scratch = new();
        CommandResult plain = MarginCommand.Run("calc", Book), paged = MarginCommand.Run("calc", Book, "--html", scratch.File("page.html"));
        Assert.That(paged.Code, Is.Zero, paged.ToString());
        Assert.That(paged.Out, Is.EqualTo(plain.Out));
        Assert.That(File.ReadAllText(scratch.File("page.html")), Does.StartWith("<!DOCTYPE html>").And.Contain(">portfolio<"));
    }

    [Test]
    public void A_model_that_the_engine_refuses_is_shown_with_the_reason_and_the_others_go_on()
    {
        using ScratchFolder scratch = new();
        string refused = scratch.Write("refused.json", Books.RefusedModel("too-late"));
        CommandResult some = MarginCommand.Run("calc", Book, "--compare", $"{refused},portfolio", "--html", scratch.File("page.html"));
        Assert.That(some.Code, Is.Zero, some.ToString());
        Assert.That(some.Out, Does.Match("too-late 2 +refused").And.Match("portfolio 2 +healthy").And.Match("too-late is refused: the engine rejects .*warningRatio"));
        Assert.That(File.ReadAllText(scratch.File("page.html")), Does.Match(">too-late<.*>refused<.*warningRatio"));
        CommandResult none = MarginCommand.Run("calc", Book, "--compare", refused, "--json");
        Assert.That(none.Code, Is.EqualTo(ExitCode.Refused), none.ToString());
        Assert.That(JsonDocument.Parse(none.Out).RootElement.GetProperty("models")[0].GetProperty("refused").GetString(), Does.Contain("warningRatio"));
    }

    [TestCase("portfolio,nonsense", ExitCode.Usage, "'nonsense' is neither a shipped model (portfolio")]
    [TestCase("portfolio,portfolio", ExitCode.Usage, "'portfolio' is named twice")]
    [TestCase("portfolio,,", ExitCode.Usage, "separated by commas")]
    [TestCase("", ExitCode.Usage, "separated by commas")]
    public void A_list_of_models_that_cannot_be_is_a_usage_error(string choices, int code, string reason)
    {
        CommandResult result = MarginCommand.Run("calc", Book, "--compare", choices);
        Assert.That(result.Code, Is.EqualTo(code), result.ToString());
        Assert.That(result.Error, Does.Contain(reason), result.ToString());
        Assert.That(result.Out, Is.Empty, result.ToString());
    }

    [Test]
    public void Compare_and_model_exclude_each_other()
    {
        CommandResult result = MarginCommand.Run("calc", Book, "--compare", "portfolio", "--model", "portfolio");
        Assert.That(result.Code, Is.EqualTo(ExitCode.Usage), result.ToString());
        Assert.That(result.Error, Does.Contain("leave --model out"), result.ToString());
    }

    [Test]
    public void Two_files_of_one_name_are_told_apart_by_their_files()
    {
        using ScratchFolder scratch = new();
        string left = scratch.Write("left.json", Books.Model("same")), right = scratch.Write("right.json", Books.WiderModel("same"));
        CommandResult result = MarginCommand.Run("calc", Book, "--compare", $"{left},{right}");
        Assert.That(result.Code, Is.Zero, result.ToString());
        Assert.That(result.Out, Does.Contain($"same ({left})").And.Contain($"same ({right})"));
    }

    [Test]
    public void A_page_that_cannot_be_written_is_said()
    {
        CommandResult result = MarginCommand.Run("calc", Book, "--compare", "portfolio", "--html", "/no/such/folder/page.html");
        Assert.That(result.Code, Is.EqualTo(ExitCode.Unreachable), result.ToString());
        Assert.That(result.Error, Does.Contain("/no/such/folder/page.html"), result.ToString());
        Assert.That(result.Out, Is.Empty, result.ToString());
    }

    // Initial, maintenance, equity, ratio and buying power, as `calc` with this model alone says them.
    private static string Summary(string model)
    {
        CommandResult result = MarginCommand.Run("calc", Book, "--model", model);
        Assert.That(result.Code, Is.Zero, result.ToString());
        string Of(string name) => Regex.Match(result.Out, $@"^  {name} +([-0-9.,]+)", RegexOptions.Multiline).Groups[1].Value;
        return string.Join(' ', Of("initial margin"), Of("maintenance margin"), Of("equity"), Of("ratio"), Of("buying power"));
    }

    private static decimal Figure(JsonElement at, string key) => decimal.Parse(at.GetProperty(key).GetString()!, CultureInfo.InvariantCulture);

    [GeneratedRegex(" +")]
    private static partial Regex Blanks();

    [GeneratedRegex(@"-?\d[\d,]*\.\d+")]
    private static partial Regex Numbers();
}
