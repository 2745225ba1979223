// The encodings of a schema after every name is resolved: types, enums, sets, composites.

using System.Collections.Generic;

namespace MarginEngine.SbeGenerator.Model;

internal enum Presence
{
    Required,
    Optional,
    Constant,
}

/// <summary>Something that occupies bytes: a type, an enum, a set or a composite.</summary>
internal abstract class Encoding
{
    public string Name { get; set; } = "";

    public Place Place { get; set; }

    public int Since { get; set; }

    public string? Description { get; set; }

    /// <summary>The C# name; for a composite without its Decoder or Encoder ending.</summary>
    public string CsName { get; set; } = "";

    /// <summary>Bytes on the wire.</summary>
    public abstract int Size { get; }
}

/// <summary>A <c>type</c>: one primitive, or an array of a fixed number of them.</summary>
internal sealed class SimpleType : Encoding
{
    public Primitive Primitive { get; set; }

    /// <summary>Elements; 0 where the length is variable.</summary>
    public int Length { get; set; } = 1;

    public bool IsArray { get; set; }

    public Presence Presence { get; set; }

    public Value Null { get; set; }

    public Value Min { get; set; }

    public Value Max { get; set; }

    /// <summary>True where the schema itself gives a minValue or maxValue.</summary>
    public bool HasMin { get; set; }

    public bool HasMax { get; set; }

    public string? CharacterEncoding { get; set; }

    public Constant? Constant { get; set; }

    public override int Size => Presence == Presence.Constant ? 0 : Primitive.Size() * Length;

    public SimpleType Copy() => (SimpleType)MemberwiseClone();

    public static SimpleType Plain(Primitive primitive, string name, Place place) => new SimpleType
    {
        Name = name,
        Place = place,
        Primitive = primitive,
        Null = primitive.DefaultNull(),
        Min = primitive.DefaultMin(),
        Max = primitive.DefaultMax(),
    };
}

/// <summary>A value that the schema fixes and the wire does not carry.</summary>
internal sealed class Constant
{
    public Value Number { get; set; }

    /// <summary>The text of a constant char array, else null.</summary>
    public string? Text { get; set; }

    public EnumType? Enum { get; set; }

    public EnumMember? Member { get; set; }
}

internal sealed class EnumType : Encoding
{
    public SimpleType Encoding { get; set; } = null!;

    public Value Null { get; set; }

    public string NullName { get; set; } = "NullValue";

    public List<EnumMember> Members { get; } = new List<EnumMember>();

    public override int Size => Encoding.Primitive.Size();
}

internal sealed class EnumMember
{
    public string Name { get; set; } = "";

    public string CsName { get; set; } = "";

    public Value Value { get; set; }

    public int Since { get; set; }

    public string? Description { get; set; }
}

internal sealed class SetType : Encoding
{
    public SimpleType Encoding { get; set; } = null!;

    public List<SetChoice> Choices { get; } = new List<SetChoice>();

    public override int Size => Encoding.Primitive.Size();
}

internal sealed class SetChoice
{
    public string Name { get; set; } = "";

    public string CsName { get; set; } = "";

    public int Bit { get; set; }

    public string? Description { get; set; }
}

internal sealed class CompositeType : Encoding
{
    public List<Slot> Members { get; } = new List<Slot>();

    /// <summary>Bytes from the first to the end of the last member.</summary>
    public int Length { get; set; }

    public override int Size => Length;

    /// <summary>True where some member came with a later version than the composite itself.</summary>
    public bool IsVersioned { get; set; }

    public Slot? Find(string name) => Members.Find(m => m.Name == name);
}

/// <summary>A field of a block or a member of a composite.</summary>
internal sealed class Slot
{
    public string Name { get; set; } = "";

    public int Id { get; set; }

    public Place Place { get; set; }

    public Encoding Type { get; set; } = null!;

    public Presence Presence { get; set; }

    public Constant? Constant { get; set; }

    /// <summary>From the start of the block or composite.</summary>
    public int Offset { get; set; }

    /// <summary>The version it appeared in: the latest of its own, its type's and its block's.</summary>
    public int Since { get; set; }

    public string? Description { get; set; }

    public int Size => Presence == Presence.Constant ? 0 : Type.Size;

    public int End => Offset + Size;

    // The names of its accessors, free of collisions within the struct.
    public string CsName { get; set; } = "";

    public string IdName { get; set; } = "";

    public string NullName { get; set; } = "";

    public string HasName { get; set; } = "";

    public string StringName { get; set; } = "";

    public string SetName { get; set; } = "";

    public string AtName { get; set; } = "";

    public string LengthName { get; set; } = "";
}
