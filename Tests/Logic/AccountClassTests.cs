using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>A class gives its accounts a model and a policy; orders that add risk are held to it, fills only show it.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class AccountClassTests
{
    private const ushort Retail = 5;

    [Test]
    public void A_class_moves_every_account_that_has_no_model_of_its_own()
    {
        using Desk desk = new();
        desk.Model(TestModels.Matrix.With("requirement.maintenanceFactor", 0.5m), id: 2);
        desk.Class(Retail);
        desk.OpenSub(1, classId: Retail);
        desk.OpenSub(2, classId: Retail, model: 1);
        desk.Open(3);
        uint perpetual = desk.Perpetual(Desk.Usd, 0.001m);
        desk.Mark(perpetual, 64_000m);
        foreach (ulong account in new ulong[] { 1, 2, 3 })
        {
            desk.Transfer(account, Desk.Usd, 50_000);
            desk.Fill(account, perpetual, 1_000, 64_000m);
        }

        long before = desk.Report(1).Margin.Maintenance;
        desk.Clear();
        desk.Class(Retail, version: 2, model: 2);
        Assert.Multiple(() =>
        {
            Assert.That(desk.Report(1).Margin.Maintenance, Is.LessThan(before), "half of the risk matrix instead of four fifths");
            Assert.That(desk.Report(2).Margin.Maintenance, Is.EqualTo(before), "a model of its own");
            Assert.That(desk.Report(3).Margin.Maintenance, Is.EqualTo(before), "no class");
            Assert.That(Accounts(desk, MarginUpdateDecoder.TemplateId), Is.EqualTo(new ulong[] { 1 }));
        });
    }

    [Test]
    public void An_account_takes_a_model_of_its_own_and_goes_back_to_that_of_its_class()
    {
        using Desk desk = new();
        desk.Model(TestModels.Matrix.WithVersion(7), id: 2);
        desk.Class(Retail);
        desk.Open(1);
        desk.Configure(1, model: 2);
        Assert.That((desk.Report(1).ModelVersion, desk.Report(1).Policy.ClassId), Is.EqualTo((7u, (ushort)0)));
        desk.Configure(1, classId: Retail);
        Assert.That((desk.Report(1).ModelVersion, desk.Report(1).Policy.FollowsClass), Is.EqualTo((1u, true)));
        desk.Configure(1, model: 2);
        Assert.That((desk.Report(1).ModelVersion, desk.Report(1).Policy.ClassId, desk.Report(1).Policy.FollowsClass), Is.EqualTo((7u, Retail, false)), "the class stays");
        desk.Configure(1, model: 1, classId: Retail);
        Assert.That((desk.Report(1).ModelVersion, desk.Report(1).Policy.FollowsClass), Is.EqualTo((1u, false)));
    }

    private static readonly (string Name, Action<Desk> Class, long Lots, Verdict Expected)[] Orders =
    [
        ("everything is allowed", desk => desk.Class(Retail), 500, Verdict.Allowed),
        ("leverage within the cap", desk => desk.Class(Retail, leverage: 2), 500, Verdict.Allowed),
        ("leverage beyond the cap", desk => desk.Class(Retail, leverage: 2), 900, Verdict.Leverage),
        ("another kind", desk => desk.Class(Retail, kinds: InstrumentKinds.Option), 1, Verdict.NotPermitted),
        ("another settlement", desk => desk.Class(Retail, settlements: Settlements.Inverse), 1, Verdict.NotPermitted),
        ("another underlying", desk => desk.Class(Retail, underlyings: [2]), 1, Verdict.NotPermitted),
        ("an underlying that is named", desk => desk.Class(Retail, underlyings: [2, 1]), 1, Verdict.Allowed),
        ("enough equity", desk => desk.Class(Retail, minimumEquity: 50_000), 1, Verdict.Allowed),
        ("too little equity", desk => desk.Class(Retail, minimumEquity: 50_000.000001m), 1, Verdict.MinimumEquity),
        ("no margin for it either", desk => desk.Class(Retail, leverage: 1_000), 100_000, Verdict.InsufficientMargin),
        ("nothing allowed, but it closes", desk => desk.Class(Retail, leverage: 0.1m, minimumEquity: 1_000_000, kinds: 0, settlements: 0), -1_000, Verdict.Allowed),
        ("nothing allowed, and through zero", desk => desk.Class(Retail, kinds: 0, settlements: 0), -1_001, Verdict.NotPermitted),
    ];

    private static IEnumerable<TestCaseData> OrderCases() => Orders.Select((order, index) => new TestCaseData(index).SetName($"Policy: {order.Name}"));

    [TestCaseSource(nameof(OrderCases))]
    public void An_order_is_held_to_the_policy_of_the_class(int index)
    {
        (string name, Action<Desk> define, long lots, Verdict expected) = Orders[index];
        using Desk desk = new();
        define(desk);
        uint perpetual = OpenLong(desk);
        Assert.That(desk.Ask(1, perpetual, lots, 64_000m).Verdict, Is.EqualTo(expected), name);
    }

    [Test]
    public void Resting_orders_count_in_the_leverage_of_the_next_order()
    {
        using Desk desk = new();
        desk.Class(Retail, leverage: 2);
        uint perpetual = OpenLong(desk);
        Assert.That(desk.Ask(1, perpetual, 562, 64_000m).Verdict, Is.EqualTo(Verdict.Allowed), "1,562 lots of 64 USD are 99,968 USD, twice 50,000");
        Assert.That(desk.Ask(1, perpetual, 563, 64_000m).Verdict, Is.EqualTo(Verdict.Leverage));
        desk.Order(1, perpetual, 100, 63_000m, order: 1);
        Assert.That(desk.Ask(1, perpetual, 463, 64_000m).Verdict, Is.EqualTo(Verdict.Leverage));
        Assert.That(desk.Ask(1, perpetual, 462, 64_000m).Verdict, Is.EqualTo(Verdict.Allowed));
        Assert.That(desk.Report(1).Policy.LeverageE8, Is.EqualTo(128_000_000), "64,000 held against 50,000");
    }

    [Test]
    public void A_fill_beyond_the_policy_is_taken_and_shows_until_the_account_is_back_within_it()
    {
        using Desk desk = new();
        desk.Class(Retail, leverage: 2);
        uint perpetual = OpenLong(desk);
        Assert.That(Flags(desk), Is.EqualTo(MarginFlags.None));
        desk.Clear();
        desk.Fill(1, perpetual, 600, 64_000m);
        Assert.That((desk.HasRejected, Flags(desk), desk.Report(1).Policy.IsBreached), Is.EqualTo((false, MarginFlags.PolicyBreach, true)));
        desk.Ask(1, perpetual, -1, 64_000m);
        Assert.That(desk.Report(1).Margin.Flags, Is.EqualTo(MarginFlags.PolicyBreach), "a question does not wipe it");
        desk.Clear();
        desk.Fill(1, perpetual, -600, 64_000m);
        Assert.That(Flags(desk), Is.EqualTo(MarginFlags.None));
        desk.Clear();
        desk.Class(Retail, version: 2, kinds: InstrumentKinds.Option);
        Assert.That(Flags(desk), Is.EqualTo(MarginFlags.PolicyBreach), "a new version is looked at with everybody's positions");
        desk.Clear();
        desk.Class(Retail, version: 3, minimumEquity: 60_000);
        Assert.That(Accounts(desk, MarginUpdateDecoder.TemplateId), Is.Empty, "still a breach, for another reason");
        desk.Fill(1, perpetual, -1_000, 64_000m);
        Assert.That(Flags(desk), Is.EqualTo(MarginFlags.None), "who holds nothing breaches nothing");
    }

    [Test]
    public void Options_and_inverse_contracts_are_exposure_too()
    {
        using Desk desk = new();
        desk.Class(Retail);
        uint inverse = desk.Perpetual();
        uint call = desk.Option(OptionRight.Call, 64_000m);
        desk.Mark(inverse, 64_000m);
        desk.Forward(64_000m);
        desk.Volatility(call, 0.5m);
        desk.OpenSub(1, classId: Retail);
        desk.Transfer(1, Desk.Btc, 10);
        desk.Fill(1, inverse, -123, 64_000m);
        desk.Fill(1, call, 5, 0.05m);
        Assert.That(Desk.Usd6(desk.Report(1).Policy.Exposure), Is.EqualTo((123 * 10m) + (5 * 0.1m * 64_000m)));
    }

    private static uint OpenLong(Desk desk)
    {
        uint perpetual = desk.Perpetual(Desk.Usd, size: 0.001m);
        desk.Mark(perpetual, 64_000m);
        desk.OpenSub(1, classId: Retail);
        desk.Transfer(1, Desk.Usd, 50_000);
        desk.Fill(1, perpetual, 1_000, 64_000m);
        return perpetual;
    }

    private static MarginFlags Flags(Desk desk)
    {
        MarginUpdateDecoder.TryWrap(desk.Of(MarginUpdateDecoder.TemplateId).Last(), out MarginUpdateDecoder update);
        return update.Flags;
    }

    private static ulong[] Accounts(Desk desk, ushort template) => [.. desk.Of(template).Select(message =>
    {
        MarginUpdateDecoder.TryWrap(message, out MarginUpdateDecoder update);
        return update.AccountId;
    })];
}
