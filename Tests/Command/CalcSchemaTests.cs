using System.Text.Json.Nodes;
using System.Text.Json.Schema;
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
        Assert.That(JsonSchema.Faults(JsonNode.Parse(File.ReadAllText(path)), Schema), Is.Empty);
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
        Assert.That(JsonSchema.Faults(JsonNode.Parse(document), Schema), Has.Some.Contains(about));

    // Every key as a path, "*" for any key of a map, with "!" where it is required.
    private static void Collect(JsonNode schema, JsonNode root, string path, HashSet<string> keys)
    {
        // A decimal has a converter of its own: the exporter only knows that anything goes.
        if (schema is not JsonObject) return;
        schema = JsonSchema.Resolve(schema, root);
        if (schema["items"] is JsonNode items) Collect(items, root, path + "[]", keys);
        if (schema["additionalProperties"] is JsonObject any) Collect(any, root, path + ".*", keys);
        HashSet<string> required = [.. (schema["required"] as JsonArray ?? []).Select(node => node!.GetValue<string>())];
        foreach ((string name, JsonNode? property) in schema["properties"] as JsonObject ?? [])
        {
            keys.Add($"{path}.{name}{(required.Contains(name) ? "!" : "")}");
            Collect(property!, root, $"{path}.{name}", keys);
        }
    }
}
