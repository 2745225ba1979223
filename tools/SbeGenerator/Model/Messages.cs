// Messages, groups and var data after every name is resolved and every offset computed.

using System.Collections.Generic;

namespace MarginEngine.SbeGenerator.Model;

internal sealed class Schema
{
    public string Package { get; set; } = "";

    public string Namespace { get; set; } = "";

    public ulong Id { get; set; }

    public int Version { get; set; }

    public bool BigEndian { get; set; }

    public string? Description { get; set; }

    public Place Place { get; set; }

    public Header Header { get; set; } = null!;

    /// <summary>Every named type, whether a message uses it or not, in the order of their names.</summary>
    public List<Encoding> Types { get; } = new List<Encoding>();

    public List<Message> Messages { get; } = new List<Message>();
}

/// <summary>The composite before every message.</summary>
internal sealed class Header
{
    public CompositeType Composite { get; set; } = null!;

    public Slot BlockLength { get; set; } = null!;

    public Slot TemplateId { get; set; } = null!;

    public Slot SchemaId { get; set; } = null!;

    public Slot Version { get; set; } = null!;

    public Slot? NumGroups { get; set; }

    public Slot? NumVarDataFields { get; set; }

    public int Size => Composite.Size;
}

/// <summary>The composite before a group's entries.</summary>
internal sealed class Dimension
{
    public CompositeType Composite { get; set; } = null!;

    public Slot BlockLength { get; set; } = null!;

    public Slot NumInGroup { get; set; } = null!;

    public Slot? NumGroups { get; set; }

    public Slot? NumVarDataFields { get; set; }

    public int Size => Composite.Size;
}

internal sealed class Message
{
    public string Name { get; set; } = "";

    public ulong Id { get; set; }

    public Place Place { get; set; }

    public string? Description { get; set; }

    /// <summary>C# name without Decoder or Encoder.</summary>
    public string CsName { get; set; } = "";

    public Block Block { get; set; } = null!;
}

/// <summary>What a message and a group entry have in common: fields, then groups, then var data.</summary>
internal sealed class Block
{
    /// <summary>Bytes of the fields, with padding.</summary>
    public int Length { get; set; }

    /// <summary>The version the message or group appeared in: its first fields need no check.</summary>
    public int Since { get; set; }

    public List<Slot> Fields { get; } = new List<Slot>();

    public List<Part> Parts { get; } = new List<Part>();

    /// <summary>True where an entry is nothing but its block.</summary>
    public bool IsFlat => Parts.Count == 0;

    public IEnumerable<Group> Groups
    {
        get
        {
            foreach (Part part in Parts)
            {
                if (part is Group group)
                    yield return group;
            }
        }
    }

    public IEnumerable<VarData> Data
    {
        get
        {
            foreach (Part part in Parts)
            {
                if (part is VarData data)
                    yield return data;
            }
        }
    }
}

/// <summary>What follows a block on the wire: a group or a var data field.</summary>
internal abstract class Part
{
    public string Name { get; set; } = "";

    public int Id { get; set; }

    public Place Place { get; set; }

    public int Since { get; set; }

    public string? Description { get; set; }

    public string CsName { get; set; } = "";

    public string IdName { get; set; } = "";

    /// <summary>Place in the order of the block's parts.</summary>
    public int Index { get; set; }

    /// <summary>Bytes of the part when it is empty.</summary>
    public abstract int EmptySize { get; }
}

internal sealed class Group : Part
{
    public Dimension Dimension { get; set; } = null!;

    public Block Block { get; set; } = null!;

    public string DecoderName { get; set; } = "";

    public string EncoderName { get; set; } = "";

    public string CountName { get; set; } = "";

    public override int EmptySize => Dimension.Size;
}

internal sealed class VarData : Part
{
    public CompositeType Composite { get; set; } = null!;

    public Slot Length { get; set; } = null!;

    /// <summary>Where the bytes begin, from the start of the composite.</summary>
    public int DataOffset { get; set; }

    public string? CharacterEncoding { get; set; }

    public string StringName { get; set; } = "";

    public string SetName { get; set; } = "";

    public override int EmptySize => DataOffset;
}
