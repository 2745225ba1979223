using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// The JSON schema of a margin model (draft 2020-12), made from the same tables that read it and check it at the door: what an editor marks
/// is what the engine refuses. Published as <c>margin-model.schema.json</c>. Cold code.
/// </summary>
public static class ModelSchema
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The schema, ending in a line feed.</summary>
    public static string Text() => Whole().ToJsonString(Indented).ReplaceLineEndings("\n") + "\n";

    private static JsonObject Whole()
    {
        JsonObject properties = new()
        {
            ["$schema"] = new JsonObject { ["type"] = "string" },
            ["name"] = new JsonObject { ["type"] = "string", ["pattern"] = "^[!-~]{1,16}$", ["description"] = "Part of every margin update's model." },
            ["version"] = new JsonObject { ["type"] = "integer", ["minimum"] = 1, ["maximum"] = uint.MaxValue, ["description"] = "Must rise from one activation to the next." },
            ["note"] = new JsonObject { ["type"] = "string", ["description"] = "What it is, and where its numbers are from." },
        };
        foreach (string group in ParameterTable.All.Where(rule => rule.Section == ModelSection.Model).Select(rule => rule.Path[..rule.Path.IndexOf('.')]).Distinct())
        {
            properties[group] = Closed(
                [.. ParameterTable.All.Where(rule => rule.Section == ModelSection.Model && rule.Path.StartsWith(group + ".", StringComparison.Ordinal))
                    .Select(rule => (rule.Path[(group.Length + 1)..], Value(rule)))]);
        }

        properties["grid"] = Grid();
        properties["rows"] = new JsonObject { ["type"] = "array", ["maxItems"] = Limits.NamedRows, ["items"] = Row() };
        properties["history"] = History();
        properties["addOns"] = AddOns();
        properties["underlyings"] = ByCode(Section(ModelSection.Underlying), "By code; \"*\" stands for every underlying not named.");
        properties["currencies"] = ByCode(CurrencySchema(), "By code; \"*\" stands for every currency not named; one that is not here counts nothing.");
        properties["spreads"] = Spreads();
        return new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Margin model",
            ["description"] = "requirement = factor * max(max(measure of the rows, alternatives) + before, floors) + after, for initial and for maintenance margin.",
            ["type"] = "object",
            ["required"] = new JsonArray("name", "version"),
            ["additionalProperties"] = false,
            ["properties"] = properties,
        };
    }

    private static JsonObject Row()
    {
        JsonObject row = Section(ModelSection.Row);
        row["properties"]!["joint"] = ByCode(Section(ModelSection.RowUnderlying), "Moves of single underlyings on top of the row's own.");
        return row;
    }

    private static JsonObject Grid() => Closed(
        ("spot", Array(Value(ParameterTable.Find(ModelSection.Row, (int)RowKey.SpotMove)!))),
        ("scale", Value(ParameterTable.Find(ModelSection.Row, (int)RowKey.SpotScale)!)),
        ("volatility", Array(Value(ParameterTable.Find(ModelSection.Row, (int)RowKey.Volatility)!))));

    private static JsonObject History()
    {
        JsonObject moves = ByCode(Array(new JsonObject { ["type"] = "number" }), "Daily moves, oldest first.");
        return Closed(
            ("decay", new JsonObject { ["type"] = "number", ["exclusiveMinimum"] = 0, ["maximum"] = 1, ["description"] = "Of the variance that scales past moves to now; 1: no scaling." }),
            ("spot", moves), ("volatility", (JsonObject)moves.DeepClone()));
    }

    private static JsonObject AddOns()
    {
        JsonArray kinds = [];
        for (int kind = 1; kind < AddOnTable.Kinds.Count; kind++)
        {
            List<(string, JsonObject)> properties =
            [
                ("kind", new JsonObject { ["const"] = AddOnTable.Kinds[kind] }),
                ("name", new JsonObject { ["type"] = "string" }),
                ("place", Words(AddOnTable.Places, "Where it enters the requirement.")),
            ];
            foreach (AddOnSlot slot in AddOnTable.SlotsOf((AddOnKind)kind))
            {
                properties.Add((slot.Name, slot.IsSet
                    ? Array(Words(slot.Words!, slot.Text))
                    : PerUnderlying(slot.Words is null ? Number(slot.Decimals, slot.Minimum, slot.Maximum, slot.Text) : Words(slot.Words, slot.Text))));
            }

            if (AddOnTable.HasTiers((AddOnKind)kind))
            {
                JsonObject tiers = Array(Section(ModelSection.AddOnTier));
                tiers["maxItems"] = Limits.Tiers;
                properties.Add(("tiers", PerUnderlying(tiers)));
            }

            JsonObject schema = Closed([.. properties]);
            schema["required"] = new JsonArray("kind");
            kinds.Add((JsonNode)schema);
        }

        return new JsonObject { ["type"] = "array", ["maxItems"] = Limits.AddOns, ["items"] = new JsonObject { ["oneOf"] = kinds } };
    }

    private static JsonObject CurrencySchema()
    {
        JsonObject currency = Section(ModelSection.Currency);
        JsonObject tiers = Array(Section(ModelSection.HaircutTier));
        tiers["maxItems"] = Limits.HaircutTiers;
        currency["properties"]!["tiers"] = tiers;
        return currency;
    }

    private static JsonObject Spreads()
    {
        JsonObject spread = Closed(
            ("rate", Value(ParameterTable.Find(ModelSection.SpreadLeg, (int)SpreadKey.Rate)!)),
            ("legs", ByCode(Value(ParameterTable.Find(ModelSection.SpreadLeg, (int)SpreadKey.DeltaPerSpread)!), "By code of the underlying.")));
        spread["required"] = new JsonArray("rate", "legs");
        return new JsonObject { ["type"] = "array", ["maxItems"] = Limits.Spreads, ["items"] = spread };
    }

    private static JsonObject Section(ModelSection section) =>
        Closed([.. ParameterTable.Named(section).Select(rule => (rule.Path, Value(rule)))]);

    private static JsonObject Value(ParameterRule rule) =>
        rule.IsUnderlying ? new JsonObject { ["type"] = "string", ["description"] = rule.Text }
        : rule.Words is ["false", "true"] ? new JsonObject { ["type"] = "boolean", ["default"] = rule.Default == 1, ["description"] = rule.Text }
        : rule.Words is null ? WithDefault(rule)
        : Words(rule.Words, rule.Text);

    private static JsonObject WithDefault(ParameterRule rule)
    {
        JsonObject number = Number(rule.Decimals, rule.Minimum, rule.Maximum, rule.Text);
        number["default"] = rule.Default / (decimal)Fixed.LongPower10(rule.Decimals);
        return number;
    }

    private static JsonObject Number(int decimals, long minimum, long maximum, string text)
    {
        decimal scale = Fixed.LongPower10(decimals);
        return new JsonObject { ["type"] = "number", ["minimum"] = minimum / scale, ["maximum"] = maximum / scale, ["description"] = text };
    }

    private static JsonObject Words(IReadOnlyList<string> words, string text) =>
        new() { ["enum"] = new JsonArray([.. words.Select(word => JsonValue.Create(word))]), ["description"] = text };

    private static JsonObject PerUnderlying(JsonObject value) => new()
    {
        ["oneOf"] = new JsonArray(value, new JsonObject { ["type"] = "object", ["additionalProperties"] = value.DeepClone() }),
    };

    private static JsonObject ByCode(JsonObject value, string text) =>
        new() { ["type"] = "object", ["description"] = text, ["additionalProperties"] = value };

    private static JsonObject Array(JsonObject items) => new() { ["type"] = "array", ["items"] = items };

    private static JsonObject Closed(params (string Name, JsonObject Schema)[] properties)
    {
        JsonObject all = [];
        foreach ((string name, JsonObject schema) in properties)
        {
            all[name] = schema;
        }

        return new JsonObject { ["type"] = "object", ["additionalProperties"] = false, ["properties"] = all };
    }
}
