using System.Text.Json.Nodes;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>A rate that grows with the open interest of a contract, and what has to do with the message that tells it.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class OpenInterestTests
{
    // 5 % up to 40 million USD of open interest, everything from 100 million on; 3 % to keep.
    [TestCase(0, 5_000.0)]
    [TestCase(40_000_000, 5_000.0)]
    [TestCase(70_000_000, 52_500.0)]
    [TestCase(100_000_000, 100_000.0)]
    [TestCase(900_000_000, 100_000.0)]
    public void Initial_margin_grows_between_the_bounds_and_maintenance_margin_stays(long interestUsd, double initial)
    {
        using Desk desk = Open(out uint perpetual);
        Tell(desk, perpetual, interestUsd / 100);
        AccountMargin margin = desk.Report(1).Margin;
        Assert.That((margin.Initial / 1e6, margin.Maintenance / 1e6), Is.EqualTo((initial, 3_000.0)), "of 100,000 USD");
    }

    [Test]
    public void Every_change_reaches_the_holders_and_the_state()
    {
        using Desk desk = Open(out uint perpetual), silent = Open(out _);
        Assert.That(desk.Machine.StateDigest(), Is.EqualTo(silent.Machine.StateDigest()));
        long evaluations = desk.Machine.Evaluations;
        Tell(desk, perpetual, 700_000);
        Assert.That(desk.Machine.Evaluations, Is.EqualTo(evaluations + 1));
        Assert.That(desk.Report(1).Margin.Initial, Is.EqualTo(52_500_000_000), "without a new price");
        Tell(desk, perpetual, 700_000);
        Assert.That(desk.Machine.Evaluations, Is.EqualTo(evaluations + 1), "the same again changes nothing");
        Assert.That(desk.Machine.StateDigest(), Is.Not.EqualTo(silent.Machine.StateDigest()));
    }

    [Test]
    public void Resting_orders_need_the_grown_rate_too()
    {
        using Desk desk = Open(out uint perpetual);
        Tell(desk, perpetual, 700_000);
        desk.Order(1, perpetual, 1_000, 1m, 5);
        Assert.That(Desk.Usd6(desk.Report(1).Margin.Initial), Is.EqualTo(105_000m), "of 200,000 USD at 52.5 %");
    }

    [Test]
    public void Open_interest_of_an_inverse_contract_is_its_face()
    {
        using Desk desk = new(model: Growing);
        uint perpetual = desk.Perpetual(size: 100m);
        desk.Mark(perpetual, 64_000m);
        desk.Open(1);
        desk.Transfer(1, Desk.Btc, 10m);
        desk.Fill(1, perpetual, 640, 64_000m);
        Tell(desk, perpetual, 700_000);
        UnitReport unit = desk.Report(1).Units.Single();
        Assert.That((unit.Margin.Initial, unit.Margin.Maintenance), Is.EqualTo((5_250_000_000, 300_000_000)), "52.5 % and 3 % of one coin, 10^-10 each");
    }

    [Test]
    public void What_cannot_be_is_refused()
    {
        using Desk desk = Open(out uint perpetual);
        desk.Clear();
        Tell(desk, 99, 1);
        Assert.That(desk.Rejected(), Is.EqualTo((RejectCode.UnknownInstrument, OpenInterestDecoder.FieldIds.InstrumentId, 0UL)));
        desk.Clear();
        desk.Model(Growing(TestModels.Matrix, lower: 100_000_000m).WithVersion(2));
        (RejectCode code, _, ulong expected) = desk.Rejected();
        Assert.That((code, ParameterPlace.Unpack(expected)), Is.EqualTo(
            (RejectCode.Inconsistent, new ParameterPlace(ModelSection.AddOn, (byte)AddOnKey.FirstSlot + 4, 0, 1, 0))), "a rate that would grow downward");
        desk.Clear();
        Tell(desk, perpetual, -1);
        Assert.That(desk.Rejected(), Is.EqualTo((RejectCode.OutOfRange, OpenInterestDecoder.FieldIds.Quantity, 0UL)));
    }

    private static Desk Open(out uint perpetual)
    {
        Desk desk = new(model: Growing);
        perpetual = desk.Perpetual(Desk.Usd, 100m);
        desk.Mark(perpetual, 1m);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 1_000_000m);
        desk.Fill(1, perpetual, 1_000, 1m);
        return desk;
    }

    private static ModelDocument Growing(ModelDocument document) => Growing(document, 40_000_000m);

    private static ModelDocument Growing(ModelDocument document, decimal lower) => document
        .With("grid", null).With("rows", null).With("liquidation", new JsonObject()).With("requirement", new JsonObject { ["openOrders"] = "filled" })
        .With("addOns", new JsonArray(new JsonObject
        {
            ["kind"] = "openInterest", ["initial"] = 0.05m, ["maintenance"] = 0.03m, ["lower"] = lower, ["upper"] = 100_000_000m,
        }));

    private static void Tell(Desk desk, uint instrument, long lots)
    {
        byte[] buffer = new byte[Limits.MessageBytes];
        OpenInterestEncoder message = OpenInterestEncoder.Wrap(buffer);
        message.SetOrigin(desk.NextOrigin(), (ulong)desk.Now, desk.Source, OriginFlags.EndOfEvent);
        message.InstrumentId = instrument;
        message.Quantity = lots;
        desk.Apply(buffer.AsSpan(0, message.EncodedLength));
    }
}
