using System.Text.Json.Nodes;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Published arrays in place of priced rows: when they count, what they make of an option without a volatility, and what is refused.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class MarkArrayTests
{
    [Test]
    public void A_row_of_a_position_is_its_lots_times_the_published_profit()
    {
        using Desk desk = Open(out uint option);
        Publish(desk, option, -2, 0.25m, 100, -250, 75);
        desk.Fill(1, option, -3, 12m);
        UnitReport unit = desk.Report(1).Units.Single();
        Assert.Multiple(() =>
        {
            Assert.That(unit.Rows.Select(row => row.Counted), Is.EqualTo(new[] { -3_000_000L, 7_500_000, -2_250_000 }), "cents of three lots sold, in micro-USD");
            Assert.That(unit.Margin.Maintenance, Is.EqualTo(3_000_000));
            Assert.That(unit.Margin.NetDelta, Is.EqualTo(-750_000_000), "three quarters of a base unit");
            Assert.That(unit.Positions.Single().Value, Is.EqualTo(-36_000_000), "at the mark: nobody tells a volatility");
            Assert.That(desk.Report(1).Margin.Flags & MarginFlags.Unpriced, Is.EqualTo(MarginFlags.None));
        });
    }

    [Test]
    public void Without_an_array_rows_are_priced_and_a_model_that_prices_ignores_arrays()
    {
        using Desk takes = Open(out uint perpetual, perpetual: true), computes = Open(out _, "computed", perpetual: true), told = Open(out _, "computed", perpetual: true);
        Publish(told, perpetual, 0, 1m, 1, 2, 3);
        foreach (Desk desk in new[] { takes, computes, told })
        {
            desk.Mark(perpetual, 100m);
            desk.Fill(1, perpetual, 1, 100m);
            Assert.That(desk.Report(1).Units.Single().Rows.Select(row => row.Counted), Is.EqualTo(new[] { 10_000_000L, -10_000_000, 0 }));
        }

        Publish(takes, perpetual, 0, 1m, 1, 2, -3);
        Assert.That(takes.Report(1).Units.Single().Rows.Select(row => row.Counted), Is.EqualTo(new[] { 1_000_000L, 2_000_000, -3_000_000 }), "from the message on");
    }

    [Test]
    public void An_array_of_another_table_leaves_the_position_unpriced()
    {
        using Desk desk = Open(out uint option);
        Publish(desk, option, 0, 0.5m, 1, 2);
        desk.Fill(1, option, 1, 12m);
        Assert.That(desk.Report(1).Margin.Flags & MarginFlags.Unpriced, Is.EqualTo(MarginFlags.Unpriced));
        Publish(desk, option, 0, 0.5m, 1, 2, 3);
        Assert.That(desk.Report(1).Margin.Flags & MarginFlags.Unpriced, Is.EqualTo(MarginFlags.None));
    }

    [Test]
    public void The_state_holds_arrays_and_only_a_change_is_worth_an_evaluation()
    {
        using Desk desk = Open(out uint option), silent = Open(out _);
        desk.Fill(1, option, 1, 12m);
        silent.Fill(1, option, 1, 12m);
        Assert.That(desk.Machine.StateDigest(), Is.EqualTo(silent.Machine.StateDigest()));
        Publish(desk, option, 0, 0.5m, 1, 2, -3);
        long evaluations = desk.Machine.Evaluations;
        Publish(desk, option, 0, 0.5m, 1, 2, -3);
        Assert.That(desk.Machine.Evaluations, Is.EqualTo(evaluations));
        Publish(desk, option, -2, 0.5m, 1, 2, -4);
        Assert.That(desk.Machine.Evaluations, Is.EqualTo(evaluations + 1), "an exponent of its own is a change, and the digest takes it");
        using Desk replay = new(withMarket: false);
        foreach ((long time, byte[] message) in desk.Applied)
        {
            replay.Now = time;
            replay.Apply(message);
        }

        Assert.That((replay.Machine.DecisionDigest, replay.Machine.StateDigest()), Is.EqualTo((desk.Machine.DecisionDigest, desk.Machine.StateDigest())));
        Assert.That(desk.Machine.StateDigest(), Is.Not.EqualTo(silent.Machine.StateDigest()));
    }

    [Test]
    public void An_empty_one_one_too_long_and_one_of_nothing_known_are_refused()
    {
        using Desk desk = Open(out uint option);
        ushort rows = MarkArrayDecoder.FieldIds.Rows;
        foreach ((uint instrument, int count, RejectCode code, ushort field) in new[]
        {
            (option, 0, RejectCode.OutOfRange, rows), (option, Limits.Rows + 1, RejectCode.OutOfRange, rows),
            (999u, 3, RejectCode.UnknownInstrument, MarkArrayDecoder.FieldIds.InstrumentId),
        })
        {
            desk.Clear();
            Publish(desk, instrument, 0, 0.5m, new long[count]);
            Assert.That(desk.Rejected(), Is.EqualTo((code, field, 0UL)), $"{count} rows of {instrument}");
        }

        desk.Settle(100m);
        desk.Clear();
        Publish(desk, option, 0, 0.5m, 1, 2, 3);
        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.Expired));
    }

    // Three rows: a tenth up, a tenth down, nothing; an option or a perpetual on one base unit at 100.
    internal static Desk Open(out uint instrument, string profits = "published", bool perpetual = false)
    {
        Desk desk = new(model: document => document.With("grid", null)
            .With("rows", new JsonArray(new JsonObject { ["spot"] = 0.1m }, new JsonObject { ["spot"] = -0.1m }, new JsonObject { ["spot"] = 0m }))
            .With("addOns", new JsonArray()).With("liquidation", new JsonObject()).With("requirement", new JsonObject())
            .With("pricing", new JsonObject { ["rowProfits"] = profits, ["optionMark"] = "mark", ["missingSurface"] = "unpriced" }));
        desk.Index(100m);
        desk.Open(1);
        desk.Transfer(1, Desk.Usd, 1_000_000m);
        instrument = perpetual ? desk.Perpetual(Desk.Usd, 1m) : desk.Option(OptionRight.Call, 100m, Desk.Usd, 1m);
        if (!perpetual)
        {
            desk.Mark(instrument, 12m);
        }

        return desk;
    }

    internal static void Publish(Desk desk, uint instrument, int exponent, decimal delta, params long[] profits)
    {
        byte[] buffer = new byte[Limits.MessageBytes];
        MarkArrayEncoder message = MarkArrayEncoder.Wrap(buffer);
        message.SetOrigin(desk.NextOrigin(), (ulong)desk.Now, desk.Source, OriginFlags.EndOfEvent);
        message.InstrumentId = instrument;
        message.Exponent = (sbyte)exponent;
        message.SetDelta(Desk.E8(delta));
        MarkArrayEncoder.RowsEncoder rows = message.RowsCount(profits.Length);
        for (int row = 0; row < profits.Length; row++)
        {
            MarkArrayEncoder.RowsEncoder.Entry entry = rows[row];
            entry.Profit = profits[row];
        }

        desk.Apply(buffer.AsSpan(0, message.EncodedLength));
    }
}
