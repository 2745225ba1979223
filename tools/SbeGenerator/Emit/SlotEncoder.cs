// Emits the writing side of one field or composite member. Writes are unchecked: the room of the block was checked when it was claimed.

using System.Collections.Generic;
using System.Linq;
using MarginEngine.SbeGenerator.Model;
using static MarginEngine.SbeGenerator.Emit.Text;

namespace MarginEngine.SbeGenerator.Emit;

internal sealed class SlotEncoder
{
    private readonly Schema _schema;
    private readonly CodeWriter _writer;

    public SlotEncoder(Schema schema, CodeWriter writer)
    {
        _schema = schema;
        _writer = writer;
    }

    public void Emit(Slot slot)
    {
        if (slot.Presence == Presence.Constant)
            return;
        _writer.Doc(slot.Description);
        switch (slot.Type)
        {
            case SimpleType { IsArray: true } array: EmitArray(slot, array); break;
            case SimpleType simple: EmitSimple(slot, simple); break;
            case CompositeType composite: EmitComposite(slot, composite); break;
            default: EmitCast(slot); break;
        }

        _writer.Line();
    }

    private void EmitSimple(Slot slot, SimpleType type)
    {
        string cs = type.Primitive.CSharp();
        bool optional = slot.Presence == Presence.Optional;
        string value = optional ? $"value ?? {NullOf(type)}" : "value";
        EmitSetter($"{cs}{(optional ? "?" : "")}", slot, Put(_schema, type.Primitive, "_at", slot.Offset, value));
    }

    // C#'s own NaN has the sign bit set; the quiet NaN that other implementations write has not.
    private string NullOf(SimpleType type) =>
        type.Primitive.IsReal() && double.IsNaN(type.Null.Real)
            ? $"{Wire(_schema)}.NaN{(type.Primitive == Primitive.Float ? "32" : "64")}"
            : type.Primitive.Literal(type.Null);

    private void EmitCast(Slot slot)
    {
        Primitive primitive = PrimitiveOf(slot.Type);
        EmitSetter(TypeOf(slot.Type, _schema), slot, Put(_schema, primitive, "_at", slot.Offset, $"({primitive.CSharp()})value"));
    }

    private void EmitSetter(string type, Slot slot, string put)
    {
        _writer.Open($"public {type} {slot.CsName}");
        _writer.Line($"set => {put};");
        _writer.Close();
    }

    private void EmitArray(Slot slot, SimpleType type)
    {
        string cs = type.Primitive.CSharp();
        string wire = Wire(_schema);
        string at = RefAt("_at", slot.Offset);
        _writer.Line($"/// <exception cref=\"global::System.ArgumentException\">More than {Digits(type.Length)} elements.</exception>");
        _writer.Line($"public void {slot.SetName}({ReadOnlySpan}<{cs}> value) => {wire}.PutElements<{cs}>({at}, {Digits(type.Length)}, value);");
        if (type.Primitive != Primitive.Char)
            return;
        _writer.Line();
        _writer.Line($"/// <exception cref=\"global::System.ArgumentException\">Longer than {Digits(type.Length)} octets, or not in the encoding.</exception>");
        string encoding = TextEncoding(type.CharacterEncoding) ?? "ASCII";
        _writer.Line(
            $"public void {slot.SetName}(string value) => {wire}.PutText({at}, {Digits(type.Length)}, value, global::System.Text.Encoding.{encoding});");
    }

    private void EmitComposite(Slot slot, CompositeType type)
    {
        string name = Global(_schema, type.CsName + "Encoder");
        _writer.Line($"public {name} {slot.CsName} => new {name}({RefAt("_at", slot.Offset)});");
        List<Slot> scalars = type.Members.Where(m => m.Presence != Presence.Constant && IsScalar(m.Type)).ToList();
        if (scalars.Count == 0)
            return;
        _writer.Line();
        Dictionary<Slot, string> names = Naming.Parameters(scalars);
        string parameters = string.Join(", ", scalars.Select(m => $"{ParameterType(m)} {names[m]}"));
        _writer.Open($"public void {slot.SetName}({parameters})");
        foreach (Slot member in scalars)
            _writer.Line(PutMember(slot, member, names[member]) + ";");
        _writer.Close();
    }

    private string PutMember(Slot slot, Slot member, string value)
    {
        Primitive primitive = PrimitiveOf(member.Type);
        if (member.Type is SimpleType simple && member.Presence == Presence.Optional)
            value = $"{value} ?? {NullOf(simple)}";
        else if (member.Type is not SimpleType)
            value = $"({primitive.CSharp()}){value}";
        return Put(_schema, primitive, "_at", slot.Offset + member.Offset, value);
    }

    private string ParameterType(Slot member) =>
        TypeOf(member.Type, _schema) + (member.Type is SimpleType && member.Presence == Presence.Optional ? "?" : "");

    private static bool IsScalar(Encoding type) => type is SimpleType { IsArray: false } or EnumType or SetType;
}
