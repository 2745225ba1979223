// Writes, for a schema of the oracle, the C# that copies any message field by field from its generated decoder to its generated encoder,
// and the doors by which property tests reach Schema.Validate, Schema.WriteJson and TryWrap.

using System.Text;

namespace MarginEngine.Tests.CodecTests;

internal static class Transcoder
{
    /// <summary>The body of the probe class.</summary>
    public static string Probe(OracleSchema schema)
    {
        var code = new StringBuilder();
        code.AppendLine("""
            public static string Json(byte[] buffer, int start, int length)
            {
                var stream = new MemoryStream();
                using (var writer = new Utf8JsonWriter(stream))
                {
                    SbeError error = Schema.WriteJson(new ReadOnlySpan<byte>(buffer, start, length), writer);
                    if (error != SbeError.None)
                        return error.ToString();
                }
                return Encoding.UTF8.GetString(stream.ToArray());
            }
            public static string Validate(byte[] buffer, int start, int length) =>
                Schema.Validate(new ReadOnlySpan<byte>(buffer, start, length), out ushort field) is var error && error == SbeError.None ? "None" : error + " " + field;
            """);
        code.AppendLine("public static int Wrap(byte[] buffer, int start, int length)");
        code.AppendLine("{ var message = new ReadOnlySpan<byte>(buffer, start, length); int found = -1;");
        foreach (OMessage message in schema.Messages)
            code.AppendLine($"if ({Pascal(message.Name)}Decoder.TryWrap(message, out var d{message.Id})) found = d{message.Id}.EncodedLength;");
        code.AppendLine("return found; }");
        code.AppendLine("public static int Transcode(byte[] from, byte[] to) {");
        foreach (OMessage message in schema.Messages)
        {
            string name = Pascal(message.Name);
            code.AppendLine($"if ({name}Decoder.TryWrap(from, out var d{message.Id})) {{ var e = {name}Encoder.Wrap(to); {name}(e, d{message.Id}); return e.EncodedLength; }}");
        }

        code.AppendLine("return -1; }");
        foreach (OMessage message in schema.Messages)
        {
            string name = Pascal(message.Name);
            code.AppendLine($"static void {name}({name}Encoder e, {name}Decoder d) {{");
            CopyBlock(code, message.Block, "e", "d", schema.BigEndian);
            code.AppendLine("}");
        }

        return code.ToString();
    }

    public static string Pascal(string name) => char.ToUpperInvariant(name[0]) + name[1..];

    private static void CopyBlock(StringBuilder code, OBlock block, string to, string from, bool bigEndian)
    {
        foreach (OField field in block.Fields)
            CopyField(code, field, to, from, bigEndian);
        foreach (OGroup group in block.Groups)
            CopyGroup(code, group, to, from, bigEndian);
        foreach (OData data in block.Data)
            code.AppendLine($"{to}.Set{Pascal(data.Name)}({from}.{Pascal(data.Name)});");
    }

    private static void CopyField(StringBuilder code, OField field, string to, string from, bool bigEndian)
    {
        string name = Pascal(field.Name);
        switch (field.Type)
        {
            case OConstant: break;
            case OComposite composite:
                code.AppendLine($"{{ var {to}_ = {to}.{name}; var {from}_ = {from}.{name};");
                foreach (OField member in composite.Members)
                    CopyField(code, member, to + "_", from + "_", bigEndian);
                code.AppendLine("}");
                break;
            case OArray { Primitive: not ("char" or "uint8" or "int8") } array when bigEndian:
                code.AppendLine($"{to}.Set{name}(Enumerable.Range(0, {array.Length}).Select(_ => default({CSharp(array.Primitive)})).ToArray());");
                code.AppendLine($"{{ var a = new {CSharp(array.Primitive)}[{array.Length}]; for (int i = 0; i < a.Length; i++) a[i] = {from}.{name}At(i); {to}.Set{name}(a); }}");
                break;
            case OArray: code.AppendLine($"{to}.Set{name}({from}.{name});"); break;
            default: code.AppendLine($"{to}.{name} = {from}.{name};"); break;
        }
    }

    private static void CopyGroup(StringBuilder code, OGroup group, string to, string from, bool bigEndian)
    {
        string name = Pascal(group.Name);
        bool flat = group.Block.Groups.Length == 0 && group.Block.Data.Length == 0;
        code.AppendLine($"{{ var {to}g = {to}.{name}Count({from}.{name}.Count); int {to}i = 0;");
        code.AppendLine($"foreach (var {from}x in {from}.{name}) {{ var {to}x = {(flat ? $"{to}g[{to}i]" : $"{to}g.Next()")}; {to}i++;");
        CopyBlock(code, group.Block, to + "x", from + "x", bigEndian);
        code.AppendLine("} }");
    }

    private static string CSharp(string primitive) => primitive switch
    {
        "int16" => "short",
        "uint16" => "ushort",
        "int32" => "int",
        "uint32" => "uint",
        "int64" => "long",
        "uint64" => "ulong",
        _ => primitive,
    };
}
