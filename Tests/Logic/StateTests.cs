using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>States of an account, what is published of them, pre-trade answers, operators.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class StateTests
{
    // One linear coin long at 64,000: requirement 80 % of (16 % + 1 %) + 0.1 % of the mark, so about 8,768 at entry.
    private static uint OpenLong(Desk desk, decimal collateral, ulong account = 1)
    {
        uint perpetual = desk.Perpetual(Desk.Usd, size: 0.001m);
        desk.Mark(perpetual, 64_000m);
        desk.Open(account);
        desk.Transfer(account, Desk.Usd, collateral);
        desk.Fill(account, perpetual, 1_000, 64_000m);
        return perpetual;
    }

    [Test]
    public void Every_threshold_is_entered_at_once_and_left_only_beyond_the_hysteresis()
    {
        using Desk desk = new();
        uint perpetual = OpenLong(desk, 20_000m);
        List<AccountState> states = [];
        List<decimal> ratios = [];
        foreach (decimal mark in new[] { 64_000m, 55_900m, 53_600m, 52_400m, 51_500m, 52_300m, 64_000m })
        {
            desk.Clear();
            desk.Mark(perpetual, mark);
            states.Add(desk.Report(1).State);
            ratios.Add(desk.Report(1).Margin.RatioE8 / 1e8m);
        }

        Assert.That(
            states,
            Is.EqualTo(new[]
            {
                AccountState.Healthy, AccountState.Healthy, AccountState.Warning, AccountState.MarginCall, AccountState.ReduceOnly,
                AccountState.MarginCall, AccountState.Healthy,
            }),
            $"ratios {string.Join(", ", ratios)}");
    }

    [Test]
    public void The_margin_ratio_is_maintenance_over_equity_rounded_up()
    {
        using Desk desk = new();
        OpenLong(desk, 20_000m);
        AccountMargin margin = desk.Report(1).Margin;
        Assert.That(margin.RatioE8, Is.EqualTo((long)Math.Ceiling(margin.Maintenance * 100_000_000m / margin.Equity)));
    }

    [Test]
    public void A_state_change_is_called_out_with_the_shortfall()
    {
        using Desk desk = new();
        uint perpetual = OpenLong(desk, 20_000m);
        desk.Clear();
        desk.Mark(perpetual, 52_400m);
        MarginCallDecoder.TryWrap(desk.Of(MarginCallDecoder.TemplateId).Single(), out MarginCallDecoder call);
        Assert.That((call.PreviousState, call.State), Is.EqualTo((AccountState.Healthy, AccountState.MarginCall)));
        decimal shortfall = Desk.Usd6(call.Shortfall.Mantissa) + 0.01m;
        desk.Transfer(1, Desk.Usd, shortfall);
        Assert.That(desk.Report(1).State, Is.EqualTo(AccountState.Healthy), "the shortfall, paid in, clears the call");
    }

    [Test]
    public void Liquidation_closes_only_what_brings_the_ratio_to_its_target()
    {
        using Desk desk = new();
        uint perpetual = OpenLong(desk, 20_000m);
        desk.Clear();
        desk.Mark(perpetual, 50_000m);
        LiquidationInstructionDecoder.TryWrap(desk.Of(LiquidationInstructionDecoder.TemplateId).Single(), out LiquidationInstructionDecoder instruction);
        Assert.That(instruction.Legs.Count, Is.EqualTo(1));
        Assert.That(instruction.Legs[0].Side, Is.EqualTo(Side.Sell));
        long lots = instruction.Legs[0].Quantity;
        long promised = instruction.ExpectedMaintenanceMargin.Mantissa;
        Assert.That(lots, Is.GreaterThan(0).And.LessThan(1_000));
        desk.LiquidationFill(1, perpetual, -lots, 50_000m, instruction.LiquidationId, fee: lots * 50m * 0.001m);
        MarginReport report = desk.Report(1);
        Assert.Multiple(() =>
        {
            Assert.That(report.Margin.RatioE8 / 1e8, Is.LessThanOrEqualTo(0.80).And.GreaterThan(0.79), "one lot less would not have been enough");
            Assert.That(report.Margin.Maintenance, Is.EqualTo(promised), "what the instruction promised is what came");
            Assert.That(report.State, Is.LessThan(AccountState.Liquidation));
        });
    }

    [Test]
    public void An_unfilled_instruction_is_followed_by_another_after_the_retry_time_and_not_before()
    {
        using Desk desk = new();
        uint perpetual = OpenLong(desk, 20_000m);
        desk.Mark(perpetual, 50_000m);
        desk.Clear();
        desk.Now += Desk.Second;
        desk.Mark(perpetual, 49_990m);
        Assert.That(desk.Of(LiquidationInstructionDecoder.TemplateId), Is.Empty);
        desk.Now += 2 * Desk.Second;
        desk.Time();
        LiquidationInstructionDecoder.TryWrap(desk.Of(LiquidationInstructionDecoder.TemplateId).Single(), out LiquidationInstructionDecoder second);
        Assert.That(second.Attempt, Is.EqualTo(2));
    }

    [Test]
    public void Liquidation_leaves_a_hedge_standing()
    {
        using Desk desk = new();
        uint hedge = desk.Perpetual(Desk.Usd, size: 0.001m);
        uint call = desk.Option(OptionRight.Call, 60_000m, Desk.Usd, size: 0.001m);
        uint naked = desk.Option(OptionRight.Put, 60_000m, Desk.Usd, size: 0.001m);
        desk.Mark(hedge, 64_000m);
        desk.Forward(64_000m);
        desk.Volatility(call, 0.6m);
        desk.Volatility(naked, 0.6m);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 50_000);
        desk.Fill(1, hedge, 1_000, 64_000m);
        desk.Fill(1, call, -1_000, 7_700m);
        desk.Fill(1, naked, -2_000, 3_300m);
        desk.Clear();
        desk.Index(46_000m, flags: OriginFlags.None);
        desk.Forward(46_000m, flags: OriginFlags.None);
        desk.Mark(hedge, 46_000m);
        Assert.That(desk.Report(1).State, Is.EqualTo(AccountState.Liquidation), $"ratio {desk.Report(1).Margin.RatioE8}");
        LiquidationInstructionDecoder.TryWrap(desk.Of(LiquidationInstructionDecoder.TemplateId).Single(), out LiquidationInstructionDecoder instruction);
        Assert.That(instruction.Legs[0].InstrumentId, Is.EqualTo(naked), "the naked puts free the most margin");
    }

    [Test]
    public void A_bankrupt_account_is_paid_by_the_fund_and_the_rest_is_shared_among_the_winners()
    {
        using Desk desk = new();
        desk.Open(Limits.FundAccount);
        desk.Transfer(Limits.FundAccount, Desk.Usd, 1_000);
        uint perpetual = OpenLong(desk, 10_000m, account: 5);
        foreach (ulong winner in new ulong[] { 6, 7 })
        {
            desk.Open(winner);
            desk.Transfer(winner, Desk.Usd, 50_000);
            desk.Fill(winner, perpetual, winner == 6 ? -300 : -700, 64_000m);
        }

        desk.Mark(perpetual, 50_000m);
        LiquidationInstructionDecoder.TryWrap(desk.Of(LiquidationInstructionDecoder.TemplateId).Single(), out LiquidationInstructionDecoder instruction);
        Assert.That(instruction.Legs[0].Quantity, Is.EqualTo(1_000), "nothing less would help an account without equity");
        ulong id = instruction.LiquidationId;
        desk.Clear();
        desk.LiquidationFill(5, perpetual, -1_000, 50_000m, id);
        FundEventKind[] kinds = [.. desk.Of(FundEventDecoder.TemplateId).Select(message =>
        {
            FundEventDecoder.TryWrap(message, out FundEventDecoder fund);
            return fund.Kind;
        })];
        DeleveragingDecoder.TryWrap(desk.Of(DeleveragingDecoder.TemplateId).Single(), out DeleveragingDecoder deleveraging);
        long shared = 0;
        foreach (DeleveragingDecoder.SharesDecoder.Entry share in deleveraging.Shares)
        {
            shared += share.Amount.Mantissa;
        }

        decimal uncovered = Desk.Usd6(deleveraging.Uncovered.Mantissa);
        Assert.Multiple(() =>
        {
            Assert.That(kinds, Is.EqualTo(new[] { FundEventKind.DeficitCovered, FundEventKind.DeficitUncovered }));
            Assert.That(uncovered, Is.EqualTo(3_000m), "14,000 lost, 10,000 own, 1,000 of the fund");
            Assert.That(Desk.Usd6(shared), Is.EqualTo(3_000m));
            Assert.That(desk.Report(5).Margin.GrossEquity, Is.Zero);
            Assert.That(desk.Report(Limits.FundAccount).Margin.GrossEquity, Is.Zero);
            Assert.That(
                Desk.Usd6(desk.Report(6).Margin.GrossEquity) + Desk.Usd6(desk.Report(7).Margin.GrossEquity),
                Is.EqualTo(100_000m + 14_000m - 3_000m),
                "no money appears and none vanishes");
        });
    }

    [Test]
    public void A_pre_trade_check_answers_what_the_trade_then_does()
    {
        using Desk desk = new();
        uint perpetual = OpenLong(desk, 30_000m);
        (Verdict verdict, decimal after, decimal buyingPower) = desk.Ask(1, perpetual, 500, 64_000m);
        Assert.That(verdict, Is.EqualTo(Verdict.Allowed));
        desk.Fill(1, perpetual, 500, 64_000m);
        decimal actual = Desk.Usd6(desk.Report(1).Margin.Initial);

        // A resting order stands in the worst row only; once filled, roll shock and cost count too.
        decimal rollAndCost = 0.5m * 64_000m * 0.011m;
        Assert.That(after + rollAndCost, Is.EqualTo(actual), $"buying power {buyingPower}");
    }

    [TestCase(10_000L, Verdict.InsufficientMargin)]
    [TestCase(-1_000L, Verdict.Allowed)]
    [TestCase(100L, Verdict.Allowed)]
    public void A_pre_trade_check_protects_initial_margin(long lots, Verdict expected)
    {
        using Desk desk = new();
        uint perpetual = OpenLong(desk, 30_000m);
        Assert.That(desk.Ask(1, perpetual, lots, 64_000m).Verdict, Is.EqualTo(expected));
    }

    [Test]
    public void In_reduce_only_orders_that_add_risk_are_denied_and_closing_ones_are_not()
    {
        using Desk desk = new();
        uint perpetual = OpenLong(desk, 20_000m);
        desk.Mark(perpetual, 51_500m);
        Assert.That(desk.Report(1).State, Is.EqualTo(AccountState.ReduceOnly));
        Assert.Multiple(() =>
        {
            Assert.That(desk.Ask(1, perpetual, 1, 51_500m).Verdict, Is.EqualTo(Verdict.ReduceOnly));
            Assert.That(desk.Ask(1, perpetual, -1_000, 51_500m).Verdict, Is.EqualTo(Verdict.Allowed));
            Assert.That(desk.Ask(1, perpetual, -1_001, 51_500m).Verdict, Is.EqualTo(Verdict.ReduceOnly), "through zero");
        });
    }

    [Test]
    public void A_halt_denies_orders_and_holds_liquidations_until_it_ends()
    {
        using Desk desk = new();
        uint perpetual = OpenLong(desk, 20_000m);
        desk.Operator(Command.Halt);
        Assert.That(desk.Ask(1, perpetual, -1, 64_000m).Verdict, Is.EqualTo(Verdict.Halted));
        desk.Clear();
        desk.Mark(perpetual, 50_000m);
        Assert.That(desk.Of(LiquidationInstructionDecoder.TemplateId), Is.Empty);
        desk.Operator(Command.Resume);
        Assert.That(desk.Of(LiquidationInstructionDecoder.TemplateId).Count(), Is.EqualTo(1));
    }

    [Test]
    public void A_withdrawal_may_not_uncover_initial_margin()
    {
        using Desk desk = new();
        OpenLong(desk, 20_000m);
        decimal free = Desk.Usd6(desk.Report(1).Margin.BuyingPower);
        desk.Clear();
        desk.Transfer(1, Desk.Usd, -(free + 0.000001m));
        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.InsufficientCollateral));
        desk.Clear();
        desk.Transfer(1, Desk.Usd, -free);
        Assert.That(desk.HasRejected, Is.False);
        Assert.That(desk.Report(1).Margin.BuyingPower, Is.Zero);
    }

    [Test]
    public void An_update_is_published_when_the_ratio_moves_and_at_the_latest_after_the_refresh_time()
    {
        using Desk desk = new();
        uint perpetual = OpenLong(desk, 20_000m);
        desk.Clear();
        desk.Mark(perpetual, 64_000.01m);
        Assert.That(desk.Of(MarginUpdateDecoder.TemplateId), Is.Empty, "a move of no consequence");
        desk.Mark(perpetual, 63_000m);
        Assert.That(desk.Of(MarginUpdateDecoder.TemplateId).Count(), Is.EqualTo(1));
        desk.Clear();
        desk.Now += Desk.Second;
        desk.Time();
        Assert.That(desk.Of(MarginUpdateDecoder.TemplateId).Count(), Is.EqualTo(1), "refreshed");
    }

    [Test]
    public void A_rising_surface_is_taken_as_a_whole_and_a_crossing_slice_is_refused()
    {
        using Desk desk = new();
        ulong late = Desk.At("2026-06-26T08:00:00Z");
        desk.Option(OptionRight.Call, 64_000m);
        desk.Option(OptionRight.Call, 64_000m, expiry: late);
        desk.Slice(0.02m, 0.05m, -0.3m, 0, 0.2m, flags: OriginFlags.None);
        desk.Slice(0.06m, 0.08m, -0.3m, 0, 0.2m, late);
        Assert.That(desk.HasRejected, Is.False);
        desk.Slice(0.10m, 0.09m, -0.3m, 0, 0.2m, flags: OriginFlags.None);
        desk.Slice(0.20m, 0.12m, -0.3m, 0, 0.2m, late);
        Assert.That(desk.HasRejected, Is.False, "the front alone would cross the old back");
        desk.Slice(0.50m, 0.09m, -0.3m, 0, 0.2m);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.Arbitrage, (ushort)3)));
    }

    [Test]
    public void Vogts_smile_is_refused()
    {
        using Desk desk = new();
        desk.Option(OptionRight.Call, 64_000m);
        desk.Slice(-0.0410m, 0.1331m, 0.3060m, 0.3586m, 0.4153m);
        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.Arbitrage));
    }
}
