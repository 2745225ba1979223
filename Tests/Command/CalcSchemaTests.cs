using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.RegularExpressions;
using MarginEngine.Tool.Calc;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>calc.schema.json says what the reader does: the same keys, and the examples pass both.</summary>
[TestFixture]
public sealed class CalcSchemaTests
{
    private static readonly string ToolFolder = Path.Combine(Repository.Root, "tools", "margin");

    private static readonly JsonNode Schema = JsonNode.Parse(File.ReadAllText(Path.Combine(ToolFolder, "calc.schema.json")))!;

    private static IEnumerable<string> Examples() =>
        Directory.GetFiles(Path.Combine(ToolFolder, "examples"), "*.json").Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Examples))]
    public void Every_example_conforms_to_the_schema_and_is_read(string name)
    {
        string path = Path.Combine(ToolFolder, "examples", name);
        Assert.That(Faults(JsonNode.Parse(File.ReadAllText(path)), Schema, "$"), Is.Empty);
        Assert.That(PortfolioReader.Read(path).Positions, Is.Not.Empty);
    }

    [Test]
    public void Schema_and_reader_know_the_same_keys_and_require_the_same()
    {
        JsonNode read = CalcJson.Default.Options.GetJsonSchemaAsNode(typeof(CalcDocument), new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true });
        HashSet<string> ours = [], theirs = [];
        Collect(Schema, Schema, "$", ours);
        Collect(read, read, "$", theirs);
        Assert.That(ours, Is.EquivalentTo(theirs));
        Assert.That(ours, Has.Count.GreaterThan(30));
    }

    [TestCase("""{ "underlyings": {}, "account": {} }""", "valuationTime")]
    [TestCase("""{ "valuationTime": "2026-02-06T16:00:00Z", "underlyings": { "BTC": { "index": 5 } }, "account": {} }""", "index")]
    [TestCase("""{ "valuationTime": "2026-02-06T16:00:00Z", "underlyings": { "BTC": { "index": "-5" } }, "account": {} }""", "index")]
    [TestCase("""{ "valuationTime": "2026-02-06T16:00:00Z", "underlyings": { "BTC": { "index": "5" } }, "account": {}, "x": 1 }""", "x")]
    [TestCase("""{ "valuationTime": "2026-02-06T16:00:00Z", "underlyings": { "BTC": { "index": "5" } }, "account": { "positions": [{ "instrument": "BTC-PERPETUAL" }] } }""", "oneOf")]
    [TestCase("""{ "valuationTime": "2026-02-06T16:00:00Z", "underlyings": { "BTC": { "index": "5" } }, "account": { "positions": [{ "instrument": "BTC", "contracts": "1" }] } }""", "instrument")]
    public void What_the_reader_refuses_the_schema_refuses(string document, string about) =>
        Assert.That(Faults(JsonNode.Parse(document), Schema, "$"), Has.Some.Contains(about));

    // Every key as a path, "*" for any key of a map, with "!" where it is required.
    private static void Collect(JsonNode schema, JsonNode root, string path, HashSet<string> keys)
    {
        // A decimal has a converter of its own: the exporter only knows that anything goes.
        if (schema is not JsonObject) return;
        schema = Resolve(schema, root);
        if (schema["items"] is JsonNode items) Collect(items, root, path + "[]", keys);
        if (schema["additionalProperties"] is JsonObject any) Collect(any, root, path + ".*", keys);
        HashSet<string> required = [.. (schema["required"] as JsonArray ?? []).Select(node => node!.GetValue<string>())];
        foreach ((string name, JsonNode? property) in schema["properties"] as JsonObject ?? [])
        {
            keys.Add($"{path}.{name}{(required.Contains(name) ? "!" : "")}");
            Collect(property!, root, $"{path}.{name}", keys);
        }
    }

    // As much of JSON Schema as calc.schema.json uses.
    private static IEnumerable<string> Faults(JsonNode? value, JsonNode schema, string path)
    {
        schema = Resolve(schema, Schema);
        if (schema["type"]?.GetValue<string>() is string type && !HasType(value, type)) return [$"{path} is no {type}"];
        if (schema["enum"] is JsonArray allowed && !allowed.Any(choice => JsonNode.DeepEquals(choice, value))) return [$"{path} is none of the choices"];
        List<string> faults = [];
        if (value is JsonValue text && text.GetValueKind() == JsonValueKind.String && !Matches(schema, text.GetValue<string>())) faults.Add($"{path} does not match");
        if (value is JsonArray array && schema["items"] is JsonNode items) faults.AddRange(array.SelectMany((item, index) => Faults(item, items, $"{path}[{index}]")));
        if (value is JsonObject map) faults.AddRange(MapFaults(map, schema, path));
        return faults;
    }

    private static IEnumerable<string> MapFaults(JsonObject map, JsonNode schema, string path)
    {
        foreach (JsonNode? name in schema["required"] as JsonArray ?? [])
            if (!map.ContainsKey(name!.GetValue<string>()))
                yield return $"{path}.{name} is missing";
        if (schema["oneOf"] is JsonArray choices && choices.Count(choice => !MapFaults(map, choice!, path).Any()) != 1) yield return $"{path}: not exactly one of oneOf";
        if (schema["minProperties"]?.GetValue<int>() > map.Count) yield return $"{path} has too few keys";
        foreach ((string name, JsonNode? member) in map)
        {
            string place = $"{path}.{name}";
            if (schema["propertyNames"] is JsonNode names && !Matches(Resolve(names, Schema), name)) yield return $"{place} is no allowed key";
            JsonNode? known = schema["properties"]?[name];
            if (known is null && schema["additionalProperties"] is JsonValue closed && !closed.GetValue<bool>()) yield return $"{place} is unknown";
            known ??= schema["additionalProperties"] as JsonObject;
            if (known is null) continue;
            foreach (string fault in Faults(member, known, place)) yield return fault;
        }
    }

    private static JsonNode Resolve(JsonNode schema, JsonNode root)
    {
        if (schema["$ref"]?.GetValue<string>() is not string reference) return schema;
        JsonNode at = root;
        foreach (string key in reference.Split('/')[1..]) at = at is JsonArray array ? array[int.Parse(key)]! : at[key]!;
        return at;
    }

    private static bool Matches(JsonNode schema, string text) =>
        (schema["pattern"]?.GetValue<string>() is not string pattern || Regex.IsMatch(text, pattern))
        && (schema["maxLength"]?.GetValue<int>() is not int longest || text.Length <= longest);

    private static bool HasType(JsonNode? value, string type) => (value?.GetValueKind(), type) switch
    {
        (JsonValueKind.Object, "object") or (JsonValueKind.Array, "array") or (JsonValueKind.String, "string") => true,
        (JsonValueKind.Number, "integer") => value!.AsValue().TryGetValue(out decimal number) && number == Math.Truncate(number),
        _ => false,
    };
}
