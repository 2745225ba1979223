// Emits Schema.WriteJson: one method a message, composite, enum and set. Names in the JSON are the schema's own.

using System.Linq;
using MarginEngine.SbeGenerator.Model;
using static MarginEngine.SbeGenerator.Emit.Text;

namespace MarginEngine.SbeGenerator.Emit;

internal sealed class JsonEmitter
{
    private const string Writer = "global::System.Text.Json.Utf8JsonWriter";

    private readonly Schema _schema;
    private readonly CodeWriter _writer;
    private readonly string _json;
    private int _locals;

    public JsonEmitter(Schema schema, CodeWriter writer)
    {
        _schema = schema;
        _writer = writer;
        _json = Global(schema, "SbeJson");
    }

    public void Emit()
    {
        _writer.Open("public static partial class Schema");
        foreach (Message message in _schema.Messages)
            EmitMessage(message);
        foreach (CompositeType composite in _schema.Types.OfType<CompositeType>())
            EmitComposite(composite);
        foreach (EnumType type in _schema.Types.OfType<EnumType>())
            EmitEnum(type);
        foreach (SetType type in _schema.Types.OfType<SetType>())
            EmitSet(type);
        _writer.Close();
    }

    // "template" unless a message of the schema has a field of that name.
    private string TemplateKey() =>
        _schema.Messages.Any(m => m.Block.Fields.Any(f => f.Name == "template") || m.Block.Parts.Any(p => p.Name == "template"))
            ? "_template"
            : "template";

    private static string Name(string name) => Quoted(name) + "u8";

    private void EmitMessage(Message message)
    {
        string name = Global(_schema, message.CsName + "Decoder");
        _writer.Open($"private static SbeError Write{message.CsName}({ReadOnlySpan}<byte> octets, {Writer} writer)");
        _writer.Line($"if (!{name}.TryWrap(octets, out {name} message, out SbeError error))");
        _writer.Line("    return error;");
        _writer.Line("writer.WriteStartObject();");
        _writer.Line($"writer.WriteString({Name(TemplateKey())}, {Name(message.Name)});");
        EmitBlock(message.Block, name, "message");
        _writer.Line("writer.WriteEndObject();");
        _writer.Line("return SbeError.None;");
        _writer.Close();
        _writer.Line();
    }

    private void EmitBlock(Block block, string type, string owner)
    {
        foreach (Slot field in block.Fields)
            EmitSlot(field, type, owner, field.Since > block.Since);
        foreach (Part part in block.Parts)
        {
            if (part is VarData data)
            {
                EmitData(data, owner);
                continue;
            }

            var group = (Group)part;
            string entry = "entry" + Digits(++_locals);
            _writer.Line($"writer.WriteStartArray({Name(group.Name)});");
            _writer.Open($"foreach (var {entry} in {owner}.{group.CsName})");
            _writer.Line("writer.WriteStartObject();");
            EmitBlock(group.Block, $"{type}.{group.DecoderName}.Entry", entry);
            _writer.Line("writer.WriteEndObject();");
            _writer.Close();
            _writer.Line("writer.WriteEndArray();");
        }
    }

    private void EmitData(VarData data, string owner)
    {
        string value = $"{owner}.{data.CsName}";
        _writer.Line(TextEncoding(data.CharacterEncoding) switch
        {
            null => $"{_json}.Hex(writer, {Name(data.Name)}, {value});",
            "ASCII" or "UTF8" => $"{_json}.Text(writer, {Name(data.Name)}, {value});",
            _ => $"writer.WriteString({Name(data.Name)}, {owner}.{data.StringName}());",
        });
    }

    private void EmitSlot(Slot slot, string type, string owner, bool mayMiss)
    {
        bool constant = slot.Presence == Presence.Constant;
        string value = $"{(constant ? type : owner)}.{slot.CsName}";
        string name = Name(slot.Name);
        switch (slot.Type)
        {
            case SimpleType { Length: 0 }: break;
            case SimpleType { IsArray: true } array: EmitArray(slot, array, value, constant ? type : owner); break;
            case SimpleType simple: EmitSimple(slot, simple, value, mayMiss); break;
            case EnumType or SetType:
                _writer.Line($"writer.WritePropertyName({name});");
                _writer.Line($"Write(writer, {value});");
                break;
            case CompositeType composite:
                _writer.Line($"writer.WritePropertyName({name});");
                if (mayMiss || SlotDecoder.MayBeNull(slot, composite))
                {
                    _writer.Line($"if (!{owner}.{slot.HasName})");
                    _writer.Line("    writer.WriteNullValue();");
                    _writer.Line("else");
                    _writer.Line($"    Write(writer, {value});");
                }
                else
                {
                    _writer.Line($"Write(writer, {value});");
                }

                break;
        }
    }

    private void EmitSimple(Slot slot, SimpleType type, string value, bool mayMiss)
    {
        string method = type.Primitive == Primitive.Char ? "Character" : type.Primitive.IsReal() ? "Real" : "Number";
        if (slot.Presence == Presence.Required && mayMiss)
        {
            string local = "value" + Digits(++_locals);
            string cs = type.Primitive.CSharp();
            _writer.Line($"{cs} {local} = {value};");
            string isNull = SlotDecoder.IsNull(local, type.Primitive.Literal(type.Null), type);
            _writer.Line($"{_json}.{method}(writer, {Name(slot.Name)}, {isNull} ? ({cs}?)null : {local});");
            return;
        }

        _writer.Line($"{_json}.{method}(writer, {Name(slot.Name)}, {value});");
    }

    private void EmitArray(Slot slot, SimpleType type, string value, string owner)
    {
        if (type.Primitive == Primitive.Char)
        {
            bool direct = TextEncoding(type.CharacterEncoding) is null or "ASCII" or "UTF8";
            _writer.Line(direct
                ? $"{_json}.Text(writer, {Name(slot.Name)}, {value});"
                : $"writer.WriteString({Name(slot.Name)}, {owner}.{slot.StringName}());");
            return;
        }

        if (type.Primitive == Primitive.UInt8)
        {
            _writer.Line($"{_json}.Hex(writer, {Name(slot.Name)}, {value});");
            return;
        }

        bool bare = _schema.BigEndian && type.Primitive.Size() > 1;
        string count = bare ? $"{Digits(type.Length)}" : $"{value}.Length";
        string index = "i" + Digits(++_locals);
        _writer.Line($"writer.WriteStartArray({Name(slot.Name)});");
        _writer.Open($"for (int {index} = 0; {index} < {count}; {index}++)");
        _writer.Line($"{_json}.{(type.Primitive.IsReal() ? "Real" : "Number")}(writer, default, {owner}.{slot.AtName}({index}));");
        _writer.Close();
        _writer.Line("writer.WriteEndArray();");
    }

    private void EmitComposite(CompositeType type)
    {
        string name = Global(_schema, type.CsName + "Decoder");
        _writer.Open($"private static void Write({Writer} writer, {name} view)");
        if (DecimalOf(type) is { } parts)
        {
            string exponent = parts.Exponent.Presence == Presence.Constant ? $"{name}.{parts.Exponent.CsName}" : $"view.{parts.Exponent.CsName}";
            _writer.Line($"{_json}.Decimal(writer, view.{parts.Mantissa.CsName}, {exponent});");
        }
        else
        {
            _writer.Line("writer.WriteStartObject();");
            foreach (Slot member in type.Members)
                EmitSlot(member, name, "view", member.Since > type.Since);
            _writer.Line("writer.WriteEndObject();");
        }

        _writer.Close();
        _writer.Line();
    }

    // A composite of an integer mantissa and an integer exponent, in any order and nothing else.
    private static (Slot Mantissa, Slot Exponent)? DecimalOf(CompositeType type)
    {
        Slot? mantissa = type.Find("mantissa");
        Slot? exponent = type.Find("exponent");
        bool both = type.Members.Count == 2 && mantissa is not null && exponent is not null && IsInteger(mantissa) && IsInteger(exponent);
        return both && exponent!.Presence != Presence.Optional ? (mantissa!, exponent!) : null;
    }

    private static bool IsInteger(Slot slot) =>
        slot.Type is SimpleType { IsArray: false } type && !type.Primitive.IsReal() && type.Primitive != Primitive.Char;

    private void EmitEnum(EnumType type)
    {
        string name = Global(_schema, type.CsName);
        _writer.Open($"private static void Write({Writer} writer, {name} value)");
        _writer.Open("switch (value)");
        foreach (EnumMember member in type.Members)
            _writer.Line($"case {name}.{member.CsName}: writer.WriteStringValue({Name(member.Name)}); break;");
        if (type.Members.All(m => m.Value.Integer != type.Null.Integer))
            _writer.Line($"case {EnumNull(_schema, type)}: writer.WriteNullValue(); break;");
        _writer.Line($"default: writer.WriteNumberValue(({type.Encoding.Primitive.CSharp()})value); break;");
        _writer.Close();
        _writer.Close();
        _writer.Line();
    }

    private void EmitSet(SetType type)
    {
        string name = Global(_schema, type.CsName);
        Primitive primitive = type.Encoding.Primitive;
        _writer.Open($"private static void Write({Writer} writer, {name} value)");
        _writer.Line("writer.WriteStartArray();");
        ulong all = 0;
        foreach (SetChoice choice in type.Choices)
        {
            all |= 1UL << choice.Bit;
            _writer.Line($"if ((value & {name}.{choice.CsName}) != 0)");
            _writer.Line($"    writer.WriteStringValue({Name(choice.Name)});");
        }

        _writer.Line($"ulong rest = (ulong)value & ~{all}UL & {primitive.Bits().High}UL;");
        _writer.Line("if (rest != 0)");
        _writer.Line("    writer.WriteNumberValue(rest);");
        _writer.Line("writer.WriteEndArray();");
        _writer.Close();
        _writer.Line();
    }
}
