using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Equity, requirement and ratio on books small enough to work out by hand.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class MarginTests
{
    [Test]
    public void A_deposit_counts_after_its_haircut_and_needs_no_margin()
    {
        using Desk desk = new();
        desk.Open(1);
        desk.Transfer(1, Desk.Btc, 2);
        desk.Transfer(1, Desk.Usd, 1_000);
        AccountMargin margin = desk.Report(1).Margin;
        Assert.Multiple(() =>
        {
            Assert.That(Desk.Usd6(margin.GrossEquity), Is.EqualTo(129_000m));
            Assert.That(Desk.Usd6(margin.Equity), Is.EqualTo((128_000m * 0.95m) + 1_000m));
            Assert.That(margin.Initial, Is.Zero);
            Assert.That(margin.RatioE8, Is.Zero);
            Assert.That(margin.BuyingPower, Is.EqualTo(margin.Equity));
        });
    }

    [Test]
    public void A_linear_perpetual_needs_its_price_range_plus_roll_shock_plus_cost()
    {
        using Desk desk = new();
        uint perpetual = desk.Perpetual(Desk.Usd, size: 0.001m);
        desk.Mark(perpetual, 64_000m);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 20_000);
        desk.Fill(1, perpetual, 1_000, 64_000m);
        UnitReport report = desk.Report(1).Units.Single();
        UnitMargin unit = report.Margin;
        decimal worst = 64_000m * 0.16m, roll = 64_000m * 0.01m, cost = 64_000m * 0.001m;
        Assert.Multiple(() =>
        {
            Assert.That(Desk.Usd6(unit.WorstCase), Is.EqualTo(worst));
            Assert.That(Desk.Usd6(report.Components.Single(part => part.Name == "expiryMove").Initial), Is.EqualTo(roll));
            Assert.That(Desk.Usd6(unit.LiquidationCost), Is.EqualTo(cost));
            Assert.That(Desk.Usd6(unit.Initial), Is.EqualTo(worst + roll + cost));
            Assert.That(Desk.Usd6(unit.Maintenance), Is.EqualTo((0.8m * (worst + roll)) + cost));
        });
    }

    [Test]
    public void Profit_follows_the_mark_and_becomes_cash_when_the_position_is_closed()
    {
        using Desk desk = new();
        uint perpetual = desk.Perpetual(Desk.Usd, size: 0.001m);
        desk.Mark(perpetual, 64_000m);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 20_000);
        desk.Fill(1, perpetual, 1_000, 64_000m, fee: 10);
        desk.Mark(perpetual, 65_000m);
        Assert.That(Desk.Usd6(desk.Report(1).Margin.Equity), Is.EqualTo(20_990m));
        desk.Fill(1, perpetual, -400, 65_500m);
        Assert.That(Desk.Usd6(desk.Report(1).Balances.Single().Balance), Is.EqualTo(20_590m), "0.4 coins closed 1,500 higher");
        desk.Fill(1, perpetual, -600, 64_500m);
        MarginReport report = desk.Report(1);
        Assert.Multiple(() =>
        {
            Assert.That(Desk.Usd6(report.Balances.Single().Balance), Is.EqualTo(20_890m));
            Assert.That(report.Units, Is.Empty);
            Assert.That(report.Margin.Initial, Is.Zero);
            Assert.That(desk.Machine.PositionCount, Is.Zero);
        });
    }

    [Test]
    public void An_inverse_perpetual_gains_coin_when_the_price_rises()
    {
        using Desk desk = new();
        uint perpetual = desk.Perpetual();
        desk.Mark(perpetual, 64_000m);
        desk.Open(1);
        desk.Transfer(1, Desk.Btc, 1);
        desk.Fill(1, perpetual, 6_400, 64_000m);
        desk.Mark(perpetual, 80_000m);
        long profit = desk.Report(1).Units.Single().Positions.Single().UnrealisedProfit;
        Assert.That(profit / 1e10, Is.EqualTo(1.0 - (64_000.0 / 80_000.0)).Within(1e-10));
    }

    [Test]
    public void A_trade_through_zero_realises_the_closed_part_and_opens_the_rest_at_its_price()
    {
        using Desk desk = new();
        uint perpetual = desk.Perpetual(Desk.Usd, size: 1);
        desk.Mark(perpetual, 100m);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 10_000);
        desk.Fill(1, perpetual, 10, 100m);
        desk.Fill(1, perpetual, -15, 110m);
        MarginReport report = desk.Report(1);
        Assert.Multiple(() =>
        {
            Assert.That(Desk.Usd6(report.Balances.Single().Balance), Is.EqualTo(10_100m));
            Assert.That(report.Units.Single().Positions.Single().Lots, Is.EqualTo(-5));
            Assert.That(Desk.Usd6(report.Units.Single().Positions.Single().UnrealisedProfit), Is.EqualTo(50m), "5 short at 110, mark 100");
        });
    }

    [Test]
    public void A_short_strangle_needs_more_than_either_leg_and_less_than_both()
    {
        using Desk desk = new();
        uint call = desk.Option(OptionRight.Call, 80_000m);
        uint put = desk.Option(OptionRight.Put, 50_000m);
        PriceOptions(desk, call, put);
        decimal both = InitialOf(desk, 1, (call, -10), (put, -10));
        decimal calls = InitialOf(desk, 2, (call, -10));
        decimal puts = InitialOf(desk, 3, (put, -10));
        Assert.That(both, Is.GreaterThan(Math.Max(calls, puts)).And.LessThan(calls + puts), $"call {calls}, put {puts}, both {both}");
    }

    [Test]
    public void A_long_option_never_needs_more_than_its_premium_and_costs()
    {
        using Desk desk = new(model: document => document.With("liquidation.charged", false));
        uint call = desk.Option(OptionRight.Call, 64_000m, Desk.Usd);
        PriceOptions(desk, call);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 50_000);
        desk.Fill(1, call, 10, 4_000m);
        UnitReport unit = desk.Report(1).Units.Single();
        Assert.That(unit.Margin.WorstCase, Is.GreaterThan(0).And.LessThanOrEqualTo(unit.Margin.Value));
    }

    [Test]
    public void A_box_has_no_market_risk()
    {
        using Desk desk = new();
        uint lowCall = desk.Option(OptionRight.Call, 60_000m, Desk.Usd), lowPut = desk.Option(OptionRight.Put, 60_000m, Desk.Usd);
        uint highCall = desk.Option(OptionRight.Call, 70_000m, Desk.Usd), highPut = desk.Option(OptionRight.Put, 70_000m, Desk.Usd);
        PriceOptions(desk, lowCall, lowPut, highCall, highPut);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 100_000);
        desk.Fill(1, lowCall, 10, 100m);
        desk.Fill(1, lowPut, -10, 100m);
        desk.Fill(1, highCall, -10, 100m);
        desk.Fill(1, highPut, 10, 100m);
        UnitReport unit = desk.Report(1).Units.Single();
        Assert.Multiple(() =>
        {
            // Four roundings of half a micro-USD each are all that is left of it in the standard rows.
            Assert.That(unit.Rows.Where(row => !row.IsTail).Select(row => Math.Abs(row.Profit)), Is.All.LessThanOrEqualTo(2));
            Assert.That(unit.Margin.Value / 1e6, Is.EqualTo(10_000).Within(1e-5), "one coin's worth of a 10,000 wide box, at zero rate");
        });
    }

    [Test]
    public void Contributions_of_positions_add_up_to_the_rows_to_the_last_unit()
    {
        using Desk desk = new();
        uint call = desk.Option(OptionRight.Call, 80_000m);
        uint put = desk.Option(OptionRight.Put, 50_000m);
        uint perpetual = desk.Perpetual();
        PriceOptions(desk, call, put);
        desk.Mark(perpetual, 64_010.5m);
        InitialOf(desk, 1, (call, -13), (put, -7), (perpetual, 31_337));
        UnitReport unit = desk.Report(1).Units.Single();
        foreach (RowReport row in unit.Rows)
        {
            Assert.That(unit.Positions.Sum(position => position.RowProfits[row.Index]), Is.EqualTo(row.Profit), $"row {row.Index}");
        }
    }

    [Test]
    public void The_order_in_which_positions_were_opened_does_not_matter()
    {
        using Desk desk = new();
        uint call = desk.Option(OptionRight.Call, 80_000m);
        uint put = desk.Option(OptionRight.Put, 50_000m);
        uint perpetual = desk.Perpetual();
        PriceOptions(desk, call, put);
        desk.Mark(perpetual, 64_010.5m);
        InitialOf(desk, 1, (call, -13), (put, -7), (perpetual, 31_337));
        InitialOf(desk, 2, (perpetual, 31_337), (put, -7), (call, -13));
        InitialOf(desk, 3, (perpetual, 31_000), (put, -7), (call, -10), (perpetual, 337), (call, -3));
        Assert.Multiple(() =>
        {
            Assert.That(desk.Report(2).Margin, Is.EqualTo(desk.Report(1).Margin));
            Assert.That(desk.Report(3).Margin.Initial, Is.EqualTo(desk.Report(1).Margin.Initial), "a position split over two fills");
            Assert.That(desk.Report(3).Margin.Maintenance, Is.EqualTo(desk.Report(1).Margin.Maintenance));
        });
    }

    [Test]
    public void Resting_orders_raise_initial_margin_by_their_worst_fill_and_leave_maintenance_alone()
    {
        using Desk desk = new();
        uint perpetual = desk.Perpetual(Desk.Usd, size: 0.001m);
        desk.Mark(perpetual, 64_000m);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 50_000);
        desk.Order(1, perpetual, 500, 63_000m, order: 11);
        UnitMargin buy = desk.Report(1).Units.Single().Margin;
        desk.Order(1, perpetual, -500, 65_000m, order: 12);
        UnitMargin both = desk.Report(1).Units.Single().Margin;
        desk.Order(1, perpetual, 500, 66_000m, order: 13);
        UnitMargin gap = desk.Report(1).Units.Single().Margin;
        Assert.Multiple(() =>
        {
            Assert.That(Desk.Usd6(buy.OpenOrders), Is.EqualTo(0.5m * 64_000m * 0.16m));
            Assert.That(both.OpenOrders, Is.EqualTo(buy.OpenOrders), "the two cannot hurt in one row");
            Assert.That(Desk.Usd6(gap.OpenOrders), Is.EqualTo((64_000m * 0.16m) + ((0.5m * 63_000m) + (0.5m * 66_000m) - 64_000m)));
            Assert.That(both.Maintenance, Is.Zero);
        });
        desk.Cancel(1, 11);
        desk.Cancel(1, 12);
        desk.Cancel(1, 13);
        Assert.That(desk.Report(1).Units, Is.Empty);
    }

    [Test]
    public void A_fill_takes_its_lots_off_the_order()
    {
        using Desk desk = new();
        uint perpetual = desk.Perpetual(Desk.Usd, size: 0.001m);
        desk.Mark(perpetual, 64_000m);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 50_000);
        desk.Order(1, perpetual, 500, 64_000m, order: 11);
        desk.Fill(1, perpetual, 200, 64_000m, order: 11);
        PositionReport position = desk.Report(1).Units.Single().Positions.Single();
        Assert.That((position.Lots, position.BuyOrderLots), Is.EqualTo((200L, 300L)));
        desk.Fill(1, perpetual, 300, 64_000m, order: 11);
        desk.Clear();
        desk.Cancel(1, 11);
        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.UnknownOrder));
    }

    [Test]
    public void An_unpriced_position_counts_its_notional_as_loss_and_says_so()
    {
        using Desk desk = new();
        uint perpetual = desk.Perpetual(Desk.Usd, size: 0.001m);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 100_000);
        desk.Fill(1, perpetual, 1_000, 64_000m);
        AccountMargin margin = desk.Report(1).Margin;
        Assert.Multiple(() =>
        {
            Assert.That(margin.Flags.HasFlag(MarginFlags.Unpriced));
            Assert.That(Desk.Usd6(margin.Initial), Is.GreaterThanOrEqualTo(64_000m));
        });
        desk.Mark(perpetual, 64_000m);
        Assert.That(desk.Report(1).Margin.Flags.HasFlag(MarginFlags.Unpriced), Is.False);
    }

    [Test]
    public void A_price_older_than_the_model_allows_is_flagged()
    {
        using Desk desk = new();
        uint perpetual = desk.Perpetual(Desk.Usd, size: 0.001m);
        desk.Mark(perpetual, 64_000m);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 100_000);
        desk.Fill(1, perpetual, 1_000, 64_000m);
        Assert.That(desk.Report(1).Margin.Flags, Is.EqualTo(MarginFlags.None));
        desk.Now += 181 * Desk.Second;
        desk.Time((ulong)desk.Now);
        desk.Now += 2 * Desk.Second;
        desk.Time((ulong)desk.Now);
        Assert.That(desk.Report(1).Margin.Flags.HasFlag(MarginFlags.StalePrice));
        Assert.That(desk.Ask(1, perpetual, 1, 64_000m).Verdict, Is.EqualTo(Verdict.NotPriced));
    }

    [Test]
    public void Settlement_turns_options_and_futures_into_cash_and_drops_their_orders()
    {
        using Desk desk = new();
        uint call = desk.Option(OptionRight.Call, 60_000m);
        uint future = desk.Instrument(InstrumentKind.Future, Settlement.Inverse, 1, Desk.Btc, 10, expiry: Desk.Expiry, symbol: "BTC-27MAR26");
        PriceOptions(desk, call);
        desk.Mark(future, 64_000m);
        desk.Open(1);
        desk.Transfer(1, Desk.Btc, 5);
        desk.Fill(1, call, 10, 0.1m);
        desk.Fill(1, future, -6_400, 64_000m);
        desk.Order(1, call, 5, 0.1m, order: 1);
        desk.Settle(80_000m);
        MarginReport report = desk.Report(1);
        double expected = 5.0 - 0.1 + ((80_000.0 - 60_000.0) / 80_000.0) - (1.0 - (64_000.0 / 80_000.0));
        Assert.Multiple(() =>
        {
            Assert.That(desk.HasRejected, Is.False);
            Assert.That(report.Units, Is.Empty);
            Assert.That(report.Balances.Single().Balance / 1e10, Is.EqualTo(expected).Within(1e-9));
        });
        desk.Fill(1, call, 1, 0.1m);
        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.Expired));
    }

    private static void PriceOptions(Desk desk, params uint[] options)
    {
        desk.Forward(64_500m);
        foreach (uint option in options)
        {
            desk.Volatility(option, 0.55m);
        }
    }

    private static decimal InitialOf(Desk desk, ulong account, params (uint Instrument, long Lots)[] fills)
    {
        desk.Open(account);
        desk.Transfer(account, Desk.Btc, 100);
        foreach ((uint instrument, long lots) in fills)
        {
            desk.Fill(account, instrument, lots, instrument == 3 ? 64_000m : 0.02m);
        }

        Assert.That(desk.HasRejected, Is.False);
        return Desk.Usd6(desk.Report(account).Margin.Initial);
    }
}
