using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Import;
using MarginEngine.Tool.Market;
using MarginEngine.Tool.Shell;
using NUnit.Framework;
using Expiry = MarginEngine.Tool.Market.Expiry;

namespace MarginEngine.Tests.MarketTests;

[Parallelizable(ParallelScope.Self)]
public class ScriptTests
{
    private static IEnumerable<string> Sources => ["builtin", "deribit", "btc-2025-10"];

    [TestCaseSource(nameof(Sources))]
    public void The_engine_takes_every_message_and_the_crash_brings_calls_but_not_at_the_start(string source)
    {
        using var run = new ScriptRun(Options(source), withMachine: true);
        run.RunSetup();
        Assert.That(run.Called, Is.Empty);
        Assert.That(run.Ratios.Values.Max(), Is.LessThan(70_000_000), "highest ratio at the start");
        int events = run.RunMarket();
        TestContext.Out.WriteLine($"{run.Script.Description}\ncalled {run.Called.Count} liquidated {run.Liquidated.Count} of {run.Machine.AccountCount}, "
            + string.Join(", ", run.Sent.Select(entry => $"{entry.Key} {entry.Value}")));
        Assert.That(events, Is.EqualTo(2_000));
        Assert.That(run.Rejected, Is.Empty);
        Assert.That(run.Called, Has.Count.InRange(2, 30));
        Assert.That(run.Liquidated, Is.Not.Empty.And.SubsetOf(run.Called));
        Assert.That(run.Positions.Imbalances(), Is.Empty);
        Assert.That(run.Called, Has.None.LessThan(BookPlan.FirstClient), "the fund and the providers are never called");
    }

    [TestCaseSource(nameof(Sources))]
    public void The_seed_decides_every_byte(string source)
    {
        ulong first = DigestOf(Options(source, seed: 7));
        Assert.That(DigestOf(Options(source, seed: 7)), Is.EqualTo(first));
        Assert.That(DigestOf(Options(source, seed: 8)), Is.Not.EqualTo(first));
    }

    [TestCaseSource(nameof(Sources))]
    public void Every_message_is_valid_by_the_schema_numbered_without_a_gap_and_ends_its_event(string source)
    {
        using var run = new ScriptRun(Options(source), withMachine: false);
        ulong expected = 0;
        long valuationTime = 0;
        ulong eventTime = 0;
        run.OnMessage = message =>
        {
            Assert.That(Schema.Validate(message, out ushort field), Is.EqualTo(SbeError.None), $"message {expected + 1} field {field}");
            Assert.That(OriginStamp.SequenceOf(message), Is.EqualTo(++expected));
            // The stamp's offsets against the generated codec.
            if (OriginStamp.TemplateOf(message) == IndexPriceDecoder.TemplateId && IndexPriceDecoder.TryWrap(message, out IndexPriceDecoder price))
            {
                Assert.That(price.Origin.Sequence, Is.EqualTo(expected));
                Assert.That(price.Origin.Source, Is.EqualTo(1));
                Assert.That(price.Origin.EventTime, Is.GreaterThanOrEqualTo(eventTime));
                eventTime = price.Origin.EventTime;
            }
            if (OriginStamp.TemplateOf(message) == TimeTickDecoder.TemplateId && TimeTickDecoder.TryWrap(message, out TimeTickDecoder tick))
            {
                Assert.That((long)tick.Time!.Value, Is.GreaterThan(valuationTime));
                valuationTime = (long)tick.Time.Value;
            }
        };
        run.RunSetup();
        run.RunMarket();
        Assert.That(expected, Is.GreaterThan(10_000UL));
        Assert.That(valuationTime, Is.EqualTo(run.Script.EndNanos));
    }

    [TestCase(1)]
    [TestCase(7)]
    [TestCase(60)]
    public void A_run_of_very_few_events_still_settles_every_expiry_it_passes(int events)
    {
        foreach (string source in DataFolder.Path is null ? ["builtin"] : Sources)
        {
            using var run = new ScriptRun(Options(source) with { Seconds = 1, EventsPerSecond = events, Accounts = 20 }, withMachine: true);
            run.RunSetup();
            Assert.That(run.RunMarket(), Is.EqualTo(events), source);
            Assert.That(run.Rejected, Is.Empty, source);
            int passed = run.Script.Board.Assets.Sum(asset => asset.Expiries.Count(expiry => expiry.Nanos <= run.Script.EndNanos));
            Assert.That(passed, Is.GreaterThan(0), source);
            Assert.That(run.Sent["ExpirySettlement"], Is.EqualTo(passed), source);
        }
    }

    [Test]
    public void At_every_snapshot_of_a_real_chain_forwards_and_volatilities_on_the_wire_are_the_venues_own()
    {
        string data = DataFolder.Require();
        ChainSession session = ChainSession.Find(DataFile.LoadDirectory(data))!;
        using var run = new ScriptRun(Options("deribit"), withMachine: false);
        Dictionary<(long Time, string Symbol), double> venue = [];
        Dictionary<(long Time, string Code, long Expiry), double> forwards = [];
        foreach (AssetSnapshot snapshot in session.Snapshots)
        {
            foreach (ExpirySnapshot expiry in snapshot.Expiries)
            {
                forwards[(snapshot.TimeNanos, snapshot.Code, expiry.Nanos)] = expiry.Forward;
                foreach (((long strike, bool isCall), double volatility) in expiry.Volatilities)
                    venue[(snapshot.TimeNanos, $"{snapshot.Code}-{UnixTime.ShowDay(expiry.Nanos)}-{strike / 100_000_000}-{(isCall ? 'C' : 'P')}")] = volatility;
            }
        }
        Dictionary<uint, string> symbols = [];
        long now = 0;
        HashSet<(long, string)> matched = [];
        HashSet<(long, string, long)> matchedForwards = [];
        run.OnMessage = message =>
        {
            if (InstrumentDefinitionDecoder.TryWrap(message, out InstrumentDefinitionDecoder definition))
                symbols[definition.InstrumentId] = System.Text.Encoding.ASCII.GetString(definition.Symbol).TrimEnd('\0');
            if (TimeTickDecoder.TryWrap(message, out TimeTickDecoder tick))
                now = (long)tick.Time!.Value;
            if (ForwardPriceDecoder.TryWrap(message, out ForwardPriceDecoder forward))
            {
                var key = (now, run.Script.Board.Assets[forward.UnderlyingId - 1].Code, (long)forward.Expiry);
                if (forwards.TryGetValue(key, out double listed))
                {
                    Assert.That(forward.Price.Mantissa * 1e-8, Is.EqualTo(listed).Within(1e-4), $"{key}");
                    matchedForwards.Add(key);
                }
            }
            if (MarkVolatilityDecoder.TryWrap(message, out MarkVolatilityDecoder mark) && venue.TryGetValue((now, symbols[mark.InstrumentId]), out double expected))
            {
                Assert.That(mark.Volatility.Mantissa, Is.EqualTo((long)Math.Round(expected * 1e8)), $"{symbols[mark.InstrumentId]} {UnixTime.Show(now)}");
                matched.Add((now, symbols[mark.InstrumentId]));
            }
        };
        run.RunSetup();
        run.RunMarket();
        Assert.That(matched, Has.Count.EqualTo(venue.Count));
        Assert.That(matchedForwards, Has.Count.EqualTo(forwards.Count));
    }

    [TestCase(1UL)]
    [TestCase(2UL)]
    [TestCase(3UL)]
    public void The_built_in_market_falls_a_fifth_to_a_quarter_wins_back_a_part_and_its_surfaces_admit_no_arbitrage(ulong seed)
    {
        var random = new SeededRandom(seed);
        var path = new BuiltinPath(random);
        var board = new Board();
        path.Open(board);
        double[] start = [.. board.Assets.Select(asset => asset.Index)];
        double[] low = [.. start];
        double calm = FrontVolatility(board, path, 0);
        double highest = calm;
        const int Steps = 1_500;
        for (int step = 1; step <= Steps; step++)
        {
            path.Advance(board, path.StartNanos + (long)((Int128)(path.EndNanos - path.StartNanos) * step / Steps));
            highest = Math.Max(highest, FrontVolatility(board, path, 0));
            for (int i = 0; i < board.Assets.Count; i++)
            {
                low[i] = Math.Min(low[i], board.Assets[i].Index);
                CheckSurface(board, path, board.Assets[i], $"seed {seed} step {step}");
            }
        }
        for (int i = 0; i < board.Assets.Count; i++)
        {
            TestContext.Out.WriteLine($"{board.Assets[i].Code} {start[i]:0} -> {low[i]:0} ({low[i] / start[i] - 1:0.0%}) -> {board.Assets[i].Index:0}");
            Assert.That(low[i] / start[i] - 1, Is.InRange(-0.29, -0.18));
            Assert.That(board.Assets[i].Index / low[i] - 1, Is.GreaterThan(0.05));
        }
        TestContext.Out.WriteLine($"volatility {calm:0.0%} -> {highest:0.0%}");
        Assert.That(highest - calm, Is.InRange(0.30, 0.60));
    }

    [TestCase("moon", null, ExitCode.Usage, "no market source")]
    [TestCase("btc-2025-13", null, ExitCode.Usage, "no market source")]
    [TestCase("deribit", null, ExitCode.Usage, "--data")]
    [TestCase("deribit", "empty", ExitCode.Unreachable, "no option chain")]
    [TestCase("btc-2025-10", "empty", ExitCode.Unreachable, "no candles")]
    [TestCase("deribit", "missing", ExitCode.Unreachable, "missing")]
    [TestCase("deribit", "damaged", ExitCode.Unreachable, "chain.csv:2:")]
    public void A_source_that_cannot_be_played_is_an_error_with_its_reason(string source, string? folder, int code, string reason)
    {
        string root = Path.Combine(Path.GetTempPath(), $"margin-market-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path.Combine(root, "empty"));
        Directory.CreateDirectory(Path.Combine(root, "damaged"));
        File.WriteAllText(Path.Combine(root, "empty", "notes.txt"), "nothing here");
        File.WriteAllText(Path.Combine(root, "damaged", "chain.csv"),
            "timestamp,instrument_name,underlying,option_type,strike,expiry_datetime,mark_price,implied_volatility\nx,y,z,call,1,2,3,4\n");
        try
        {
            var options = new MarketOptions { Source = source, DataDirectory = folder is null ? null : Path.Combine(root, folder) };
            var error = Assert.Throws<CommandFailure>(() => MarketScript.Open(options).Dispose());
            Assert.That(error!.Code, Is.EqualTo(code));
            Assert.That(error.Message, Does.Contain(reason));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Test]
    public void Options_that_make_no_market_are_named()
    {
        Assert.That(Assert.Throws<ArgumentOutOfRangeException>(() => new MarketOptions { Accounts = 1 }.Validate())!.Message, Does.Contain("Accounts"));
        Assert.That(Assert.Throws<ArgumentOutOfRangeException>(() => new MarketOptions { Seconds = 0 }.Validate())!.Message, Does.Contain("Seconds"));
        Assert.That(Assert.Throws<ArgumentOutOfRangeException>(() => new MarketOptions { EventsPerSecond = 0 }.Validate())!.Message, Does.Contain("EventsPerSecond"));
        Assert.That(Assert.Throws<ArgumentOutOfRangeException>(() => new MarketOptions { SourceId = 65535 }.Validate())!.Message, Does.Contain("SourceId"));
    }

    private static double FrontVolatility(Board board, BuiltinPath path, int asset)
    {
        Expiry expiry = board.Assets[asset].Expiries[3];
        SviSlice slice = path.SliceOf(expiry);
        return VarianceCurve.Volatility(in slice, expiry.Forward, expiry.Forward, expiry.Years(board.Now));
    }

    private static void CheckSurface(Board board, BuiltinPath path, Asset asset, string when)
    {
        SviSlice? before = null;
        foreach (Expiry expiry in asset.Expiries.Where(expiry => expiry.Nanos - board.Now > UnixTime.Minute))
        {
            SviSlice slice = path.SliceOf(expiry);
            Assert.That(slice.Check(), Is.EqualTo(SviFault.None), $"{asset.Code} {UnixTime.ShowDay(expiry.Nanos)} {when} {slice}");
            if (before is SviSlice earlier)
                Assert.That(SviSlice.CheckCalendar(in earlier, in slice), Is.EqualTo(SviFault.None), $"{asset.Code} {UnixTime.ShowDay(expiry.Nanos)} {when} {earlier} {slice}");
            before = slice;
        }
    }

    private static ulong DigestOf(MarketOptions options)
    {
        using var run = new ScriptRun(options with { Accounts = 40, EventsPerSecond = 300 }, withMachine: false);
        run.RunSetup();
        run.RunMarket();
        return run.Digest;
    }

    private static MarketOptions Options(string source, ulong seed = 1) => new()
    {
        Source = source,
        DataDirectory = source == "builtin" ? null : DataFolder.Require(),
        Accounts = 200,
        Seconds = 2,
        EventsPerSecond = 1_000,
        Seed = seed,
    };
}
