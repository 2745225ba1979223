// Reads messages and groups: fields with their offsets, then groups, then var data.

using System;
using System.Collections.Generic;
using System.Xml.Linq;
using MarginEngine.SbeGenerator.Model;

namespace MarginEngine.SbeGenerator.Read;

internal sealed class MessageReader
{
    private const int MaxBlock = 1 << 24;

    private readonly Schema _schema;
    private readonly TypeReader _types;
    private readonly HeaderReader _headers;

    public MessageReader(Schema schema, TypeReader types, HeaderReader headers)
    {
        _schema = schema;
        _types = types;
        _headers = headers;
    }

    public Message Read(XElement element)
    {
        NoAlignment(element);
        var message = new Message
        {
            Name = Attributes.Name(element),
            Id = Attributes.RequiredNumber(element, "id", ulong.MaxValue),
            Place = XmlLoader.PlaceOf(element),
            Description = Attributes.Description(element),
        };
        SchemaReader.CheckFits(_schema.Header?.TemplateId, message.Id, "the message's id", element);
        message.Block = ReadBlock(element, _types.SinceOf(element));
        SchemaReader.CheckFits(_schema.Header?.BlockLength, (ulong)message.Block.Length, "the block length", element);
        return message;
    }

    // The alignment attribute of SBE 2.0 would move fields; to overlook it would be to read the wrong octets.
    private static void NoAlignment(XElement element)
    {
        if (element.Attribute("alignment") is { } alignment)
            throw Attributes.Wrong(Rule.BadAttribute, alignment, "alignment is of SBE 2.0: give offsets");
    }

    private Block ReadBlock(XElement element, int since)
    {
        var block = new Block { Since = since };
        var names = new HashSet<string>();
        var ids = new HashSet<int>();
        int stage = 0;
        bool failed = false;
        foreach (XElement child in element.Elements())
        {
            try
            {
                stage = ReadChild(child, block, stage, names, ids);
            }
            catch (SchemaException e)
            {
                _types.Record(e);
                failed = true;
            }
        }

        if (failed)
            throw new SchemaException(Rule.Internal, default, "");
        ReadBlockLength(element, block);
        return block;
    }

    private int ReadChild(XElement child, Block block, int stage, HashSet<string> names, HashSet<int> ids)
    {
        string kind = child.Name.LocalName;
        int wanted = kind switch
        {
            "field" => 0,
            "group" => 1,
            "data" => 2,
            _ => throw Attributes.Wrong(Rule.MisplacedElement, child, $"<{kind}> cannot stand among fields"),
        };
        if (wanted < stage)
            throw Attributes.Wrong(Rule.BadOrder, child, $"<{kind}> after <{(stage == 1 ? "group" : "data")}>: fields, then groups, then data");
        NoAlignment(child);
        string name = Attributes.Name(child);
        if (!names.Add(name))
            throw Attributes.Wrong(Rule.DuplicateName, child, $"there are two '{name}' in this block");
        int id = (int)Attributes.RequiredNumber(child, "id", ushort.MaxValue);
        if (!ids.Add(id))
            throw Attributes.Wrong(Rule.DuplicateId, child, $"id {id} is taken by another field of this block");
        switch (kind)
        {
            case "field": ReadField(child, name, id, block); break;
            case "group": ReadGroup(child, name, id, block); break;
            default: ReadData(child, name, id, block); break;
        }

        return wanted;
    }

    private void ReadField(XElement element, string name, int id, Block block)
    {
        Encoding type = _types.Resolve(Attributes.Required(element, "type"), element.Attribute("type")!);
        if (type is SimpleType { Length: 0 })
            throw Attributes.Wrong(Rule.BadVarData, element, "a type of variable length can only stand in the composite of <data>");
        type = TypeReader.WithRange(element, type);
        var slot = new Slot
        {
            Name = name,
            Id = id,
            Place = XmlLoader.PlaceOf(element),
            Type = type,
            Description = Attributes.Description(element) ?? type.Description,
            Since = Math.Max(Math.Max(_types.SinceOf(element), type.Since), block.Since),
        };
        ReadPresence(element, slot);
        PlaceField(element, slot, block);
        block.Fields.Add(slot);
    }

    private void ReadPresence(XElement element, Slot slot)
    {
        var simple = slot.Type as SimpleType;
        Presence? given = Attributes.Presence(element);
        slot.Presence = simple?.Presence == Presence.Constant ? Presence.Constant : given ?? simple?.Presence ?? Presence.Required;
        slot.Constant = simple?.Constant;
        if (slot.Presence != Presence.Constant)
            return;
        if (element.Attribute("valueRef") is { } reference)
        {
            Constant constant = _types.ValueRef(reference.Value.Trim(), reference);
            slot.Constant = slot.Type is EnumType ? constant : new Constant { Number = constant.Number };
            if (slot.Type is EnumType type && type != constant.Enum)
                throw Attributes.Wrong(Rule.MissingConstant, reference, $"'{reference.Value}' is not a value of '{type.Name}'");
        }

        if (slot.Constant is null)
            throw Attributes.Wrong(Rule.MissingConstant, element, $"the constant '{slot.Name}' needs a valueRef");
    }

    private static void PlaceField(XElement element, Slot slot, Block block)
    {
        ulong? offset = Attributes.Number(element, "offset", MaxBlock);
        if (offset is { } given && slot.Presence != Presence.Constant)
        {
            if (given < (ulong)block.Length)
            {
                throw Attributes.Wrong(
                    Rule.BadOffset, element.Attribute("offset")!, $"offset {given} lies within the fields before it, which end at {block.Length}");
            }

            block.Length = (int)given;
        }

        slot.Offset = block.Length;
        long end = (long)block.Length + slot.Size;
        if (end > MaxBlock)
            throw Attributes.Wrong(Rule.BadOffset, element, $"the block is longer than {MaxBlock} octets");
        block.Length = (int)end;
    }

    private static void ReadBlockLength(XElement element, Block block)
    {
        if (Attributes.Number(element, "blockLength", MaxBlock) is not { } given)
            return;
        if (given < (ulong)block.Length)
        {
            throw Attributes.Wrong(
                Rule.BadBlockLength, element.Attribute("blockLength")!, $"blockLength {given} is less than the {block.Length} octets of the fields");
        }

        block.Length = (int)given;
    }

    private void ReadGroup(XElement element, string name, int id, Block block)
    {
        int since = Math.Max(_types.SinceOf(element), block.Since);
        var group = new Group
        {
            Name = name,
            Id = id,
            Place = XmlLoader.PlaceOf(element),
            Description = Attributes.Description(element),
            Since = since,
            Dimension = _headers.ReadDimension(element),
            Index = block.Parts.Count,
        };
        group.Block = ReadBlock(element, since);
        SchemaReader.CheckFits(group.Dimension.BlockLength, (ulong)group.Block.Length, "the block length", element);
        block.Parts.Add(group);
    }

    private void ReadData(XElement element, string name, int id, Block block)
    {
        var data = new VarData
        {
            Name = name,
            Id = id,
            Place = XmlLoader.PlaceOf(element),
            Description = Attributes.Description(element),
            Since = Math.Max(_types.SinceOf(element), block.Since),
            Index = block.Parts.Count,
        };
        _headers.ReadVarData(element, data);
        block.Parts.Add(data);
    }
}
