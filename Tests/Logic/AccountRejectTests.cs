using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Bad messages about owners, classes, funding and settlement: a code, the field, and nothing else. And good ones allocate nothing.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class AccountRejectTests
{
    private const uint Perpetual = 1, Call = 2;
    private const ushort Retail = 5;

    private static readonly (string Name, Action<Desk> Send, RejectCode Code, ushort Field)[] Bad =
    [
        ("account of an unknown class", desk => desk.OpenSub(9, classId: 6), RejectCode.UnknownClass, 5),
        ("account of neither model nor class", desk => desk.OpenSub(9), RejectCode.OutOfRange, 3),
        ("account of class 0", desk => desk.OpenSub(9, model: 1, classId: 0), RejectCode.OutOfRange, 5),
        ("account of owner 0", desk => desk.OpenSub(9, owner: 0, model: 1), RejectCode.OutOfRange, 4),
        ("account of an unknown model in a known class", desk => desk.OpenSub(9, model: 3, classId: Retail), RejectCode.UnknownModel, 3),
        ("account opened twice, now with a class", desk => desk.OpenSub(1, classId: Retail), RejectCode.AlreadyDefined, 2),
        ("unknown account configured", desk => desk.Configure(9, model: 1), RejectCode.UnknownAccount, 2),
        ("account moved to an unknown class", desk => desk.Configure(1, classId: 6), RejectCode.UnknownClass, 4),
        ("account moved to an unknown model", desk => desk.Configure(1, model: 4), RejectCode.UnknownModel, 3),
        ("account moved nowhere", desk => desk.Configure(1), RejectCode.OutOfRange, 3),
        ("transfer from an unknown account", desk => desk.OwnerTransfer(9, 1, Desk.Usd, 1), RejectCode.UnknownAccount, 2),
        ("transfer to an unknown account", desk => desk.OwnerTransfer(1, 9, Desk.Usd, 1), RejectCode.UnknownAccount, 3),
        ("transfer to itself", desk => desk.OwnerTransfer(1, 1, Desk.Usd, 1), RejectCode.Inconsistent, 3),
        ("transfer of an unknown currency", desk => desk.OwnerTransfer(1, 2, 9, 1), RejectCode.UnknownCurrency, 4),
        ("transfer of nothing", desk => desk.OwnerTransfer(1, 2, Desk.Usd, 0), RejectCode.OutOfRange, 5),
        ("transfer the other way", desk => desk.OwnerTransfer(1, 2, Desk.Usd, -1), RejectCode.OutOfRange, 5),
        ("transfer finer than an atom", desk => desk.OwnerTransfer(1, 2, Desk.Usd, 0.0000001m, exponent: -7), RejectCode.OutOfRange, 5),
        ("transfer of a coin that is not there", desk => desk.OwnerTransfer(1, 2, Desk.Btc, 1), RejectCode.InsufficientCollateral, 5),
        ("class of an unknown model", desk => desk.Class(6, model: 3), RejectCode.UnknownModel, 5),
        ("class of the same version", desk => desk.Class(Retail, leverage: 3), RejectCode.Inconsistent, 3),
        ("class without any leverage", desk => desk.Class(6, leverage: 0), RejectCode.OutOfRange, 6),
        ("class with a negative minimum", desk => desk.Class(6, minimumEquity: -1), RejectCode.OutOfRange, 7),
        ("class of an unknown kind", desk => desk.Class(6, kinds: (InstrumentKinds)16), RejectCode.OutOfRange, 8),
        ("class of an unknown settlement", desk => desk.Class(6, settlements: (Settlements)4), RejectCode.OutOfRange, 9),
        ("class of an unknown underlying", desk => desk.Class(6, underlyings: [1, 9]), RejectCode.UnknownUnderlying, 101),
        ("funding of an unknown instrument", desk => desk.PayFunding(9, 0.0001m), RejectCode.UnknownInstrument, 2),
        ("funding of an option", desk => desk.PayFunding(Call, 0.0001m), RejectCode.Inconsistent, 2),
        ("funding of more than everything", desk => desk.PayFunding(Perpetual, -1.00000001m), RejectCode.OutOfRange, 3),
        ("funding at no price", desk => desk.PayFunding(Perpetual, 0.0001m, price: 0), RejectCode.OutOfRange, 4),
        ("funding at a negative price", desk => desk.PayFunding(Perpetual, 0.0001m, price: -5), RejectCode.OutOfRange, 4),
        ("rate of an option", desk => desk.AnnounceFunding(Call, 0.0001m), RejectCode.Inconsistent, 2),
        ("rate of more than everything", desk => desk.AnnounceFunding(Perpetual, 2), RejectCode.OutOfRange, 3),
        ("fees of an unknown underlying", desk => desk.Fees(0, 0, 0, underlying: 9), RejectCode.UnknownUnderlying, 2),
        ("negative fee of exercise", desk => desk.Fees(-0.1m, 0, 0), RejectCode.OutOfRange, 3),
        ("fee of assignment above the whole", desk => desk.Fees(0, 1.1m, 0), RejectCode.OutOfRange, 4),
        ("cap above the whole", desk => desk.Fees(0, 0, 1.00000001m), RejectCode.OutOfRange, 5),
    ];

    private static IEnumerable<TestCaseData> Cases() => Bad.Select((bad, index) => new TestCaseData(index).SetName($"Refused of accounts: {bad.Name}"));

    [TestCaseSource(nameof(Cases))]
    public void A_bad_message_is_refused_and_changes_nothing(int index)
    {
        (string name, Action<Desk> send, RejectCode code, ushort field) = Bad[index];
        using Desk desk = Opened();
        (MarginReport first, MarginReport second, int accounts) = (desk.Report(1), desk.Report(2), desk.Machine.AccountCount);
        send(desk);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((code, field)), name);
        Assert.That((desk.Report(1).Policy, desk.Report(2).Policy, desk.Machine.AccountCount), Is.EqualTo((first.Policy, second.Policy, accounts)), name);
        Assert.That((desk.Report(1).Margin, desk.Report(2).Margin), Is.EqualTo((first.Margin, second.Margin)), name);
        Assert.That(desk.Report(1).Balances, Is.EqualTo(first.Balances), name);
    }

    [Test]
    public void Funding_before_any_mark_is_not_priced()
    {
        using Desk desk = new();
        uint perpetual = desk.Perpetual();
        desk.PayFunding(perpetual, 0.0001m);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.NotPriced, (ushort)4)));
    }

    [Test]
    public void Classes_beyond_the_last_are_refused_and_known_ones_still_change()
    {
        using Desk desk = new();
        for (ushort id = 1; id <= Limits.AccountClasses; id++)
        {
            desk.Class(id);
        }

        Assert.That(desk.HasRejected, Is.False);
        desk.Class(1_000);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.Capacity, (ushort)2)));
        desk.Clear();
        desk.Class(Limits.AccountClasses, version: 2);
        Assert.That(desk.HasRejected, Is.False);
    }

    [Test]
    public void Any_bytes_at_all_in_these_messages_give_a_reject_or_an_effect_but_never_an_exception()
    {
        const int Seed = 20261129;
        Random random = new(Seed);
        using Desk desk = Opened();
        int before = desk.Applied.Count;
        Good(desk);
        desk.Settle(64_000m);
        byte[][] samples = [.. desk.Applied.Skip(before).Select(applied => applied.Message)];
        using Desk hostile = Opened();
        int refused = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] message = [.. samples[random.Next(samples.Length)]];
            for (int flip = random.Next(1, 4); flip > 0; flip--)
            {
                // Beyond header and origin: the door has tests of its own.
                message[random.Next(28, message.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : random.Next(2) == 0 ? (byte)0 : byte.MaxValue;
            }

            BitConverter.TryWriteBytes(message.AsSpan(8), hostile.Machine.LastSourceSequence(hostile.Source) + 1);
            int length = random.Next(8) == 0 ? random.Next(28, message.Length + 1) : message.Length;
            hostile.Now += 1_000_000;
            Assert.That(() => hostile.Apply(message.AsSpan(0, length)), Throws.Nothing, $"seed {Seed}, round {round}: {Convert.ToHexString(message.AsSpan(0, length))}");
            refused += hostile.HasRejected ? 1 : 0;
            hostile.Clear();
        }

        Assert.That(refused, Is.InRange(1_000, 19_000), "some were bad and some were taken");
    }

    [Test]
    public void Accounts_with_owners_classes_and_funding_allocate_nothing()
    {
        using Desk desk = Opened();
        desk.Fees(0.0002m, 0.0001m, 0.125m);
        int before = desk.Applied.Count;
        Good(desk);
        desk.Ask(1, Perpetual, 1, 64_000m);
        byte[][] loop = [.. desk.Applied.Skip(before).Select(applied => applied.Message)];
        Counter sink = new();
        Loop(desk, loop, sink, 2_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Loop(desk, loop, sink, 50_000);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        string where = string.Join(", ", loop.Select(message => $"{Schema.NameOf(BitConverter.ToUInt16(message, 2))} {AllocatedBy(desk, message, sink)}"));
        Assert.That((allocated, sink.Fundings), Is.EqualTo((0L, 2 * (1 + Rounds(2_000, loop) + Rounds(50_000, loop)))), $"bytes in one more round: {where}");
    }

    // One of each that is taken; classes and models of a version are taken once and refused from then on.
    private static void Good(Desk desk)
    {
        desk.Class(Retail, version: 2, leverage: 10, underlyings: [1, 2]);
        desk.Configure(1, classId: Retail);
        desk.Configure(2, model: 1, classId: Retail);
        desk.OwnerTransfer(1, 2, Desk.Usd, 0.01m);
        desk.PayFunding(Perpetual, 0.0000001m);
        desk.PayFunding(Perpetual, -0.0000001m, price: 63_000m);
        desk.AnnounceFunding(Perpetual, 0.0003m);
        desk.Fees(0.0002m, 0.0001m, 0.125m);
        desk.OpenSub(3, owner: 900, classId: Retail);
    }

    private static Desk Opened()
    {
        Desk desk = new();
        desk.Perpetual(Desk.Usd, size: 0.001m);
        desk.Option(OptionRight.Call, 60_000m);
        desk.Mark(Perpetual, 64_000m);
        desk.Forward(64_500m);
        desk.Volatility(Call, 0.5m);
        desk.Class(Retail);
        desk.Open(Limits.FundAccount);
        foreach (ulong account in new ulong[] { 1, 2 })
        {
            desk.OpenSub(account, owner: 900, classId: Retail);
            desk.Transfer(account, Desk.Usd, 100_000);
            desk.Fill(account, Perpetual, account == 1 ? 100 : -100, 64_000m);
            desk.Fill(account, Call, account == 1 ? 5 : -5, 0.1m);
        }

        desk.Clear();
        return desk;
    }

    private static long AllocatedBy(Desk desk, byte[] message, Counter sink)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Loop(desk, [message], sink, 1);
        return GC.GetAllocatedBytesForCurrentThread() - allocated;
    }

    private static int Rounds(int messages, byte[][] loop) => messages / loop.Length;

    private static void Loop(Desk desk, byte[][] messages, Counter sink, int count)
    {
        int whole = Rounds(count, messages) * messages.Length;
        for (int index = 0; index < whole; index++)
        {
            byte[] message = messages[index % messages.Length];
            BitConverter.TryWriteBytes(message.AsSpan(8), desk.Machine.LastSourceSequence(desk.Source) + 1);
            desk.Now += 50_000;
            desk.Machine.Apply(desk.Machine.LastSequence + 1, desk.Now, message, sink);
        }
    }

    private sealed class Counter : IDecisionSink
    {
        public int Fundings { get; private set; }

        public void OnDecision(ReadOnlySpan<byte> message) =>
            Fundings += BitConverter.ToUInt16(message[2..]) == FundingSettledDecoder.TemplateId ? 1 : 0;
    }
}
