using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>What a margin depends on evaluates it when it moves: the price of the money of account, and how far an index can be trusted.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class PegTests
{
    private const ushort Usdc = 5;
    private const ushort Stable = 9;

    [TestCase("derive-pmrm2")]
    [TestCase("derive-standard")]
    public void A_move_of_the_peg_reaches_accounts_that_hold_none_of_it(string model)
    {
        using Desk desk = Open(model);
        uint perpetual = desk.Perpetual(Desk.Usd, 1m);
        desk.Mark(perpetual, 64_000m);
        desk.Transfer(1, Desk.Usd, 1_000_000m);
        desk.Fill(1, perpetual, -1, 64_000m);
        long before = desk.Report(1).Margin.Initial;
        long evaluations = desk.Machine.Evaluations;
        desk.Index(0.9m, Stable);
        Assert.That(desk.Machine.Evaluations, Is.EqualTo(evaluations + 1));
        Assert.That(desk.Report(1).Margin.Initial, Is.GreaterThan(before));
    }

    [Test]
    public void Doubt_about_an_index_reaches_accounts_that_hold_the_coin_alone()
    {
        using Desk desk = Open("derive-standard");
        desk.Transfer(1, Desk.Btc, 10m);
        long before = desk.Report(1).Margin.Initial;
        long evaluations = desk.Machine.Evaluations;
        byte[] buffer = new byte[Limits.MessageBytes];
        IndexPriceEncoder index = IndexPriceEncoder.Wrap(buffer);
        index.SetOrigin(desk.NextOrigin(), (ulong)desk.Now, desk.Source, OriginFlags.EndOfEvent);
        index.UnderlyingId = 1;
        index.SetPrice(Desk.E8(64_000m));
        index.SetConfidence(30_000_000);
        desk.Apply(buffer.AsSpan(0, index.EncodedLength));
        Assert.That(desk.Machine.Evaluations, Is.EqualTo(evaluations + 1));
        Assert.That(Desk.Usd6(desk.Report(1).Margin.Initial - before), Is.EqualTo(0.7m * 0.4m * 640_000m));
    }

    private static Desk Open(string model)
    {
        Desk desk = new(withMarket: false);
        desk.Currency(Desk.Usd, 6, "USD");
        desk.Currency(Desk.Btc, 10, "BTC");
        desk.Currency(Usdc, 6, "USDC");
        desk.Underlying(1, Desk.Btc, "BTC");
        desk.Underlying(Stable, Usdc, "USDC");
        foreach (byte[] part in ModelDocument.Shipped(model).ToMessages(
            1, desk.NextOrigin(), (ulong)desk.Now, desk.Source, OriginFlags.EndOfEvent, [(1, "BTC"), (Stable, "USDC")],
            [(Desk.Usd, "USD"), (Desk.Btc, "BTC"), (Usdc, "USDC")]))
        {
            desk.Apply(part);
        }

        desk.SkipOrigin(desk.Machine.LastSourceSequence(desk.Source));
        desk.Index(64_000m);
        desk.Index(1m, Stable);
        desk.Open(1);
        Assert.That(desk.HasRejected, Is.False);
        return desk;
    }
}
