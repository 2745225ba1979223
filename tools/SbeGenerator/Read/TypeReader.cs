// Reads the types of a schema: resolves references by name on demand, computes composite offsets, checks values against their ranges.

using System.Collections.Generic;
using System.Linq;
using System.Xml.Linq;
using MarginEngine.SbeGenerator.Model;

namespace MarginEngine.SbeGenerator.Read;

internal sealed class TypeReader
{
    private const int MaxSize = 1 << 24;

    private readonly Dictionary<string, XElement> _elements = new Dictionary<string, XElement>();
    private readonly Dictionary<string, Encoding?> _types = new Dictionary<string, Encoding?>();
    private readonly List<string> _open = new List<string>();
    private readonly List<Mistake> _mistakes;
    private readonly int _version;

    public TypeReader(int version, List<Mistake> mistakes)
    {
        _version = version;
        _mistakes = mistakes;
    }

    public IEnumerable<string> Names => _elements.Keys;

    public void Declare(XElement element)
    {
        string name = Attributes.Name(element);
        if (_elements.ContainsKey(name))
            throw Attributes.Wrong(Rule.DuplicateName, element, $"the type '{name}' is defined twice");
        _elements.Add(name, element);
    }

    /// <summary>The type of that name; a primitive's own name is a type too. Null when its definition is itself mistaken and reported.</summary>
    public Encoding Resolve(string name, XObject user)
    {
        if (_types.TryGetValue(name, out Encoding? known))
            return known ?? throw new SchemaException(Rule.UnknownType, default, "");
        if (_elements.TryGetValue(name, out XElement? element))
        {
            if (_open.Contains(name))
                throw Attributes.Wrong(Rule.CircularType, user, $"'{name}' contains itself: {string.Join(" -> ", _open)} -> {name}");
            _open.Add(name);
            try
            {
                Encoding type = Read(element, element.Name.LocalName);
                _types[name] = type;
                return type;
            }
            catch (SchemaException e)
            {
                _types[name] = null;
                Record(e);
                throw new SchemaException(Rule.UnknownType, default, "");
            }
            finally
            {
                _open.RemoveAt(_open.Count - 1);
            }
        }

        if (Primitives.TryParse(name, out Primitive primitive))
            return SimpleType.Plain(primitive, name, default);
        throw Attributes.Wrong(Rule.UnknownType, user, $"there is no type '{name}'");
    }

    /// <summary>Notes the mistake; one that only repeats an already reported one carries no sentence and is dropped.</summary>
    public void Record(SchemaException e)
    {
        if (e.Message.Length > 0)
            _mistakes.Add(e.Mistake);
    }

    public void Warn(Rule rule, XObject at, string sentence) =>
        _mistakes.Add(new Mistake(rule, XmlLoader.PlaceOf(at), sentence, isWarning: true));

    /// <summary>The name of a composite that has a default name; spelt with other capitals it is taken too, with a warning.</summary>
    public string DefaultName(string name, XElement user)
    {
        if (_elements.ContainsKey(name))
            return name;
        string? other = _elements.Keys.FirstOrDefault(n => string.Equals(n, name, System.StringComparison.OrdinalIgnoreCase));
        if (other is null)
            return name;
        Warn(Rule.BadName, _elements[other], $"'{other}' is taken for '{name}', the name that SBE gives it");
        return other;
    }

    /// <summary>The version an element says it appeared in.</summary>
    public int SinceOf(XElement element)
    {
        int since = (int)(Attributes.Number(element, "sinceVersion", int.MaxValue) ?? 0);
        if (since > _version)
        {
            throw Attributes.Wrong(
                Rule.BadVersion, element.Attribute("sinceVersion")!, $"sinceVersion {since} is above the schema's version {_version}");
        }

        return since;
    }

    /// <summary>Resolves "Enum.Value".</summary>
    public Constant ValueRef(string reference, XObject user)
    {
        int dot = reference.IndexOf('.');
        if (dot <= 0 || dot == reference.Length - 1)
            throw Attributes.Wrong(Rule.MissingConstant, user, $"valueRef=\"{reference}\" is not of the form Enum.Value");
        string enumName = reference.Substring(0, dot);
        string memberName = reference.Substring(dot + 1);
        if (Resolve(enumName, user) is not EnumType type)
            throw Attributes.Wrong(Rule.MissingConstant, user, $"valueRef=\"{reference}\": '{enumName}' is not an enum");
        EnumMember? member = type.Members.Find(m => m.Name == memberName);
        if (member is null)
            throw Attributes.Wrong(Rule.MissingConstant, user, $"valueRef=\"{reference}\": '{enumName}' has no value '{memberName}'");
        return new Constant { Enum = type, Member = member, Number = member.Value };
    }

    private Encoding Read(XElement element, string kind)
    {
        Encoding type = kind switch
        {
            "type" => ReadSimple(element),
            "enum" => EnumReader.ReadEnum(element, this),
            "set" => EnumReader.ReadSet(element, this),
            "composite" => ReadComposite(element),
            _ => throw Attributes.Wrong(Rule.MisplacedElement, element, $"<{kind}> is no kind of type"),
        };
        type.Name = Attributes.Name(element);
        type.Place = XmlLoader.PlaceOf(element);
        type.Since = SinceOf(element);
        type.Description = Attributes.Description(element);
        return type;
    }

    private SimpleType ReadSimple(XElement element)
    {
        string primitiveName = Attributes.Required(element, "primitiveType");
        if (!Primitives.TryParse(primitiveName, out Primitive primitive))
            throw Attributes.Wrong(Rule.BadPrimitive, element.Attribute("primitiveType")!, $"'{primitiveName}' is no primitive type");
        SimpleType type = SimpleType.Plain(primitive, "", default);
        type.Presence = Attributes.Presence(element) ?? Presence.Required;
        type.Length = (int)(Attributes.Number(element, "length", MaxSize) ?? 1);
        type.IsArray = type.Length != 1;
        type.CharacterEncoding = Attributes.Text(element, "characterEncoding")?.Trim();
        ReadRange(element, type);
        if (type.Presence == Presence.Constant)
            ReadConstant(element, type);
        return type;
    }

    /// <summary>A type with the range that a field of it gives itself, as SBE 2.0 does; the type where the field gives none.</summary>
    public static Encoding WithRange(XElement field, Encoding type)
    {
        bool given = field.Attribute("minValue") is not null || field.Attribute("maxValue") is not null || field.Attribute("nullValue") is not null;
        if (!given || type is not SimpleType { Presence: not Presence.Constant } simple)
            return type;
        SimpleType own = simple.Copy();
        ReadRange(field, own);
        return own;
    }

    private static void ReadRange(XElement element, SimpleType type)
    {
        if (element.Attribute("minValue") is { } min)
        {
            type.Min = Parse(min, type.Primitive);
            type.HasMin = true;
        }

        if (element.Attribute("maxValue") is { } max)
        {
            type.Max = Parse(max, type.Primitive);
            type.HasMax = true;
        }

        if (element.Attribute("nullValue") is { } nullValue)
            type.Null = Parse(nullValue, type.Primitive);
        if (!type.Primitive.IsReal() && type.HasMin && type.HasMax && type.Min.Integer > type.Max.Integer)
            throw Attributes.Wrong(Rule.ValueOutOfRange, element, "minValue is above maxValue");
    }

    private static Value Parse(XAttribute attribute, Primitive primitive)
    {
        if (!primitive.TryParseValue(attribute.Value, out Value value))
        {
            throw Attributes.Wrong(
                Rule.ValueOutOfRange, attribute, $"{attribute.Name.LocalName}=\"{attribute.Value}\" does not fit {primitive.SchemaName()}");
        }

        return value;
    }

    private void ReadConstant(XElement element, SimpleType type)
    {
        if (element.Attribute("valueRef") is { } reference)
        {
            Constant constant = ValueRef(reference.Value.Trim(), reference);
            if (!Fits(constant.Number, type.Primitive))
                throw Attributes.Wrong(Rule.ValueOutOfRange, reference, $"{reference.Value} does not fit {type.Primitive.SchemaName()}");
            type.Constant = new Constant { Number = constant.Number };
            return;
        }

        string text = element.Value;
        if (text.Length == 0)
            throw Attributes.Wrong(Rule.MissingConstant, element, "a constant needs its value as the element's text, or a valueRef");
        if (type.Primitive == Primitive.Char)
        {
            ReadConstantText(element, type, text);
            return;
        }

        if (type.IsArray)
            throw Attributes.Wrong(Rule.MissingConstant, element, "a constant array must be of char");
        if (!type.Primitive.TryParseValue(text, out Value value))
            throw Attributes.Wrong(Rule.ValueOutOfRange, element, $"the constant '{text.Trim()}' does not fit {type.Primitive.SchemaName()}");
        type.Constant = new Constant { Number = value };
    }

    private static void ReadConstantText(XElement element, SimpleType type, string text)
    {
        bool explicitLength = element.Attribute("length") is not null;
        if (text.Length > 1)
            text = text.Trim();
        if (text.Length <= 1 && !type.IsArray)
        {
            if (text.Length == 0 || text[0] > 255)
                throw Attributes.Wrong(Rule.MissingConstant, element, "a constant char is one character of one octet");
            type.Constant = new Constant { Number = Value.Of((decimal)text[0]) };
            return;
        }

        if (explicitLength && type.Length != 1 && text.Length > type.Length)
            throw Attributes.Wrong(Rule.ValueOutOfRange, element, $"the constant is longer than {type.Length} characters");
        type.IsArray = true;
        type.Length = text.Length;
        type.Constant = new Constant { Text = text };
    }

    private static bool Fits(Value value, Primitive primitive)
    {
        if (primitive.IsReal())
            return false;
        (decimal low, decimal high) = primitive.Bits();
        return value.Integer >= low && value.Integer <= high;
    }

    private CompositeType ReadComposite(XElement element)
    {
        var composite = new CompositeType();
        int baseSince = SinceOf(element);
        var names = new HashSet<string>();
        foreach (XElement child in element.Elements())
        {
            Slot slot = ReadMember(child);
            if (!names.Add(slot.Name))
                throw Attributes.Wrong(Rule.DuplicateName, child, $"the composite has two members '{slot.Name}'");
            Place(child, slot, composite);
            composite.Members.Add(slot);
            composite.IsVersioned |= slot.Since > baseSince || (slot.Type is CompositeType { IsVersioned: true });
        }

        if (composite.Members.Count == 0)
            throw Attributes.Wrong(Rule.Empty, element, "a composite needs a member");
        return composite;
    }

    private static void Place(XElement element, Slot slot, CompositeType composite)
    {
        ulong? offset = Attributes.Number(element, "offset", MaxSize);
        if (offset is { } given && slot.Presence != Presence.Constant)
        {
            if (given < (ulong)composite.Length)
            {
                throw Attributes.Wrong(
                    Rule.BadOffset, element.Attribute("offset")!, $"offset {given} lies within the members before it, which end at {composite.Length}");
            }

            composite.Length = (int)given;
        }

        slot.Offset = composite.Length;
        long end = (long)composite.Length + slot.Size;
        if (end > MaxSize)
            throw Attributes.Wrong(Rule.BadOffset, element, $"the composite is larger than {MaxSize} octets");
        composite.Length = (int)end;
    }

    private Slot ReadMember(XElement child)
    {
        string kind = child.Name.LocalName;
        var slot = new Slot
        {
            Name = Attributes.Name(child),
            Place = XmlLoader.PlaceOf(child),
            Description = Attributes.Description(child),
        };
        if (kind == "ref")
        {
            slot.Type = Resolve(Attributes.Required(child, "type"), child.Attribute("type")!);
            slot.Description ??= slot.Type.Description;
        }
        else if (kind is "type" or "enum" or "set" or "composite")
        {
            slot.Type = ReadInline(child, kind);
        }
        else
        {
            throw Attributes.Wrong(Rule.MisplacedElement, child, $"<{kind}> cannot stand in a composite");
        }

        slot.Since = System.Math.Max(SinceOf(child), slot.Type.Since);
        slot.Presence = Attributes.Presence(child) ?? (slot.Type as SimpleType)?.Presence ?? Presence.Required;
        slot.Constant = (slot.Type as SimpleType)?.Constant;
        if (kind != "type" && slot.Presence == Presence.Constant && child.Attribute("valueRef") is { } reference)
            slot.Constant = ValueRef(reference.Value.Trim(), reference);
        if (slot.Presence == Presence.Constant && slot.Constant is null)
            throw Attributes.Wrong(Rule.MissingConstant, child, $"the constant '{slot.Name}' has no value");
        return slot;
    }

    private Encoding ReadInline(XElement child, string kind)
    {
        Encoding type = Read(child, kind);
        if (kind != "type")
            Inline.Add(type);
        return type;
    }

    /// <summary>Enums, sets and composites defined inside composites, in the order they were met.</summary>
    public List<Encoding> Inline { get; } = new List<Encoding>();
}
