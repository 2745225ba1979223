using System.Globalization;
using System.Text.RegularExpressions;
using MarginEngine.Codecs;
using MarginEngine.Tests.CommandTests;
using MarginEngine.Tool.Shell;
using Microsoft.Data.Sqlite;
using NUnit.Framework;

namespace MarginEngine.Tests.AuditTests;

/// <summary>`margin export` of the demo's market: the tables say what was decided, and the README's questions get the right answers.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed partial class ExportTests
{
    private ScratchFolder _scratch = null!;
    private DemoJournal _demo = null!;
    private SqliteConnection _database = null!;

    [OneTimeSetUp]
    public void ExportDemo()
    {
        _scratch = new ScratchFolder();
        _demo = DemoJournal.Write(_scratch.File("journal"));
        CommandResult result = MarginCommand.Run("export", _demo.Directory, "--sqlite", _scratch.File("audit.db"));
        Assert.That(result.Code, Is.Zero, result.ToString());
        _database = new SqliteConnection($"Data Source={_scratch.File("audit.db")};Mode=ReadOnly;Pooling=False");
        _database.Open();
    }

    [OneTimeTearDown]
    public void RemoveExport()
    {
        _database.Dispose();
        _scratch.Dispose();
    }

    private List<object[]> Query(string sql)
    {
        using SqliteCommand command = _database.CreateCommand();
        command.CommandText = sql;
        using SqliteDataReader reader = command.ExecuteReader();
        List<object[]> rows = [];
        while (reader.Read())
        {
            object[] row = new object[reader.FieldCount];
            reader.GetValues(row);
            rows.Add(row);
        }

        return rows;
    }

    private long Number(string sql) => Convert.ToInt64(Query(sql)[0][0], CultureInfo.InvariantCulture);

    [GeneratedRegex("```sql\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex SqlBlock();

    private static string Question(int index) =>
        SqlBlock().Matches(File.ReadAllText(Path.Combine(Repository.Root, "tools/margin/Export/README.md")))[index].Groups[1].Value;

    private IEnumerable<(long Sequence, LiquidationFigures Figures)> Instructions() => _demo.Of(LiquidationInstructionDecoder.TemplateId).Select(decision =>
    {
        LiquidationInstructionDecoder.TryWrap(decision.Message, out LiquidationInstructionDecoder one);
        return (decision.Sequence, new LiquidationFigures((long)one.AccountId, one.Ratio.Mantissa, one.ExpectedCost.Mantissa, one.Legs.Count));
    });

    private sealed record LiquidationFigures(long Account, long Ratio, long Cost, int Legs);

    [Test]
    public void Every_input_and_every_decision_is_a_row_of_its_table()
    {
        Assert.That(Number("SELECT count(*) FROM inputs"), Is.EqualTo(_demo.Records));
        Assert.That(Number("SELECT count(*) FROM decisions"), Is.EqualTo(_demo.Decisions.Count));
        foreach (IGrouping<ushort, Published> template in _demo.Decisions.GroupBy(decision => decision.Template))
        {
            string table = MarginEngine.Tool.Export.SchemaTables.Snake(Schema.NameOf(template.Key));
            Assert.That(Number($"SELECT count(*) FROM {table}"), Is.EqualTo(template.Count()), table);
        }
    }

    [Test]
    public void Money_is_exact_and_the_view_has_its_decimals()
    {
        List<object[]> rows = Query("SELECT ordinal, equity_e6, delta_e6, delta, ratio_e8, ratio FROM v_margin_update ORDER BY ordinal");
        Published[] updates = [.. _demo.Of(MarginUpdateDecoder.TemplateId)];
        Assert.That(rows, Has.Count.EqualTo(updates.Length));
        bool anyNegative = false;
        for (int index = 0; index < updates.Length; index++)
        {
            MarginUpdateDecoder.TryWrap(updates[index].Message, out MarginUpdateDecoder update);
            Assert.That((rows[index][1], rows[index][2], rows[index][4]), Is.EqualTo(((object)update.Equity.Mantissa, (object)update.Delta.Mantissa, (object)update.Ratio.Mantissa)));
            Assert.That(decimal.Parse((string)rows[index][3], CultureInfo.InvariantCulture) * 1_000_000m, Is.EqualTo((decimal)update.Delta.Mantissa));
            Assert.That(decimal.Parse((string)rows[index][5], CultureInfo.InvariantCulture) * 100_000_000m, Is.EqualTo((decimal)update.Ratio.Mantissa));
            anyNegative |= update.Delta.Mantissa is < 0 and > -1_000_000_000_000;
        }

        Assert.That(anyNegative, Is.True, "the test wants a negative number");
    }

    [Test]
    public void The_first_question_tells_who_was_liquidated()
    {
        string[] expected = [.. Instructions().GroupBy(one => one.Figures.Account).OrderBy(group => group.Min(one => one.Sequence)).Select(group =>
            $"{group.Key} {group.Count()} {group.Min(one => one.Sequence)} {group.Max(one => one.Figures.Ratio) / 1e8} {group.Sum(one => one.Figures.Cost) / 1e6}")];
        Assert.That(Query(Question(0)).Select(row => string.Join(' ', row)), Is.EqualTo(expected).And.Not.Empty);
        Assert.That(Number("SELECT count(*) FROM liquidation_instruction_legs"), Is.EqualTo(Instructions().Sum(one => one.Figures.Legs)));
    }

    [Test]
    public void The_second_question_ends_with_the_figures_of_the_instruction()
    {
        List<object[]> rows = Query(Question(1));
        foreach (IGrouping<long, (long Sequence, LiquidationFigures Figures)> account in Instructions().GroupBy(one => one.Figures.Account))
        {
            object[][] way = [.. rows.Where(row => (long)row[0] == account.Key)];
            (long sequence, LiquidationFigures figures) = account.First();
            Assert.That(way, Is.Not.Empty, $"account {account.Key}");
            Assert.That((way[^1][1], way[^1][2], way[^1][3]), Is.EqualTo(((object)sequence, (object)"liquidation", (object)figures.Ratio)), $"account {account.Key}");
            Assert.That(way[0][2], Is.EqualTo("healthy"));
            Assert.That(way.Count(step => (string)step[2] == "healthy"), Is.EqualTo(1), "it begins with the last healthy moment");
        }
    }

    [Test]
    public void The_third_question_tells_what_a_restriction_denied()
    {
        long begun = Number("SELECT sequence FROM operators WHERE what = 'reduceOnly'"), ended = Number("SELECT sequence FROM operators WHERE what = 'resume'");
        int denied = _demo.Of(PreTradeAnswerDecoder.TemplateId).Count(decision => decision.Sequence > begun && decision.Sequence < ended
            && PreTradeAnswerDecoder.TryWrap(decision.Message, out PreTradeAnswerDecoder answer) && answer.Verdict is Verdict.ReduceOnly or Verdict.Halted);
        Assert.That(Query(Question(2)).Select(row => string.Join('|', row)), Is.EqualTo(new[] { $"{begun}|night desk|reduceOnly|index feed looks odd|{denied}" }));
    }

    [Test]
    public void Each_instruction_is_explained()
    {
        List<object[]> rows = Query("SELECT sequence, account_id, attempt, answer, json_extract(explanation, '$.report.ratio') FROM liquidation_explanations ORDER BY sequence, account_id");
        Assert.That(rows, Has.Count.EqualTo(Instructions().Count()));
        Assert.That(rows.Select(row => (string)row[3]), Has.All.Contain("in state liquidation"));
        Dictionary<(long, long), long> ratios = Instructions().ToDictionary(one => (one.Sequence, one.Figures.Account), one => one.Figures.Ratio);
        foreach (object[] row in rows)
            Assert.That(decimal.Parse((string)row[4], CultureInfo.InvariantCulture) * 100_000_000m, Is.EqualTo((decimal)ratios[((long)row[0], (long)row[1])]), string.Join(' ', row));
    }

    [Test]
    public void The_export_says_which_journal_it_is_of()
    {
        CommandResult replay = MarginCommand.Run("replay", _demo.Directory);
        string state = (string)Query("SELECT value FROM journal WHERE name = 'stateDigest'")[0][0], digest = (string)Query("SELECT value FROM journal WHERE name = 'decisionDigest'")[0][0];
        Assert.That(replay.Out, Does.Contain(state).And.Contain(digest));
        Assert.That(Number("SELECT count(*) FROM heartbeat"), Is.EqualTo(_demo.Of(HeartbeatDecoder.TemplateId).Count()).And.GreaterThan(0));
    }

    [Test]
    public void CSV_files_hold_the_same_rows()
    {
        string folder = _scratch.File("tables");
        CommandResult result = MarginCommand.Run("export", _demo.Directory, "--csv", folder);
        Assert.That(result.Code, Is.Zero, result.ToString());
        foreach (object[] table in Query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"))
        {
            string path = Path.Combine(folder, $"{table[0]}.csv");
            Assert.That(File.Exists(path), Is.True, path);
            if ((string)table[0] is "operators" or "journal" or "liquidation_explanations") continue; // their texts may break lines
            Assert.That(File.ReadLines(path).Count() - 1, Is.EqualTo(Number($"SELECT count(*) FROM {table[0]}")), path);
        }

        string[] calls = File.ReadAllLines(Path.Combine(folder, "margin_call.csv"));
        int ratio = Array.IndexOf(calls[0].Split(','), "ratio_e8");
        MarginCallDecoder.TryWrap(_demo.Of(MarginCallDecoder.TemplateId).First().Message, out MarginCallDecoder first);
        Assert.That(calls[1].Split(',')[ratio], Is.EqualTo($"{first.Ratio.Mantissa}"));
    }

    [Test]
    public void An_export_overwrites_nothing_and_leaves_nothing_half_done()
    {
        CommandResult again = MarginCommand.Run("export", _demo.Directory, "--sqlite", _scratch.File("audit.db"));
        Assert.That(again.Code, Is.EqualTo(ExitCode.Unreachable), again.ToString());
        string broken = _scratch.File("broken");
        Directory.CreateDirectory(broken);
        foreach (string file in Directory.GetFiles(_demo.Directory, "*.segment")) File.Copy(file, Path.Combine(broken, Path.GetFileName(file)));
        byte[] bytes = File.ReadAllBytes(Directory.GetFiles(broken, "*.segment").Order(StringComparer.Ordinal).First());
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(Directory.GetFiles(broken, "*.segment").Order(StringComparer.Ordinal).First(), bytes);
        CommandResult damaged = MarginCommand.Run("export", broken, "--sqlite", _scratch.File("half.db"));
        Assert.That(damaged.Code, Is.EqualTo(ExitCode.Difference), damaged.ToString());
        Assert.That(File.Exists(_scratch.File("half.db")), Is.False);
        Assert.That(MarginCommand.Run("export", _demo.Directory).Code, Is.EqualTo(ExitCode.Usage));
    }
}
