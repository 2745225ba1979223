// An SBE codec that shares nothing with the generator: it interprets the schema's XML, and writes random messages together with the JSON
// they must become and the places of their lengths. Written to be obviously right, not fast.

using System.Buffers.Binary;
using System.Globalization;
using System.Xml.Linq;

namespace MarginEngine.Tests.CodecTests;

/// <summary>What can be encoded: a scalar, text, array, enum, set, composite or constant.</summary>
internal abstract record OType(string Name)
{
    public abstract int Size { get; }
}

internal sealed record OScalar(string Name, string Primitive, bool Optional, decimal Min, decimal Max, string? Null) : OType(Name)
{
    public override int Size => OracleSchema.SizeOf(Primitive);
}

internal sealed record OArray(string Name, string Primitive, int Length, string? CharacterEncoding) : OType(Name)
{
    public override int Size => OracleSchema.SizeOf(Primitive) * Length;
}

internal sealed record OEnum(string Name, string Primitive, decimal Null, (string Name, decimal Value, int Since)[] Values) : OType(Name)
{
    public override int Size => OracleSchema.SizeOf(Primitive);
}

internal sealed record OSet(string Name, string Primitive, (string Name, int Bit, int Since)[] Choices) : OType(Name)
{
    public override int Size => OracleSchema.SizeOf(Primitive);
}

internal sealed record OComposite(string Name, OField[] Members, int Total) : OType(Name)
{
    public override int Size => Total;
}

/// <summary>A constant; Json is the text of its value in JSON.</summary>
internal sealed record OConstant(string Name, string Json) : OType(Name)
{
    public override int Size => 0;
}

internal sealed record OField(string Name, OType Type, int Offset, int Since, bool Optional)
{
    public int End => Offset + Type.Size;
}

internal sealed record OGroup(string Name, OComposite Dimension, OBlock Block, int Since, int MaxCount);

internal sealed record OData(string Name, OComposite Encoding, OScalar Length, int Start, string? CharacterEncoding, int Since);

internal sealed record OBlock(OField[] Fields, OGroup[] Groups, OData[] Data, int Length, int Since);

internal sealed record OMessage(string Name, decimal Id, OBlock Block);

/// <summary>A schema as the oracle understands it.</summary>
internal sealed class OracleSchema
{
    private readonly Dictionary<string, XElement> _types = [];

    public OracleSchema(string xml)
    {
        XElement root = XDocument.Parse(xml).Root!;
        BigEndian = (string?)root.Attribute("byteOrder") == "bigEndian";
        Id = (decimal)root.Attribute("id")!;
        Version = (int)root.Attribute("version")!;
        foreach (XElement type in root.Elements("types").Elements())
            _types.Add((string)type.Attribute("name")!, type);
        Header = (OComposite)TypeOf((string?)root.Attribute("headerType") ?? "messageHeader");
        Messages = [.. root.Elements().Where(e => e.Name.LocalName == "message").Select(ReadMessage)];
    }

    public bool BigEndian { get; }

    public decimal Id { get; }

    public int Version { get; }

    public OComposite Header { get; }

    public OMessage[] Messages { get; }

    public static int SizeOf(string primitive) => primitive switch
    {
        "char" or "int8" or "uint8" => 1,
        "int16" or "uint16" => 2,
        "int32" or "uint32" or "float" => 4,
        _ => 8,
    };

    /// <summary>The range of a required value and the null value, as the standard's table has them.</summary>
    public static (decimal Min, decimal Max, decimal Null) RangeOf(string primitive) => primitive switch
    {
        "char" => (0x20, 0x7e, 0),
        "int8" => (-127, 127, -128),
        "int16" => (-32767, 32767, -32768),
        "int32" => (-2147483647, 2147483647, -2147483648),
        "int64" => (-9223372036854775807, 9223372036854775807, -9223372036854775808),
        "uint8" => (0, 254, 255),
        "uint16" => (0, 65534, 65535),
        "uint32" => (0, 4294967294, 4294967295),
        "uint64" => (0, 18446744073709551614, 18446744073709551615),
        _ => (-1000, 1000, 0),
    };

    public void Put(Span<byte> to, string primitive, decimal value)
    {
        switch (primitive)
        {
            case "float": PutBits(to, BitConverter.SingleToUInt32Bits((float)value), 4); break;
            case "double": PutBits(to, BitConverter.DoubleToUInt64Bits((double)value), 8); break;
            default: PutBits(to, value < 0 ? unchecked((ulong)(long)value) : (ulong)value, SizeOf(primitive)); break;
        }
    }

    public void PutBits(Span<byte> to, ulong bits, int size)
    {
        Span<byte> all = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(all, bits);
        all = all[..size];
        if (BigEndian)
            all.Reverse();
        all.CopyTo(to);
    }

    private OMessage ReadMessage(XElement element) =>
        new((string)element.Attribute("name")!, (decimal)element.Attribute("id")!, ReadBlock(element, SinceOf(element)));

    private static int SinceOf(XElement? element) => (int?)element?.Attribute("sinceVersion") ?? 0;

    private OBlock ReadBlock(XElement element, int since)
    {
        var fields = new List<OField>();
        int end = 0;
        foreach (XElement field in element.Elements("field"))
            fields.Add(Place(field, FieldType(field), since, ref end));
        OGroup[] groups = [.. element.Elements("group").Select(g => ReadGroup(g, since))];
        OData[] data = [.. element.Elements("data").Select(d => ReadData(d, since))];
        return new OBlock([.. fields], groups, data, (int?)element.Attribute("blockLength") ?? end, since);
    }

    private OField Place(XElement element, OType type, int blockSince, ref int end)
    {
        int offset = (int?)element.Attribute("offset") ?? end;
        if (type is not OConstant)
            end = offset + type.Size;
        int typeSince = SinceOf(_types.GetValueOrDefault((string?)element.Attribute("type") ?? ""));
        int since = Math.Max(blockSince, Math.Max(SinceOf(element), typeSince));
        bool optional = (string?)element.Attribute("presence") == "optional" || type is OScalar { Optional: true };
        return new OField((string)element.Attribute("name")!, type, offset, since, optional);
    }

    private OType FieldType(XElement field)
    {
        string name = (string)field.Attribute("type")!;
        if ((string?)field.Attribute("presence") == "constant" && (string?)field.Attribute("valueRef") is { } reference)
            return new OConstant(name, $"\"{reference.Split('.')[1]}\"");
        return TypeOf(name);
    }

    private OType TypeOf(string name)
    {
        if (_types.TryGetValue(name, out XElement? element))
            return ReadType(element);
        (decimal min, decimal max, _) = RangeOf(name);
        return new OScalar(name, name, false, min, max, null);
    }

    private OType ReadType(XElement element)
    {
        string name = (string)element.Attribute("name")!;
        switch (element.Name.LocalName)
        {
            case "ref": return TypeOf((string)element.Attribute("type")!);
            case "composite": return ReadComposite(name, element);
            case "enum":
                (string primitive, decimal nullValue) = EncodingOf(element);
                return new OEnum(name, primitive, nullValue,
                    [.. element.Elements().Select(e => ((string)e.Attribute("name")!, primitive == "char" ? e.Value[0] : decimal.Parse(e.Value, CultureInfo.InvariantCulture), SinceOf(e)))]);
            case "set":
                return new OSet(name, EncodingOf(element).Primitive, [.. element.Elements().Select(e => ((string)e.Attribute("name")!, int.Parse(e.Value, CultureInfo.InvariantCulture), SinceOf(e)))]);
            default: return ReadSimple(name, element);
        }
    }

    private (string Primitive, decimal Null) EncodingOf(XElement element)
    {
        string encoding = (string)element.Attribute("encodingType")!;
        XElement? named = _types.GetValueOrDefault(encoding);
        string primitive = (string?)named?.Attribute("primitiveType") ?? encoding;
        return (primitive, (decimal?)named?.Attribute("nullValue") ?? RangeOf(primitive).Null);
    }

    private static OType ReadSimple(string name, XElement element)
    {
        string primitive = (string)element.Attribute("primitiveType")!;
        int length = (int?)element.Attribute("length") ?? 1;
        string presence = (string?)element.Attribute("presence") ?? "required";
        if (presence == "constant")
            return new OConstant(name, primitive == "char" ? $"\"{element.Value}\"" : element.Value);
        if (length != 1)
            return new OArray(name, primitive, length, (string?)element.Attribute("characterEncoding"));
        (decimal min, decimal max, _) = RangeOf(primitive);
        return new OScalar(name, primitive, presence == "optional", (decimal?)element.Attribute("minValue") ?? min, (decimal?)element.Attribute("maxValue") ?? max, (string?)element.Attribute("nullValue"));
    }

    private OComposite ReadComposite(string name, XElement element)
    {
        int end = 0;
        var members = new List<OField>();
        foreach (XElement member in element.Elements())
            members.Add(Place(member, ReadType(member), 0, ref end));
        return new OComposite(name, [.. members], end);
    }

    private OGroup ReadGroup(XElement element, int since)
    {
        since = Math.Max(since, SinceOf(element));
        var dimension = (OComposite)TypeOf((string?)element.Attribute("dimensionType") ?? "groupSizeEncoding");
        var count = (OScalar)dimension.Members.Single(m => m.Name == "numInGroup").Type;
        return new OGroup((string)element.Attribute("name")!, dimension, ReadBlock(element, since), since, (int)Math.Min(count.Max, int.MaxValue));
    }

    private OData ReadData(XElement element, int since)
    {
        var encoding = (OComposite)TypeOf((string)element.Attribute("type")!);
        OField bytes = encoding.Members[^1];
        var text = (OArray)bytes.Type;
        return new OData(
            (string)element.Attribute("name")!, encoding, (OScalar)encoding.Members.Single(m => m.Name == "length").Type, bytes.Offset,
            text.CharacterEncoding, Math.Max(since, SinceOf(element)));
    }
}
