// Writes one random message by the oracle: its octets, its JSON, the places of its lengths and counts.

using System.Text;
using System.Text.Json;

namespace MarginEngine.Tests.CodecTests;

/// <summary>A length or count in a message: where, how wide, what of.</summary>
internal readonly record struct LengthPlace(int Offset, string Primitive, string What);

/// <summary>A message that the oracle wrote.</summary>
internal sealed record OracleMessage(OMessage Type, byte[] Octets, string Json, LengthPlace[] Lengths);

internal sealed class OracleWriter(OracleSchema schema, Random random)
{
    private readonly MemoryStream _octets = new();
    private readonly List<LengthPlace> _lengths = [];
    private readonly List<(int Offset, byte[] Bytes)> _patches = [];
    private Utf8JsonWriter _json = null!;
    private int _version;
    private int _padding;

    /// <summary>A random valid message as a sender of a version writes it, its blocks longer by some octets unknown to the schema.</summary>
    public OracleMessage Write(OMessage message, int version, int padding = 0)
    {
        _octets.SetLength(0);
        _lengths.Clear();
        _version = version;
        _padding = padding;
        using var text = new MemoryStream();
        _json = new Utf8JsonWriter(text);
        _json.WriteStartObject();
        _json.WriteString("template", message.Name);
        int block = ActingLength(message.Block);
        WriteCounted(schema.Header, "root", new Dictionary<string, decimal>
        {
            ["blockLength"] = block,
            ["templateId"] = message.Id,
            ["schemaId"] = schema.Id,
            ["version"] = version,
            ["numGroups"] = message.Block.Groups.Length,
            ["numVarDataFields"] = message.Block.Data.Length,
        });
        WriteBlock(message.Block, block);
        _json.WriteEndObject();
        _json.Flush();
        return new OracleMessage(message, _octets.ToArray(), Encoding.UTF8.GetString(text.ToArray()), [.. _lengths]);
    }

    // Older senders know a shorter block; newer ones may have a longer one.
    private int ActingLength(OBlock block)
    {
        if (_version >= schema.Version)
            return block.Length + _padding;
        return block.Fields.Select(f => EndOf(f.Type, f.Offset, f.Since)).DefaultIfEmpty(0).Max();
    }

    private int EndOf(OType type, int offset, int since)
    {
        if (since > _version || type is OConstant)
            return 0;
        return type is OComposite composite
            ? composite.Members.Select(m => EndOf(m.Type, offset + m.Offset, Math.Max(since, m.Since))).DefaultIfEmpty(0).Max()
            : offset + type.Size;
    }

    private void WriteCounted(OComposite composite, string what, Dictionary<string, decimal> values)
    {
        int start = (int)_octets.Length;
        var bytes = new byte[composite.Total];
        foreach (OField member in composite.Members)
        {
            if (member.Type is not OScalar scalar || !values.TryGetValue(member.Name, out decimal value))
                continue;
            schema.Put(bytes.AsSpan(member.Offset), scalar.Primitive, value);
            if (member.Name is "blockLength" or "numInGroup" or "length")
                _lengths.Add(new LengthPlace(start + member.Offset, scalar.Primitive, $"{what}.{member.Name}"));
        }

        _octets.Write(bytes);
    }

    private void WriteBlock(OBlock block, int length)
    {
        var bytes = new byte[length];
        foreach (OField field in block.Fields)
        {
            _json.WritePropertyName(field.Name);
            if (field.Type is not OConstant && field.Since > _version)
                WriteAbsent(field.Type);
            else
                WriteValue(bytes, 0, field);
        }

        if (_padding > 0 && _version >= schema.Version)
            random.NextBytes(bytes.AsSpan(block.Length));
        _octets.Write(bytes);
        foreach (OGroup group in block.Groups)
            WriteGroup(group);
        foreach (OData data in block.Data)
            WriteData(data);
    }

    private void WriteAbsent(OType type)
    {
        switch (type)
        {
            case OSet: _json.WriteStartArray(); _json.WriteEndArray(); break;
            case OArray { Primitive: "char" or "uint8" }: _json.WriteStringValue(""); break;
            case OArray: _json.WriteStartArray(); _json.WriteEndArray(); break;
            default: _json.WriteNullValue(); break;
        }
    }

    private void WriteValue(byte[] block, int at, OField field)
    {
        Span<byte> to = block.AsSpan(Math.Min(block.Length, at + field.Offset));
        switch (field.Type)
        {
            case OConstant constant: _json.WriteRawValue(constant.Json); break;
            case OScalar scalar: WriteScalar(to, scalar, field.Optional); break;
            case OArray array: WriteArray(to, array); break;
            case OEnum type: WriteEnum(to, type, field.Optional); break;
            case OSet set: WriteSet(to, set); break;
            case OComposite composite: WriteComposite(block, at + field.Offset, composite); break;
        }
    }

    private void WriteScalar(Span<byte> to, OScalar type, bool optional)
    {
        bool isReal = type.Primitive is "float" or "double";
        if (optional && random.Next(3) == 0)
        {
            if (isReal && type.Null is null)
                schema.PutBits(to, type.Primitive == "float" ? 0x7FC00000UL : 0x7FF8000000000000UL, type.Size);
            else
                schema.Put(to, type.Primitive, type.Null is null ? OracleSchema.RangeOf(type.Primitive).Null : decimal.Parse(type.Null));
            _json.WriteNullValue();
            return;
        }

        decimal value = RandomValue(type);
        schema.Put(to, type.Primitive, value);
        if (type.Primitive == "char")
            _json.WriteStringValue([(char)value]);
        else if (isReal)
            _json.WriteNumberValue((double)value);
        else
            _json.WriteNumberValue(value);
    }

    // Quarters are exact in float and double alike. The edges of the range come up often.
    private decimal RandomValue(OScalar type)
    {
        decimal nullValue = type.Null is null ? decimal.MaxValue : decimal.Parse(type.Null);
        while (true)
        {
            decimal value = type.Primitive is "float" or "double" ? random.Next(-4000, 4000) / 4m
                : random.Next(4) switch
                {
                    0 => type.Min,
                    1 => type.Max,
                    _ => decimal.Floor(type.Min + ((type.Max - type.Min) * (decimal)random.NextDouble())),
                };
            if (value != nullValue)
                return value;
        }
    }

    private void WriteArray(Span<byte> to, OArray type)
    {
        if (type.Primitive == "char")
        {
            byte[] text = RandomText(type.CharacterEncoding == "UTF-8", type.Length);
            text.CopyTo(to);
            _json.WriteStringValue(text);
            return;
        }

        if (type.Primitive == "uint8")
        {
            var bytes = new byte[type.Length];
            random.NextBytes(bytes);
            bytes.CopyTo(to);
            _json.WriteStringValue(Convert.ToHexStringLower(bytes));
            return;
        }

        (decimal min, decimal max, _) = OracleSchema.RangeOf(type.Primitive);
        var element = new OScalar("", type.Primitive, false, min, max, null);
        _json.WriteStartArray();
        for (int i = 0; i < type.Length; i++)
            WriteScalar(to[(i * element.Size)..], element, false);
        _json.WriteEndArray();
    }

    private byte[] RandomText(bool utf8, int room)
    {
        string alphabet = utf8 ? "aZ 09~ü€😀" : "aZ 09~!x";
        var runes = alphabet.EnumerateRunes().ToArray();
        var text = new StringBuilder();
        for (int left = random.Next(room + 1); left > 0; left--)
            text.Append(runes[random.Next(runes.Length)]);
        byte[] bytes = Encoding.UTF8.GetBytes(text.ToString());
        return bytes.Length <= room ? bytes : Encoding.UTF8.GetBytes(text.ToString()[..1].Trim('\uD83D'));
    }

    private void WriteEnum(Span<byte> to, OEnum type, bool optional)
    {
        if (optional && random.Next(3) == 0)
        {
            schema.Put(to, type.Primitive, type.Null);
            _json.WriteNullValue();
            return;
        }

        (string name, decimal value, _) = type.Values[random.Next(type.Values.Length)];
        schema.Put(to, type.Primitive, value);
        _json.WriteStringValue(name);
    }

    private void WriteSet(Span<byte> to, OSet type)
    {
        ulong bits = 0;
        _json.WriteStartArray();
        foreach ((string name, int bit, _) in type.Choices)
        {
            if (random.Next(2) == 0)
                continue;
            bits |= 1UL << bit;
            _json.WriteStringValue(name);
        }

        _json.WriteEndArray();
        schema.PutBits(to, bits, type.Size);
    }

    private void WriteComposite(byte[] block, int at, OComposite type)
    {
        OField? mantissa = type.Members.FirstOrDefault(m => m.Name == "mantissa");
        if (mantissa is not null)
        {
            WriteDecimal(block.AsSpan(at), type, mantissa);
            return;
        }

        // A composite whose first member is null is null as a whole; its members here are required, so it never is.
        _json.WriteStartObject();
        foreach (OField member in type.Members)
        {
            _json.WritePropertyName(member.Name);
            if (member.Type is not OConstant && member.Since > _version)
                WriteAbsent(member.Type);
            else
                WriteValue(block, at, member);
        }

        _json.WriteEndObject();
    }

    private void WriteDecimal(Span<byte> to, OComposite type, OField mantissa)
    {
        OField exponent = type.Members.Single(m => m.Name == "exponent");
        var scalar = (OScalar)mantissa.Type;
        int power = exponent.Type is OConstant constant ? int.Parse(constant.Json) : -random.Next(0, 9);
        if (exponent.Type is OScalar onWire)
            schema.Put(to[exponent.Offset..], onWire.Primitive, power);
        if (mantissa.Optional && random.Next(3) == 0)
        {
            schema.Put(to[mantissa.Offset..], scalar.Primitive, OracleSchema.RangeOf(scalar.Primitive).Null);
            _json.WriteNullValue();
            return;
        }

        decimal value = RandomValue(scalar);
        schema.Put(to[mantissa.Offset..], scalar.Primitive, value);
        _json.WriteStringValue(Shifted(value, power));
    }

    // The decimal point moved by text alone, so that no arithmetic is shared with the code under test.
    private static string Shifted(decimal value, int power)
    {
        string digits = decimal.Abs(value).ToString(System.Globalization.CultureInfo.InvariantCulture).PadLeft(1 - power, '0');
        string text = digits[..(digits.Length + power)] + "." + digits[(digits.Length + power)..];
        text = text.TrimEnd('0').TrimEnd('.');
        return (value < 0 ? "-" : "") + text;
    }

    private void WriteGroup(OGroup group)
    {
        _json.WriteStartArray(group.Name);
        if (group.Since <= _version)
        {
            int count = Math.Min(group.MaxCount, random.Next(4));
            int length = group.Dimension.Members.Any(m => m is { Name: "blockLength", Type: OConstant }) ? group.Block.Length : ActingLength(group.Block);
            WriteCounted(group.Dimension, group.Name, new Dictionary<string, decimal>
            {
                ["blockLength"] = length,
                ["numInGroup"] = count,
                ["numGroups"] = group.Block.Groups.Length,
                ["numVarDataFields"] = group.Block.Data.Length,
            });
            for (int i = 0; i < count; i++)
            {
                _json.WriteStartObject();
                WriteBlock(group.Block, length);
                _json.WriteEndObject();
            }
        }

        _json.WriteEndArray();
    }

    private void WriteData(OData data)
    {
        byte[] value = [];
        if (data.Since <= _version)
        {
            value = data.CharacterEncoding is null ? new byte[random.Next(12)] : RandomText(data.CharacterEncoding == "UTF-8", random.Next(12));
            if (data.CharacterEncoding is null)
                random.NextBytes(value);
            WriteCounted(data.Encoding with { Total = data.Start }, data.Name, new Dictionary<string, decimal> { ["length"] = value.Length });
            _octets.Write(value);
        }

        if (data.CharacterEncoding is null)
            _json.WriteString(data.Name, Convert.ToHexStringLower(value));
        else
            _json.WriteString(data.Name, value);
    }
}
