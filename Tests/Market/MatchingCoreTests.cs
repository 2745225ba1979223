using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Market;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.MarketTests;

[Parallelizable(ParallelScope.Self)]
public class MatchingCoreTests
{
    private const long Second = 1_000_000_000;

    [Test]
    public void A_crash_calls_a_few_accounts_liquidates_some_and_leaves_both_sides_of_every_contract_equal()
    {
        using var exchange = new Exchange(Options(accounts: 150, seconds: 3, rate: 1_000));
        exchange.Run(60 * Second);
        MarketSummary summary = exchange.Core.Summary();
        TestContext.Out.WriteLine(Text(summary));
        Assert.That(summary.Phase, Is.EqualTo(MarketPhase.Done));
        Assert.That(summary.IsConfirmed, Is.True);
        Assert.That(summary.Events, Is.EqualTo(3_000));
        Assert.That(summary.Rejects, Is.Empty);
        Assert.That(summary.Resent, Is.Zero);
        Assert.That(summary.Liquidations, Is.GreaterThan(0));
        Assert.That(summary.LiquidatedAccounts, Is.InRange(1, 60));
        CheckPositions(exchange);
    }

    [TestCase(3u)]
    [TestCase(4u)]
    public void Whatever_the_wire_loses_arrives_exactly_once_and_in_order(uint seed)
    {
        using var exchange = new Exchange(Options(accounts: 60, seconds: 3, rate: 1_000));
        var random = new Random((int)seed);
        int crashes = 0;
        exchange.Losses = _ => crashes < 25 && random.Next(4_000) == 0 && ++crashes > 0 ? 1 + random.Next(3_000) : 0;
        exchange.Run(120 * Second);
        MarketSummary summary = exchange.Core.Summary();
        TestContext.Out.WriteLine($"seed {seed} lost {exchange.Lost} " + Text(summary));
        Assert.That(exchange.Lost, Is.GreaterThan(1_000));
        Assert.That(summary.Phase, Is.EqualTo(MarketPhase.Done));
        Assert.That(summary.IsConfirmed, Is.True);
        Assert.That(summary.Rewinds, Is.GreaterThan(2));
        Assert.That(exchange.Machine.LastSourceSequence(1), Is.EqualTo((ulong)summary.Messages));
        Assert.That(summary.Rejects, Is.Empty);
        CheckPositions(exchange);
    }

    [Test]
    public void The_end_of_the_stream_is_sent_again_when_nothing_behind_it_shows_the_gap()
    {
        using var exchange = new Exchange(Options(accounts: 20, seconds: 1, rate: 200));
        long confirmed = 0;
        exchange.Losses = delivered => exchange.Core.Summary() is { Events: 200 } && confirmed++ == 0 ? 5 : 0;
        exchange.Run(60 * Second);
        MarketSummary summary = exchange.Core.Summary();
        Assert.That(exchange.Lost, Is.GreaterThan(0));
        Assert.That(summary.IsConfirmed, Is.True, Text(summary));
    }

    [Test]
    public void A_source_that_the_engine_knows_from_an_earlier_run_is_refused_loudly()
    {
        MarketOptions options = Options(accounts: 20, seconds: 1, rate: 200);
        using MarketScript script = MarketScript.Open(options);
        var core = new MatchingCore(options, script);
        core.Produce(0, 0);
        byte[] buffer = new byte[256];
        RejectEncoder reject = RejectEncoder.Wrap(buffer);
        reject.Sequence = 9;
        reject.Source = 1;
        reject.SourceSequence = 1;
        reject.Code = RejectCode.OutOfOrder;
        reject.FieldId = 1;
        reject.Expected = 1_000_000;
        int length = reject.EncodedLength;
        var error = Assert.Throws<CommandFailure>(() => core.OnDecision(buffer.AsSpan(0, length), 1));
        Assert.That(error!.Code, Is.EqualTo(ExitCode.Refused));
        Assert.That(error.Message, Does.Contain("999999").Or.Contain("another source number"));
    }

    [Test]
    public void Bytes_that_are_no_decision_are_ignored()
    {
        MarketOptions options = Options(accounts: 20, seconds: 1, rate: 200);
        using MarketScript script = MarketScript.Open(options);
        var core = new MatchingCore(options, script);
        var random = new Random(11);
        ushort[] templates = [RejectDecoder.TemplateId, HeartbeatDecoder.TemplateId, MarginCallDecoder.TemplateId, LiquidationInstructionDecoder.TemplateId, 999];
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = new byte[random.Next(0, 200)];
            random.NextBytes(bytes);
            if (bytes.Length > 4 && random.Next(2) == 0)
                BitConverter.TryWriteBytes(bytes.AsSpan(2), templates[random.Next(templates.Length)]);
            core.OnDecision(bytes, round);
        }
        Assert.That(core.Summary().Rewinds, Is.Zero);
    }

    // What the engine holds is what was sent: no fill lost, none applied twice.
    private static void CheckPositions(Exchange exchange)
    {
        Assert.That(exchange.Core.Positions.Imbalances(), Is.Empty);
        int compared = 0;
        foreach (ulong account in exchange.Machine.AccountIds())
        {
            MarginReport report = exchange.Machine.Report(account)!;
            Dictionary<uint, long> engine = report.Units.SelectMany(unit => unit.Positions).Where(position => position.Lots != 0)
                .ToDictionary(position => position.InstrumentId, position => position.Lots);
            Dictionary<uint, long> sent = exchange.Core.Positions.Of(account).ToDictionary(entry => entry.Instrument, entry => entry.Lots);
            Assert.That(engine, Is.EquivalentTo(sent), $"account {account}");
            compared += engine.Count;
        }
        Assert.That(compared, Is.GreaterThan(50));
    }

    private static MarketOptions Options(int accounts, int seconds, int rate) => new()
    {
        Source = "builtin", Accounts = accounts, Seconds = seconds, EventsPerSecond = rate, Seed = 5, DrainSeconds = 60,
    };

    private static string Text(MarketSummary summary)
    {
        using var text = new StringWriter();
        summary.WriteText(text);
        return text.ToString();
    }
}
