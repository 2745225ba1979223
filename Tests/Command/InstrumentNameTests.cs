using MarginEngine.Codecs;
using MarginEngine.Tool.Calc;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>What calc reads out of a contract's name.</summary>
[TestFixture]
public sealed class InstrumentNameTests
{
    [TestCase("BTC-PERPETUAL", "BTC", "BTC", InstrumentKind.Perpetual, Settlement.Inverse)]
    [TestCase("BTC-27MAR26", "BTC", "BTC", InstrumentKind.Future, Settlement.Inverse)]
    [TestCase("ETH-7FEB26-2200-C", "ETH", "ETH", InstrumentKind.Option, Settlement.Inverse)]
    [TestCase("BTC_USDC-PERPETUAL", "BTC", "USDC", InstrumentKind.Perpetual, Settlement.Linear)]
    [TestCase("BTC_USD-27MAR26", "BTC", "USD", InstrumentKind.Future, Settlement.Linear)]
    [TestCase("XRP_USDC-27MAR26-0d55-P", "XRP", "USDC", InstrumentKind.Option, Settlement.Linear)]
    public void A_name_tells_coin_settlement_and_kind(string symbol, string underlying, string currency, InstrumentKind kind, Settlement settlement)
    {
        InstrumentName? name = InstrumentName.Parse(symbol);
        Assert.That(name, Is.Not.Null, symbol);
        Assert.That((name!.Underlying, name.SettlementCurrency, name.Kind, name.Settlement), Is.EqualTo((underlying, currency, kind, settlement)));
    }

    [TestCase("BTC-27MAR26-80000-C", OptionRight.Call, "80000")]
    [TestCase("BTC-27MAR26-80000-P", OptionRight.Put, "80000")]
    [TestCase("XRP_USDC-27MAR26-0d55-P", OptionRight.Put, "0.55")]
    public void An_option_has_right_and_strike(string symbol, OptionRight right, string strike)
    {
        InstrumentName name = InstrumentName.Parse(symbol)!;
        Assert.That((name.Right, name.Strike), Is.EqualTo((right, decimal.Parse(strike))));
    }

    [TestCase("27MAR26", "2026-03-27T08:00:00Z")]
    [TestCase("7FEB26", "2026-02-07T08:00:00Z")]
    [TestCase("29FEB28", "2028-02-29T08:00:00Z")]
    [TestCase("31DEC35", "2035-12-31T08:00:00Z")]
    public void A_day_expires_at_eight_in_the_morning_of_universal_time(string day, string time)
    {
        Assert.That(InstrumentName.TryExpiry(day, out long nanos), Is.True);
        Assert.That(nanos, Is.EqualTo(DateTimeOffset.Parse(time).ToUnixTimeMilliseconds() * 1_000_000));
    }

    [TestCase("BTC")]
    [TestCase("BTC_USDC")]
    [TestCase("btc-PERPETUAL")]
    [TestCase("BTC-27mar26")]
    [TestCase("BTC-31FEB26")]
    [TestCase("BTC-27MAR26-80000")]
    [TestCase("BTC-27MAR26-80000-X")]
    [TestCase("BTC-27MAR26--C")]
    [TestCase("BTC-27MAR26-0-C")]
    [TestCase("BTC-27MAR26-80000-C-1")]
    [TestCase("BTC-PERPETUAL-80000-C")]
    [TestCase("TOOLONGCODE-PERPETUAL")]
    [TestCase("")]
    [TestCase("-")]
    public void What_is_no_name_is_refused(string symbol) => Assert.That(InstrumentName.Parse(symbol), Is.Null);
}
