// Reads attributes of schema elements; a missing or impossible one is a SchemaException that knows its place.

using System.Globalization;
using System.Linq;
using System.Xml.Linq;
using MarginEngine.SbeGenerator.Model;

namespace MarginEngine.SbeGenerator.Read;

internal static class Attributes
{
    public static string? Text(XElement element, string name) => (string?)element.Attribute(name);

    public static string Required(XElement element, string name)
    {
        string? text = (string?)element.Attribute(name);
        if (string.IsNullOrWhiteSpace(text))
            throw Wrong(Rule.MissingAttribute, element, $"<{element.Name.LocalName}> needs the attribute '{name}'");
        return text!.Trim();
    }

    /// <summary>A whole number from 0 to <paramref name="max"/>, or null where the attribute is absent.</summary>
    public static ulong? Number(XElement element, string name, ulong max)
    {
        XAttribute? attribute = element.Attribute(name);
        if (attribute is null)
            return null;
        if (!ulong.TryParse(attribute.Value.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) || number > max)
            throw Wrong(Rule.BadAttribute, attribute, $"{name}=\"{attribute.Value}\" is not a whole number from 0 to {max}");
        return number;
    }

    public static ulong RequiredNumber(XElement element, string name, ulong max)
    {
        Required(element, name);
        return Number(element, name, max)!.Value;
    }

    public static Presence? Presence(XElement element)
    {
        XAttribute? attribute = element.Attribute("presence");
        switch (attribute?.Value.Trim())
        {
            case null: return null;
            case "required": return Model.Presence.Required;
            case "optional": return Model.Presence.Optional;
            case "constant": return Model.Presence.Constant;
            default:
                throw Wrong(Rule.BadAttribute, attribute!, $"presence=\"{attribute!.Value}\" is none of required, optional, constant");
        }
    }

    public static string? Description(XElement element)
    {
        string? text = (string?)element.Attribute("description");
        return string.IsNullOrWhiteSpace(text) ? null : text!.Trim();
    }

    /// <summary>The name, which must be [A-Za-z_][A-Za-z0-9_]*.</summary>
    public static string Name(XElement element)
    {
        string name = Required(element, "name");
        bool valid = !char.IsDigit(name[0]) && name.All(c => c == '_' || (c < 128 && char.IsLetterOrDigit(c)));
        if (!valid)
            throw Wrong(Rule.BadName, element.Attribute("name")!, $"'{name}' is not a name: letters, digits and '_', no digit first");
        return name;
    }

    public static SchemaException Wrong(Rule rule, XObject at, string sentence) =>
        new SchemaException(rule, XmlLoader.PlaceOf(at), sentence);
}
