using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Market;
using NUnit.Framework;

namespace MarginEngine.Tests.MarketTests;

/// <summary>The stand-in with all messages: grids, classes, terms of settlement, open interest, marks of options. The engine takes each, and the market is the same market.</summary>
[Parallelizable(ParallelScope.Self)]
public class AllMessagesTests
{
    [TestCase("portfolio")]
    [TestCase("paradex-pm")]
    public void The_engine_takes_every_message_and_the_crash_brings_calls(string model)
    {
        using var run = new ScriptRun(Options(model), withMachine: true);
        int optionMarks = 0;
        HashSet<uint> options = [.. run.Script.Board.Contracts.Where(contract => contract.IsOption).Select(contract => contract.Id)];
        run.OnMessage = message =>
        {
            Assert.That(Schema.Validate(message, out ushort field), Is.EqualTo(SbeError.None), $"field {field}");
            optionMarks += MarkPriceDecoder.TryWrap(message, out MarkPriceDecoder mark) && options.Contains(mark.InstrumentId) ? 1 : 0;
        };
        run.RunSetup();
        Assert.That(run.Called, Is.Empty, "nobody is called before the market opens");
        run.RunMarket();
        TestContext.Out.WriteLine($"called {run.Called.Count} liquidated {run.Liquidated.Count}, {string.Join(", ", run.Sent.Select(entry => $"{entry.Key} {entry.Value}"))}");
        Assert.Multiple(() =>
        {
            Assert.That(run.Rejected, Is.Empty);
            Assert.That(run.Sent["AccountClass"], Is.EqualTo(2));
            Assert.That(run.Sent["SettlementFees"], Is.EqualTo(2));
            Assert.That(run.Sent["OpenInterest"], Is.GreaterThan(2));
            Assert.That(run.Sent["VolatilityGrid"], Is.GreaterThan(100));
            Assert.That(run.Sent, Does.Not.ContainKey("VolatilitySlice"));
            Assert.That(optionMarks > 1_000, Is.EqualTo(model == "paradex-pm"), "only a model that measures from marks is told them");
            Assert.That(run.Called, Is.Not.Empty.And.None.LessThan(BookPlan.FirstClient));
            Assert.That(run.Liquidated, Is.Not.Empty.And.SubsetOf(run.Called));
        });
    }

    [Test]
    public void A_grid_moves_the_market_by_no_more_than_its_straight_lines()
    {
        using var slices = new ScriptRun(Options("portfolio") with { AllMessages = false }, withMachine: false);
        using var grids = new ScriptRun(Options("portfolio"), withMachine: false);
        foreach (ScriptRun run in new[] { slices, grids })
            run.RunSetup();
        foreach (Contract option in grids.Script.Board.Contracts.Where(contract => contract.IsOption))
        {
            Contract same = slices.Script.Board.Contracts[(int)option.Id - 1];
            double grid = grids.Script.Board.VolatilityOf(option), slice = slices.Script.Board.VolatilityOf(same);
            Assert.That(grid, Is.InRange(slice * 0.9999, slice * 1.08), $"{option.Symbol}: chords lie above a convex curve, and not far");
        }
    }

    [Test]
    public void The_seed_decides_every_byte()
    {
        ulong first = DigestOf(Options("portfolio"));
        Assert.That(DigestOf(Options("portfolio")), Is.EqualTo(first));
        Assert.That(DigestOf(Options("portfolio") with { Seed = 2 }), Is.Not.EqualTo(first));
    }

    private static ulong DigestOf(MarketOptions options)
    {
        using var run = new ScriptRun(options, withMachine: false);
        run.RunSetup();
        run.RunMarket();
        return run.Digest;
    }

    private static MarketOptions Options(string model) => new()
    {
        Source = "builtin", Accounts = 60, Seconds = 1, EventsPerSecond = 600, Seed = 1, Model = ModelDocument.Shipped(model), AllMessages = true,
    };
}
