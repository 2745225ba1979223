using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.LogicTests.Properties;
using MarginEngine.Tests.MarketTests;
using MarginEngine.Tool.Market;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Snapshots;

/// <summary>A machine that was written down and read back is the machine that was written down.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class SnapshotTests
{
    [Test]
    public void After_every_message_of_a_run_a_restored_machine_decides_the_rest_alike()
    {
        using Desk desk = Scenes.Everything(seed: 5, ticks: 40);
        RecordedRun run = new("everything", Limits.Small, desk.Applied);
        int compared = RowCaches.Compared;
        run.ContinueFrom(Enumerable.Range(0, run.Count + 1));
        TestContext.Out.WriteLine($"{run.Count} messages, {run.Decisions} decisions, {run.EndBytes} bytes at the end, {RowCaches.Compared - compared} priced rows compared");
        Assert.That(RowCaches.Compared - compared, Is.GreaterThan(10_000));
    }

    [Test]
    public void After_every_message_of_a_run_by_crossings_too()
    {
        using Desk desk = Scenes.Everything(seed: 5, ticks: 40, byCrossings: true);
        RecordedRun run = new("by crossings", Limits.Small, desk.Applied);
        run.ContinueFrom(Enumerable.Range(0, run.Count + 1));
    }

    [Test]
    public void The_run_that_is_broken_off_everywhere_has_every_kind_of_decision()
    {
        using Desk desk = Scenes.Everything(seed: 5, ticks: 40);
        RecordedRun run = new("everything", Limits.Small, desk.Applied);
        Assert.That(run.Templates, Is.SupersetOf(new[]
        {
            MarginUpdateDecoder.TemplateId, MarginCallDecoder.TemplateId, LiquidationInstructionDecoder.TemplateId, PreTradeAnswerDecoder.TemplateId,
            RejectDecoder.TemplateId, FundEventDecoder.TemplateId, RiskArrayDecoder.TemplateId, HeartbeatDecoder.TemplateId,
            FundingSettledDecoder.TemplateId, AccountSettledDecoder.TemplateId, ModelComparisonDecoder.TemplateId,
        }));
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public void At_random_places_of_a_long_run_too(int seed)
    {
        using Desk desk = Scenes.Everything(seed, ticks: 240);
        RecordedRun run = new($"everything {seed}", Limits.Small, desk.Applied);
        Random random = new(seed);
        run.ContinueFrom(Enumerable.Range(0, 25).Select(_ => random.Next(run.Count)));
    }

    [Test]
    public void Under_every_shipped_model_at_once()
    {
        for (int seed = 1; seed <= 8; seed++)
        {
            using Stage stage = Scenes.AllModels(seed);
            RecordedRun run = new($"{stage.Book}", Stage.Room, stage.Desk.Applied);
            Random random = new(seed);
            run.ContinueFrom([run.Count, .. Enumerable.Range(0, 7).Select(_ => random.Next(run.Count))]);
        }
    }

    [Test]
    public void In_a_market_with_a_crash_and_its_liquidations()
    {
        MarketOptions options = new() { Accounts = 60, Seconds = 6, EventsPerSecond = 100, Seed = 3, Source = "builtin" };
        List<(long, byte[])> inputs = [];
        using Exchange exchange = new(options);
        Limits limits = new() { Accounts = options.Accounts + 16, Positions = 65_536, Units = 16_384, Instruments = 2_048 };
        exchange.OnDelivered = (message, now) => inputs.Add((1_770_000_000_000_000_000 + now, message));
        exchange.Run(60_000_000_000);
        RecordedRun run = new("market", limits, Stamped(inputs));
        Assert.That(run.Templates, Does.Contain(LiquidationInstructionDecoder.TemplateId));
        Random random = new(7);
        run.ContinueFrom(Enumerable.Range(0, 8).Select(_ => random.Next(run.Count)));
        TestContext.Out.WriteLine($"{run.Count} messages, {run.Decisions} decisions, {run.EndBytes} bytes at the end");
    }

    [Test]
    public void An_unpriced_contract_keeps_the_notional_it_was_last_looked_at_with()
    {
        using Desk desk = new();
        uint option = desk.Option(OptionRight.Call, 50_000m, Desk.Usd, size: 0.001m);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 1_000_000m);
        desk.Fill(1, option, 100, 0.1m);
        desk.Index(70_000m);
        desk.Index(90_000m);
        desk.Fill(1, option, 1, 0.1m);
        RecordedRun run = new("unpriced", Limits.Small, desk.Applied);
        run.ContinueFrom(Enumerable.Range(0, run.Count + 1));
    }

    [Test]
    public void Published_arrays_come_back_with_the_index_that_a_mark_was_valued_at()
    {
        using Desk desk = MarkArrayTests.Open(out uint option);
        MarkArrayTests.Publish(desk, option, -2, 0.25m, 100, -250, 75);
        desk.Fill(1, option, -3, 12m);
        desk.Index(120m);
        desk.Index(140m);
        desk.Fill(1, option, 1, 12m);
        MarkArrayTests.Publish(desk, option, -2, 0.25m, 100, -250);
        desk.Index(150m);
        MarkArrayTests.Publish(desk, option, -2, 0.25m, 100, -250, 70);
        desk.Fill(1, option, 1, 12m);
        RecordedRun run = new("arrays", Limits.Small, desk.Applied);
        run.ContinueFrom(Enumerable.Range(0, run.Count + 1));
    }

    [Test]
    public void Bytes_that_are_cut_or_go_on_are_refused_and_so_is_a_state_too_large_for_the_machine()
    {
        using Desk desk = Desk.Lively(seed: 4, ticks: 5);
        StateBlocks whole = new();
        desk.Machine.Save(whole);
        Limits small = Limits.Small with { Accounts = 8 };
        Assert.Multiple(() =>
        {
            Assert.That(() => MarginMachine.Load(Limits.Small, Block(whole[0][..^1])), Throws.TypeOf<StateFormatException>());
            Assert.That(() => MarginMachine.Load(Limits.Small, Block([.. whole[0], 0])), Throws.TypeOf<StateFormatException>());
            Assert.That(() => MarginMachine.Load(small, whole), Throws.TypeOf<StateFormatException>().With.Message.Contains("room for 8"));
        });
    }

    private static StateBlocks Block(ReadOnlySpan<byte> bytes)
    {
        StateBlocks blocks = new();
        blocks.Add(bytes);
        return blocks;
    }

    // The exchange delivers several messages at one time.
    private static List<(long, byte[])> Stamped(List<(long Time, byte[] Message)> inputs)
    {
        long last = 0;
        return [.. inputs.Select(input => (last = Math.Max(last + 1, input.Time), input.Message))];
    }
}
