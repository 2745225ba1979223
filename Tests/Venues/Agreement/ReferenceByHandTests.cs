using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>What this folder adds to the proved references (netting across underlyings, tiers, the synthetic parameter file), on books told by hand.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class ReferenceByHandTests
{
    private const decimal Cent = 1e-8m;

    [Test]
    public void Across_underlyings_deribit_counts_losses_in_full_and_gains_by_their_share()
    {
        // Short 60,000 USD of BTC, long 60,000 of ETH. Up: BTC -16 % = -9,600, ETH +18 % * 0.6 = +6,480. Down: BTC's gain counts 0, ETH -10,800.
        // Roll shock: 1 % of BTC's delta, 0.5 % of ETH's.
        ReferenceMargin margin = new DeribitPmModel().Margin(HandBook.Linear((1, null, -1), (2, null, 20)));
        Assert.That(margin.Initial, Is.EqualTo(10_800m + 600m + 300m).Within(Cent));
        Assert.That(margin.Maintenance, Is.EqualTo(0.8m * 11_700m).Within(Cent));
        Assert.That(margin.Equity, Is.EqualTo(1_000_000m));
    }

    [Test]
    public void Across_underlyings_deribits_share_of_a_gain_ends_at_its_cap()
    {
        // Long 60 M of BTC, short 300 M of ETH. Down: BTC -9.6 M, ETH +54 M * 0.6 counts 20 M at most. Up: BTC counts 0, ETH -54 M.
        DeribitUnit[] rows = [.. Units(HandBook.Linear((1, null, 1_000), (2, null, -100_000)))];
        decimal[][] cells = [.. rows.Select(unit => unit.DampedUsd(unit.Vectors).Select(unit.Offset).ToArray())];
        Assert.That(cells[0][0], Is.EqualTo(-9.6e6m).Within(Cent));
        Assert.That(cells[1][0], Is.EqualTo(20e6m).Within(Cent));
        Assert.That(cells[0][^9], Is.Zero, "the highest standard price");
        Assert.That(cells[1][^9], Is.EqualTo(-54e6m).Within(1e-7m));
    }

    [Test]
    public void A_product_group_nets_gains_at_the_offset()
    {
        // Both move 9,000 at 15 %: 9,000 - 0.75 * 9,000; the least charge of 21 lots is 7.875.
        ReferenceMargin margin = new TimsModel().Margin(HandBook.Linear((1, null, -1), (2, null, 20)));
        Assert.That(margin.Initial, Is.EqualTo(2_250m).Within(Cent));
        ReferenceMargin alone = new TimsModel().Margin(HandBook.Linear((1, null, -1)));
        Assert.That(alone.Maintenance, Is.EqualTo(9_000m).Within(Cent));
    }

    [Test]
    public void Spread_credits_are_given_on_the_side_that_both_have()
    {
        // Scan 8,000 and 20 * 320 (an extreme counts 0.96 of it). 20 ETH make 2/3 of a spread of 30: 2/3 of BTC's and all of ETH's risk gets half back.
        ReferenceMargin margin = new SpanModel().Margin(HandBook.Linear((1, null, -1), (2, null, 20)));
        Assert.That(margin.Maintenance, Is.EqualTo(14_400m - (0.5m * 2m / 3m * 8_000m) - (0.5m * 6_400m)).Within(Cent));
        Assert.That(margin.Initial, Is.EqualTo(1.1m * margin.Maintenance).Within(Cent));
    }

    [TestCase(50_000, 400, 200)]
    [TestCase(100_000, 1_000, 450)]
    [TestCase(3_000_000, 60_000, 18_550)]
    [TestCase(2_000_000_000, 2_000_000_000, 578_518_550)]
    public void Tiers_take_the_bracket_of_the_whole_notional_and_continue_where_one_ends(long notional, decimal initial, decimal maintenance)
    {
        (decimal Initial, decimal Maintenance) margin = TieredMargin.Linear(AgreementParameters.Brackets("BTC"), notional);
        Assert.That(margin.Maintenance, Is.EqualTo(maintenance));
        Assert.That(margin.Initial, Is.EqualTo(notional == 50_000 ? 500m : initial), "50,000 is the first notional of the second bracket");
    }

    [Test]
    public void Short_options_of_tiers_are_deribits_in_dollars()
    {
        foreach ((bool isCall, decimal strike, decimal mark) in new[] { (true, 66_000m, 1_200m), (false, 54_000m, 900m), (false, 180_000m, 120_000m) })
        {
            (decimal Initial, decimal Maintenance) dollars = TieredMargin.ShortOption(isCall, 60_000m, strike, mark);
            (decimal Initial, decimal Maintenance) coins = DeribitStandardMargin.Short(isCall, 60_000m, strike, mark / 60_000m);
            Assert.That(dollars.Initial, Is.EqualTo(60_000m * coins.Initial).Within(Cent), $"{isCall} {strike}");
            Assert.That(dollars.Maintenance, Is.EqualTo(60_000m * coins.Maintenance).Within(Cent), $"{isCall} {strike}");
        }
    }

    [Test]
    public void Cross_and_isolated_need_the_sum_of_positions_each_alone()
    {
        RandomBook both = HandBook.Linear((1, null, 2), (1, 70_000m, -1), (2, -2_500m, -10));
        foreach (string name in new[] { "cross", "isolated" })
        {
            decimal sum = both.Fills.Sum(fill => ReferenceModels.Of(name).Margin(both with { Fills = [fill] }).Initial);
            Assert.That(ReferenceModels.Of(name).Margin(both).Initial, Is.EqualTo(sum).Within(Cent), name);
        }
    }

    [Test]
    public void Historical_margin_is_the_third_worst_of_the_documents_240_days()
    {
        decimal[] losses = [.. HistoricalModel.JointRows.Select(row => (60_000m * row[0]) - (60_000m * row[1])).OrderDescending()];
        ReferenceMargin margin = new HistoricalModel().Margin(HandBook.Linear((1, null, -1), (2, null, 20)));
        Assert.That(losses, Has.Length.EqualTo(240));
        Assert.That(margin.Maintenance, Is.EqualTo(losses[2]).Within(Cent));
        Assert.That(margin.Initial, Is.EqualTo(1.25m * losses[2]).Within(Cent));
    }

    [Test]
    public void Half_an_hour_before_expiry_derive_fixes_half_of_the_forward()
    {
        RandomBook book = HandBook.Linear((1, 60_000m, -1));
        ulong soon = book.Now + (900UL * 1_000_000_000);
        RandomBook closing = book with
        {
            Expiries = [book.Expiries[0] with { Time = soon }],
            Instruments = [book.Instruments[0] with { Expiry = soon }],
        };
        DeriveExpiry expiry = DeriveBooks.Account(closing, closing.Underlyings[0]).Expiries.Single();
        Assert.That((expiry.FixedForward, expiry.VariableForward, expiry.Seconds), Is.EqualTo((30_000m, 30_000m, 900m)));
    }

    [Test]
    public void Portfolio_of_two_perpetuals_needs_its_rows_roll_delay_and_liquidation()
    {
        // Short 60,000 USD of BTC, long 60,000 of ETH. Rows: down 18 % ETH -10,800 + 0.5 * 9,600; together up BTC -9,600 + 0.5 * 10,800; apart (BTC +8 %,
        // ETH -12 %) -4,800 - 7,200, the worst; tails at the clamp, drawn to nothing. Roll 1 % and 0.5 %; delay 2 deviations of 0.1667 hours;
        // liquidation 0.1 % + 1 % * sqrt(60,000 / 5 M) of each.
        ReferenceMargin margin = new PortfolioModel().Margin(HandBook.Linear((1, null, -1), (2, null, 20)));
        decimal delay = 60_000m * 2m * (0.6m + 0.8m) * DecimalMath.Sqrt(0.1667m / 8_760m);
        decimal liquidation = 120_000m * (0.001m + (0.01m * DecimalMath.Sqrt(0.012m)));
        Assert.That(margin.Initial, Is.EqualTo(12_000m + 900m + delay + liquidation).Within(Cent));
        Assert.That(margin.Maintenance, Is.EqualTo((0.8m * 12_900m) + delay + liquidation).Within(Cent));
    }

    private static IEnumerable<DeribitUnit> Units(RandomBook book) =>
        book.Units().Select(unit => new DeribitUnit(book, unit, AgreementParameters.Deribit(unit.Underlying.Code)));
}
