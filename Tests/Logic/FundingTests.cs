using System.Buffers;
using System.Text;
using System.Text.Json;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Funding of perpetuals: who pays, what, in which currency, and where the rounding goes.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class FundingTests
{
    [TestCase("0.0001", "-6.40", "6.40")]
    [TestCase("-0.0001", "6.40", "-6.40")]
    public void Longs_pay_shorts_a_part_of_the_notional_at_the_mark(string rate, string toLong, string toShort)
    {
        using Desk desk = new();
        uint perpetual = Pair(desk, Desk.Usd, 0.001m, 1_000);
        desk.Clear();
        desk.PayFunding(perpetual, Number(rate));
        Assert.Multiple(() =>
        {
            Assert.That(Desk.Usd6(desk.Balance(1, "USD")) - 50_000, Is.EqualTo(Number(toLong)));
            Assert.That(Desk.Usd6(desk.Balance(2, "USD")) - 50_000, Is.EqualTo(Number(toShort)));
            Assert.That(desk.Funded(), Is.EqualTo((6.40m, 6.40m, 0m, 0m, 2u)));
            Assert.That(desk.Of(MarginUpdateDecoder.TemplateId).Count(), Is.EqualTo(2), "both hear of it, however small it is");
        });
    }

    [Test]
    public void A_price_of_its_own_takes_the_place_of_the_mark()
    {
        using Desk desk = new();
        uint perpetual = Pair(desk, Desk.Usd, 0.001m, 1_000);
        desk.Clear();
        desk.PayFunding(perpetual, 0.0001m, price: 50_000m);
        Assert.That(desk.Funded().Paid, Is.EqualTo(5m));
    }

    [Test]
    public void Inverse_funding_is_paid_in_coin_and_its_rounding_goes_to_the_fund()
    {
        using Desk desk = new();
        uint perpetual = Pair(desk, Desk.Btc, 10, 1_000);
        desk.Clear();
        desk.PayFunding(perpetual, 0.0001m, price: 64_001m);

        // 10,000 USD / 64,001 * 0.0001 = 0.0000156247558..: one atom between up and down.
        Assert.Multiple(() =>
        {
            Assert.That(desk.Funded(), Is.EqualTo((0.0000156248m, 0.0000156247m, 0.0000000001m, 0m, 2u)));
            Assert.That(desk.Balance(1, "BTC"), Is.EqualTo(10_000_000_000 - 156_248));
            Assert.That(desk.Balance(2, "BTC"), Is.EqualTo(10_000_000_000 + 156_247));
            Assert.That(desk.Balance(Limits.FundAccount, "BTC"), Is.EqualTo(1));
        });
    }

    [Test]
    public void What_holders_outside_owe_does_not_fall_to_the_fund()
    {
        using Desk desk = new();
        uint perpetual = Pair(desk, Desk.Usd, 0.001m, 1_000);
        desk.Fill(2, perpetual, 400, 64_000m);
        desk.Clear();
        desk.PayFunding(perpetual, 0.0001m);
        Assert.That(desk.Funded(), Is.EqualTo((6.40m, 3.84m, 0m, 2.56m, 2u)));
        Assert.That(desk.Balance(Limits.FundAccount, "USD"), Is.Zero);
        desk.Clear();
        desk.PayFunding(perpetual, -0.0001m);
        Assert.That(desk.Funded().Outside, Is.EqualTo(-2.56m));
    }

    [Test]
    public void Orders_alone_pay_no_funding()
    {
        using Desk desk = new();
        uint perpetual = Pair(desk, Desk.Usd, 0.001m, 1_000);
        desk.Open(3);
        desk.Transfer(3, Desk.Usd, 1_000);
        desk.Order(3, perpetual, 10, 60_000m, order: 1);
        desk.Clear();
        desk.PayFunding(perpetual, 0.0001m);
        Assert.That((desk.Funded().Holders, desk.Balance(3, "USD")), Is.EqualTo((2u, 1_000_000_000)));
    }

    [Test]
    public void An_announced_rate_moves_no_money_and_is_part_of_the_state()
    {
        using Desk desk = new();
        using Desk other = new();
        uint perpetual = Pair(desk, Desk.Usd, 0.001m, 1_000);
        Pair(other, Desk.Usd, 0.001m, 1_000);
        desk.AnnounceFunding(perpetual, 0.0001m);
        other.AnnounceFunding(perpetual, 0.0002m);
        Assert.That(desk.Balance(1, "USD"), Is.EqualTo(50_000_000_000));
        Assert.That(desk.Machine.StateDigest(), Is.Not.EqualTo(other.Machine.StateDigest()));
        desk.AnnounceFunding(perpetual, 0.0002m);
        other.AnnounceFunding(perpetual, 0.0002m);
        Assert.That(desk.HasRejected, Is.False);
    }

    [Test]
    public void A_payment_that_one_balance_cannot_bear_moves_nothing_anywhere()
    {
        using Desk desk = new();
        uint perpetual = desk.Perpetual(Desk.Usd, size: 1_000_000m);
        desk.Mark(perpetual, 1m);
        foreach ((ulong account, long lots) in new[] { (1UL, 1L), (2UL, 999_999L), (3UL, -1_000_000L) })
        {
            desk.Open(account);
            desk.Fill(account, perpetual, lots, 1m);
        }

        desk.Clear();
        desk.PayFunding(perpetual, 1m, price: 10_000_000m);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.OutOfRange, (ushort)4)));
        Assert.That((desk.Balance(1, "USD"), desk.Balance(2, "USD"), desk.Balance(3, "USD")), Is.EqualTo((0L, 0L, 0L)));
    }

    [Test]
    public void The_decision_reads_as_text_with_the_decimals_of_its_currency()
    {
        using Desk desk = new();
        uint perpetual = Pair(desk, Desk.Usd, 0.001m, 1_000);
        desk.Clear();
        desk.PayFunding(perpetual, 0.0001m);
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter writer = new(bytes))
        {
            Assert.That(Schema.WriteJson(desk.Of(FundingSettledDecoder.TemplateId).Single(), writer), Is.EqualTo(SbeError.None));
        }

        Assert.That(Encoding.UTF8.GetString(bytes.WrittenSpan), Does.Contain("FundingSettled").And.Contain("\"rate\":\"0.0001\",\"price\":\"64000\",\"paid\":\"6.4\""));
    }

    // Account 1 long, account 2 short, the fund opened.
    private static uint Pair(Desk desk, ushort currency, decimal size, long lots)
    {
        uint perpetual = desk.Perpetual(currency, size);
        desk.Mark(perpetual, 64_000m);
        desk.Open(Limits.FundAccount);
        foreach (ulong account in new ulong[] { 1, 2 })
        {
            desk.Open(account);
            desk.Transfer(account, currency, currency == Desk.Usd ? 50_000 : 1);
            desk.Fill(account, perpetual, account == 1 ? lots : -lots, 64_000m);
        }

        return perpetual;
    }

    private static decimal Number(string text) => decimal.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
