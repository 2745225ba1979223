using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Fees of settlement, and the account of it that every holder gets.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class SettlementTests
{
    // Calls at 60,000 of 1 coin a lot, paid in USD: account 1 holds ten, account 2 wrote them.
    private static (Desk Desk, uint Call) WithCalls(ushort currency = Desk.Usd)
    {
        Desk desk = new();
        uint call = desk.Option(OptionRight.Call, 60_000m, currency, size: 1);
        desk.Forward(64_000m);
        desk.Volatility(call, 0.5m);
        desk.Open(Limits.FundAccount);
        foreach (ulong account in new ulong[] { 1, 2 })
        {
            desk.Open(account);
            desk.Transfer(account, Desk.Usd, 1_000_000);
            desk.Transfer(account, Desk.Btc, 100);
            desk.Fill(account, call, account == 1 ? 10 : -10, currency == Desk.Usd ? 5_000m : 0.08m);
        }

        desk.Clear();
        return (desk, call);
    }

    [Test]
    public void Fees_are_part_of_notional_up_to_a_part_of_what_the_option_pays()
    {
        (Desk desk, _) = WithCalls();
        using Desk owned = desk;
        desk.Fees(exercise: 0.0002m, assignment: 0.0001m, cap: 0.125m);
        desk.Settle(64_000m);
        Assert.That(desk.Settled(), Is.EquivalentTo(new Dictionary<(ulong, ushort), (decimal, decimal, decimal, uint)>
        {
            [(1, Desk.Usd)] = (40_000m, 0m, 128m, 1),
            [(2, Desk.Usd)] = (-40_000m, 0m, 64m, 1),
        }));
        Assert.That(Desk.Usd6(desk.Balance(Limits.FundAccount, "USD")), Is.EqualTo(192m));
        Assert.That(Desk.Usd6(desk.Balance(1, "USD")), Is.EqualTo(1_000_000m - 50_000m + 40_000m - 128m));
        Assert.That(Desk.Usd6(desk.Balance(2, "USD")), Is.EqualTo(1_000_000m + 50_000m - 40_000m - 64m));
    }

    [Test]
    public void Near_the_strike_the_cap_counts()
    {
        (Desk desk, _) = WithCalls();
        using Desk owned = desk;
        desk.Fees(exercise: 0.0002m, assignment: 0, cap: 0.125m);
        desk.Settle(60_010m);
        Assert.That(desk.Settled()[(1, Desk.Usd)], Is.EqualTo((100m, 0m, 12.5m, 1u)), "120.02 without the cap");
        Assert.That(desk.Settled()[(2, Desk.Usd)].Fees, Is.Zero);
    }

    [Test]
    public void An_option_that_pays_nothing_costs_nothing()
    {
        (Desk desk, _) = WithCalls();
        using Desk owned = desk;
        desk.Fees(exercise: 0.0002m, assignment: 0.0002m, cap: 1);
        desk.Settle(60_000m);
        Assert.That(desk.Settled().Values, Is.All.EqualTo((0m, 0m, 0m, 1u)));
    }

    [Test]
    public void Fees_of_inverse_options_are_coin()
    {
        (Desk desk, _) = WithCalls(Desk.Btc);
        using Desk owned = desk;
        desk.Fees(exercise: 0.0002m, assignment: 0, cap: 0.125m);
        desk.Settle(80_000m);
        Assert.That(desk.Settled()[(1, Desk.Btc)], Is.EqualTo((2.5m, 0m, 0.002m, 1u)));
        Assert.That(desk.Balance(Limits.FundAccount, "BTC"), Is.EqualTo(20_000_000));
    }

    [Test]
    public void Options_and_futures_are_told_apart_and_perpetuals_stay()
    {
        (Desk desk, _) = WithCalls();
        using Desk owned = desk;
        uint future = desk.Instrument(InstrumentKind.Future, Settlement.Linear, 1, Desk.Usd, 1, expiry: Desk.Expiry, symbol: "F");
        uint perpetual = desk.Perpetual(Desk.Usd, size: 1);
        desk.Mark(future, 64_000m);
        desk.Mark(perpetual, 64_000m);
        desk.Fill(1, future, -3, 64_000m);
        desk.Fill(1, perpetual, 2, 64_000m);
        desk.Fees(0, 0, 0);
        desk.Settle(61_000m);
        Assert.That(desk.Settled()[(1, Desk.Usd)], Is.EqualTo((10_000m, 9_000m, 0m, 2u)));
        Assert.That(desk.Report(1).Units.Single().Positions.Single().Lots, Is.EqualTo(2));
    }

    [Test]
    public void Accounts_are_told_in_the_order_of_opening_and_only_where_terms_were_given()
    {
        (Desk desk, _) = WithCalls();
        using Desk owned = desk;
        desk.Settle(64_000m);
        Assert.That(desk.Settled(), Is.Empty, "a journal of before has no such decision");

        (Desk told, uint call) = WithCalls();
        using Desk alsoOwned = told;
        told.Fees(0, 0, 0);
        told.Open(4);
        told.Open(3);
        told.Fill(3, call, 1, 5_000m);
        told.Fill(4, call, 1, 5_000m);
        told.Settle(64_000m);
        Assert.That(told.Settled().Keys.Select(key => key.Account), Is.EqualTo(new ulong[] { 1, 2, 4, 3 }));
    }
}
