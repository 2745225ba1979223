// The tables of all messages, made from schema.xml itself: a table a message, one more for each of its groups.
using System.Globalization;
using System.Text;
using System.Xml.Linq;

namespace MarginEngine.Tool.Export;

/// <summary>Where a value of a message's JSON goes.</summary>
/// <param name="Path">Names of the members that lead to it.</param>
/// <param name="Kind">How it is turned into values.</param>
/// <param name="First">Its first column in the row.</param>
/// <param name="Decimals">Of a scaled one.</param>
internal sealed record FieldPlace(string[] Path, FieldKind Kind, int First, int Decimals);

internal enum FieldKind
{
    Plain,
    Scaled,

    /// <summary>Mantissa and exponent in two columns, the exponent as small as the number allows: an amount whose exponent stands on the wire.</summary>
    Amount,
}

/// <summary>A message or a group as a table. A group's rows carry the key of their message and their own place in it.</summary>
internal sealed record MessageTable(string JsonName, Table Table, int KeyColumns, IReadOnlyList<FieldPlace> Fields, IReadOnlyList<MessageTable> Groups);

internal sealed class SchemaTables
{
    private const int FirstDecision = 100;
    private const int FirstBetweenNodes = 200;

    private readonly Dictionary<string, XElement> _types = [];

    private SchemaTables(XElement schema)
    {
        foreach (XElement types in schema.Elements("types"))
            foreach (XElement type in types.Elements())
                _types[Attribute(type, "name")] = type;
    }

    /// <summary>Of every input and decision, by template id. Inputs have the key `sequence`, decisions `ordinal`.</summary>
    public static IReadOnlyDictionary<ushort, MessageTable> Read()
    {
        using Stream resource = typeof(SchemaTables).Assembly.GetManifestResourceStream("schema.xml")!;
        XElement schema = XDocument.Load(resource).Root!;
        SchemaTables tables = new(schema);
        Dictionary<ushort, MessageTable> found = [];
        foreach (XElement message in schema.Elements().Where(element => element.Name.LocalName == "message"))
        {
            ushort id = ushort.Parse(Attribute(message, "id"), CultureInfo.InvariantCulture);
            if (id >= FirstBetweenNodes) continue;
            string[] key = id < FirstDecision ? ["sequence"] : ["ordinal"];
            found[id] = tables.Make(message, Snake(Attribute(message, "name")), key, key);
        }

        return found;
    }

    public static string Snake(string camel)
    {
        StringBuilder snake = new();
        foreach (char letter in camel)
        {
            if (char.IsUpper(letter) && snake.Length > 0) snake.Append('_');
            snake.Append(char.ToLowerInvariant(letter));
        }

        return snake.ToString();
    }

    private MessageTable Make(XElement block, string name, string[] before, string[] key)
    {
        List<Column> columns = [.. before.Select(Column.Integer)];
        List<FieldPlace> fields = [];
        foreach (XElement field in block.Elements("field")) AddField(columns, fields, [Attribute(field, "name")], Attribute(field, "type"));
        foreach (XElement data in block.Elements("data")) Add(columns, fields, [Attribute(data, "name")], FieldKind.Plain, Column.Text(Snake(Attribute(data, "name"))));
        List<MessageTable> groups = [];
        foreach (XElement group in block.Elements("group"))
            groups.Add(Make(group, $"{name}_{Snake(Attribute(group, "name"))}", [key[0], "entry"], [key[0], "entry"]));
        string[] indexes = [.. columns.Select(column => column.Name).Where(column => column is "account_id" or "sequence" && !key.Contains(column))];
        return new MessageTable(Attribute(block, "name"), new Table(name, columns, key, indexes), before.Length, fields, groups);
    }

    private void AddField(List<Column> columns, List<FieldPlace> fields, string[] path, string typeName)
    {
        string name = string.Join('_', path.Select(Snake));
        if (!_types.TryGetValue(typeName, out XElement? type))
        {
            Add(columns, fields, path, FieldKind.Plain, typeName == "char" ? Column.Text(name) : Column.Integer(name));
            return;
        }

        switch (type.Name.LocalName)
        {
            case "type":
                // A digest has all 64 bits and is no quantity.
                bool isText = Attribute(type, "primitiveType") == "char" || typeName == "Digest";
                Add(columns, fields, path, FieldKind.Plain, isText ? Column.Text(name) : Column.Integer(name));
                break;
            case "composite" when type.Elements().FirstOrDefault(member => (string?)member.Attribute("name") == "exponent") is XElement exponent:
                AddDecimal(columns, fields, path, name, exponent);
                break;
            case "composite":
                foreach (XElement member in type.Elements()) AddField(columns, fields, [.. path, Attribute(member, "name")], (string?)member.Attribute("type") ?? Attribute(member, "primitiveType"));
                break;
            default:
                Add(columns, fields, path, FieldKind.Plain, Column.Text(name));
                break;
        }
    }

    private static void AddDecimal(List<Column> columns, List<FieldPlace> fields, string[] path, string name, XElement exponent)
    {
        if ((string?)exponent.Attribute("presence") != "constant")
        {
            Add(columns, fields, path, FieldKind.Amount, Column.Integer($"{name}_mantissa"), Column.Integer($"{name}_exponent"));
            return;
        }

        int decimals = -int.Parse(exponent.Value, CultureInfo.InvariantCulture);
        fields.Add(new FieldPlace(path, FieldKind.Scaled, columns.Count, decimals));
        columns.Add(Column.Scaled(name, decimals));
    }

    private static void Add(List<Column> columns, List<FieldPlace> fields, string[] path, FieldKind kind, params ReadOnlySpan<Column> added)
    {
        fields.Add(new FieldPlace(path, kind, columns.Count, 0));
        // The schema calls the input that a decision was made on `sequence`, as the record's own is called here.
        foreach (Column column in added) columns.Add(columns.Any(known => known.Name == column.Name) ? column with { Name = column.Name + "_field" } : column);
    }

    private static string Attribute(XElement element, string name) =>
        (string?)element.Attribute(name) ?? throw new InvalidDataException($"schema.xml: {element.Name.LocalName} without {name}");
}
