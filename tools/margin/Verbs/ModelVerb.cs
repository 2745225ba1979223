// `margin model`: what models ship, what one says, whether a file is one, how two differ, and the schema of the documents.
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Calc;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Verbs;

internal static class ModelVerb
{
    public static Verb Create(Terminal terminal)
    {
        Argument<string?> model = new("NAME|FILE") { Description = "A shipped margin model or a JSON file; none: all that ship.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> against = new("--against") { Description = "Another model: what differs, path by path.", HelpName = "NAME|FILE" };
        Option<bool> schema = new("--schema") { Description = "Prints the JSON schema of the documents." };
        Option<bool> json = Options.Json();
        Verb verb = new("model", "Margin models: those that ship, the check of a file, the difference between two, the schema.",
            "margin model", "margin model derive-pmrm2 --json", "margin model portfolio --against deribit-pm", "margin model --schema")
        {
            model, against, schema, json,
        };
        return verb.Does(line => Run(terminal, line.GetValue(model), line.GetValue(against), line.GetValue(schema), line.GetValue(json)));
    }

    private static int Run(Terminal terminal, string? name, string? against, bool schema, bool json)
    {
        if (schema)
        {
            terminal.Out.Write(ModelSchema.Text());
            return ExitCode.Done;
        }

        if (name is null)
        {
            if (against is not null) throw CommandFailure.Usage("--against needs a model to compare with");
            List(terminal, json);
            return ExitCode.Done;
        }

        ModelDocument document = ModelChoice.Load(name);
        ModelCheck.Run(document);
        if (against is not null) return Compare(terminal, document, ModelChoice.Load(against), json);
        if (json) terminal.Out.WriteLine(document.ToJson());
        else Describe(terminal, document);
        return ExitCode.Done;
    }

    private static void List(Terminal terminal, bool json)
    {
        ModelDocument[] all = [.. ModelDocument.ShippedNames.Select(ModelDocument.Shipped)];
        if (!json)
        {
            foreach (ModelDocument document in all) terminal.Out.WriteLine($"{document.Name,-18}{document.Version,4}  {document.Note}");
            return;
        }

        Utf8JsonWriter writer = JsonOutput.Begin(terminal);
        writer.WriteStartArray();
        foreach (ModelDocument document in all)
        {
            writer.WriteStartObject();
            writer.WriteString("name", document.Name);
            writer.WriteNumber("version", document.Version);
            writer.WriteNumber("rows", document.RowCount);
            writer.WriteString("note", document.Note);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        JsonOutput.End(terminal, writer);
    }

    private static void Describe(Terminal terminal, ModelDocument document)
    {
        terminal.Out.WriteLine($"{document.Name} version {document.Version.ToString(CultureInfo.InvariantCulture)}: sound");
        if (document.Note.Length > 0) terminal.Out.WriteLine(document.Note);
        terminal.Out.WriteLine($"rows     {document.RowCount.ToString(CultureInfo.InvariantCulture)}");
        terminal.Out.WriteLine($"add-ons  {(document.AddOnNames.Count == 0 ? "none" : string.Join(", ", document.AddOnNames))}");
        terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"initial margin {document.Number("requirement.initialFactor")} x risk, maintenance margin {document.Number("requirement.maintenanceFactor")} x risk"));
    }

    private static int Compare(Terminal terminal, ModelDocument one, ModelDocument other, bool json)
    {
        SortedDictionary<string, (string One, string Other)> differences = new(StringComparer.Ordinal);
        Dictionary<string, string> left = Leaves(one), right = Leaves(other);
        foreach (string path in left.Keys.Union(right.Keys))
        {
            (string first, string second) = (left.GetValueOrDefault(path, "-"), right.GetValueOrDefault(path, "-"));
            if (first != second) differences[path] = (first, second);
        }

        if (json)
        {
            Utf8JsonWriter writer = JsonOutput.Begin(terminal);
            writer.WriteStartObject();
            foreach ((string path, (string first, string second)) in differences)
            {
                writer.WriteStartArray(path);
                writer.WriteStringValue(first);
                writer.WriteStringValue(second);
                writer.WriteEndArray();
            }

            writer.WriteEndObject();
            JsonOutput.End(terminal, writer);
        }
        else
        {
            foreach ((string path, (string first, string second)) in differences) terminal.Out.WriteLine($"{path}: {first} -> {second}");
        }

        return differences.Count == 0 ? ExitCode.Done : ExitCode.Difference;
    }

    // Name, version and note tell models apart but are no rules.
    private static Dictionary<string, string> Leaves(ModelDocument document)
    {
        Dictionary<string, string> leaves = [];
        JsonObject tree = (JsonObject)JsonNode.Parse(document.ToJson())!;
        foreach (string name in (string[])["name", "version", "note", "$schema"]) tree.Remove(name);
        Walk(tree, "", leaves);
        return leaves;
    }

    private static void Walk(JsonNode? node, string path, Dictionary<string, string> leaves)
    {
        switch (node)
        {
            case JsonObject members:
                foreach ((string name, JsonNode? value) in members) Walk(value, path.Length == 0 ? name : $"{path}.{name}", leaves);
                break;
            case JsonArray items:
                for (int index = 0; index < items.Count; index++) Walk(items[index], $"{path}[{index.ToString(CultureInfo.InvariantCulture)}]", leaves);
                break;
            default:
                leaves[path] = node?.ToString() ?? "null";
                break;
        }
    }
}
