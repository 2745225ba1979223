// Emits the encoder of a group whose entries have groups or var data themselves. Entries are appended one after the other by Next();
// the count on the wire grows with them, so that the message is whole at every moment.

using MarginEngine.SbeGenerator.Model;
using static MarginEngine.SbeGenerator.Emit.Text;

namespace MarginEngine.SbeGenerator.Emit;

internal sealed class NestedEncoder
{
    private readonly Schema _schema;
    private readonly CodeWriter _writer;
    private readonly Image _image;
    private readonly string _wire;

    public NestedEncoder(Schema schema, CodeWriter writer)
    {
        _schema = schema;
        _writer = writer;
        _image = new Image(schema);
        _wire = Wire(schema);
    }

    public void Emit(Group group, Nesting inside)
    {
        int outer = inside.Depth - 1;
        _writer.Doc(group.Description);
        _writer.Open($"public ref struct {group.EncoderName}");
        _writer.Line($"public const int BlockLength = {Digits(group.Block.Length)};");
        _writer.Line();
        _writer.Line("private readonly ref byte _root;");
        _writer.Line("private readonly int _room;");
        EmitChainFields(outer);
        _writer.Line("private readonly int _dim;");
        _writer.Line("private readonly int _claimed;");
        _writer.Line("private int _written;");
        _writer.Line("private int _last;");
        _writer.Line();
        _writer.Open($"internal {group.EncoderName}(ref byte root, int room{Nesting.Chain(outer, "int ", ", ")}, int dim, int claimed)");
        _writer.Line("_root = ref root;");
        _writer.Line("_room = room;");
        EmitChainAssignments(outer);
        _writer.Line("_dim = dim;");
        _writer.Line("_claimed = claimed;");
        _writer.Line("_written = 0;");
        _writer.Line("_last = 0;");
        _writer.Close();
        _writer.Line();
        _writer.Line("/// <summary>Entries written so far.</summary>");
        _writer.Line("public readonly int Count => _written;");
        _writer.Line();
        EmitNext(group, inside, outer);
        byte[] blank = _image.Entry(group.Block);
        Image.EmitPut(_writer, _wire, "_blank", blank);
        Image.EmitPut(_writer, _wire, "_tail", inside.OuterTail);
        EmitEntry(group, inside);
        _writer.Close();
        _writer.Line();
    }

    private void EmitNext(Group group, Nesting inside, int outer)
    {
        Dimension dimension = group.Dimension;
        Primitive countType = ((SimpleType)dimension.NumInGroup.Type).Primitive;
        string entry = inside.Decoder;
        _writer.Line("/// <summary>Appends the next entry: zero, its optional fields null, its groups and var data empty, until set.</summary>");
        _writer.Line("/// <exception cref=\"global::System.ArgumentException\">The buffer is too small.</exception>");
        _writer.Line("/// <exception cref=\"global::System.InvalidOperationException\">All are written, or something behind this group is.</exception>");
        _writer.Open("public Entry Next()");
        _writer.Open("unchecked");
        _writer.Line($"int at = _dim + {Digits(dimension.Size)};");
        _writer.Open("if (_written > 0)");
        _writer.Line(
            $"if (!{entry}.TryLocate(ref {Unsafe}.Add(ref _root, _last), _room - _last, {Digits(_schema.Version)}, BlockLength, out {entry} last, out _, out _))");
        _writer.Line($"    {_wire}.ThrowOverwritten();");
        _writer.Line("at = _last + last._end;");
        _writer.Close();
        _writer.Line();
        _writer.Line("if (_written >= _claimed || !_isLast(at))");
        _writer.Line($"    {_wire}.ThrowOrder({Quoted(group.Name)});");
        _writer.Line("if (_blankLength + _tailLength > _room - at)");
        _writer.Line($"    {_wire}.ThrowTooSmall(_blankLength + _tailLength, _room - at);");
        _writer.Line($"ref byte to = ref {Unsafe}.Add(ref _root, at);");
        _writer.Line("_blank(ref to);");
        _writer.Line($"_tail(ref {Unsafe}.Add(ref to, _blankLength));");
        _writer.Line(
            $"{Put(_schema, countType, $"{Unsafe}.Add(ref _root, _dim)", dimension.NumInGroup.Offset, $"({countType.CSharp()})(_written + 1)")};");
        _writer.Line("_last = at;");
        _writer.Line($"return new Entry(ref _root, _room{Nesting.Chain(outer, "_", ", ")}, _dim, _written++, at);");
        _writer.Close();
        _writer.Close();
        _writer.Line();
        _writer.Line("// True while nothing has been written behind the last entry, or behind the entries around it.");
        _writer.Open("private readonly bool _isLast(int end)");
        string own = $"unchecked((int){Get(_schema, countType, $"{Unsafe}.Add(ref _root, _dim)", dimension.NumInGroup.Offset)}) == _written";
        _writer.Line($"return {own} && {BlockEncoder.LastCondition(_schema, inside, outer, "end")};");
        _writer.Close();
        _writer.Line();
        EmitCounts(outer, inside);
    }

    private void EmitCounts(int depth, Nesting inside)
    {
        for (int i = 1; i <= depth; i++)
        {
            Slot count = inside.Counts[i - 1];
            Primitive primitive = ((SimpleType)count.Type).Primitive;
            string read = Get(_schema, primitive, $"{Unsafe}.Add(ref _root, _dim{Digits(i)})", count.Offset);
            _writer.Line($"private readonly int _countAt{Digits(i)}() => unchecked((int){read});");
            _writer.Line();
        }
    }

    private void EmitEntry(Group group, Nesting inside)
    {
        int depth = inside.Depth;
        _writer.Line("/// <summary>One entry.</summary>");
        _writer.Open("public readonly ref struct Entry");
        _writer.Line("private readonly ref byte _root;");
        _writer.Line("private readonly ref byte _at;");
        _writer.Line("private readonly int _room;");
        EmitChainFields(depth);
        _writer.Line("private readonly int _entry;");
        _writer.Line();
        _writer.Open($"internal Entry(ref byte root, int room{Nesting.Chain(depth, "int ", ", ")}, int entry)");
        _writer.Line("_root = ref root;");
        _writer.Line($"_at = ref {Unsafe}.Add(ref root, entry);");
        _writer.Line("_room = room;");
        EmitChainAssignments(depth);
        _writer.Line("_entry = entry;");
        _writer.Close();
        _writer.Line();
        EmitCounts(depth, inside);
        new BlockEncoder(_schema, _writer).EmitMembers(group.Block, inside);
        _writer.Close();
    }

    private void EmitChainFields(int depth)
    {
        for (int i = 1; i <= depth; i++)
        {
            _writer.Line($"private readonly int _dim{Digits(i)};");
            _writer.Line($"private readonly int _index{Digits(i)};");
        }
    }

    private void EmitChainAssignments(int depth)
    {
        for (int i = 1; i <= depth; i++)
        {
            _writer.Line($"_dim{Digits(i)} = dim{Digits(i)};");
            _writer.Line($"_index{Digits(i)} = index{Digits(i)};");
        }
    }
}
