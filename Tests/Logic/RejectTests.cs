using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Input that must change nothing: it is answered with a code and a field, and the state stays as it was.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class RejectTests
{
    private static readonly (string Name, Action<Desk> Send, RejectCode Code, ushort Field)[] Bad =
    [
        ("index of an unknown underlying", desk => desk.Index(1, underlying: 9), RejectCode.UnknownUnderlying, 2),
        ("index of zero", desk => desk.Index(0), RejectCode.OutOfRange, 3),
        ("negative mark", desk => desk.Mark(1, -5), RejectCode.OutOfRange, 3),
        ("mark of an unknown instrument", desk => desk.Mark(99, 5), RejectCode.UnknownInstrument, 2),
        ("mark of an option", desk => desk.Mark(2, 5), RejectCode.Inconsistent, 2),
        ("volatility of a perpetual", desk => desk.Volatility(1, 0.5m), RejectCode.Inconsistent, 2),
        ("volatility of zero", desk => desk.Volatility(2, 0), RejectCode.OutOfRange, 3),
        ("volatility of 1,000,001 %", desk => desk.Volatility(2, 10_000.01m), RejectCode.OutOfRange, 3),
        ("forward of an unknown expiry", desk => desk.Forward(5, Desk.Expiry + 1_000_000_000), RejectCode.UnknownInstrument, 3),
        ("account opened twice", desk => desk.Open(1), RejectCode.AlreadyDefined, 2),
        ("account of an unknown model", desk => desk.Open(2, model: 5), RejectCode.UnknownModel, 3),
        ("transfer to an unknown account", desk => desk.Transfer(77, Desk.Usd, 5), RejectCode.UnknownAccount, 2),
        ("transfer of an unknown currency", desk => desk.Transfer(1, 9, 5), RejectCode.UnknownCurrency, 3),
        ("transfer finer than an atom", desk => desk.Transfer(1, Desk.Usd, 0.00000001m, exponent: -8), RejectCode.OutOfRange, 4),
        ("withdrawal of what is not there", desk => desk.Transfer(1, Desk.Btc, -1), RejectCode.InsufficientCollateral, 4),
        ("fill of an unknown account", desk => desk.Fill(77, 1, 1, 100), RejectCode.UnknownAccount, 2),
        ("fill of an unknown instrument", desk => desk.Fill(1, 99, 1, 100), RejectCode.UnknownInstrument, 3),
        ("fill at no price", desk => desk.Fill(1, 1, 1, 0), RejectCode.OutOfRange, 6),
        ("fill of nothing", desk => desk.Fill(1, 1, 0, 100), RejectCode.OutOfRange, 5),
        ("fill beyond every position", desk => desk.Fill(1, 1, 2_000_000_000_000_000, 100), RejectCode.OutOfRange, 5),
        ("order without a number", desk => desk.Order(1, 1, 1, 100, 0), RejectCode.OutOfRange, 7),
        ("cancel of an unknown order", desk => desk.Cancel(1, 5), RejectCode.UnknownOrder, 3),
        ("liquidation fill without an instruction", desk => desk.LiquidationFill(1, 1, 1, 100, 4), RejectCode.Inconsistent, 8),
        ("settlement of an unknown expiry", desk => desk.Settle(5, Desk.Expiry + 1_000_000_000), RejectCode.UnknownInstrument, 3),
        ("currency defined twice", desk => desk.Currency(Desk.Btc, 8, "BTC"), RejectCode.AlreadyDefined, 2),
        ("currency with too many decimals", desk => desk.Currency(9, 13, "XXX"), RejectCode.OutOfRange, 3),
        ("underlying of an unknown currency", desk => desk.Underlying(5, 9, "XXX"), RejectCode.UnknownCurrency, 3),
        ("instrument defined twice", desk => desk.Instrument(InstrumentKind.Perpetual, Settlement.Inverse, 1, Desk.Btc, 10, id: 1), RejectCode.AlreadyDefined, 2),
        ("inverse contract settled in USD", desk => desk.Instrument(InstrumentKind.Perpetual, Settlement.Inverse, 1, Desk.Usd, 10), RejectCode.Inconsistent, 4),
        ("linear contract settled in coin", desk => desk.Instrument(InstrumentKind.Perpetual, Settlement.Linear, 1, Desk.Btc, 10), RejectCode.Inconsistent, 4),
        ("option without a strike", desk => desk.Instrument(InstrumentKind.Option, Settlement.Inverse, 1, Desk.Btc, 1, OptionRight.Call, expiry: Desk.Expiry), RejectCode.Inconsistent, 9),
        ("option without an expiry", desk => desk.Instrument(InstrumentKind.Option, Settlement.Inverse, 1, Desk.Btc, 1, OptionRight.Call, 5), RejectCode.Inconsistent, 10),
        ("perpetual with an expiry", desk => desk.Instrument(InstrumentKind.Perpetual, Settlement.Inverse, 1, Desk.Btc, 10, expiry: Desk.Expiry), RejectCode.Inconsistent, 10),
        ("older model", desk => desk.Model(TestModels.Matrix), RejectCode.Inconsistent, 3),
        ("model with thresholds out of order", desk => desk.Model(TestModels.Matrix.WithVersion(2).With("states.warningRatio", 0.9m)), RejectCode.Inconsistent, 100),
        ("time that runs backward", desk => desk.Time((ulong)desk.Now - 1), RejectCode.OutOfOrder, 2),
        ("snapshot asked by a sender of before", desk => desk.Operator(Command.Snapshot, version: 2), RejectCode.Unsupported, 2),
        ("promotion asked by a sender of before", desk => desk.Operator(Command.Promote, version: 1), RejectCode.Unsupported, 2),
        ("signing key without a key", desk => desk.SigningKey([], [1]), RejectCode.OutOfRange, 100),
        ("signing key that nobody signed", desk => desk.SigningKey([1], []), RejectCode.OutOfRange, 101),
    ];

    private static IEnumerable<TestCaseData> Cases() => Bad.Select((bad, index) => new TestCaseData(index).SetName($"Refused: {bad.Name}"));

    [TestCaseSource(nameof(Cases))]
    public void A_bad_message_is_refused_and_changes_nothing(int index)
    {
        (string name, Action<Desk> send, RejectCode code, ushort field) = Bad[index];
        using Desk desk = Opened();
        MarginReport before = desk.Report(1);
        int positions = desk.Machine.PositionCount;
        int accounts = desk.Machine.AccountCount;
        desk.Clear();
        send(desk);
        (RejectCode heard, ushort heardField, _) = desk.Rejected();
        Assert.That((heard, heardField), Is.EqualTo((code, field)), name);
        MarginReport after = desk.Report(1);
        Assert.That((after.Margin, after.State, desk.Machine.PositionCount, desk.Machine.AccountCount), Is.EqualTo((before.Margin, before.State, positions, accounts)), name);
    }

    [Test]
    public void A_repeated_an_old_and_an_early_message_are_told_apart()
    {
        using Desk desk = Opened();
        ulong last = desk.Machine.LastSourceSequence(desk.Source);
        desk.Clear();
        desk.SkipOrigin(last - 1);
        desk.Index(63_000);
        Assert.That(desk.Rejected(), Is.EqualTo((RejectCode.Duplicate, (ushort)1, last + 1)));
        desk.Clear();
        desk.SkipOrigin(last - 3);
        desk.Index(63_000);
        Assert.That(desk.Rejected(), Is.EqualTo((RejectCode.OutOfOrder, (ushort)1, last + 1)));
        desk.Clear();
        desk.SkipOrigin(last + 1);
        desk.Index(63_000);
        Assert.That(desk.Rejected(), Is.EqualTo((RejectCode.SequenceGap, (ushort)1, last + 1)));
        desk.Clear();
        desk.SkipOrigin(last);
        desk.Index(63_000);
        Assert.That(desk.HasRejected, Is.False);
    }

    [Test]
    public void A_rejected_message_uses_up_its_source_sequence()
    {
        using Desk desk = Opened();
        desk.Index(1, underlying: 9);
        desk.Clear();
        desk.Index(63_000);
        Assert.That(desk.HasRejected, Is.False);
    }

    [Test]
    public void Any_bytes_at_all_give_a_reject_or_an_effect_but_never_an_exception()
    {
        const int Seed = 20260205;
        Random random = new(Seed);
        using Desk desk = Opened();
        byte[][] samples = [.. desk.Applied.Select(applied => applied.Message)];
        for (int round = 0; round < 30_000; round++)
        {
            byte[] message = [.. samples[random.Next(samples.Length)]];
            int flips = random.Next(1, 6);
            for (int flip = 0; flip < flips; flip++)
            {
                message[random.Next(message.Length)] = (byte)random.Next(256);
            }

            int length = random.Next(4) == 0 ? random.Next(message.Length + 1) : message.Length;
            if (message.Length >= 16 && random.Next(2) == 0)
            {
                // Often with the right source and sequence, so that it gets past the door.
                BitConverter.TryWriteBytes(message.AsSpan(8), desk.Machine.LastSourceSequence(desk.Source) + 1);
                if (message.Length >= 26)
                {
                    BitConverter.TryWriteBytes(message.AsSpan(24), desk.Source);
                }
            }

            Assert.That(() => desk.Apply(message.AsSpan(0, length)), Throws.Nothing, $"seed {Seed}, round {round}: {Convert.ToHexString(message.AsSpan(0, length))}");
            desk.Clear();
        }
    }

    [Test]
    public void A_full_book_refuses_loudly()
    {
        using Desk desk = new(Limits.Small with { Accounts = 3, Positions = 2, Units = 2, Orders = 1 });
        uint[] instruments = [desk.Perpetual(), desk.Perpetual(), desk.Perpetual()];
        for (ulong account = 1; account <= 4; account++)
        {
            desk.Clear();
            desk.Open(account);
        }

        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.Capacity), "accounts");
        foreach (uint instrument in instruments)
        {
            desk.Clear();
            desk.Fill(1, instrument, 1, 64_000);
        }

        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.Capacity), "positions");
        desk.Clear();
        desk.Order(1, instruments[0], 1, 64_000, 1);
        desk.Order(1, instruments[0], 1, 64_000, 2);
        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.Capacity), "orders");
    }

    private static Desk Opened()
    {
        Desk desk = new();
        desk.Perpetual();
        desk.Option(OptionRight.Call, 70_000m);
        desk.Mark(1, 64_000m);
        desk.Forward(64_500m);
        desk.Volatility(2, 0.5m);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 100_000);
        desk.Fill(1, 1, 100, 64_000m);
        desk.Fill(1, 2, -5, 0.02m);
        desk.Clear();
        return desk;
    }
}
