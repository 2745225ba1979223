// The eleven primitive types of SBE: sizes, ranges, null values and how C# spells them.

using System.Globalization;

namespace MarginEngine.SbeGenerator.Model;

internal enum Primitive
{
    Char,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Float,
    Double,
}

internal static class Primitives
{
    public static bool TryParse(string name, out Primitive primitive)
    {
        switch (name)
        {
            case "char": primitive = Primitive.Char; return true;
            case "int8": primitive = Primitive.Int8; return true;
            case "int16": primitive = Primitive.Int16; return true;
            case "int32": primitive = Primitive.Int32; return true;
            case "int64": primitive = Primitive.Int64; return true;
            case "uint8": primitive = Primitive.UInt8; return true;
            case "uint16": primitive = Primitive.UInt16; return true;
            case "uint32": primitive = Primitive.UInt32; return true;
            case "uint64": primitive = Primitive.UInt64; return true;
            case "float": primitive = Primitive.Float; return true;
            case "double": primitive = Primitive.Double; return true;
            default: primitive = default; return false;
        }
    }

    public static int Size(this Primitive primitive) => primitive switch
    {
        Primitive.Char or Primitive.Int8 or Primitive.UInt8 => 1,
        Primitive.Int16 or Primitive.UInt16 => 2,
        Primitive.Int32 or Primitive.UInt32 or Primitive.Float => 4,
        _ => 8,
    };

    public static bool IsReal(this Primitive primitive) => primitive is Primitive.Float or Primitive.Double;

    public static bool IsUnsigned(this Primitive primitive) =>
        primitive is Primitive.UInt8 or Primitive.UInt16 or Primitive.UInt32 or Primitive.UInt64;

    /// <summary>The C# type of a value.</summary>
    public static string CSharp(this Primitive primitive) => primitive switch
    {
        Primitive.Char or Primitive.UInt8 => "byte",
        Primitive.Int8 => "sbyte",
        Primitive.Int16 => "short",
        Primitive.UInt16 => "ushort",
        Primitive.Int32 => "int",
        Primitive.UInt32 => "uint",
        Primitive.Int64 => "long",
        Primitive.UInt64 => "ulong",
        Primitive.Float => "float",
        _ => "double",
    };

    /// <summary>The ending of the wire accessors' names: GetInt64, PutInt64.</summary>
    public static string Accessor(this Primitive primitive) => primitive == Primitive.Char ? "UInt8" : primitive.ToString();

    /// <summary>The smallest and largest value the bits can hold, null values included.</summary>
    public static (decimal Low, decimal High) Bits(this Primitive primitive) => primitive switch
    {
        Primitive.Char => (0, 255),
        Primitive.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        Primitive.Int16 => (short.MinValue, short.MaxValue),
        Primitive.Int32 => (int.MinValue, int.MaxValue),
        Primitive.Int64 => (long.MinValue, long.MaxValue),
        Primitive.UInt8 => (0, byte.MaxValue),
        Primitive.UInt16 => (0, ushort.MaxValue),
        Primitive.UInt32 => (0, uint.MaxValue),
        _ => (0, ulong.MaxValue),
    };

    public static Value DefaultMin(this Primitive primitive)
    {
        if (primitive.IsReal())
            return Value.Of(double.NegativeInfinity);
        if (primitive == Primitive.Char)
            return Value.Of(32m);
        return primitive.IsUnsigned() ? Value.Of(0m) : Value.Of(primitive.Bits().Low + 1);
    }

    public static Value DefaultMax(this Primitive primitive)
    {
        if (primitive.IsReal())
            return Value.Of(double.PositiveInfinity);
        if (primitive == Primitive.Char)
            return Value.Of(126m);
        return Value.Of(primitive.IsUnsigned() ? primitive.Bits().High - 1 : primitive.Bits().High);
    }

    public static Value DefaultNull(this Primitive primitive)
    {
        if (primitive.IsReal())
            return Value.Of(double.NaN);
        if (primitive == Primitive.Char)
            return Value.Of(0m);
        return Value.Of(primitive.IsUnsigned() ? primitive.Bits().High : primitive.Bits().Low);
    }

    /// <summary>Reads a value as a schema writes it. A single character stands for itself in a char; longer text is a number.</summary>
    public static bool TryParseValue(this Primitive primitive, string text, out Value value)
    {
        value = default;
        if (primitive.IsReal())
            return TryParseReal(primitive, text.Trim(), out value);
        if (primitive == Primitive.Char && text.Length == 1)
        {
            value = Value.Of((decimal)text[0]);
            return text[0] <= 255;
        }

        string trimmed = text.Trim();
        if (primitive == Primitive.Char && trimmed.Length == 1)
        {
            value = Value.Of((decimal)trimmed[0]);
            return trimmed[0] <= 255;
        }

        if (trimmed.StartsWith("0x", System.StringComparison.OrdinalIgnoreCase))
        {
            if (!ulong.TryParse(trimmed.Substring(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong bits))
                return false;
            value = Value.Of((decimal)bits);
        }
        else
        {
            if (!decimal.TryParse(trimmed, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out decimal number))
                return false;
            value = Value.Of(number);
        }

        (decimal low, decimal high) = primitive.Bits();
        return value.Integer >= low && value.Integer <= high;
    }

    private static bool TryParseReal(Primitive primitive, string text, out Value value)
    {
        value = default;
        double number;
        switch (text)
        {
            case "NaN": number = double.NaN; break;
            case "INF" or "+INF" or "Infinity": number = double.PositiveInfinity; break;
            case "-INF" or "-Infinity": number = double.NegativeInfinity; break;
            default:
                if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) || double.IsInfinity(number))
                    return false;
                if (primitive == Primitive.Float && float.IsInfinity((float)number))
                    return false;
                break;
        }

        value = Value.Of(number);
        return true;
    }

    /// <summary>A C# literal of the primitive's type.</summary>
    public static string Literal(this Primitive primitive, Value value)
    {
        if (primitive.IsReal())
            return RealLiteral(primitive, value.Real);
        string digits = value.Integer.ToString(CultureInfo.InvariantCulture);
        return primitive switch
        {
            Primitive.Int64 => value.Integer < 0 ? $"({digits}L)" : digits + "L",
            Primitive.UInt64 => digits + "UL",
            Primitive.Int32 => value.Integer < 0 ? $"({digits})" : digits,
            Primitive.UInt32 => digits + "U",
            _ => $"(({primitive.CSharp()})({digits}))",
        };
    }

    private static string RealLiteral(Primitive primitive, double value)
    {
        string type = primitive.CSharp();
        if (double.IsNaN(value))
            return type + ".NaN";
        if (double.IsInfinity(value))
            return type + (value > 0 ? ".PositiveInfinity" : ".NegativeInfinity");
        return primitive == Primitive.Float
            ? $"({((float)value).ToString("R", CultureInfo.InvariantCulture)}f)"
            : $"({value.ToString("R", CultureInfo.InvariantCulture)}d)";
    }

    /// <summary>The bytes of a value, least significant first.</summary>
    public static byte[] Bytes(this Primitive primitive, Value value)
    {
        if (primitive == Primitive.Double)
            return LittleEndian((ulong)System.BitConverter.DoubleToInt64Bits(CanonicalNaN(value.Real)), 8);
        if (primitive == Primitive.Float)
        {
            byte[] single = System.BitConverter.GetBytes((float)CanonicalNaN(value.Real));
            return LittleEndian(System.BitConverter.ToUInt32(single, 0), 4);
        }

        ulong bits = value.Integer < 0 ? unchecked((ulong)(long)value.Integer) : (ulong)value.Integer;
        return LittleEndian(bits, primitive.Size());
    }

    // double.NaN has the sign bit set on x86; the quiet NaN of other implementations has not.
    private static double CanonicalNaN(double value) =>
        double.IsNaN(value) ? System.BitConverter.Int64BitsToDouble(0x7FF8000000000000) : value;

    private static byte[] LittleEndian(ulong bits, int size)
    {
        var bytes = new byte[size];
        for (int i = 0; i < size; i++)
            bytes[i] = (byte)((bits >> (8 * i)) & 0xFF);
        return bytes;
    }
}

/// <summary>An integer (every 64-bit one, signed or not) or a real number.</summary>
internal readonly struct Value
{
    private Value(decimal integer, double real)
    {
        Integer = integer;
        Real = real;
    }

    public decimal Integer { get; }

    public double Real { get; }

    public static Value Of(decimal integer) => new Value(integer, 0);

    public static Value Of(double real) => new Value(0, real);
}

internal static class PrimitiveNames
{
    /// <summary>The name a schema writes.</summary>
    public static string SchemaName(this Primitive primitive) => primitive switch
    {
        Primitive.UInt8 => "uint8",
        Primitive.UInt16 => "uint16",
        Primitive.UInt32 => "uint32",
        Primitive.UInt64 => "uint64",
        _ => primitive.ToString().ToLowerInvariant(),
    };
}
