using System.Text.Json;
using MarginEngine.Codecs;
using MarginEngine.Tests.CommandTests;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.AuditTests;

/// <summary>`margin replay --at --explain` on liquidations of the demo's market: the figures are those that were published at that sequence.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class ExplainTests
{
    private ScratchFolder _scratch = null!;
    private DemoJournal _demo = null!;
    private Published _liquidation = null!;

    [OneTimeSetUp]
    public void PlayDemo()
    {
        _scratch = new ScratchFolder();
        _demo = DemoJournal.Write(_scratch.File("journal"));
        _liquidation = _demo.Of(LiquidationInstructionDecoder.TemplateId).First(decision => Instruction(decision).Attempt == 1);
    }

    [OneTimeTearDown]
    public void RemoveJournal() => _scratch.Dispose();

    private static LiquidationInstructionDecoder Instruction(Published decision)
    {
        Assert.That(LiquidationInstructionDecoder.TryWrap(decision.Message, out LiquidationInstructionDecoder instruction), Is.True);
        return instruction;
    }

    private CommandResult Explain(long at, ulong account, params string[] options) =>
        MarginCommand.Run(["replay", _demo.Directory, "--at", $"{at}", "--account", $"{account}", "--explain", .. options]);

    private JsonElement Json(long at, ulong account, params string[] options)
    {
        CommandResult result = Explain(at, account, ["--json", .. options]);
        Assert.That(result.Code, Is.Zero, result.ToString());
        return JsonDocument.Parse(result.Out).RootElement.Clone();
    }

    private static long E(JsonElement owner, string name, int decimals)
    {
        decimal value = decimal.Parse(owner.GetProperty(name).GetString()!, System.Globalization.CultureInfo.InvariantCulture);
        for (int digit = 0; digit < decimals; digit++) value *= 10;
        return (long)value;
    }

    [Test]
    public void A_liquidation_is_explained_by_the_figures_that_were_published_with_it()
    {
        LiquidationInstructionDecoder published = Instruction(_liquidation);
        JsonElement explanation = Json(_liquidation.Sequence, published.AccountId), report = explanation.GetProperty("report");
        Assert.Multiple(() =>
        {
            LiquidationInstructionDecoder instruction = Instruction(_liquidation);
            Assert.That(E(report, "equity", 6), Is.EqualTo(instruction.Equity.Mantissa));
            Assert.That(E(report, "maintenanceMargin", 6), Is.EqualTo(instruction.MaintenanceMargin.Mantissa));
            Assert.That(E(report, "ratio", 8), Is.EqualTo(instruction.Ratio.Mantissa));
            Assert.That(report.GetProperty("state").GetString(), Is.EqualTo("liquidation"));
            if (instruction.WorstRow is ushort row) Assert.That(explanation.GetProperty("worst").GetProperty("row").GetInt32(), Is.EqualTo(row));
        });

        JsonElement last = explanation.GetProperty("path").EnumerateArray().Last();
        Assert.That((last.GetProperty("sequence").GetInt64(), last.GetProperty("state").GetString(), E(last, "ratio", 8)),
            Is.EqualTo((_liquidation.Sequence, "liquidation", published.Ratio.Mantissa)));
        long threshold = E(explanation.GetProperty("rules").GetProperty("thresholds"), "liquidation", 8);
        Assert.That(E(last, "ratio", 8), Is.GreaterThanOrEqualTo(threshold), "it is in liquidation because its ratio is there");
        JsonElement before = explanation.GetProperty("path").EnumerateArray().Reverse().First(point => point.GetProperty("state").GetString() != "liquidation");
        Assert.That(E(before, "ratio", 8), Is.LessThan(threshold), "and it was not before");
        Assert.That(explanation.GetProperty("answer").GetString(), Does.Contain($"Account {published.AccountId} is in state liquidation"));
    }

    [Test]
    public void Every_call_and_instruction_up_to_there_is_told_as_it_was_published()
    {
        ulong account = Instruction(_liquidation).AccountId;
        JsonElement decisions = Json(_liquidation.Sequence, account, "--last", "1000").GetProperty("decisions");
        string[] told = [.. decisions.EnumerateArray().Select(told => $"{told.GetProperty("sequence").GetInt64()} {told.GetProperty("message").GetProperty("template").GetString()}")];
        string[] published = [.. _demo.Decisions.Where(decision => decision.Sequence <= _liquidation.Sequence && IsAbout(decision, account)).Select(decision => $"{decision.Sequence} {Schema.NameOf(decision.Template)}")];
        Assert.That(told, Is.EqualTo(published));
        JsonElement legs = decisions.EnumerateArray().Last().GetProperty("message").GetProperty("legs");
        Assert.That(legs.GetArrayLength(), Is.EqualTo(Instruction(_liquidation).Legs.Count).And.GreaterThan(0));
    }

    private static bool IsAbout(Published decision, ulong account) => decision.Template switch
    {
        MarginCallDecoder.TemplateId => MarginCallDecoder.TryWrap(decision.Message, out MarginCallDecoder call) && call.AccountId == account,
        LiquidationInstructionDecoder.TemplateId => Instruction(decision).AccountId == account,
        FundEventDecoder.TemplateId => FundEventDecoder.TryWrap(decision.Message, out FundEventDecoder fund) && fund.AccountId == account,
        _ => false,
    };

    [Test]
    public void Contributions_of_the_worst_row_add_up_to_what_counts_in_it()
    {
        JsonElement worst = Json(_liquidation.Sequence, Instruction(_liquidation).AccountId).GetProperty("worst");
        decimal sum = worst.GetProperty("contributions").EnumerateArray().Sum(part => Amount(part.GetProperty("profit"))) + Amount(worst.GetProperty("adjustment"));
        Assert.That(sum, Is.EqualTo(Amount(worst.GetProperty("counted"))).And.LessThan(0));
    }

    private static decimal Amount(JsonElement value) => decimal.Parse(value.GetString()!, System.Globalization.CultureInfo.InvariantCulture);

    [Test]
    public void Each_price_stands_there_with_the_record_that_brought_it_and_its_age()
    {
        ulong account = Instruction(_liquidation).AccountId;
        JsonElement explanation = Json(_liquidation.Sequence, account);
        JsonElement[] prices = [.. explanation.GetProperty("prices").EnumerateArray()];
        Assert.That(prices.Select(price => price.GetProperty("kind").GetString()), Does.Contain("index"));
        int checkedValues = 0;
        foreach (JsonElement price in prices)
        {
            long sequence = price.GetProperty("sequence").GetInt64();
            Assert.That(sequence, Is.InRange(1, _liquidation.Sequence));
            JsonElement record = Inspect(sequence);
            Assert.That(record.GetProperty("time").GetString(), Is.EqualTo(price.GetProperty("taken").GetString()), "the record is that of the price");
            if (price.GetProperty("kind").GetString() is not ("index" or "mark" or "forward")) continue;
            checkedValues++;
            Assert.That(record.GetProperty("message").GetProperty("price").GetString(), Is.EqualTo(price.GetProperty("value").GetString()), price.ToString());
            Assert.That(price.GetProperty("ageNanos").GetInt64(), Is.GreaterThanOrEqualTo(0));
        }

        Assert.That(checkedValues, Is.GreaterThan(0));
    }

    private JsonElement Inspect(long sequence)
    {
        CommandResult result = MarginCommand.Run("inspect", _demo.Directory, "--from", $"{sequence}", "--to", $"{sequence}", "--json");
        return JsonDocument.Parse(result.Out).RootElement.Clone();
    }

    [Test]
    public void The_inputs_that_changed_the_account_are_told_and_the_words_say_the_same()
    {
        ulong account = Instruction(_liquidation).AccountId;
        JsonElement inputs = Json(_liquidation.Sequence, account, "--last", "1000").GetProperty("inputs");
        string[] templates = [.. inputs.EnumerateArray().Select(told => told.GetProperty("message").GetProperty("template").GetString()!)];
        Assert.That(templates[0], Is.EqualTo("AccountOpen"));
        Assert.That(templates, Does.Contain("CollateralTransfer").And.Contain("Fill"));
        CommandResult words = Explain(_liquidation.Sequence, account);
        Assert.That(words.Code, Is.Zero, words.ToString());
        Assert.That(words.Out, Does.Contain($"Account {account} is in state liquidation").And.Contain("Prices it depends on").And.Contain("Worst row").And.Contain("LiquidationInstruction"), words.ToString());
    }

    [TestCase(ExitCode.Unreachable, "--account", "987654", "--explain")]
    [TestCase(ExitCode.Usage, "--explain")]
    [TestCase(ExitCode.Unreachable, "--account", "1", "--explain", "--at", "99999999")]
    public void What_cannot_be_explained_is_refused(int code, params string[] options) =>
        Assert.That(MarginCommand.Run(["replay", _demo.Directory, .. options]).Code, Is.EqualTo(code));

    [Test]
    public void Operators_stand_in_the_log_with_who_and_why_and_a_snapshot_is_a_fact()
    {
        CommandResult result = MarginCommand.Run("inspect", _demo.Directory, "--operators", "--json");
        Assert.That(result.Code, Is.Zero, result.ToString());
        JsonElement[] lines = [.. result.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.Clone())];
        string[] commands = [.. lines.Where(line => line.GetProperty("source").GetInt32() == DemoJournal.OperatorSource).Select(line =>
            $"{line.GetProperty("who").GetString()}: {line.GetProperty("what").GetString()} because {line.GetProperty("why").GetString()}, {line.GetProperty("outcome").GetString()}")];
        Assert.That(commands, Is.EqualTo(new[]
        {
            "night desk: reduceOnly because index feed looks odd, taken",
            "night desk: snapshot because before the release, taken",
            "day desk: resume because feed was right, taken",
        }));
        Assert.That(lines.Select(line => line.GetProperty("what").GetString()), Has.Some.StartsWith("model 1 portfolio"));
    }
}
