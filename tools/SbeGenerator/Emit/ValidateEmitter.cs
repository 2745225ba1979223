// Emits the value checks of Schema.Validate: null in required fields, minValue and maxValue, codes of enums, bits of sets, text.

using System.Linq;
using MarginEngine.SbeGenerator.Model;
using static MarginEngine.SbeGenerator.Emit.Text;

namespace MarginEngine.SbeGenerator.Emit;

internal sealed class ValidateEmitter
{
    private readonly Schema _schema;
    private readonly CodeWriter _writer;
    private int _locals;

    public ValidateEmitter(Schema schema, CodeWriter writer)
    {
        _schema = schema;
        _writer = writer;
    }

    public void Emit()
    {
        _writer.Open("public static partial class Schema");
        foreach (Message message in _schema.Messages)
            EmitMessage(message);
        foreach (EnumType type in _schema.Types.OfType<EnumType>())
            EmitKnown(type);
        EmitText();
        _writer.Close();
    }

    private void EmitMessage(Message message)
    {
        string name = Global(_schema, message.CsName + "Decoder");
        _writer.Open($"private static SbeError Validate{message.CsName}({ReadOnlySpan}<byte> octets, out ushort fieldId)");
        _writer.Line($"if (!{name}.TryWrap(octets, out {name} message, out SbeError error, out fieldId))");
        _writer.Line("    return error;");
        _writer.Line("var version = message.ActingVersion;");
        _writer.Line("bool known = version <= Version;");
        _writer.Line("if (known && message.EncodedLength != octets.Length)");
        _writer.Line("    return SbeError.TrailingOctets;");
        EmitBlock(message.Block, "message");
        _writer.Line("fieldId = 0;");
        _writer.Line("return SbeError.None;");
        _writer.Close();
        _writer.Line();
    }

    private void EmitBlock(Block block, string owner)
    {
        foreach (Slot field in block.Fields)
        {
            if (field.Presence == Presence.Constant)
                continue;
            int mark = _writer.Mark;
            _writer.Line($"fieldId = {Digits(field.Id)};");
            int start = _writer.Mark;
            EmitGated(field.Since > block.Since, field.Since, () => EmitSlot(field, owner));
            if (_writer.Mark == start)
                _writer.Rewind(mark);
        }

        foreach (Part part in block.Parts)
        {
            if (part is Group group)
                EmitGroup(group, block, owner);
            else
                EmitData((VarData)part, owner);
        }
    }

    // What an older message does not have is absent, not wrong. A gate around nothing is not written.
    private void EmitGated(bool gated, int since, System.Action emit)
    {
        if (!gated)
        {
            emit();
            return;
        }

        int mark = _writer.Mark;
        _writer.Open($"if (version >= {Digits(since)})");
        int start = _writer.Mark;
        emit();
        bool empty = _writer.Mark == start;
        _writer.Close();
        if (empty)
            _writer.Rewind(mark);
    }

    private void EmitGroup(Group group, Block block, string owner)
    {
        string entry = "entry" + Digits(++_locals);
        int minimum = Layout.MinCount(group);
        if (minimum > 0)
        {
            EmitGated(group.Since > block.Since, group.Since, () =>
            {
                _writer.Line($"fieldId = {Digits(group.Id)};");
                Fail($"{owner}.{group.CsName}.Count < {Digits(minimum)}", "CountOutOfRange");
            });
        }

        int mark = _writer.Mark;
        _writer.Open($"foreach (var {entry} in {owner}.{group.CsName})");
        int start = _writer.Mark;
        EmitBlock(group.Block, entry);
        bool empty = _writer.Mark == start;
        _writer.Close();
        if (empty)
            _writer.Rewind(mark);
    }

    private void EmitData(VarData data, string owner)
    {
        string? check = TextEncoding(data.CharacterEncoding) switch
        {
            "ASCII" => $"!global::System.Text.Ascii.IsValid({owner}.{data.CsName})",
            "UTF8" => $"!global::System.Text.Unicode.Utf8.IsValid({owner}.{data.CsName})",
            _ => null,
        };
        if (check is null)
            return;
        _writer.Line($"fieldId = {Digits(data.Id)};");
        Fail(check, "InvalidText");
    }

    private void EmitSlot(Slot slot, string owner)
    {
        string value = $"{owner}.{slot.CsName}";
        switch (slot.Type)
        {
            case SimpleType { IsArray: true } array: EmitArray(array, value); break;
            case SimpleType simple: EmitSimple(slot, simple, value); break;
            case EnumType type: EmitEnum(slot, type, value); break;
            case SetType type: EmitSet(type, value); break;
            case CompositeType composite: EmitComposite(slot, composite, owner); break;
        }
    }

    private void EmitComposite(Slot slot, CompositeType type, string owner)
    {
        string view = "view" + Digits(++_locals);
        int mark = _writer.Mark;
        bool mayMiss = SlotDecoder.MayBeNull(slot, type);
        if (mayMiss)
            _writer.Open($"if ({owner}.{slot.HasName})");
        _writer.Line($"var {view} = {owner}.{slot.CsName};");
        int start = _writer.Mark;
        foreach (Slot member in type.Members.Where(m => m.Presence != Presence.Constant && m.Type is not SimpleType { Length: 0 }))
            EmitGated(member.Since > type.Since, member.Since, () => EmitSlot(member, view));
        bool empty = _writer.Mark == start;
        if (mayMiss)
            _writer.Close();
        if (empty)
            _writer.Rewind(mark);
    }

    private void EmitSimple(Slot slot, SimpleType type, string value)
    {
        bool optional = slot.Presence == Presence.Optional;
        bool ranged = type.HasMin || type.HasMax || type.Primitive == Primitive.Char;
        if (optional && !ranged)
            return;
        string local = "value" + Digits(++_locals);
        Primitive primitive = type.Primitive;
        if (optional)
        {
            _writer.Open($"if ({value} is {{ }} {local})");
        }
        else
        {
            _writer.Line($"{primitive.CSharp()} {local} = {value};");
            Fail(SlotDecoder.IsNull(local, primitive.Literal(type.Null), type), "NullInRequired");
        }

        if (ranged)
        {
            (decimal low, decimal high) = primitive.IsReal() ? (0, 0) : primitive.Bits();
            if (primitive.IsReal() ? type.HasMin : type.Min.Integer > low)
                Fail($"{(primitive.IsReal() ? "!" : "")}({local} {(primitive.IsReal() ? ">=" : "<")} {primitive.Literal(type.Min)})", "BelowMinimum");
            if (primitive.IsReal() ? type.HasMax : type.Max.Integer < high)
                Fail($"{(primitive.IsReal() ? "!" : "")}({local} {(primitive.IsReal() ? "<=" : ">")} {primitive.Literal(type.Max)})", "AboveMaximum");
        }

        if (optional)
            _writer.Close();
    }

    private void EmitArray(SimpleType type, string value)
    {
        if (type.Primitive != Primitive.Char)
            return;
        switch (TextEncoding(type.CharacterEncoding) ?? "ASCII")
        {
            case "ASCII": Fail($"!IsText({value})", "InvalidText"); break;
            case "UTF8": Fail($"!global::System.Text.Unicode.Utf8.IsValid({value})", "InvalidText"); break;
        }
    }

    private void EmitEnum(Slot slot, EnumType type, string value)
    {
        string local = "value" + Digits(++_locals);
        bool nullIsValid = type.Members.Any(m => m.Value.Integer == type.Null.Integer);
        _writer.Line($"{Global(_schema, type.CsName)} {local} = {value};");
        if (slot.Presence != Presence.Optional && !nullIsValid)
            Fail($"{local} == {EnumNull(_schema, type)}", "NullInRequired");
        string isNull = nullIsValid ? "" : $" && {local} != {EnumNull(_schema, type)}";
        Fail($"known{isNull} && !IsKnown({local})", "UnknownEnumValue");
    }

    private void EmitSet(SetType type, string value)
    {
        Primitive primitive = type.Encoding.Primitive;
        ulong all = type.Choices.Aggregate(0UL, (bits, c) => bits | (1UL << c.Bit));
        if (all == (ulong)primitive.Bits().High)
            return;
        Fail($"known && (({primitive.CSharp()}){value} & unchecked(({primitive.CSharp()})~{all}UL)) != 0", "UnknownChoice");
    }

    private void EmitKnown(EnumType type)
    {
        string name = Global(_schema, type.CsName);
        _writer.Line($"private static bool IsKnown({name} value) => value is");
        string values = string.Join(" or ", type.Members.Select(m => $"{name}.{m.CsName}"));
        _writer.Line($"    {values};");
        _writer.Line();
    }

    private void EmitText()
    {
        _writer.Line("// The characters of SBE's char: those of ASCII that can be seen, and the space.");
        _writer.Line($"private static bool IsText({ReadOnlySpan}<byte> text) =>");
        _writer.Line("    global::System.MemoryExtensions.IndexOfAnyExceptInRange(text, (byte)0x20, (byte)0x7e) < 0;");
        _writer.Line();
    }

    private void Fail(string condition, string error)
    {
        _writer.Line($"if ({condition})");
        _writer.Line($"    return SbeError.{error};");
    }
}
