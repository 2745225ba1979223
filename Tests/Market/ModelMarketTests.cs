using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Market;
using NUnit.Framework;

namespace MarginEngine.Tests.MarketTests;

/// <summary>The built-in market under every shipped margin model, through a machine in this process.</summary>
[Parallelizable(ParallelScope.Self)]
public class ModelMarketTests
{
    private const int Accounts = 60;
    private const int Events = 400;

    private static IReadOnlyList<string> Shipped => ModelDocument.ShippedNames;

    [TestCaseSource(nameof(Shipped))]
    public void Every_model_runs_live_the_same_each_time_and_the_crash_changes_states(string name)
    {
        (ulong decisions, ulong state, string figures) = Play(name);
        TestContext.Out.WriteLine($"{name}: {figures}");
        Assert.That(Play(name), Is.EqualTo((decisions, state, figures)));
    }

    // Once nothing is left to carry out every account is safe or empty, whether or not the value of its options is equity.
    [TestCaseSource(nameof(Shipped))]
    public void Liquidations_are_carried_out_and_leave_no_account_waiting(string name)
    {
        MarketOptions options = Options(name) with { Accounts = 120, Seconds = 2, EventsPerSecond = 300 };
        using var exchange = new Exchange(options);
        exchange.Run(60_000_000_000);
        MarketSummary summary = exchange.Core.Summary();
        AccountState[] states = [.. exchange.Machine.AccountIds().Select(account => exchange.Machine.Report(account)!.State)];
        TestContext.Out.WriteLine($"{summary.Model}: {summary.Liquidations} of {summary.Instructions} in {summary.LiquidatedAccounts} accounts, "
            + string.Join(", ", states.CountBy(state => state).Select(entry => $"{entry.Key} {entry.Value}")));
        Assert.That(summary.Phase, Is.EqualTo(MarketPhase.Done));
        Assert.That(summary.Rejects, Is.Empty);
        Assert.That(summary.Liquidations, Is.GreaterThan(0));
        Assert.That(states, Has.None.EqualTo(AccountState.Liquidation));
        Assert.That(summary.Model, Does.StartWith(name + " "));
    }

    [Test]
    public void Funding_is_announced_at_the_start_and_paid_every_eight_hours_of_the_market()
    {
        using var run = new ScriptRun(Options("portfolio"), withMachine: true);
        var rates = new Dictionary<uint, long>();
        int paid = 0;
        run.OnMessage = message =>
        {
            if (FundingRateDecoder.TryWrap(message, out FundingRateDecoder announced))
                rates[announced.InstrumentId] = announced.Rate.Mantissa;
            if (FundingPaymentDecoder.TryWrap(message, out FundingPaymentDecoder payment))
            {
                paid++;
                Assert.That(payment.Rate.Mantissa, Is.EqualTo(rates[payment.InstrumentId]), "what was announced is paid");
                Assert.That(Math.Abs(payment.Rate.Mantissa), Is.LessThanOrEqualTo(50_000));
            }
        };
        run.RunSetup();
        int perpetuals = run.Script.Board.Assets.Sum(asset => asset.Perpetuals.Count);
        Assert.That((rates.Count, paid), Is.EqualTo((perpetuals, 0)));
        run.RunMarket();
        // From 03:00 through 36 hours: 08, 16, 00, 08.
        Assert.That(paid, Is.EqualTo(4 * perpetuals));
        Assert.That(run.Rejected, Is.Empty);
    }

    [TestCase("derive-pmrm2", true)]
    [TestCase("derive-pmrm1", true)]
    [TestCase("derive-standard", true)]
    [TestCase("portfolio", false)]
    public void A_model_with_a_peg_gets_the_pegged_coin_and_its_index_slips_with_the_crash(string name, bool hasPeg)
    {
        using var run = new ScriptRun(Options(name), withMachine: false);
        Asset? coin = run.Script.Board.Assets.Find(asset => asset.Code == "USDC");
        Assert.That(coin is not null, Is.EqualTo(hasPeg));
        var prices = new List<long>();
        run.OnMessage = message =>
        {
            if (IndexPriceDecoder.TryWrap(message, out IndexPriceDecoder price) && price.UnderlyingId == coin?.Id)
                prices.Add(price.Price.Mantissa);
        };
        run.RunSetup();
        run.RunMarket();
        if (hasPeg)
        {
            Assert.That(prices[0], Is.InRange(99_900_000, 100_000_000));
            Assert.That(prices.Min(), Is.InRange(97_000_000, 98_900_000), "below the thresholds of the shipped models");
        }
    }

    private static (ulong Decisions, ulong State, string Figures) Play(string name)
    {
        using var run = new ScriptRun(Options(name), withMachine: true);
        run.RunSetup();
        Assert.That(run.Called, Is.Empty, "nobody is called before the market opens");
        Assert.That(run.Ratios, Has.Count.GreaterThanOrEqualTo(Accounts));
        Assert.That(run.RunMarket(), Is.EqualTo(Events));
        Assert.That(run.Rejected, Is.Empty);
        Assert.That(run.Called, Is.Not.Empty);
        Assert.That(run.Called, Has.None.LessThan(BookPlan.FirstClient), "the fund and the providers are never called");
        Assert.That(run.Liquidated, Is.SubsetOf(run.Called));
        Assert.That(run.Machine.Report(BookPlan.FirstClient)!.Model, Is.EqualTo(name));
        return (run.Machine.DecisionDigest, run.Machine.StateDigest(),
            $"{run.Machine.DecisionCount} decisions, {run.Called.Count} called, {run.Liquidated.Count} to be liquidated, of {run.Machine.AccountCount}");
    }

    private static MarketOptions Options(string name) => new()
    {
        Source = "builtin",
        Accounts = Accounts,
        Seconds = 1,
        EventsPerSecond = Events,
        Seed = 1,
        Model = ModelDocument.Shipped(name),
    };
}
