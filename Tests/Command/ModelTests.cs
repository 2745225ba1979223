using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Logic;
using MarginEngine.Tool.Shell;
using NUnit.Framework;

namespace MarginEngine.Tests.CommandTests;

/// <summary>`margin model`, and the published schema of the documents: what it allows the reader takes, what the reader refuses it refuses.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
public sealed class ModelTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "Engine", "Logic", "Models");

    private static readonly JsonNode Schema = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "margin-model.schema.json")))!;

    private static IReadOnlyList<string> Shipped => ModelDocument.ShippedNames;

    [Test]
    public void The_published_schema_is_the_one_the_tables_make() =>
        Assert.That(File.ReadAllText(Path.Combine(Folder, "margin-model.schema.json")), Is.EqualTo(ModelSchema.Text()), "margin model --schema writes it");

    [TestCaseSource(nameof(Shipped))]
    public void Every_shipped_document_conforms_to_the_schema(string name) =>
        Assert.That(JsonSchema.Faults(JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, $"{name}.json"))), Schema), Is.Empty);

    [TestCase("{ 'name': 'x' }", "version")]
    [TestCase("{ 'name': 'x', 'version': 1, 'extra': 1 }", "extra")]
    [TestCase("{ 'name': 'has space', 'version': 1 }", "name")]
    [TestCase("{ 'name': 'x', 'version': 1, 'requirement': { 'initialFactor': 101 } }", "initialFactor")]
    [TestCase("{ 'name': 'x', 'version': 1, 'requirement': { 'measure': 'best' } }", "measure")]
    [TestCase("{ 'name': 'x', 'version': 1, 'rows': [ { 'spot': -5 } ] }", "spot")]
    [TestCase("{ 'name': 'x', 'version': 1, 'underlyings': { 'BTC': { 'range': 1 } } }", "range")]
    [TestCase("{ 'name': 'x', 'version': 1, 'addOns': [ { 'kind': 'percentOf', 'points': 1 } ] }", "addOns[0]")]
    [TestCase("{ 'name': 'x', 'version': 1, 'addOns': [ { 'kind': 'magic' } ] }", "addOns[0]")]
    [TestCase("{ 'name': 'x', 'version': 1, 'currencies': { 'BTC': { 'haircut': 1.5 } } }", "haircut")]
    public void What_the_reader_refuses_the_schema_refuses(string document, string about)
    {
        string json = document.Replace('\'', '"');
        Assert.That(JsonSchema.Faults(JsonNode.Parse(json), Schema), Has.Some.Contains(about));
        Assert.That(() => ModelDocument.Parse(json), Throws.TypeOf<FormatException>().With.Message.Contains(about.TrimEnd(']')));
    }

    [Test]
    public void All_shipped_models_are_listed_and_each_is_sound()
    {
        CommandResult list = MarginCommand.Run("model", "--json");
        Assert.That(JsonDocument.Parse(list.Out).RootElement.EnumerateArray().Select(model => model.GetProperty("name").GetString()), Is.EqualTo(Shipped));
        foreach (string name in (string[])["portfolio", "hvar", "span"])
        {
            CommandResult one = MarginCommand.Run("model", name);
            Assert.That(one.Code, Is.Zero, one.ToString());
            Assert.That(one.Out, Does.Match($"{name} version .*: sound"));
        }
    }

    [Test]
    public void Two_models_are_compared_path_by_path()
    {
        using ScratchFolder scratch = new();
        string wider = scratch.Write("wider.json", ModelDocument.Portfolio.WithVersion(3).With("underlyings.BTC.priceRange", 0.2m).ToJson());
        CommandResult result = MarginCommand.Run("model", "portfolio", "--against", wider);
        Assert.That(result.Code, Is.EqualTo(ExitCode.Difference), result.ToString());
        Assert.That(result.Out.Trim(), Is.EqualTo("underlyings.BTC.priceRange: 0.16 -> 0.2"));
        Assert.That(MarginCommand.Run("model", "portfolio", "--against", "portfolio").Code, Is.Zero);
    }

    [Test]
    public void A_model_that_contradicts_itself_is_refused_with_the_place()
    {
        using ScratchFolder scratch = new();
        string late = scratch.Write("late.json", ModelDocument.Portfolio.With("states.warningRatio", 0.99m).ToJson());
        CommandResult refused = MarginCommand.Run("model", late);
        Assert.That(refused.Code, Is.EqualTo(ExitCode.Refused), refused.ToString());
        Assert.That(refused.Error, Does.Contain("states.warningRatio"));
        CommandResult unreadable = MarginCommand.Run("model", scratch.Write("bad.json", "{ \"name\": \"x\" }"));
        Assert.That(unreadable.Code, Is.Not.Zero);
        Assert.That(unreadable.Error, Does.Contain("version"));
    }
}
