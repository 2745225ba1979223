// Names of framework members and expressions that the emitters share. Generated code names the framework with global:: throughout: a
// schema may call a type String or a field Unsafe.

using System.Globalization;
using MarginEngine.SbeGenerator.Model;

namespace MarginEngine.SbeGenerator.Emit;

internal static class Text
{
    public const string Unsafe = "global::System.Runtime.CompilerServices.Unsafe";
    public const string Marshal = "global::System.Runtime.InteropServices.MemoryMarshal";
    public const string ReadOnlySpan = "global::System.ReadOnlySpan";
    public const string Span = "global::System.Span";
    public const string Inline =
        "[global::System.Runtime.CompilerServices.MethodImpl(global::System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]";

    public static string Digits(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The C# type of a primitive, enum or set.</summary>
    public static string TypeOf(Encoding type, Schema schema) => type switch
    {
        SimpleType simple => simple.Primitive.CSharp(),
        _ => Global(schema, type.CsName),
    };

    public static string Global(Schema schema, string name) => "global::" + schema.Namespace + "." + name;

    public static string Wire(Schema schema) => Global(schema, "SbeWire");

    /// <summary>A reference to the byte at an offset: "ref _at" itself for 0.</summary>
    public static string RefAt(string at, int offset) => offset == 0 ? "ref " + at : $"ref {Unsafe}.Add(ref {at}, {Digits(offset)})";

    /// <summary>Reads an integer or real at an offset.</summary>
    public static string Get(Schema schema, Primitive primitive, string at, int offset) =>
        $"{Wire(schema)}.Get{primitive.Accessor()}(ref {at}, {Digits(offset)})";

    public static string Put(Schema schema, Primitive primitive, string at, int offset, string value) =>
        $"{Wire(schema)}.Put{primitive.Accessor()}(ref {at}, {Digits(offset)}, {value})";

    /// <summary>Reads a header or dimension member, or gives its constant.</summary>
    public static string GetMember(Schema schema, Slot slot, string at, int offset)
    {
        Primitive primitive = ((SimpleType)slot.Type).Primitive;
        return slot.Constant is { } constant
            ? primitive.Literal(constant.Number)
            : Get(schema, primitive, at, offset + slot.Offset);
    }

    /// <summary>The primitive behind a type, enum or set.</summary>
    public static Primitive PrimitiveOf(Encoding type) => type switch
    {
        SimpleType simple => simple.Primitive,
        EnumType e => e.Encoding.Primitive,
        SetType s => s.Encoding.Primitive,
        _ => throw new System.InvalidOperationException(),
    };

    public static string EnumNull(Schema schema, EnumType type) => Global(schema, type.CsName) + ".NullValue";

    /// <summary>The .NET encoding of a characterEncoding, or null where there is none of that name.</summary>
    public static string? TextEncoding(string? name) => name?.Trim().ToUpperInvariant().Replace('_', '-') switch
    {
        null or "" => null,
        "ASCII" or "US-ASCII" => "ASCII",
        "UTF-8" or "UTF8" => "UTF8",
        "ISO-8859-1" or "LATIN1" or "LATIN-1" => "Latin1",
        "UTF-16" or "UTF-16LE" => "Unicode",
        "UTF-16BE" => "BigEndianUnicode",
        _ => null,
    };

    public static string Quoted(string text) => Microsoft.CodeAnalysis.CSharp.SymbolDisplay.FormatLiteral(text, quote: true);
}
