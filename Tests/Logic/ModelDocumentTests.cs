using System.Globalization;
using System.Text.Json.Nodes;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Reference;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>A margin model as people write it: every error names the path and what was wanted.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class ModelDocumentTests
{
    private static readonly (string Json, string Path, string Wanted)[] Errors =
    [
        ("[]", "", "the document is no object"),
        ("{", "", "LineNumber"),
        ("""{"version": 1}""", "name", "is missing"),
        ("""{"name": 5, "version": 1}""", "name", "is no text"),
        ("""{"name": "", "version": 1}""", "name", "1 to 16 printable ASCII characters"),
        ("""{"name": "seventeen-letters", "version": 1}""", "name", "1 to 16"),
        ("""{"name": "two words", "version": 1}""", "name", "without spaces"),
        ("""{"name": "x"}""", "version", "is missing"),
        ("""{"name": "x", "version": 0}""", "version", "0 is not between 1 and 4294967295"),
        ("""{"name": "x", "version": 1.5}""", "version", "1.5 has more than 0 decimals"),
        ("""{"name": "x", "version": 1, "note": 5}""", "note", "is no text"),
        (Model(""" "surprise": {} """), "surprise", "is not known"),
        (Model(""" "requirement": 5 """), "requirement", "is not known"),
        (Model(""" "requirement": {"initialfactor": 1} """), "requirement.initialfactor", "is not known"),
        (Model(""" "requirement": {"initialFactor": "much"} """), "requirement.initialFactor", "is no number"),
        (Model(""" "requirement": {"initialFactor": null} """), "requirement.initialFactor", "is missing"),
        (Model(""" "requirement": {"initialFactor": true} """), "requirement.initialFactor", "is no number"),
        (Model(""" "requirement": {"initialFactor": 0} """), "requirement.initialFactor", "0 is not between 0.00000001 and 100"),
        (Model(""" "requirement": {"initialFactor": 100.1} """), "requirement.initialFactor", "100.1 is not between 0.00000001 and 100"),
        (Model(""" "requirement": {"initialFactor": 1.000000001} """), "requirement.initialFactor", "1.000000001 has more than 8 decimals"),
        (Model(""" "requirement": {"measure": "median"} """), "requirement.measure", "'median' is not one of worst, valueAtRisk, expectedShortfall"),
        (Model(""" "requirement": {"measure": []} """), "requirement.measure", "one of worst, valueAtRisk, expectedShortfall"),
        (Model(""" "timing": {"refreshMilliseconds": -1} """), "timing.refreshMilliseconds", "-1 is not between 0 and 604800000"),
        (Model(""" "peg": {"underlying": 5} """), "peg.underlying", "is no text"),
        (Model(""" "grid": {"spot": [0]} """), "grid.volatility", "is no list"),
        (Model(""" "grid": {"spot": [0], "volatility": ["none"], "weight": 1} """), "grid.weight", "is not known"),
        (Model(""" "grid": {"spot": [-9], "volatility": ["none"]} """), "grid (spot 0, volatility 0).spot", "-9 is not between -4 and 100"),
        (Model(""" "rows": {} """), "rows", "is no list"),
        (Model(""" "rows": [5] """), "rows[0]", "is no object"),
        (Model(""" "rows": [{"spot": 1}, {"spots": 1}] """), "rows[1].spots", "is not known"),
        (Model(""" "rows": [{"volatility": "sideways"}] """), "rows[0].volatility", "'sideways' is not one of none, up, down"),
        (Model(""" "rows": [{"joint": {"BTC": {"spot": -1}}}] """), "rows[0].joint.BTC.spot", "-1 is not between -0.99999999 and 100"),
        (Model(""" "rows": [{"joint": {"BTC": {"vol": 0}}}] """), "rows[0].joint.BTC.vol", "is not known"),
        (Model(Many("rows", "{}", 257)), "rows[256]", "a model has at most 256 rows"),
        (Model(""" "history": {"days": 5} """), "history.days", "is not known"),
        (Model(""" "history": {"decay": 0} """), "history.decay", "0 is not between 0.00000001 and 1"),
        (Model(""" "history": {"spot": {"BTC": [0.1, 0.2], "ETH": [0.1]}} """), "history.spot.ETH", "has 1 days where others have 2"),
        (Model(""" "history": {"spot": {"BTC": [0.1, "up"]}} """), "history.spot.BTC[1]", "is no number"),
        (Model(""" "history": {"spot": {"BTC": [-1]}} """), "history.spot.BTC[0]", "a move of -1 is out of range"),
        (Model(""" "addOns": [{}] """), "addOns[0].kind", "is missing"),
        (Model(""" "addOns": [{"kind": "tax"}] """), "addOns[0].kind", "'tax' is not one of none, percentOf"),
        (Model(""" "addOns": [{"kind": "fees", "place": "under"}] """), "addOns[0].place", "'under' is not one of alternative, before, floor, after"),
        (Model(""" "addOns": [{"kind": "fees", "rate": 1}] """), "addOns[0].rate", "is no number of fees: linearRate, optionRate, optionCap"),
        (Model(""" "addOns": [{"kind": "fees", "linearRate": {"BTC": 2}}] """), "addOns[0].linearRate.BTC", "2 is not between 0 and 1"),
        (Model(""" "addOns": [{"kind": "fees", "tiers": []}] """), "addOns[0].tiers", "is no number of fees"),
        (Model(""" "addOns": [{"kind": "percentOf", "of": ["house"]}] """), "addOns[0].of", "'house' is not one of perpetual, future"),
        (Model(""" "addOns": [{"kind": "tieredRate", "tiers": {"ETH": [{"from": 0}, {"upTo": 5}]}}] """), "addOns[0].tiers.ETH[1].upTo", "is not known"),
        (Model(""" "addOns": [{"kind": "tieredRate", """ + Many("tiers", "{}", 17) + "}]"), "addOns[0].tiers", "at most 16 tiers"),
        (Model(Many("addOns", """{"kind": "fees"}""", 25)), "addOns[24]", "a model has at most 24 add-ons"),
        (Model(""" "underlyings": {"BTC": {"priceRange": 1}} """), "underlyings.BTC.priceRange", "1 is not between 0 and 0.99999999"),
        (Model(""" "underlyings": {"BTC": {"range": 1}} """), "underlyings.BTC.range", "is not known"),
        (Model(""" "currencies": {"BTC": {"haircut": 1.5}} """), "currencies.BTC.haircut", "1.5 is not between 0 and 1"),
        (Model(""" "currencies": {"BTC": {"tiers": [{"from": -1}]}} """), "currencies.BTC.tiers[0].from", "-1 is not between 0 and 10000000000"),
        (Model(""" "currencies": {"BTC": { """ + Many("tiers", "{}", 9) + "}}"), "currencies.BTC.tiers", "at most 8 tiers"),
        (Model(""" "spreads": [{"rate": 0.5, "legs": {"BTC": 1}, "name": "x"}] """), "spreads[0].name", "is not known"),
        (Model(""" "spreads": [{"legs": {"BTC": 1}}] """), "spreads[0].rate", "is missing"),
        (Model(""" "spreads": [{"rate": 0.5}] """), "spreads[0].legs", "is no object"),
        (Model(Many("spreads", """{"rate": 0.5, "legs": {}}""", 65)), "spreads[64]", "a model has at most 64 spreads"),
        (Model(""" "states": {"warningRatio": 0.5, "warningRatio": 0.6} """), "", "warningRatio"),
    ];

    private static IEnumerable<TestCaseData> Faulty() => Errors.Select((error, index) => new TestCaseData(index).SetName($"Document {index}: {error.Path} {error.Wanted}"));

    [TestCaseSource(nameof(Faulty))]
    public void An_error_names_the_path_and_what_was_wanted(int index)
    {
        (string json, string path, string wanted) = Errors[index];
        FormatException error = Assert.Throws<FormatException>(() => ModelDocument.Parse(json))!;
        Assert.That(error.Message, Does.StartWith(path.Length == 0 ? "margin model: " : $"margin model: {path}: ").And.Contain(wanted), json);
    }

    [Test]
    public void Every_parameter_of_the_model_beyond_its_bounds_is_named()
    {
        int checkedRules = 0;
        foreach (ParameterRule rule in ParameterTable.All.Where(rule => rule.Section == ModelSection.Model && rule.Words is null && !rule.IsUnderlying))
        {
            decimal scale = Fixed.LongPower10(rule.Decimals);
            foreach (long value in new[] { rule.Minimum - 1, rule.Maximum + 1 })
            {
                FormatException error = Assert.Throws<FormatException>(() => ModelDocument.Portfolio.With(rule.Path, value / scale), $"{rule.Path} {value}")!;
                Assert.That(error.Message, Is.EqualTo(string.Create(
                    CultureInfo.InvariantCulture, $"margin model: {rule.Path}: {value / scale} is not between {rule.Minimum / scale} and {rule.Maximum / scale}")));
            }

            foreach (long value in new[] { rule.Minimum, rule.Maximum })
            {
                Assert.That(ModelDocument.Portfolio.With(rule.Path, value / scale).Number(rule.Path), Is.EqualTo(value / scale), rule.Path);
            }

            checkedRules++;
        }

        Assert.That(checkedRules, Is.GreaterThan(35));
    }

    [Test]
    public void With_changes_one_value_of_a_copy_and_makes_the_sections_it_needs()
    {
        ModelDocument document = ModelDocument.Parse(Model(""" "note": "n" """));
        ModelDocument changed = document.With("requirement.maintenanceFactor", 0.5m).With("currencies.XYZ.haircut", 0.25m);
        Assert.Multiple(() =>
        {
            Assert.That(changed.Number("requirement.maintenanceFactor"), Is.EqualTo(0.5m));
            Assert.That(document.Number("requirement.maintenanceFactor"), Is.EqualTo(1m), "the first one is as it was");
            Assert.That(changed.Haircuts(), Is.EqualTo(new Dictionary<string, decimal> { ["XYZ"] = 0.25m }));
            Assert.That(document.Haircuts(), Is.Empty);
            Assert.That(changed.WithVersion(9).ToString(), Is.EqualTo("tested 9"));
            Assert.That(changed.Note, Is.EqualTo("n"));
            Assert.That(changed["requirement"]!.ToJsonString(), Is.EqualTo("""{"maintenanceFactor":0.5}"""));
            Assert.That(changed["grid"], Is.Null);
        });
        Assert.That(Assert.Throws<FormatException>(() => document.With("requirement.factor", 1))!.Message, Does.Contain("requirement.factor: is not known"));
        Assert.That(Assert.Throws<ArgumentException>(() => document.Number("requirement.factor"))!.Message, Does.Contain("requirement.factor"));
    }

    [Test]
    public void A_star_stands_for_every_code_that_is_not_named_in_its_place()
    {
        ModelDocument document = ModelDocument.Parse(Model("""
            "rows": [{"spot": 0, "joint": {"ETH": {"spot": 0.1}, "*": {"spot": 0.2}}}, {"joint": {"*": {"spot": 0.3}}}],
            "addOns": [{"kind": "fees", "linearRate": {"BTC": 0.1, "*": 0.2}, "optionRate": 0.3}],
            "underlyings": {"*": {"priceRange": 0.4}, "BTC": {"priceRange": 0.5}, "DOGE": {"priceRange": 0.6}},
            "currencies": {"USD": {"haircut": 0}, "*": {"haircut": 0.7}}
            """));
        (ushort, string)[] underlyings = [(1, "BTC"), (2, "ETH"), (3, "XYZ")], currencies = [(1, "USD"), (2, "BTC"), (9, "XYZ")];
        Dictionary<string, decimal> values = Values(document, underlyings, currencies);
        Assert.Multiple(() =>
        {
            Assert.That(Under(values, "rows[0].joint"), Is.EqualTo(new Dictionary<string, decimal> { ["1.spot"] = 0.2m, ["2.spot"] = 0.1m, ["3.spot"] = 0.2m }));
            Assert.That(Under(values, "rows[1].joint"), Is.EqualTo(new Dictionary<string, decimal> { ["1.spot"] = 0.3m, ["2.spot"] = 0.3m, ["3.spot"] = 0.3m }));
            Assert.That(Under(values, "underlyings"), Is.EqualTo(
                new Dictionary<string, decimal> { ["1.priceRange"] = 0.5m, ["2.priceRange"] = 0.4m, ["3.priceRange"] = 0.4m }), "a code the market does not have is left out");
            Assert.That(Under(values, "currencies"), Is.EqualTo(new Dictionary<string, decimal> { ["1.haircut"] = 0, ["2.haircut"] = 0.7m, ["9.haircut"] = 0.7m }));
            Assert.That(Slots(document, underlyings, currencies), Is.EquivalentTo(new[] { ((ushort)0, 0, 0.2m), ((ushort)1, 0, 0.1m), ((ushort)0, 1, 0.3m) }), "of an add-on first for all, then for those named");
        });
    }

    [Test]
    public void A_history_is_scaled_to_the_volatility_of_now_as_the_reference_has_it()
    {
        Random random = new(5);
        const decimal Decay = 0.97m;
        decimal[] returns = [.. Enumerable.Range(0, 250).Select(_ => Math.Round(((decimal)random.NextDouble() - 0.5m) * 0.2m, 5))];
        JsonArray moves = new([.. returns.Select(move => (JsonNode)JsonValue.Create(move))]);
        JsonObject history = new() { ["decay"] = 0.97m, ["spot"] = new JsonObject { ["BTC"] = moves } };
        Dictionary<string, decimal> values = Values(ModelDocument.Parse(Model("")).With("history", history), [(1, "BTC")], []);
        decimal[] expected = HistoricalMargin.Filtered(returns, Decay);
        decimal largest = 0m;
        for (int day = 0; day < returns.Length; day++)
        {
            largest = Math.Max(largest, Math.Abs(values[$"rows[{day}].joint.1.spot"] - expected[day]));
        }

        Assert.That(largest, Is.LessThanOrEqualTo(0.5001e-8m), "half of the last decimal that is stored");
        double[] plain = [.. Enumerable.Range(0, returns.Length).Select(day =>
            (double)Values(ModelDocument.Parse(Model("")).With("history", new JsonObject { ["spot"] = new JsonObject { ["BTC"] = moves.DeepClone() } }), [(1, "BTC")], [])
                [$"rows[{day}].joint.1.spot"]).Take(3)];
        Assert.That(plain, Is.EqualTo(returns.Take(3)).Within(1e-12), "without a decay the moves are as they were");
    }

    private static IReadOnlyList<string> Shipped => ModelDocument.ShippedNames;

    [Test]
    public void Fourteen_models_are_shipped_ours_first() =>
        Assert.That(Shipped, Is.EqualTo(new[]
        {
            "portfolio", "brackets", "cross", "deribit-pm", "deribit-standard", "derive-pmrm1", "derive-pmrm2", "derive-standard", "hvar", "isolated", "okx-pm", "paradex-pm",
            "span", "tims",
        }));

    [TestCaseSource(nameof(Shipped))]
    public void A_shipped_model_fits_its_messages_and_holds_together_in_a_market_it_does_not_know(string name)
    {
        ModelDocument document = ModelDocument.Shipped(name);
        Assert.That((document.Name, document.Note.Length > 40), Is.EqualTo((name, true)));
        using Desk desk = new(withMarket: false);
        desk.Currency(Desk.Usd, 6, "USD");
        desk.Currency(Desk.Btc, 10, "BTC");
        desk.Currency(Desk.Eth, 9, "ETH");
        desk.Currency(4, 8, "XYZ");
        desk.Underlying(1, Desk.Btc, "BTC");
        desk.Underlying(2, Desk.Eth, "ETH");
        desk.Underlying(3, 4, "XYZ");
        IReadOnlyList<byte[]> parts = document.ToMessages(
            1, desk.Machine.LastSourceSequence(desk.Source) + 1, 0, desk.Source, OriginFlags.EndOfEvent, [(1, "BTC"), (2, "ETH"), (3, "XYZ")],
            [(Desk.Usd, "USD"), (Desk.Btc, "BTC"), (Desk.Eth, "ETH"), (4, "XYZ")]);
        foreach (byte[] part in parts)
        {
            Assert.That(part, Has.Length.LessThanOrEqualTo(Limits.MessageBytes));
            Assert.That(Schema.Validate(part, out _), Is.EqualTo(SbeError.None));
            desk.NextOrigin();
            desk.Apply(part);
        }

        Assert.That(desk.HasRejected, Is.False, desk.HasRejected ? ParameterPlace.Unpack(desk.Rejected().Expected).ToString() : "");
        desk.Open(1);
        Assert.That((desk.Report(1).Model, desk.Report(1).ModelVersion), Is.EqualTo((name, document.Version)));
    }

    [TestCaseSource(nameof(Shipped))]
    public void A_shipped_model_reads_back_as_it_was_written(string name)
    {
        ModelDocument document = ModelDocument.Shipped(name), again = document.WithVersion(document.Version);
        (ushort, string)[] underlyings = [(1, "BTC"), (2, "ETH")], currencies = [(1, "USD"), (2, "BTC")];
        Assert.That(again.ToMessages(1, 1, 0, 1, OriginFlags.None, underlyings, currencies), Is.EqualTo(document.ToMessages(1, 1, 0, 1, OriginFlags.None, underlyings, currencies)));
    }

    private static string Model(string rest) => """{"name": "tested", "version": 1""" + (rest.Trim().Length == 0 ? "" : ", ") + rest + "}";

    private static string Many(string name, string one, int count) => $"\"{name}\": [{string.Join(", ", Enumerable.Repeat(one, count))}]";

    private static Dictionary<string, decimal> Values(ModelDocument document, (ushort, string)[] underlyings, (ushort, string)[] currencies) =>
        Entries(document, underlyings, currencies).Where(entry => ParameterTable.Find(entry.Place.Section, entry.Place.Key) is not null)
            .ToDictionary(entry => entry.Place.ToString(), entry => entry.Value / (decimal)Fixed.LongPower10(ParameterTable.Find(entry.Place.Section, entry.Place.Key)!.Decimals));

    private static IEnumerable<(ushort, int, decimal)> Slots(ModelDocument document, (ushort, string)[] underlyings, (ushort, string)[] currencies) =>
        Entries(document, underlyings, currencies).Where(entry => entry.Place.Section == ModelSection.AddOn && entry.Place.Key >= (byte)AddOnKey.FirstSlot)
            .Select(entry => (entry.Place.Second, entry.Place.Key - (int)AddOnKey.FirstSlot, entry.Value / 100_000_000m));

    private static IEnumerable<(ParameterPlace Place, long Value)> Entries(ModelDocument document, (ushort, string)[] underlyings, (ushort, string)[] currencies)
    {
        List<(ParameterPlace, long)> all = [];
        foreach (byte[] message in document.ToMessages(1, 1, 0, 1, OriginFlags.None, underlyings, currencies))
        {
            MarginModelPartDecoder.TryWrap(message, out MarginModelPartDecoder part);
            foreach (MarginModelPartDecoder.ParametersDecoder.Entry entry in part.Parameters)
            {
                all.Add((new ParameterPlace(entry.Section, entry.Key, entry.First, entry.Second, entry.Third), entry.Value));
            }
        }

        return all;
    }

    private static Dictionary<string, decimal> Under(Dictionary<string, decimal> values, string path) =>
        values.Where(value => value.Key.StartsWith(path + ".", StringComparison.Ordinal)).ToDictionary(value => value.Key[(path.Length + 1)..], value => value.Value);
}
