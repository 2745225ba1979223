using System.Text.Json.Nodes;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>The prices behind a liquidation instruction: on the losing side of the mark, farther the less is left, and for every kind of contract in its own quote.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class FillablePriceTests
{
    private const decimal Mark = 50_000m;

    // Maintenance 10 % of notional; a tenth of that may be lost on top of the mark once nothing is left.
    [TestCase(1, 499.0, 0.002)]
    [TestCase(-1, 499.0, 0.002)]
    [TestCase(1, 250.0, 0.5)]
    [TestCase(-1, 250.0, 0.5)]
    [TestCase(1, 0.0, 1.0)]
    [TestCase(-1, -100.0, 1.0)]
    public void A_long_is_sold_below_and_a_short_bought_above_the_mark(int side, double equity, double rating)
    {
        using Desk desk = Open();
        uint perpetual = desk.Perpetual(Desk.Usd, 0.1m);
        desk.Mark(perpetual, Mark);
        desk.Fill(1, perpetual, side, Mark - (side * 10m * (decimal)equity));
        (long ratingE8, uint[] instruments, long[] prices) = Prices(desk);
        Assert.That(ratingE8 / 1e8, Is.EqualTo(rating));
        Assert.That(instruments, Is.EqualTo(new[] { perpetual }));
        Assert.That(prices[0] / 1e8, Is.EqualTo(50_000.0 - (side * rating * 500.0)), "0.1 coins, 50 USD of spread");
    }

    [Test]
    public void An_inverse_contract_gives_way_by_as_much_of_its_coin()
    {
        using Desk desk = Open();
        uint perpetual = desk.Perpetual(size: 10m);
        desk.Index(Mark);
        desk.Mark(perpetual, Mark);
        desk.Fill(1, perpetual, 5_000, Mark);
        desk.Transfer(1, Desk.Usd, 0.01m);
        (_, _, long[] prices) = Prices(desk);

        // One coin, maintenance a tenth of it, a hundredth to lose: 2e-5 coins a dollar.
        Assert.That(prices[0] / 1e8, Is.EqualTo(49_500.0).Within(1.0), "the rating is all but 1");
    }

    [Test]
    public void Each_leg_gives_way_by_its_own_requirement_and_hedges_do_not_help_it()
    {
        using Desk desk = Open();
        uint first = desk.Perpetual(Desk.Usd, 0.1m), second = desk.Instrument(InstrumentKind.Future, Settlement.Linear, 1, Desk.Usd, 0.2m, expiry: Desk.Expiry);
        desk.Mark(first, Mark);
        desk.Mark(second, Mark + 1_000m);
        desk.Transfer(1, Desk.Usd, 100m);
        desk.Fill(1, first, 1, Mark, flags: OriginFlags.None);
        desk.Fill(1, second, -1, Mark + 1_000m);
        (long rating, uint[] instruments, long[] prices) = Prices(desk);
        Dictionary<uint, double> byLeg = instruments.Zip(prices).ToDictionary(leg => leg.First, leg => leg.Second / 1e8);
        Assert.Multiple(() =>
        {
            Assert.That(byLeg, Has.Count.EqualTo(2));
            Assert.That(byLeg[first], Is.EqualTo(50_000.0 - (rating / 1e8 * 500.0)).Within(1e-4));
            Assert.That(byLeg[second], Is.EqualTo(51_000.0 + (rating / 1e8 * 510.0)).Within(1e-4));
        });
    }

    [Test]
    public void A_model_that_names_no_spread_tells_no_price()
    {
        using Desk desk = Open(spread: 0m);
        uint perpetual = desk.Perpetual(Desk.Usd, 0.1m);
        desk.Mark(perpetual, Mark);
        desk.Fill(1, perpetual, 1, Mark);
        Assert.That(desk.Of(LiquidationInstructionDecoder.TemplateId).Count(), Is.EqualTo(1));
        Assert.That(desk.Of(LiquidationPricesDecoder.TemplateId), Is.Empty);
    }

    [Test]
    public void The_prices_follow_their_instruction_and_come_again_in_a_replay()
    {
        using Desk desk = Open(), replay = new(withMarket: false);
        uint perpetual = desk.Perpetual(Desk.Usd, 0.1m);
        desk.Mark(perpetual, Mark);
        desk.Fill(1, perpetual, 1, Mark);
        int at = desk.Heard.FindIndex(message => BitConverter.ToUInt16(message, 2) == LiquidationInstructionDecoder.TemplateId);
        LiquidationInstructionDecoder.TryWrap(desk.Heard[at], out LiquidationInstructionDecoder instruction);
        Assert.That(LiquidationPricesDecoder.TryWrap(desk.Heard[at + 1], out LiquidationPricesDecoder prices), Is.True);
        Assert.That((prices.LiquidationId, prices.Attempt, prices.AccountId), Is.EqualTo((instruction.LiquidationId, instruction.Attempt, instruction.AccountId)));
        foreach ((long time, byte[] message) in desk.Applied)
        {
            replay.Now = time;
            replay.Apply(message);
        }

        Assert.That((replay.Machine.DecisionDigest, replay.Machine.StateDigest()), Is.EqualTo((desk.Machine.DecisionDigest, desk.Machine.StateDigest())));
    }

    private static Desk Open(decimal spread = 0.1m)
    {
        Desk desk = new(model: document => document.With("grid", null).With("rows", null)
            .With("liquidation", new JsonObject { ["spreadToMaintenance"] = spread })
            .With("addOns", new JsonArray(new JsonObject
            {
                ["kind"] = "percentOf", ["of"] = new JsonArray("perpetual", "future"), ["initial"] = 0.2m, ["maintenance"] = 0.1m,
            }))
            .With("requirement", new JsonObject()));
        desk.Open(1);
        return desk;
    }

    private static (long Rating, uint[] Instruments, long[] Prices) Prices(Desk desk)
    {
        LiquidationPricesDecoder.TryWrap(desk.Of(LiquidationPricesDecoder.TemplateId).Last(), out LiquidationPricesDecoder prices);
        var instruments = new uint[prices.Legs.Count];
        var found = new long[prices.Legs.Count];
        for (int leg = 0; leg < found.Length; leg++)
        {
            instruments[leg] = prices.Legs[leg].InstrumentId;
            found[leg] = prices.Legs[leg].FillablePrice.Mantissa;
        }

        return (prices.BankruptcyRating.Mantissa, instruments, found);
    }
}
