// Emits enums, sets and the views of composites.

using System.Linq;
using MarginEngine.SbeGenerator.Model;
using static MarginEngine.SbeGenerator.Emit.Text;

namespace MarginEngine.SbeGenerator.Emit;

internal sealed class TypeEmitter
{
    private readonly Schema _schema;
    private readonly Image _image;

    public TypeEmitter(Schema schema)
    {
        _schema = schema;
        _image = new Image(schema);
    }

    public static void EmitEnum(CodeWriter writer, EnumType type)
    {
        Primitive primitive = type.Encoding.Primitive;
        writer.Doc(type.Description);
        writer.Open($"public enum {type.CsName} : {primitive.CSharp()}");
        foreach (EnumMember member in type.Members)
        {
            writer.Doc(member.Description);
            writer.Line($"{member.CsName} = {primitive.Literal(member.Value)},");
        }

        writer.Line("/// <summary>Stands for no value: an optional field that is not set, or one an older message does not have.</summary>");
        writer.Line($"NullValue = {primitive.Literal(type.Null)},");
        writer.Close();
    }

    public static void EmitSet(CodeWriter writer, SetType type)
    {
        Primitive primitive = type.Encoding.Primitive;
        writer.Doc(type.Description);
        writer.Line("[global::System.Flags]");
        writer.Open($"public enum {type.CsName} : {primitive.CSharp()}");
        writer.Line("None = 0,");
        foreach (SetChoice choice in type.Choices)
        {
            writer.Doc(choice.Description);
            writer.Line($"{choice.CsName} = {primitive.Literal(Value.Of((decimal)(1UL << choice.Bit)))},");
        }

        writer.Close();
    }

    public void EmitDecoder(CodeWriter writer, CompositeType type)
    {
        string name = type.CsName + "Decoder";
        writer.Doc(type.Description);
        writer.Open($"public readonly ref struct {name}");
        writer.Line("/// <summary>Octets on the wire.</summary>");
        writer.Line($"public const int EncodedLength = {Digits(type.Size)};");
        writer.Line();
        writer.Line("private readonly ref byte _at;");
        if (type.IsVersioned)
            writer.Line("private readonly int _version;");
        writer.Line();
        writer.Open($"internal {name}(ref byte at{(type.IsVersioned ? ", int version" : "")})");
        writer.Line("_at = ref at;");
        if (type.IsVersioned)
            writer.Line("_version = version;");
        writer.Close();
        writer.Line();
        EmitAbsent(writer, type, name);
        EmitTryWrap(writer, type, name);
        var slots = new SlotDecoder(_schema, writer);
        var reach = new Reach(type.Since, "_version", null);
        foreach (Slot slot in type.Members.Where(m => !IsVariable(m)))
            slots.Emit(slot, reach);
        writer.Close();
    }

    private void EmitAbsent(CodeWriter writer, CompositeType type, string name)
    {
        byte[] bytes = _image.Absent(type);
        string data = bytes.Length == 0 ? "[0]" : Image.Literal(bytes);
        writer.Line("/// <summary>The one whose members are all null.</summary>");
        writer.Line($"internal static {name} _absent => new {name}(ref {Marshal}.GetReference(_absentBytes){(type.IsVersioned ? ", int.MaxValue" : "")});");
        writer.Line();
        writer.Line($"private static {ReadOnlySpan}<byte> _absentBytes => {data};");
        writer.Line();
    }

    private void EmitTryWrap(CodeWriter writer, CompositeType type, string name)
    {
        writer.Line("/// <summary>Views the first octets of a span; false where it is too short.</summary>");
        writer.Open($"public static bool TryWrap({ReadOnlySpan}<byte> span, out {name} decoder)");
        writer.Open("if (span.Length < EncodedLength)");
        writer.Line("decoder = default;");
        writer.Line("return false;");
        writer.Close();
        writer.Line();
        string version = type.IsVersioned ? ", " + Digits(_schema.Version) : "";
        writer.Line($"decoder = new {name}(ref {Marshal}.GetReference(span){version});");
        writer.Line("return true;");
        writer.Close();
        writer.Line();
    }

    public void EmitEncoder(CodeWriter writer, CompositeType type)
    {
        string name = type.CsName + "Encoder";
        writer.Doc(type.Description);
        writer.Open($"public readonly ref struct {name}");
        writer.Line("private readonly ref byte _at;");
        writer.Line();
        writer.Line($"internal {name}(ref byte at) => _at = ref at;");
        writer.Line();
        var slots = new SlotEncoder(_schema, writer);
        foreach (Slot slot in type.Members.Where(m => !IsVariable(m)))
            slots.Emit(slot);
        writer.Close();
    }

    private static bool IsVariable(Slot slot) => slot.Type is SimpleType { Length: 0 };
}
