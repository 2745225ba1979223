// Reads the composites with a duty of their own: the message header, group dimensions, var data.

using System.Collections.Generic;
using System.Xml.Linq;
using MarginEngine.SbeGenerator.Model;

namespace MarginEngine.SbeGenerator.Read;

internal sealed class HeaderReader
{
    private readonly Dictionary<string, Dimension> _dimensions = new Dictionary<string, Dimension>();
    private readonly HashSet<Slot> _warned = new HashSet<Slot>();
    private readonly TypeReader _types;

    public HeaderReader(TypeReader types) => _types = types;

    public Header ReadHeader(string name, XElement root)
    {
        CompositeType composite = Composite(name, root, Rule.BadHeader, "the header");
        return new Header
        {
            Composite = composite,
            BlockLength = Member(composite, "blockLength", root, Rule.BadHeader),
            TemplateId = Member(composite, "templateId", root, Rule.BadHeader),
            SchemaId = Member(composite, "schemaId", root, Rule.BadHeader),
            Version = Member(composite, "version", root, Rule.BadHeader),
            NumGroups = Optional(composite, "numGroups"),
            NumVarDataFields = Optional(composite, "numVarDataFields"),
        };
    }

    public Dimension ReadDimension(XElement group)
    {
        string name = Attributes.Text(group, "dimensionType")?.Trim() ?? _types.DefaultName("groupSizeEncoding", group);
        if (_dimensions.TryGetValue(name, out Dimension? known))
            return known;
        CompositeType composite = Composite(name, group, Rule.BadDimension, "the dimension");
        var dimension = new Dimension
        {
            Composite = composite,
            BlockLength = Member(composite, "blockLength", group, Rule.BadDimension),
            NumInGroup = Member(composite, "numInGroup", group, Rule.BadDimension, signed: true),
            NumGroups = Optional(composite, "numGroups"),
            NumVarDataFields = Optional(composite, "numVarDataFields"),
        };
        if (dimension.NumInGroup.Constant is not null)
            throw Attributes.Wrong(Rule.BadDimension, group, "numInGroup cannot be a constant");
        WarnOfSize(dimension.NumInGroup, Rule.BadDimension, group);
        _dimensions.Add(name, dimension);
        return dimension;
    }

    public void ReadVarData(XElement element, VarData data)
    {
        string name = Attributes.Required(element, "type");
        CompositeType composite = Composite(name, element, Rule.BadVarData, "the type of <data>");
        data.Composite = composite;
        data.Length = Member(composite, "length", element, Rule.BadVarData);
        if (data.Length.Constant is not null)
            throw Attributes.Wrong(Rule.BadVarData, element, "the length of var data cannot be a constant");
        Slot? bytes = composite.Find("varData") ?? composite.Find("data");
        if (bytes?.Type is not SimpleType simple)
            throw Attributes.Wrong(Rule.BadVarData, element, $"'{name}' has no member varData");
        if (composite.Members[composite.Members.Count - 1] != bytes)
            throw Attributes.Wrong(Rule.BadVarData, element, $"varData is not the last member of '{name}'");
        WarnOfSize(data.Length, Rule.BadVarData, element);
        data.DataOffset = bytes.Offset;
        data.CharacterEncoding = simple.CharacterEncoding;
    }

    // Legal, but no program holds so much: the reference tool refuses it, this one caps it.
    private void WarnOfSize(Slot slot, Rule rule, XElement user)
    {
        if (((SimpleType)slot.Type).Max.Integer <= int.MaxValue || !_warned.Add(slot))
            return;
        _types.Warn(rule, user, $"'{slot.Name}' has no maxValue up to {int.MaxValue}: larger ones are refused");
    }

    private CompositeType Composite(string name, XElement user, Rule rule, string what)
    {
        if (_types.Resolve(name, user) is not CompositeType composite)
            throw Attributes.Wrong(rule, user, $"{what} '{name}' is not a composite");
        return composite;
    }

    private static Slot Member(CompositeType composite, string name, XElement user, Rule rule, bool signed = false)
    {
        Slot slot = composite.Find(name) ?? throw Wrong(composite, rule, user, $"'{composite.Name}' has no member '{name}'");
        bool good = slot.Type is SimpleType { IsArray: false } simple
            && (simple.Primitive.IsUnsigned() || (signed && !simple.Primitive.IsReal() && simple.Primitive != Primitive.Char));
        if (!good)
            throw Wrong(composite, rule, user, $"'{name}' of '{composite.Name}' is not one unsigned integer");
        return slot;
    }

    private static SchemaException Wrong(CompositeType composite, Rule rule, XElement user, string sentence) =>
        string.IsNullOrEmpty(composite.Place.Path) ? Attributes.Wrong(rule, user, sentence) : new SchemaException(rule, composite.Place, sentence);

    private static Slot? Optional(CompositeType composite, string name) =>
        composite.Find(name) is { Type: SimpleType { IsArray: false } simple, Constant: null } slot && !simple.Primitive.IsReal() ? slot : null;
}
