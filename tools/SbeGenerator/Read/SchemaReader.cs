// Reads a whole schema: the root's attributes, the types, the header, the messages. Every mistake is noted; what is understood is returned.

using System.Collections.Generic;
using System.Linq;
using System.Xml.Linq;
using MarginEngine.SbeGenerator.Model;

namespace MarginEngine.SbeGenerator.Read;

internal static class SchemaReader
{
    /// <summary>Reads the schema under <paramref name="root"/>; null where not even its root can be read.</summary>
    public static Schema? Read(XElement root, List<Mistake> mistakes)
    {
        try
        {
            return ReadRoot(root, mistakes);
        }
        catch (SchemaException e)
        {
            if (e.Message.Length > 0)
                mistakes.Add(e.Mistake);
            return null;
        }
    }

    private static Schema ReadRoot(XElement root, List<Mistake> mistakes)
    {
        if (root.Name.LocalName != "messageSchema")
            throw Attributes.Wrong(Rule.MisplacedElement, root, $"the root is <{root.Name.LocalName}>, not <messageSchema>");
        var schema = new Schema
        {
            Package = Attributes.Text(root, "package")?.Trim() ?? "",
            Id = Attributes.RequiredNumber(root, "id", ulong.MaxValue),
            Version = (int)(Attributes.Number(root, "version", int.MaxValue) ?? 0),
            BigEndian = ByteOrder(root),
            Description = Attributes.Description(root),
            Place = XmlLoader.PlaceOf(root),
        };
        var types = new TypeReader(schema.Version, mistakes);
        foreach (XElement element in Children(root, "types"))
            Guard(types, () => types.Declare(element));
        foreach (string name in types.Names.ToList())
            Guard(types, () => schema.Types.Add(types.Resolve(name, root)));
        schema.Types.AddRange(types.Inline);

        var headers = new HeaderReader(types);
        Guard(types, () =>
        {
            string name = Attributes.Text(root, "headerType")?.Trim() ?? types.DefaultName("messageHeader", root);
            schema.Header = headers.ReadHeader(name, root);
            CheckFits(schema.Header.SchemaId, schema.Id, "the schema's id", root);
            CheckFits(schema.Header.Version, (ulong)schema.Version, "the schema's version", root);
        });
        ReadMessages(root, schema, types, headers);
        return schema;
    }

    private static void ReadMessages(XElement root, Schema schema, TypeReader types, HeaderReader headers)
    {
        var reader = new MessageReader(schema, types, headers);
        var names = new HashSet<string>();
        var ids = new HashSet<ulong>();
        foreach (XElement element in MessageElements(root))
        {
            Guard(types, () =>
            {
                Message message = reader.Read(element);
                if (!names.Add(message.Name))
                    throw Attributes.Wrong(Rule.DuplicateName, element, $"the message '{message.Name}' is defined twice");
                if (!ids.Add(message.Id))
                    throw Attributes.Wrong(Rule.DuplicateId, element, $"message id {message.Id} is taken by another message");
                schema.Messages.Add(message);
            });
        }
    }

    // Messages stand under the root in SBE 1.0 and in <messages> in 2.0; anything else there but <types> is a mistake.
    private static IEnumerable<XElement> MessageElements(XElement root)
    {
        foreach (XElement element in root.Elements())
        {
            if (element.Name.LocalName == "message")
                yield return element;
            if (element.Name.LocalName != "messages")
                continue;
            foreach (XElement inner in element.Elements().Where(e => e.Name.LocalName == "message"))
                yield return inner;
        }
    }

    private static IEnumerable<XElement> Children(XElement root, string name) =>
        root.Elements().Where(e => e.Name.LocalName == name).SelectMany(e => e.Elements());

    private static bool ByteOrder(XElement root)
    {
        XAttribute? attribute = root.Attribute("byteOrder");
        return attribute?.Value.Trim() switch
        {
            null or "littleEndian" => false,
            "bigEndian" => true,
            _ => throw Attributes.Wrong(Rule.BadAttribute, attribute!, $"byteOrder=\"{attribute!.Value}\" is neither littleEndian nor bigEndian"),
        };
    }

    // A constant of the header is not on the wire: the schema's own number counts, but every block must have a constant length.
    internal static void CheckFits(Slot? slot, ulong value, string what, XObject at)
    {
        if (slot is null)
            return;
        if (slot.Constant is { } constant)
        {
            bool isLength = slot.Name == "blockLength";
            if (isLength && constant.Number.Integer != value)
                throw Attributes.Wrong(Rule.BadBlockLength, at, $"{what} is {value}, the constant '{slot.Name}' says {constant.Number.Integer}");
            return;
        }

        if (value > ((SimpleType)slot.Type).Primitive.Bits().High)
            throw Attributes.Wrong(Rule.BadHeader, at, $"{what} is {value}, which does not fit '{slot.Name}'");
    }

    private static void Guard(TypeReader types, System.Action action)
    {
        try
        {
            action();
        }
        catch (SchemaException e)
        {
            types.Record(e);
        }
    }
}
