using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// Reads the tree of a margin model against <see cref="ParameterTable"/> and <see cref="AddOnTable"/>. Sections of the document: name, version, note;
/// the objects of the model's own parameters; grid, rows, history; addOns; underlyings; currencies; spreads.
/// </summary>
internal sealed class ModelReader
{
    private static readonly string[] Plain = ["name", "version", "note", "$schema", "grid", "rows", "history", "addOns", "underlyings", "currencies", "spreads"];

    private readonly List<DocumentParameter> _parameters = [];
    private readonly List<string> _addOnNames = [];
    private ushort _row;

    public string Name { get; private set; } = "";

    public uint Version { get; private set; }

    public string Note { get; private set; } = "";

    public IReadOnlyList<DocumentParameter> Parameters => _parameters;

    public IReadOnlyList<string> AddOnNames => _addOnNames;

    public int RowCount => _row;

    public void Read(JsonObject tree)
    {
        ReadModel(tree);
        Name = Text(tree["name"], "name");
        if (Name.Length is 0 or > 16 || Name.Any(letter => letter is <= ' ' or > '~'))
        {
            throw Wrong("name", "1 to 16 printable ASCII characters without spaces");
        }

        Version = (uint)Stored(tree["version"], "version", 0, 1, uint.MaxValue);
        Note = tree["note"] is null ? "" : Text(tree["note"], "note");
        ReadGrid(tree["grid"]);
        ReadRows(tree["rows"]);
        ModelHistory.Read(this, tree["history"]);
        ReadAddOns(tree["addOns"]);
        ReadNamed(tree["underlyings"], "underlyings", ModelSection.Underlying);
        ReadNamed(tree["currencies"], "currencies", ModelSection.Currency);
        ReadSpreads(tree["spreads"]);
    }

    public static FormatException Wrong(string path, string wanted) => new($"margin model: {path}: {wanted}");

    /// <summary>Begins a row; its index.</summary>
    public ushort BeginRow(string path)
    {
        if (_row == Limits.NamedRows)
        {
            throw Wrong(path, $"a model has at most {Limits.NamedRows} rows");
        }

        return _row++;
    }

    public void Add(DocumentParameter parameter) => _parameters.Add(parameter);

    /// <summary>A decimal as the integer it is stored as.</summary>
    public static long Stored(JsonNode? node, string path, int decimals, long minimum, long maximum)
    {
        decimal value = Decimal(node, path);
        decimal scale = Fixed.LongPower10(decimals);
        decimal low = minimum / scale;
        decimal high = maximum / scale;
        if (value < low || value > high)
        {
            throw Wrong(path, string.Create(CultureInfo.InvariantCulture, $"{value} is not between {low} and {high}"));
        }

        decimal scaled = value * scale;
        return scaled == decimal.Truncate(scaled)
            ? (long)scaled
            : throw Wrong(path, string.Create(CultureInfo.InvariantCulture, $"{value} has more than {decimals} decimals"));
    }

    public static decimal Decimal(JsonNode? node, string path)
    {
        if (node is JsonValue value && value.GetValueKind() is JsonValueKind.Number or JsonValueKind.String
            && decimal.TryParse(node.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out decimal number))
        {
            return number;
        }

        throw Wrong(path, node is null ? "is missing" : "is no number");
    }

    private void ReadModel(JsonObject tree)
    {
        foreach ((string key, JsonNode? node) in tree)
        {
            if (Plain.Contains(key))
            {
                continue;
            }

            if (node is not JsonObject group || !ParameterTable.All.Any(rule => rule.Section == ModelSection.Model && rule.Path.StartsWith(key + ".", StringComparison.Ordinal)))
            {
                throw Wrong(key, "is not known");
            }

            foreach ((string name, JsonNode? value) in group)
            {
                string path = $"{key}.{name}";
                ParameterRule rule = ParameterTable.All.FirstOrDefault(rule => rule.Section == ModelSection.Model && rule.Path == path) ?? throw Wrong(path, "is not known");
                _parameters.Add(Value(rule, 0, "", 0, value, path));
            }
        }
    }

    private void ReadGrid(JsonNode? node)
    {
        if (node is null)
        {
            return;
        }

        JsonObject grid = Object(node, "grid");
        RefuseOthers(grid, "grid", "spot", "scale", "volatility");
        JsonArray spots = Array(grid["spot"], "grid.spot");
        JsonArray shocks = Array(grid["volatility"], "grid.volatility");
        for (int spot = 0; spot < spots.Count; spot++)
        {
            for (int shock = 0; shock < shocks.Count; shock++)
            {
                JsonObject row = new() { ["spot"] = spots[spot]?.DeepClone(), ["volatility"] = shocks[shock]?.DeepClone() };
                if (grid["scale"] is JsonNode scale)
                {
                    row["scale"] = scale.DeepClone();
                }

                ReadRow(row, $"grid (spot {spot}, volatility {shock})");
            }
        }
    }

    private void ReadRows(JsonNode? node)
    {
        JsonArray rows = node is null ? [] : Array(node, "rows");
        for (int index = 0; index < rows.Count; index++)
        {
            ReadRow(Object(rows[index], $"rows[{index}]"), $"rows[{index}]");
        }
    }

    private void ReadRow(JsonObject row, string path)
    {
        ushort index = BeginRow(path);

        // Every row says where it moves, if only nowhere: a row of nothing but defaults would not exist for the engine.
        if (row["spot"] is null)
        {
            _parameters.Add(new DocumentParameter(ModelSection.Row, (byte)RowKey.SpotMove, index, "", 0, 0));
        }

        foreach ((string name, JsonNode? value) in row)
        {
            if (name == "joint")
            {
                ReadJoint(Object(value, $"{path}.joint"), index, $"{path}.joint");
                continue;
            }

            ParameterRule rule = ParameterTable.Named(ModelSection.Row).FirstOrDefault(rule => rule.Path == name) ?? throw Wrong($"{path}.{name}", "is not known");
            _parameters.Add(Value(rule, index, "", 0, Coarse(rule, index, value, $"{path}.{name}"), $"{path}.{name}"));
        }
    }

    // Takes the decimals that stand behind a parameter's own where it has a key for them; what is left is read as any number is.
    private JsonNode? Coarse(ParameterRule rule, ushort row, JsonNode? node, string path)
    {
        if (rule.Further == 0)
        {
            return node;
        }

        decimal value = Decimal(node, path);
        decimal scale = Fixed.LongPower10(rule.Decimals);
        decimal coarse = decimal.Floor(value * scale) / scale;
        ParameterRule finer = ParameterTable.Find(rule.Section, rule.Further)!;
        if (value > rule.Maximum / scale || value == coarse)
        {
            return node;
        }

        long further = Stored(JsonValue.Create(value - coarse), path, finer.Decimals, finer.Minimum, finer.Maximum);
        _parameters.Add(new DocumentParameter(rule.Section, rule.Further, row, "", 0, further));
        return JsonValue.Create(coarse);
    }

    // Moves of single underlyings on top of the row's own, "*" for those not named.
    private void ReadJoint(JsonObject joint, ushort row, string path)
    {
        foreach ((string code, JsonNode? moves) in joint)
        {
            foreach ((string name, JsonNode? value) in Object(moves, $"{path}.{code}"))
            {
                string at = $"{path}.{code}.{name}";
                ParameterRule rule = ParameterTable.All.FirstOrDefault(rule => rule.Section == ModelSection.RowUnderlying && rule.Path == name) ?? throw Wrong(at, "is not known");
                _parameters.Add(Value(rule, row, code, 0, value, at));
            }
        }
    }

    private void ReadAddOns(JsonNode? node)
    {
        JsonArray addOns = node is null ? [] : Array(node, "addOns");
        for (int index = 0; index < addOns.Count; index++)
        {
            ReadAddOn(Object(addOns[index], $"addOns[{index}]"), (ushort)index);
        }
    }

    private void ReadAddOn(JsonObject addOn, ushort index)
    {
        string path = $"addOns[{index}]";
        if (index >= Limits.AddOns)
        {
            throw Wrong(path, $"a model has at most {Limits.AddOns} add-ons");
        }

        string word = Text(addOn["kind"], $"{path}.kind");
        int kind = Word(word, AddOnTable.Kinds, $"{path}.kind");
        _addOnNames.Add(addOn["name"] is null ? word : Text(addOn["name"], $"{path}.name"));
        _parameters.Add(new DocumentParameter(ModelSection.AddOn, (byte)AddOnKey.Kind, index, "", 0, kind));
        AddOnSlot[] slots = AddOnTable.SlotsOf((AddOnKind)kind).ToArray();
        foreach ((string name, JsonNode? value) in addOn)
        {
            string at = $"{path}.{name}";
            switch (name)
            {
                case "kind" or "name":
                    break;
                case "place":
                    _parameters.Add(new DocumentParameter(ModelSection.AddOn, (byte)AddOnKey.Place, index, "", 0, Word(Text(value, at), AddOnTable.Places, at)));
                    break;
                case "tiers" when AddOnTable.HasTiers((AddOnKind)kind):
                    ByCode(value, at, (code, tiers, where) => ReadTiers(tiers, index, code, where));
                    break;
                default:
                    int slot = System.Array.FindIndex(slots, slot => slot.Name == name);
                    if (slot < 0)
                    {
                        throw Wrong(at, $"is no number of {word}: {string.Join(", ", slots.Select(known => known.Name))}");
                    }

                    ByCode(value, at, (code, number, where) => _parameters.Add(
                        new DocumentParameter(ModelSection.AddOn, (byte)((int)AddOnKey.FirstSlot + slot), index, code, 0, SlotValue(slots[slot], number, where))));
                    break;
            }
        }
    }

    private void ReadTiers(JsonNode? node, ushort addOn, string code, string path)
    {
        JsonArray tiers = Array(node, path);
        if (tiers.Count > Limits.Tiers)
        {
            throw Wrong(path, $"at most {Limits.Tiers} tiers");
        }

        for (int index = 0; index < tiers.Count; index++)
        {
            foreach ((string name, JsonNode? value) in Object(tiers[index], $"{path}[{index}]"))
            {
                ParameterRule rule = ParameterTable.All.FirstOrDefault(rule => rule.Section == ModelSection.AddOnTier && rule.Path == name)
                    ?? throw Wrong($"{path}[{index}].{name}", "is not known");
                _parameters.Add(Value(rule, addOn, code, (ushort)index, value, $"{path}[{index}].{name}"));
            }
        }
    }

    private void ReadNamed(JsonNode? node, string section, ModelSection kind)
    {
        JsonObject named = node is null ? [] : Object(node, section);
        foreach ((string code, JsonNode? value) in named)
        {
            foreach ((string name, JsonNode? number) in Object(value, $"{section}.{code}"))
            {
                string path = $"{section}.{code}.{name}";
                if (kind == ModelSection.Currency && name == "tiers")
                {
                    ReadHaircutTiers(number, code, path);
                    continue;
                }

                ParameterRule rule = ParameterTable.All.FirstOrDefault(rule => rule.Section == kind && rule.Path == name) ?? throw Wrong(path, "is not known");
                _parameters.Add(Value(rule, 0, code, 0, number, path));
            }
        }
    }

    private void ReadHaircutTiers(JsonNode? node, string code, string path)
    {
        JsonArray tiers = Array(node, path);
        if (tiers.Count > Limits.HaircutTiers)
        {
            throw Wrong(path, $"at most {Limits.HaircutTiers} tiers");
        }

        for (int index = 0; index < tiers.Count; index++)
        {
            foreach ((string name, JsonNode? value) in Object(tiers[index], $"{path}[{index}]"))
            {
                ParameterRule rule = ParameterTable.All.FirstOrDefault(rule => rule.Section == ModelSection.HaircutTier && rule.Path == name)
                    ?? throw Wrong($"{path}[{index}].{name}", "is not known");
                _parameters.Add(Value(rule, 0, code, (ushort)index, value, $"{path}[{index}].{name}"));
            }
        }
    }

    private void ReadSpreads(JsonNode? node)
    {
        JsonArray spreads = node is null ? [] : Array(node, "spreads");
        for (int index = 0; index < spreads.Count; index++)
        {
            string path = $"spreads[{index}]";
            JsonObject spread = Object(spreads[index], path);
            RefuseOthers(spread, path, "rate", "legs");
            ParameterRule rate = ParameterTable.Find(ModelSection.SpreadLeg, (int)SpreadKey.Rate)!;
            ParameterRule leg = ParameterTable.Find(ModelSection.SpreadLeg, (int)SpreadKey.DeltaPerSpread)!;
            if (index >= Limits.Spreads)
            {
                throw Wrong(path, $"a model has at most {Limits.Spreads} spreads");
            }

            _parameters.Add(Value(rate, (ushort)index, "", 0, spread["rate"], $"{path}.rate"));
            foreach ((string code, JsonNode? value) in Object(spread["legs"], $"{path}.legs"))
            {
                _parameters.Add(Value(leg, (ushort)index, code, 0, value, $"{path}.legs.{code}"));
            }
        }
    }

    private static DocumentParameter Value(ParameterRule rule, ushort first, string code, ushort third, JsonNode? node, string path)
    {
        if (rule.IsUnderlying)
        {
            return new DocumentParameter(rule.Section, rule.Key, first, code, third, 0, Text(node, path));
        }

        long value = rule.Words is null
            ? Stored(node, path, rule.Decimals, rule.Minimum, rule.Maximum)
            : Word(node is JsonValue ? node.ToString() : throw Wrong(path, $"one of {string.Join(", ", rule.Words)}"), rule.Words, path);
        return new DocumentParameter(rule.Section, rule.Key, first, code, third, value);
    }

    private static long SlotValue(AddOnSlot slot, JsonNode? node, string path)
    {
        if (slot.Words is null)
        {
            return Stored(node, path, slot.Decimals, slot.Minimum, slot.Maximum);
        }

        if (!slot.IsSet)
        {
            return Word(Text(node, path), slot.Words, path);
        }

        long set = 0;
        foreach (JsonNode? word in Array(node, path))
        {
            set |= 1L << Word(Text(word, path), slot.Words, path);
        }

        return set;
    }

    // A value for all, or an object by code of the underlying with "*" for those not named.
    private static void ByCode(JsonNode? node, string path, Action<string, JsonNode?, string> take)
    {
        if (node is not JsonObject byCode)
        {
            take("", node, path);
            return;
        }

        if (byCode["*"] is JsonNode all)
        {
            take("", all, $"{path}.*");
        }

        foreach ((string code, JsonNode? value) in byCode)
        {
            if (code != "*")
            {
                take(code, value, $"{path}.{code}");
            }
        }
    }

    private static int Word(string word, IReadOnlyList<string> words, string path)
    {
        for (int index = 0; index < words.Count; index++)
        {
            if (string.Equals(words[index], word, StringComparison.OrdinalIgnoreCase))
            {
                return index;
            }
        }

        throw Wrong(path, $"'{word}' is not one of {string.Join(", ", words)}");
    }

    private static void RefuseOthers(JsonObject node, string path, params string[] known)
    {
        foreach ((string name, JsonNode? _) in node)
        {
            if (!known.Contains(name))
            {
                throw Wrong($"{path}.{name}", "is not known");
            }
        }
    }

    private static string Text(JsonNode? node, string path) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : throw Wrong(path, node is null ? "is missing" : "is no text");

    public static JsonObject Object(JsonNode? node, string path) => node as JsonObject ?? throw Wrong(path, "is no object");

    public static JsonArray Array(JsonNode? node, string path) => node as JsonArray ?? throw Wrong(path, "is no list");
}
