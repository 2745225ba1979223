// Emits the static class Schema: identity, names by id, dispatch of a message to the code for its template.

using System.Collections.Generic;
using System.Linq;
using MarginEngine.SbeGenerator.Model;
using static MarginEngine.SbeGenerator.Emit.Text;

namespace MarginEngine.SbeGenerator.Emit;

internal sealed class CatalogEmitter
{
    private readonly Schema _schema;
    private readonly CodeWriter _writer;

    public CatalogEmitter(Schema schema, CodeWriter writer)
    {
        _schema = schema;
        _writer = writer;
    }

    public void Emit()
    {
        Header header = _schema.Header;
        _writer.Doc(_schema.Description ?? "The schema as a whole.");
        _writer.Open("public static partial class Schema");
        _writer.Line($"public const {Layout.NumberType(header.SchemaId)} Id = {_schema.Id};");
        _writer.Line($"public const {Layout.NumberType(header.Version)} Version = {Digits(_schema.Version)};");
        _writer.Line();
        _writer.Line("/// <summary>Octets of the header before every message.</summary>");
        _writer.Line($"public const int HeaderLength = {Digits(header.Size)};");
        _writer.Line();
        EmitNames();
        EmitFieldNames();
        EmitTemplateOf();
        EmitDispatch(
            "/// <summary>Checks structure and values of a message: one whole message, nothing behind it, every field within its range.</summary>\n"
            + "    /// <remarks>What is wrong, and the schema's id of the field, group or var data it is wrong in; 0 for the header and root block.</remarks>",
            $"public static SbeError Validate({ReadOnlySpan}<byte> message, out ushort fieldId)",
            name => $"Validate{name}(message, out fieldId)",
            "fieldId = 0;");
        _writer.Line($"public static SbeError Validate({ReadOnlySpan}<byte> message) => Validate(message, out _);");
        _writer.Line();
        EmitDispatch(
            "/// <summary>Writes a message as one JSON object; nothing is written when its structure is damaged.</summary>\n"
            + "    /// <remarks>Decimals are strings, enums their names, sets arrays of names, var data text or hexadecimal, null what is not there.</remarks>",
            $"public static SbeError WriteJson({ReadOnlySpan}<byte> message, global::System.Text.Json.Utf8JsonWriter writer)",
            name => $"Write{name}(message, writer)",
            null);
        _writer.Close();
    }

    private void EmitNames()
    {
        _writer.Line("/// <summary>The name of a message, \"unknown\" where there is none of that id.</summary>");
        _writer.Open("public static string NameOf(int templateId) => templateId switch");
        foreach (Message message in Reachable())
            _writer.Line($"{message.Id} => {Quoted(message.Name)},");
        _writer.Line("_ => \"unknown\",");
        _writer.Close(";");
        _writer.Line();
    }

    private IEnumerable<Message> Reachable() => _schema.Messages.Where(m => m.Id <= int.MaxValue);

    private void EmitFieldNames()
    {
        _writer.Line("/// <summary>The name of a field, group or var data of a message, \"unknown\" where there is none of that id.</summary>");
        _writer.Open("public static string FieldNameOf(int templateId, int fieldId) => (templateId, fieldId) switch");
        foreach (Message message in Reachable())
        {
            var names = new SortedDictionary<int, string>();
            CollectFieldNames(message.Block, "", names);
            foreach (KeyValuePair<int, string> pair in names)
                _writer.Line($"({message.Id}, {Digits(pair.Key)}) => {Quoted(pair.Value)},");
        }

        _writer.Line("_ => \"unknown\",");
        _writer.Close(";");
        _writer.Line();
    }

    // Ids are unique within a block only: an id that several blocks use has all their names.
    private static void CollectFieldNames(Block block, string path, SortedDictionary<int, string> names)
    {
        void Add(int id, string name) => names[id] = names.TryGetValue(id, out string? other) ? $"{other} or {name}" : name;

        foreach (Slot field in block.Fields)
            Add(field.Id, path + field.Name);
        foreach (Part part in block.Parts)
        {
            Add(part.Id, path + part.Name);
            if (part is Group group)
                CollectFieldNames(group.Block, path + part.Name + ".", names);
        }
    }

    private void EmitTemplateOf()
    {
        Header header = _schema.Header;
        string type = Layout.NumberType(header.TemplateId);
        _writer.Line("/// <summary>The template id of a message of this schema; false where the span holds no such header.</summary>");
        _writer.Open($"public static bool TryTemplateOf({ReadOnlySpan}<byte> message, out {type} templateId)");
        _writer.Line("templateId = 0;");
        _writer.Line("if (message.Length < HeaderLength)");
        _writer.Line("    return false;");
        _writer.Line($"ref byte header = ref {Marshal}.GetReference(message);");
        _writer.Line($"templateId = {GetMember(_schema, header.TemplateId, "header", 0)};");
        _writer.Line($"return {GetMember(_schema, header.SchemaId, "header", 0)} == Id;");
        _writer.Close();
        _writer.Line();
    }

    private void EmitDispatch(string doc, string signature, System.Func<string, string> call, string? first)
    {
        _writer.Line(doc);
        _writer.Open(signature);
        if (first is not null)
            _writer.Line(first);
        _writer.Line("if (message.Length < HeaderLength)");
        _writer.Line("    return SbeError.TooShort;");
        _writer.Line("if (!TryTemplateOf(message, out var templateId))");
        _writer.Line("    return SbeError.WrongSchema;");
        _writer.Open("switch (templateId)");
        foreach (Message message in _schema.Messages)
            _writer.Line($"case {message.Id}: return {call(message.CsName)};");
        _writer.Line("default: return SbeError.WrongTemplate;");
        _writer.Close();
        _writer.Close();
        _writer.Line();
    }
}
