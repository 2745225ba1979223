// Emits the reading side of one field or composite member. Reads are unchecked: the structure was checked when the message was wrapped.
// A field younger than its block is there only when the message's version has it and its block reaches over it.

using MarginEngine.SbeGenerator.Model;
using static MarginEngine.SbeGenerator.Emit.Text;

namespace MarginEngine.SbeGenerator.Emit;

/// <summary>What the accessors of a struct can refer to.</summary>
internal sealed class Reach
{
    public Reach(int since, string version, string? blockLength)
    {
        Since = since;
        Version = version;
        BlockLength = blockLength;
    }

    /// <summary>Fields up to this version are always there.</summary>
    public int Since { get; }

    /// <summary>The expression of the message's version.</summary>
    public string Version { get; }

    /// <summary>The expression of the block's length on the wire, or null within a composite.</summary>
    public string? BlockLength { get; }

    /// <summary>The condition under which a slot is on the wire, or null where it always is.</summary>
    public string? Condition(Slot slot)
    {
        if (slot.Since <= Since)
            return null;
        string version = $"{Version} >= {Digits(slot.Since)}";
        return BlockLength is null ? version : $"{version} && {BlockLength} >= {Digits(slot.End)}";
    }
}

internal sealed class SlotDecoder
{
    private readonly Schema _schema;
    private readonly CodeWriter _writer;

    public SlotDecoder(Schema schema, CodeWriter writer)
    {
        _schema = schema;
        _writer = writer;
    }

    public void Emit(Slot slot, Reach reach)
    {
        if (slot.Presence == Presence.Constant)
        {
            EmitConstant(slot);
            return;
        }

        string? condition = reach.Condition(slot);
        switch (slot.Type)
        {
            case SimpleType { IsArray: true } array: EmitArray(slot, array, condition); break;
            case SimpleType simple: EmitSimple(slot, simple, condition); break;
            case EnumType type: EmitCast(slot, type, condition, EnumNull(_schema, type)); break;
            case SetType type: EmitCast(slot, type, condition, "default"); break;
            case CompositeType composite: EmitComposite(slot, composite, condition, reach); break;
        }

        _writer.Line();
    }

    private void EmitConstant(Slot slot)
    {
        Constant constant = slot.Constant!;
        _writer.Doc(slot.Description);
        if (slot.Type is EnumType type)
        {
            string name = Global(_schema, type.CsName);
            _writer.Line($"public const {name} {slot.CsName} = {name}.{constant.Member!.CsName};");
        }
        else if (constant.Text is { } text)
        {
            byte[] bytes = TextBytes(text, ((SimpleType)slot.Type).CharacterEncoding);
            _writer.Line($"public static {ReadOnlySpan}<byte> {slot.CsName} => {Image.Literal(bytes)};");
            _writer.Line();
            _writer.Line($"public static string {slot.StringName}() => {Quoted(text)};");
        }
        else
        {
            Primitive primitive = PrimitiveOf(slot.Type);
            _writer.Line($"public const {primitive.CSharp()} {slot.CsName} = {primitive.Literal(constant.Number)};");
        }

        _writer.Line();
    }

    private static byte[] TextBytes(string text, string? characterEncoding)
    {
        if (TextEncoding(characterEncoding) == "UTF8")
            return System.Text.Encoding.UTF8.GetBytes(text);
        return System.Text.Encoding.GetEncoding("ISO-8859-1").GetBytes(text);
    }

    private void EmitSimple(Slot slot, SimpleType type, string? condition)
    {
        string cs = type.Primitive.CSharp();
        string read = Get(_schema, type.Primitive, "_at", slot.Offset);
        string nullValue = type.Primitive.Literal(type.Null);
        if (slot.Presence != Presence.Optional)
        {
            _writer.Doc(slot.Description);
            _writer.Line($"public {cs} {slot.CsName} => {(condition is null ? read : $"{condition} ? {read} : {nullValue}")};");
            return;
        }

        _writer.Line($"public const {cs} {slot.NullName} = {nullValue};");
        _writer.Line();
        _writer.Doc(slot.Description);
        _writer.Open($"public {cs}? {slot.CsName}");
        _writer.Open("get");
        if (condition is not null)
        {
            _writer.Line($"if (!({condition}))");
            _writer.Line("    return null;");
        }

        _writer.Line($"{cs} value = {read};");
        _writer.Line($"return {IsNull("value", slot.NullName, type)} ? null : value;");
        _writer.Close();
        _writer.Close();
    }

    /// <summary>The test for null; a NaN is not equal to itself.</summary>
    public static string IsNull(string value, string nullValue, SimpleType type) =>
        type.Primitive.IsReal() && double.IsNaN(type.Null.Real)
            ? $"{type.Primitive.CSharp()}.IsNaN({value})"
            : $"{value} == {nullValue}";

    private void EmitArray(Slot slot, SimpleType type, string? condition)
    {
        string cs = type.Primitive.CSharp();
        string wire = Wire(_schema);
        string at = RefAt("_at", slot.Offset);
        string absent = condition is null ? "" : $"!({condition}) ? default : ";
        if (type.Primitive == Primitive.Char)
        {
            _writer.Doc(slot.Description);
            _writer.Line($"public {ReadOnlySpan}<byte> {slot.CsName} => {absent}{wire}.Text({at}, {Digits(type.Length)});");
            _writer.Line();
            string encoding = TextEncoding(type.CharacterEncoding) ?? "ASCII";
            _writer.Line($"public string {slot.StringName}() => global::System.Text.Encoding.{encoding}.GetString({slot.CsName});");
            return;
        }

        _writer.Line($"public const int {slot.LengthName} = {Digits(type.Length)};");
        _writer.Line();
        if (!_schema.BigEndian || type.Primitive.Size() == 1)
        {
            _writer.Doc(slot.Description);
            _writer.Line($"public {ReadOnlySpan}<{cs}> {slot.CsName} => {absent}{wire}.Elements<{cs}>({at}, {Digits(type.Length)});");
            _writer.Line();
        }

        _writer.Open($"public {cs} {slot.AtName}(int index)");
        _writer.Line($"{wire}.CheckIndex(index, {(condition is null ? Digits(type.Length) : $"{condition} ? {Digits(type.Length)} : 0")});");
        _writer.Line(
            $"return unchecked({wire}.Get{type.Primitive.Accessor()}(ref _at, {Digits(slot.Offset)} + (index * {Digits(type.Primitive.Size())})));");
        _writer.Close();
    }

    private void EmitCast(Slot slot, Encoding type, string? condition, string absent)
    {
        string name = Global(_schema, type.CsName);
        string read = $"({name}){Get(_schema, PrimitiveOf(type), "_at", slot.Offset)}";
        _writer.Doc(slot.Description ?? type.Description);
        _writer.Line($"public {name} {slot.CsName} => {(condition is null ? read : $"{condition} ? {read} : {absent}")};");
    }

    private void EmitComposite(Slot slot, CompositeType type, string? condition, Reach reach)
    {
        string name = Global(_schema, type.CsName + "Decoder");
        string version = type.IsVersioned ? $", {reach.Version}" : "";
        string here = $"new {name}({RefAt("_at", slot.Offset)}{version})";
        _writer.Doc(slot.Description ?? type.Description);
        _writer.Line($"public {name} {slot.CsName} => {(condition is null ? here : $"{condition} ? {here} : {name}._absent")};");
        if (condition is null && !MayBeNull(slot, type))
            return;
        string first = FirstIsNull(type, slot.Offset) is { } isNull ? $"!({isNull})" : "true";
        _writer.Line();
        _writer.Line($"/// <summary>False where the message does not carry it: an older version, or its first member is null.</summary>");
        _writer.Line($"public bool {slot.HasName} => {(condition is null ? first : first == "true" ? condition : $"{condition} && {first}")};");
    }

    /// <summary>True where the schema allows a composite that is on the wire to be null.</summary>
    public static bool MayBeNull(Slot slot, CompositeType type) => slot.Presence == Presence.Optional || HasNullableFirst(type);

    private static bool HasNullableFirst(CompositeType type)
    {
        Slot? first = type.Members.Find(m => m.Presence != Presence.Constant);
        return first is not null && (first.Presence == Presence.Optional || (first.Type is CompositeType inner && HasNullableFirst(inner)));
    }

    // The condition under which the first member that is on the wire is null; null where it can not be.
    private string? FirstIsNull(CompositeType type, int offset)
    {
        Slot? first = type.Members.Find(m => m.Presence != Presence.Constant);
        return first?.Type switch
        {
            CompositeType inner => FirstIsNull(inner, offset + first.Offset),
            EnumType e => $"(({Global(_schema, e.CsName)}){Get(_schema, e.Encoding.Primitive, "_at", offset + first.Offset)}) == {EnumNull(_schema, e)}",
            SimpleType simple => IsNull(
                Get(_schema, simple.Primitive, "_at", offset + first.Offset), simple.Primitive.Literal(simple.Null), simple),
            _ => null,
        };
    }
}
