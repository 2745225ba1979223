// Reads enums and sets: their encoding (a primitive or a named type), values and choices.

using System.Collections.Generic;
using System.Globalization;
using System.Xml.Linq;
using MarginEngine.SbeGenerator.Model;

namespace MarginEngine.SbeGenerator.Read;

internal static class EnumReader
{
    public static EnumType ReadEnum(XElement element, TypeReader types)
    {
        var type = new EnumType { Encoding = EncodingOf(element, types, allowChar: true) };
        type.Null = type.Encoding.Null;
        if (element.Attribute("nullValue") is { } given)
        {
            if (!type.Encoding.Primitive.TryParseValue(given.Value, out Value value))
                throw Attributes.Wrong(Rule.ValueOutOfRange, given, $"nullValue=\"{given.Value}\" does not fit the encoding");
            type.Null = value;
        }

        var names = new HashSet<string>();
        var values = new HashSet<decimal>();
        foreach (XElement child in element.Elements())
        {
            EnumMember member = ReadMember(child, type, types);
            if (!names.Add(member.Name))
                throw Attributes.Wrong(Rule.DuplicateName, child, $"the enum has two values '{member.Name}'");
            if (!values.Add(member.Value.Integer))
                throw Attributes.Wrong(Rule.BadEnumOrSet, child, $"'{member.Name}' has the same code as another value");
            type.Members.Add(member);
        }

        if (type.Members.Count == 0)
            throw Attributes.Wrong(Rule.Empty, element, "an enum needs a validValue");
        return type;
    }

    private static EnumMember ReadMember(XElement child, EnumType type, TypeReader types)
    {
        if (child.Name.LocalName != "validValue")
            throw Attributes.Wrong(Rule.MisplacedElement, child, $"<{child.Name.LocalName}> cannot stand in an enum");
        string text = child.Value;
        if (text.Length != 1)
            text = text.Trim();
        if (text.Length == 0)
            throw Attributes.Wrong(Rule.BadEnumOrSet, child, "a validValue needs its code as text");
        Primitive primitive = type.Encoding.Primitive;
        if (!primitive.TryParseValue(text, out Value value))
            throw Attributes.Wrong(Rule.ValueOutOfRange, child, $"the code '{text}' does not fit {primitive.SchemaName()}");
        bool outOfRange = value.Integer < type.Encoding.Min.Integer || value.Integer > type.Encoding.Max.Integer;
        if (outOfRange && value.Integer != type.Null.Integer)
            throw Attributes.Wrong(Rule.ValueOutOfRange, child, $"the code '{text}' is outside the range of the enum's encoding");
        return new EnumMember
        {
            Name = Attributes.Name(child),
            Value = value,
            Since = types.SinceOf(child),
            Description = Attributes.Description(child),
        };
    }

    public static SetType ReadSet(XElement element, TypeReader types)
    {
        var type = new SetType { Encoding = EncodingOf(element, types, allowChar: false) };
        int bits = type.Encoding.Primitive.Size() * 8;
        var names = new HashSet<string>();
        var taken = new HashSet<int>();
        foreach (XElement child in element.Elements())
        {
            if (child.Name.LocalName != "choice")
                throw Attributes.Wrong(Rule.MisplacedElement, child, $"<{child.Name.LocalName}> cannot stand in a set");
            string text = child.Value.Trim();
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int bit) || bit >= bits)
                throw Attributes.Wrong(Rule.BadEnumOrSet, child, $"the choice '{text}' is not a bit from 0 to {bits - 1}");
            string name = Attributes.Name(child);
            if (!names.Add(name))
                throw Attributes.Wrong(Rule.DuplicateName, child, $"the set has two choices '{name}'");
            if (!taken.Add(bit))
                throw Attributes.Wrong(Rule.BadEnumOrSet, child, $"bit {bit} is taken by another choice");
            types.SinceOf(child);
            type.Choices.Add(new SetChoice { Name = name, Bit = bit, Description = Attributes.Description(child) });
        }

        return type;
    }

    private static SimpleType EncodingOf(XElement element, TypeReader types, bool allowChar)
    {
        string name = Attributes.Required(element, "encodingType");
        XAttribute attribute = element.Attribute("encodingType")!;
        if (types.Resolve(name, attribute) is not SimpleType type || type.IsArray)
            throw Attributes.Wrong(Rule.BadEnumOrSet, attribute, $"'{name}' is not a type of one value");
        bool good = type.Primitive.IsUnsigned() || (allowChar && !type.Primitive.IsReal());
        if (!good)
            throw Attributes.Wrong(Rule.BadEnumOrSet, attribute, $"{type.Primitive.SchemaName()} cannot encode {(allowChar ? "an enum" : "a set")}");
        return type;
    }
}
