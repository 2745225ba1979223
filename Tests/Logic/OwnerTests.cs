using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Sub-accounts of one owner: collateral moves between them, risk does not.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class OwnerTests
{
    private const ulong Owner = 900;

    [Test]
    public void Collateral_moves_between_the_accounts_of_one_owner_and_the_sum_stays()
    {
        using Desk desk = new();
        desk.OpenSub(1, Owner, model: 1);
        desk.OpenSub(2, Owner, model: 1);
        desk.Transfer(1, Desk.Usd, 100);
        desk.OwnerTransfer(1, 2, Desk.Usd, 40.000001m);
        Assert.That(desk.HasRejected, Is.False);
        Assert.That((desk.Balance(1, "USD"), desk.Balance(2, "USD")), Is.EqualTo((59_999_999, 40_000_001)));
        Assert.That((desk.Report(1).Policy.OwnerId, desk.Report(2).Margin.Equity), Is.EqualTo((Owner, 40_000_001L)));
    }

    [Test]
    public void A_transfer_may_not_uncover_the_initial_margin_of_the_account_that_gives()
    {
        using Desk desk = WithLong();
        decimal free = Desk.Usd6(desk.Report(1).Margin.BuyingPower);
        desk.Clear();
        desk.OwnerTransfer(1, 2, Desk.Usd, free + 0.000001m);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.InsufficientCollateral, (ushort)5)));
        desk.Clear();
        desk.OwnerTransfer(1, 2, Desk.Usd, free);
        Assert.That(desk.HasRejected, Is.False);
        Assert.That((desk.Report(1).Margin.BuyingPower, Desk.Usd6(desk.Balance(2, "USD"))), Is.EqualTo((0L, free)));
    }

    [Test]
    public void A_price_of_the_same_event_counts_in_what_a_transfer_may_take()
    {
        using Desk desk = WithLong();
        decimal free = Desk.Usd6(desk.Report(1).Margin.BuyingPower);
        desk.Clear();
        desk.Mark(1, 63_000m, OriginFlags.None);
        desk.OwnerTransfer(1, 2, Desk.Usd, free);
        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.InsufficientCollateral));
    }

    [Test]
    public void Nothing_moves_between_owners_nor_where_there_is_none()
    {
        using Desk desk = new();
        desk.OpenSub(1, Owner, model: 1);
        desk.OpenSub(2, Owner + 1, model: 1);
        desk.Open(3);
        desk.Open(4);
        desk.Transfer(1, Desk.Usd, 100);
        desk.Transfer(3, Desk.Usd, 100);
        foreach ((ulong from, ulong to) in new[] { (1UL, 2UL), (1UL, 3UL), (3UL, 1UL), (3UL, 4UL) })
        {
            desk.Clear();
            desk.OwnerTransfer(from, to, Desk.Usd, 1);
            Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.Unauthorised, (ushort)3)), $"{from} to {to}");
        }

        Assert.That((desk.Balance(1, "USD"), desk.Balance(3, "USD")), Is.EqualTo((100_000_000, 100_000_000)));
    }

    [Test]
    public void An_isolated_position_is_a_sub_account_and_falls_alone()
    {
        using Desk desk = WithLong();
        desk.OpenSub(3, Owner, model: 1);
        desk.OwnerTransfer(1, 3, Desk.Usd, 2_000);
        desk.Fill(3, 1, 100, 64_000m);
        decimal cross = Desk.Usd6(desk.Balance(1, "USD"));
        desk.Clear();
        desk.Mark(1, 48_000m);
        Assert.Multiple(() =>
        {
            Assert.That(desk.Report(3).State, Is.EqualTo(AccountState.Liquidation));
            Assert.That(desk.Report(1).State, Is.LessThan(AccountState.Liquidation));
            Assert.That(Desk.Usd6(desk.Balance(1, "USD")), Is.EqualTo(cross), "what the other one owns is not touched");
        });
    }

    private static Desk WithLong()
    {
        Desk desk = new();
        uint perpetual = desk.Perpetual(Desk.Usd, size: 0.001m);
        desk.Mark(perpetual, 64_000m);
        desk.OpenSub(1, Owner, model: 1);
        desk.OpenSub(2, Owner, model: 1);
        desk.Transfer(1, Desk.Usd, 60_000);
        desk.Fill(1, perpetual, 1_000, 64_000m);
        return desk;
    }
}
