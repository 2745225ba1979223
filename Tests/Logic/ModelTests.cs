using System.Text.Json.Nodes;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;
using Field = MarginEngine.Codecs.MarginModelPartDecoder.FieldIds;

namespace MarginEngine.Tests.LogicTests;

/// <summary>How a margin model comes in: part by part, whole or not at all.</summary>
[TestFixture]
internal sealed partial class ModelTests
{
    private static readonly ParameterPlace Factor = new(ModelSection.Model, (byte)ModelKey.MaintenanceFactor, 0, 0, 0);

    private static readonly (ParameterPlace, long)[] Nothing = [];

    [Test]
    public void Parts_in_order_make_a_version_and_none_of_it_counts_before_the_last()
    {
        using Desk desk = Opened();
        byte[][] parts = PartsOf(TestModels.Matrix.WithVersion(2).With("requirement.maintenanceFactor", 1m), pieces: 3);
        long before = desk.Report(1).Margin.Maintenance;
        Send(desk, parts[0], parts[1]);
        Assert.That((desk.Report(1).ModelVersion, desk.Report(1).Margin.Maintenance), Is.EqualTo((1u, before)));
        Send(desk, parts[2]);
        Assert.That(desk.HasRejected, Is.False);
        Assert.That(desk.Report(1).ModelVersion, Is.EqualTo(2));
        Assert.That(desk.Report(1).Margin.Maintenance, Is.GreaterThan(before));
    }

    [Test]
    public void A_version_in_pieces_is_the_version_in_one()
    {
        using Desk whole = Opened(), pieces = Opened();
        ModelDocument next = ModelDocument.Shipped("hvar").WithVersion(2);
        whole.Model(next);
        Send(pieces, PartsOf(next, pieces: 9));

        Assert.That(pieces.HasRejected || whole.HasRejected, Is.False);
        Assert.That(pieces.Report(1).Margin, Is.EqualTo(whole.Report(1).Margin));
    }

    // Number of the part, of all parts, version and id; the first one of two is taken before each.
    private static readonly (string Name, ushort Part, ushort Parts, uint Version, ushort Id, ushort Field)[] Wrong =
    [
        ("a missing part", 3, 3, 2, 1, Field.Part),
        ("another version", 2, 3, 3, 1, Field.Part),
        ("another model", 2, 3, 2, 2, Field.Part),
        ("another number of parts", 2, 2, 2, 1, Field.Part),
        ("a part beyond the last", 4, 3, 2, 1, Field.Part),
    ];

    private static IEnumerable<TestCaseData> WrongParts() => Wrong.Select((wrong, index) => new TestCaseData(index).SetName($"Out of order: {wrong.Name}"));

    [TestCaseSource(nameof(WrongParts))]
    public void A_part_that_is_not_the_next_is_refused_and_the_version_starts_again(int index)
    {
        (string name, ushort part, ushort parts, uint version, ushort id, ushort field) = Wrong[index];
        using Desk desk = Opened();
        desk.Part([(Factor, Fixed.One)], part: 1, parts: 3);
        desk.Clear();
        desk.Part(Nothing, part: part, parts: parts, version: version, id: id);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.OutOfOrder, field)), name);
        desk.Clear();
        desk.Part(Nothing, part: 2, parts: 3);
        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.OutOfOrder), "what was collected is gone");
        desk.Clear();
        desk.Model(TestModels.Matrix.WithVersion(2));
        Assert.That((desk.HasRejected, desk.Report(1).ModelVersion), Is.EqualTo((false, 2u)));
    }

    [Test]
    public void A_part_that_comes_twice_is_refused()
    {
        using Desk desk = Opened();
        byte[][] parts = PartsOf(TestModels.Matrix.WithVersion(2), pieces: 3);
        Send(desk, parts[0], parts[1]);
        desk.Clear();
        Send(desk, parts[1]);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.OutOfOrder, Field.Part)));
    }

    [Test]
    public void A_first_part_of_another_model_begins_that_one_and_ends_what_was_being_collected()
    {
        using Desk desk = Opened();
        desk.Part([(Factor, Fixed.One)], part: 1, parts: 2);
        Send(desk, PartsOf(TestModels.Matrix, pieces: 2, id: 2));
        Assert.That(desk.HasRejected, Is.False);
        desk.Configure(1, model: 2);
        Assert.That(desk.HasRejected, Is.False, "the other model is whole");
        desk.Part(Nothing, part: 2, parts: 2);
        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.OutOfOrder));
    }

    [TestCase(1u)]
    [TestCase(7u)]
    public void A_version_must_be_newer_than_the_one_in_force(uint version)
    {
        using Desk desk = Opened();
        desk.Model(TestModels.Matrix.WithVersion(7));
        desk.Clear();
        desk.Part(Nothing, version: version);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.Inconsistent, Field.ModelVersion)));
        Assert.That(desk.Report(1).ModelVersion, Is.EqualTo(7));
    }

    [Test]
    public void Model_slots_run_out_loudly_and_a_version_of_a_known_model_needs_none()
    {
        using Desk desk = Opened();
        for (ushort id = 2; id <= 4; id++)
        {
            desk.Model(TestModels.Matrix, id);
        }

        Assert.That(desk.HasRejected, Is.False);
        desk.Part(Nothing, id: 5, version: 1);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.Capacity, Field.ModelId)));
        desk.Clear();
        desk.Model(TestModels.Matrix.WithVersion(2), id: 4);
        Assert.That(desk.HasRejected, Is.False);
        desk.Part(Nothing, version: 2, activation: (ulong)desk.Machine.LastSequence + 100);
        Assert.That((desk.Rejected().Code, desk.Rejected().Field), Is.EqualTo((RejectCode.Capacity, Field.ModelId)), "one that waits needs a slot of its own");
        desk.Clear();
        desk.Model(TestModels.Matrix.WithVersion(3));
        Assert.That((desk.HasRejected, desk.Report(1).ModelVersion), Is.EqualTo((false, 3u)));
    }

    [Test]
    public void The_first_model_message_replaces_parts_and_parts_replace_it()
    {
        using Desk desk = Opened();
        desk.Part([(Factor, Fixed.One)], version: 3, part: 1, parts: 2);
        desk.Apply(FirstModel.Message(desk.NextOrigin(), (ulong)desk.Now, desk.Source, version: 2));
        Assert.That((desk.HasRejected, desk.Report(1).ModelVersion, desk.Report(1).Model), Is.EqualTo((false, 2u, "portfolio")));
        using (Desk first = Opened(firstModel: true))
        {
            Assert.That(desk.Report(1).Margin.Maintenance, Is.EqualTo(first.Report(1).Margin.Maintenance), "nothing of the unfinished version is in it");
        }

        desk.Part(Nothing, version: 3, part: 2, parts: 2);
        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.OutOfOrder));
        desk.Clear();
        desk.Model(TestModels.Matrix.WithVersion(3));
        Assert.That((desk.HasRejected, desk.Report(1).ModelVersion, desk.Report(1).Model), Is.EqualTo((false, 3u, "matrix")));
        desk.Apply(FirstModel.Message(desk.NextOrigin(), (ulong)desk.Now, desk.Source, version: 3));
        Assert.That(desk.Rejected().Code, Is.EqualTo(RejectCode.Inconsistent), "not newer");
    }

    private static readonly (string Path, JsonNode? Value, string Place)[] Contradictions =
    [
        ("states.warningRatio", 0.9m, "states.warningRatio"),
        ("states.marginCallRatio", 0.96m, "states.marginCallRatio"),
        ("states.reduceOnlyRatio", 1.01m, "states.reduceOnlyRatio"),
        ("states.hysteresis", 0.7m, "states.hysteresis"),
        ("states.targetRatio", 1m, "states.targetRatio"),
        ("requirement", JsonNode.Parse("""{"openOrders": "filled", "across": "rows"}"""), "requirement.openOrders"),
        ("currencies.BTC.rowsOf", "BTC", "currencies.2.rowsOf"),
        ("rows", JsonNode.Parse("""[{"spot": -1}]"""), "rows[27].spot"),
        ("rows", JsonNode.Parse("""[{"spot": 0}, {"spot": -0.5, "joint": {"ETH": {"spot": -0.5}}}]"""), "rows[28].spot"),
        ("underlyings.ETH", JsonNode.Parse("""{"volatilityUp": 0.1}"""), "underlyings.2.priceRange"),
        ("addOns", JsonNode.Parse("""[{"kind": "tieredRate", "tiers": [{"from": 5, "initial": 1, "maintenance": 1}]}]"""), "addOns[0].tiers[0].from"),
        ("addOns", JsonNode.Parse("""[{"kind": "tieredMultiple", "tiers": [{"from": 0}, {"from": 9}, {"from": 9}]}]"""), "addOns[0].tiers[2].from"),
        ("currencies.BTC.tiers", JsonNode.Parse("""[{"from": 1, "haircut": 0.1}]"""), "currencies.2.tiers[0].from"),
        ("currencies.ETH.tiers", JsonNode.Parse("""[{"from": 0}, {"from": 5}, {"from": 4}]"""), "currencies.3.tiers[2].from"),
    ];

    private static IEnumerable<TestCaseData> Contradicting() =>
        Contradictions.Select((fault, index) => new TestCaseData(index).SetName($"Contradiction {index}: {fault.Path} refused at {fault.Place}"));

    [TestCaseSource(nameof(Contradicting))]
    public void A_model_that_contradicts_itself_is_refused_with_the_place(int index)
    {
        (string path, JsonNode? value, string place) = Contradictions[index];
        using Desk desk = Opened();
        MarginReport before = desk.Report(1);
        desk.Model(TestModels.Matrix.WithVersion(2).With(path, value));
        (RejectCode code, ushort field, ulong expected) = desk.Rejected();
        Assert.That((code, field, ParameterPlace.Unpack(expected).ToString()), Is.EqualTo((RejectCode.Inconsistent, Field.Parameters, place)));
        Assert.That((desk.Report(1).Margin, desk.Report(1).ModelVersion), Is.EqualTo((before.Margin, 1u)));
        desk.Clear();
        desk.Model(TestModels.Matrix.WithVersion(2));
        Assert.That(desk.HasRejected, Is.False, "the version can come again");
    }

    private static Desk Opened(bool firstModel = false)
    {
        Desk desk = new(firstModel: firstModel);
        uint perpetual = desk.Perpetual();
        uint call = desk.Option(OptionRight.Call, 70_000m);
        desk.Mark(perpetual, 64_000m);
        desk.Forward(64_500m);
        desk.Volatility(call, 0.5m);
        for (ulong account = 1; account <= 3; account++)
        {
            desk.Open(account);
            desk.Transfer(account, Desk.Usd, 100_000);
            desk.Fill(account, perpetual, 1_000 * (long)account, 64_000m);
            desk.Fill(account, call, -5, 0.02m);
            desk.Order(account, perpetual, 500, 63_900m, order: account);
        }

        desk.Clear();
        return desk;
    }

    /// <summary>A version in more pieces than it needs; <see cref="Send"/> numbers them.</summary>
    private static byte[][] PartsOf(ModelDocument document, int pieces, ushort id = 1)
    {
        using Desk writer = new();
        List<(ParameterPlace Place, long Value)> all = ParametersOf(document);
        int size = (all.Count + pieces - 1) / pieces;
        for (int piece = 0; piece < pieces; piece++)
        {
            writer.Part([.. all.Skip(piece * size).Take(size)], id, document.Version, (ushort)(piece + 1), (ushort)pieces);
        }

        return [.. writer.Applied.TakeLast(pieces).Select(applied => applied.Message)];
    }

    private static void Send(Desk desk, params byte[][] messages)
    {
        foreach (byte[] message in messages)
        {
            BitConverter.TryWriteBytes(message.AsSpan(8), desk.NextOrigin());
            desk.Apply(message);
        }
    }

    private static List<(ParameterPlace Place, long Value)> ParametersOf(ModelDocument document)
    {
        List<(ParameterPlace, long)> all = [];
        foreach (byte[] message in document.ToMessages(1, 1, 0, 1, OriginFlags.None, Desk.UnderlyingCodes, Desk.CurrencyCodes))
        {
            MarginModelPartDecoder.TryWrap(message, out MarginModelPartDecoder part);
            foreach (MarginModelPartDecoder.ParametersDecoder.Entry entry in part.Parameters)
            {
                all.Add((new ParameterPlace(entry.Section, entry.Key, entry.First, entry.Second, entry.Third), entry.Value));
            }
        }

        return all;
    }
}
