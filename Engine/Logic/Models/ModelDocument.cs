using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>A parameter as the document says it; codes of underlyings and currencies are resolved when messages are made ("*": all not named).</summary>
internal readonly record struct DocumentParameter(ModelSection Section, byte Key, ushort First, string Code, ushort Third, long Value, string? ValueCode = null);

/// <summary>
/// A margin model as people write it: a JSON document (<c>margin-model.schema.json</c>). Cold code, used by tools and tests to make the
/// <c>MarginModelPart</c> messages that the engine journals and compiles. Every key, bound and contradiction is checked here already, with the path in the error.
/// </summary>
public sealed class ModelDocument
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly JsonObject _tree;

    private ModelDocument(JsonObject tree)
    {
        _tree = tree;
        ModelReader reader = new();
        reader.Read(tree);
        Name = reader.Name;
        Version = reader.Version;
        Note = reader.Note;
        Parameters = reader.Parameters;
        AddOnNames = reader.AddOnNames;
        RowCount = reader.RowCount;
    }

    public string Name { get; }

    public uint Version { get; }

    /// <summary>What it is, in a sentence or two, with its provenance.</summary>
    public string Note { get; }

    /// <summary>Names of the add-ons in the order of their indices.</summary>
    public IReadOnlyList<string> AddOnNames { get; }

    public int RowCount { get; }

    internal IReadOnlyList<DocumentParameter> Parameters { get; }

    /// <summary>The recommended model that ships with the engine.</summary>
    public static ModelDocument Portfolio => Shipped("portfolio");

    public static IReadOnlyList<string> ShippedNames { get; } = FindShipped();

    /// <exception cref="FormatException">No model of that name is shipped.</exception>
    public static ModelDocument Shipped(string name)
    {
        using Stream stream = typeof(ModelDocument).Assembly.GetManifestResourceStream($"models/{name}.json")
            ?? throw new FormatException($"no margin model named '{name}' is shipped (shipped: {string.Join(", ", ShippedNames)})");
        using StreamReader reader = new(stream);
        return Parse(reader.ReadToEnd());
    }

    /// <exception cref="FormatException">The text is not a margin model; the message names the path and the bound.</exception>
    public static ModelDocument Parse(string json)
    {
        try
        {
            JsonNode? node = JsonNode.Parse(
                json, documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false });
            return new ModelDocument(node as JsonObject ?? throw new FormatException("margin model: the document is no object"));
        }
        catch (JsonException error)
        {
            throw new FormatException($"margin model: {error.Message}", error);
        }
    }

    /// <summary>The same with one value changed: <c>With("requirement.maintenanceFactor", 1m)</c>, <c>With("currencies.XYZ.haircut", 0.5m)</c>.</summary>
    /// <exception cref="FormatException">The changed document is no margin model.</exception>
    public ModelDocument With(string path, JsonNode? value)
    {
        JsonObject tree = (JsonObject)_tree.DeepClone();
        JsonObject at = tree;
        string[] steps = path.Split('.');
        foreach (string step in steps[..^1])
        {
            if (at[step] is not JsonObject next)
            {
                next = [];
                at[step] = next;
            }

            at = next;
        }

        at[steps[^1]] = value?.DeepClone();
        return new ModelDocument(tree);
    }

    public ModelDocument WithVersion(uint version) => With("version", version);

    /// <summary>Codes of underlyings and currencies that the document names, "*" among them.</summary>
    public IEnumerable<string> Codes() => Parameters.Select(parameter => parameter.Code).Concat(Parameters.Select(parameter => parameter.ValueCode ?? ""))
        .Where(code => code.Length > 0).Distinct();

    /// <summary>A copy of a part of the document; null: it is silent.</summary>
    public JsonNode? this[string section] => _tree[section]?.DeepClone();

    /// <summary>A number of the document by its path; the default where it is silent.</summary>
    public decimal Number(string path)
    {
        foreach (ParameterRule rule in ParameterTable.All)
        {
            if (rule.Section == ModelSection.Model && rule.Path == path)
            {
                foreach (DocumentParameter parameter in Parameters)
                {
                    if (parameter.Section == ModelSection.Model && parameter.Key == rule.Key)
                    {
                        return parameter.Value / (decimal)Fixed.LongPower10(rule.Decimals);
                    }
                }

                return rule.Default / (decimal)Fixed.LongPower10(rule.Decimals);
            }
        }

        throw new ArgumentException($"no parameter of a margin model stands at '{path}'");
    }

    /// <summary>Haircuts by currency code, of tiered currencies the first tier's; a currency not named counts nothing.</summary>
    public IReadOnlyDictionary<string, decimal> Haircuts()
    {
        Dictionary<string, decimal> haircuts = [];
        foreach (DocumentParameter parameter in Parameters)
        {
            bool isFlat = parameter.Section == ModelSection.Currency && parameter.Key == (byte)CurrencyKey.Haircut;
            bool isTier = parameter.Section == ModelSection.HaircutTier && parameter.Key == (byte)HaircutTierKey.Haircut && parameter.Third == 0;
            if (isFlat || isTier)
            {
                haircuts[parameter.Code] = parameter.Value / 100_000_000m;
            }
        }

        return haircuts;
    }

    /// <summary>
    /// The messages, ready for the engine, in order; their origins count up from <paramref name="originSequence"/>. Underlyings and currencies are given as
    /// (id, code); what the document names beyond them is left out. <paramref name="flags"/> stand on the last message.
    /// </summary>
    /// <param name="activation">Sequence from which the version counts; 0: at once.</param>
    /// <param name="isCompared">Until then its margins are published beside those in force.</param>
    /// <param name="author">Who puts it in force, at most 16 characters.</param>
    /// <param name="reason">Why, at most 1,024 bytes of UTF-8.</param>
    public IReadOnlyList<byte[]> ToMessages(
        ushort modelId, ulong originSequence, ulong eventTime, ushort source, OriginFlags flags,
        IReadOnlyList<(ushort Id, string Code)> underlyings, IReadOnlyList<(ushort Id, string Code)> currencies,
        ulong activation = 0, bool isCompared = false, string author = "", string reason = "") =>
        ModelMessages.Write(
            this, new ModelMessages.Header(modelId, originSequence, eventTime, source, flags, activation, isCompared, author, reason), underlyings, currencies);

    /// <summary>The document as text, as it would be written to a file.</summary>
    public string ToJson() => _tree.ToJsonString(Indented);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name} {Version}");

    // In the order a reader would compare them: ours first, then by name.
    private static string[] FindShipped()
    {
        const string Folder = "models/";
        List<string> names = [];
        foreach (string resource in typeof(ModelDocument).Assembly.GetManifestResourceNames())
        {
            if (resource.StartsWith(Folder, StringComparison.Ordinal) && !resource.EndsWith(".schema.json", StringComparison.Ordinal))
            {
                names.Add(resource[Folder.Length..^".json".Length]);
            }
        }

        names.Sort((left, right) => left == "portfolio" ? -1 : right == "portfolio" ? 1 : string.CompareOrdinal(left, right));
        return [.. names];
    }
}
