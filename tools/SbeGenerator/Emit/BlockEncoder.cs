// Emits the writing side of messages and group entries. The buffer holds a whole valid message after every call: a part is claimed by
// growing it in place and putting the empty parts that follow behind it again. Nothing is remembered outside the buffer; a claim first
// walks what is there, and refuses when something after the claimed part is already written.

using System.Linq;
using MarginEngine.SbeGenerator.Model;
using static MarginEngine.SbeGenerator.Emit.Text;

namespace MarginEngine.SbeGenerator.Emit;

internal sealed class BlockEncoder
{
    private readonly Schema _schema;
    private readonly CodeWriter _writer;
    private readonly Image _image;
    private readonly string _wire;

    public BlockEncoder(Schema schema, CodeWriter writer)
    {
        _schema = schema;
        _writer = writer;
        _image = new Image(schema);
        _wire = Wire(schema);
    }

    public void EmitMembers(Block block, Nesting nesting)
    {
        var slots = new SlotEncoder(_schema, _writer);
        foreach (Slot field in block.Fields)
            slots.Emit(field);
        if (block.IsFlat)
            return;
        EmitLocate(nesting);
        foreach (Part part in block.Parts)
        {
            byte[] tail = _image.Tail(block, part.Index + 1).Concat(nesting.OuterTail).ToArray();
            Image.EmitPut(_writer, _wire, "_tail" + Digits(part.Index), tail);
            if (part is Group group)
                EmitClaim(group, block, nesting);
            else
                EmitSetData((VarData)part, block, nesting);
        }

        foreach (Group group in block.Groups)
        {
            Nesting inside = nesting.Inside(group, block, _image);
            if (group.Block.IsFlat)
                EmitFlatGroup(group, inside);
            else
                new NestedEncoder(_schema, _writer).Emit(group, inside);
        }
    }

    private void EmitLocate(Nesting nesting)
    {
        string at = nesting.Depth == 0 ? "ref _at, _room" : "ref _at, unchecked(_room - _entry)";
        string blockLength = nesting.Depth == 0 ? "BlockLength" : $"{nesting.Decoder.Substring(0, nesting.Decoder.Length - ".Entry".Length)}.BlockLength";
        _writer.Open($"private {nesting.Decoder} _locate()");
        _writer.Line($"if (!{nesting.Decoder}.TryLocate({at}, {Digits(_schema.Version)}, {blockLength}, out {nesting.Decoder} now, out _, out _))");
        _writer.Line($"    {_wire}.ThrowOverwritten();");
        _writer.Line("return now;");
        _writer.Close();
        _writer.Line();
        if (nesting.Depth == 0)
            return;
        _writer.Line("// True while nothing has been written behind this entry: it is the last of its group, as is every entry around it.");
        _writer.Open("private bool _isLast(int end)");
        _writer.Line($"return {LastCondition(_schema, nesting, nesting.Depth, "_entry + end")};");
        _writer.Close();
        _writer.Line();
    }

    /// <summary>Whether the entries of the groups around, down to a depth, are the last, and the octets at a place are the empty parts.</summary>
    public static string LastCondition(Schema schema, Nesting nesting, int depth, string end)
    {
        string levels = string.Concat(Enumerable.Range(1, depth)
            .Select(i => $"_countAt{Digits(i)}() == _index{Digits(i)} + 1 && "));
        string tail = nesting.OuterTail.Length == 0
            ? "true"
            : $"{Wire(schema)}.Holds(ref {Unsafe}.Add(ref _root, {end}), _room - ({end}), {Image.Literal(nesting.OuterTail)})";
        return $"unchecked({levels}{tail})";
    }

    private void EmitCheckOrder(Part part, Block block, Nesting nesting)
    {
        int rest = block.Parts.Skip(part.Index).Sum(p => p.EmptySize);
        string last = nesting.Depth == 0 ? "" : " || !_isLast(now._end)";
        _writer.Line($"{nesting.Decoder} now = _locate();");
        _writer.Line($"int at = now._part{Digits(part.Index)};");
        _writer.Line($"if (now._end - at != {Digits(rest)}{last})");
        _writer.Line($"    {_wire}.ThrowOrder({Quoted(part.Name)});");
    }

    private static string RoomLeft(Nesting nesting) => nesting.Depth == 0 ? "_room - at" : "_room - _entry - at";

    private void EmitClaim(Group group, Block block, Nesting nesting)
    {
        Dimension dimension = group.Dimension;
        Primitive countType = ((SimpleType)dimension.NumInGroup.Type).Primitive;
        _writer.Doc(group.Description);
        _writer.Line("/// <remarks>Claims the group with a number of entries; groups and var data are claimed in the schema's order.</remarks>");
        _writer.Line("/// <exception cref=\"global::System.ArgumentException\">The count is out of range, or the buffer too small.</exception>");
        _writer.Line("/// <exception cref=\"global::System.InvalidOperationException\">This or a later group or var data is already written.</exception>");
        _writer.Open($"public {group.EncoderName} {group.CountName}(int count)");
        _writer.Open("unchecked");
        _writer.Line($"if (count < {Digits(Layout.MinCount(group))} || count > {Digits(Layout.MaxCount(group))})");
        _writer.Line($"    {_wire}.ThrowCount({Quoted(group.Name)}, count);");
        EmitCheckOrder(group, block, nesting);
        string root = nesting.Depth == 0 ? "_at" : "_root";
        string here = nesting.Depth == 0 ? "at" : "_entry + at";
        if (!group.Block.IsFlat)
        {
            _writer.Line(
                $"return new {group.EncoderName}(ref {root}, _room{Nesting.Chain(nesting.Depth, "_", ", ")}, {here}, count);");
        }
        else
        {
            _writer.Line(
                $"long size = {Digits(dimension.Size)} + ((long)count * {group.EncoderName}.BlockLength) + _tail{Digits(group.Index)}Length;");
            _writer.Line($"if (size > {RoomLeft(nesting)})");
            _writer.Line($"    {_wire}.ThrowTooSmall(size, {RoomLeft(nesting)});");
            _writer.Line($"ref byte to = ref {Unsafe}.Add(ref _at, at);");
            _writer.Line(
                $"{Put(_schema, countType, "to", dimension.NumInGroup.Offset, $"({countType.CSharp()})count")};");
            _writer.Line($"var group = new {group.EncoderName}(ref {Unsafe}.Add(ref to, {Digits(dimension.Size)}), count);");
            _writer.Line($"_tail{Digits(group.Index)}(ref group._clear());");
            _writer.Line("return group;");
        }

        _writer.Close();
        _writer.Close();
        _writer.Line();
    }

    private void EmitSetData(VarData data, Block block, Nesting nesting)
    {
        Primitive lengthType = ((SimpleType)data.Length.Type).Primitive;
        _writer.Doc(data.Description);
        _writer.Line("/// <exception cref=\"global::System.ArgumentException\">It is too long, or the buffer too small.</exception>");
        _writer.Line("/// <exception cref=\"global::System.InvalidOperationException\">This or a later var data is already written.</exception>");
        _writer.Open($"public void {data.SetName}({ReadOnlySpan}<byte> value)");
        _writer.Open("unchecked");
        EmitCheckOrder(data, block, nesting);
        _writer.Line($"if (value.Length > {Digits(Layout.MaxLength(data))})");
        _writer.Line($"    {_wire}.ThrowCount({Quoted(data.Name)}, value.Length);");
        _writer.Line($"long size = {Digits(data.DataOffset)} + (long)value.Length + _tail{Digits(data.Index)}Length;");
        _writer.Line($"if (size > {RoomLeft(nesting)})");
        _writer.Line($"    {_wire}.ThrowTooSmall(size, {RoomLeft(nesting)});");
        _writer.Line($"ref byte to = ref {Unsafe}.Add(ref _at, at);");
        _writer.Line($"{Put(_schema, lengthType, "to", data.Length.Offset, $"({lengthType.CSharp()})value.Length")};");
        _writer.Line($"ref byte octets = ref {Unsafe}.Add(ref to, {Digits(data.DataOffset)});");
        _writer.Line($"{_wire}.Copy(value, ref octets);");
        _writer.Line($"_tail{Digits(data.Index)}(ref {Unsafe}.Add(ref octets, value.Length));");
        _writer.Close();
        _writer.Close();
        _writer.Line();
        if (TextEncoding(data.CharacterEncoding) is not { } encoding)
            return;
        EmitSetText(data, encoding, lengthType, block, nesting);
    }

    private void EmitSetText(VarData data, string encoding, Primitive lengthType, Block block, Nesting nesting)
    {
        _writer.Line("/// <exception cref=\"global::System.ArgumentException\">It is too long, not in the encoding, or the buffer too small.</exception>");
        _writer.Open($"public void {data.SetName}(string value)");
        _writer.Open("unchecked");
        EmitCheckOrder(data, block, nesting);
        _writer.Line($"int room = {RoomLeft(nesting)} - {Digits(data.DataOffset)} - _tail{Digits(data.Index)}Length;");
        _writer.Line($"ref byte to = ref {Unsafe}.Add(ref _at, at);");
        _writer.Line($"ref byte octets = ref {Unsafe}.Add(ref to, {Digits(data.DataOffset)});");
        _writer.Line(
            $"int length = {_wire}.Encode(ref octets, global::System.Math.Min(room, {Digits(Layout.MaxLength(data))}), value, global::System.Text.Encoding.{encoding});");
        _writer.Line($"{Put(_schema, lengthType, "to", data.Length.Offset, $"({lengthType.CSharp()})length")};");
        _writer.Line($"_tail{Digits(data.Index)}(ref {Unsafe}.Add(ref octets, length));");
        _writer.Close();
        _writer.Close();
        _writer.Line();
    }

    private void EmitFlatGroup(Group group, Nesting nesting)
    {
        _writer.Doc(group.Description);
        _writer.Open($"public readonly ref struct {group.EncoderName}");
        _writer.Line($"public const int BlockLength = {Digits(group.Block.Length)};");
        _writer.Line();
        _writer.Line("private readonly ref byte _at;");
        _writer.Line("private readonly int _count;");
        _writer.Line();
        _writer.Open($"internal {group.EncoderName}(ref byte at, int count)");
        _writer.Line("_at = ref at;");
        _writer.Line("_count = count;");
        _writer.Close();
        _writer.Line();
        _writer.Line("public int Count => _count;");
        _writer.Line();
        _writer.Line("/// <exception cref=\"global::System.IndexOutOfRangeException\">The index is not from 0 to Count - 1.</exception>");
        _writer.Open("public Entry this[int index]");
        _writer.Open("get");
        _writer.Line($"{_wire}.CheckIndex(index, _count);");
        _writer.Line($"return new Entry(ref {Unsafe}.Add(ref _at, (nint)index * BlockLength));");
        _writer.Close();
        _writer.Close();
        _writer.Line();
        byte[] entry = _image.Fields(group.Block);
        if (entry.Any(b => b != 0))
            Image.EmitPut(_writer, _wire, "_blank", entry);
        EmitClear(entry);
        _writer.Line("/// <summary>One entry: zero, its optional fields null, until set.</summary>");
        _writer.Open("public readonly ref struct Entry");
        _writer.Line("private readonly ref byte _at;");
        _writer.Line();
        _writer.Line("internal Entry(ref byte at) => _at = ref at;");
        _writer.Line();
        EmitMembers(group.Block, nesting);
        _writer.Close();
        _writer.Close();
        _writer.Line();
    }

    private void EmitClear(byte[] entry)
    {
        _writer.Line("// Blanks every entry and returns the place behind the last.");
        _writer.Open("internal ref byte _clear()");
        if (entry.All(b => b == 0))
        {
            _writer.Line("uint size = unchecked((uint)_count * BlockLength);");
            _writer.Line($"{Unsafe}.InitBlockUnaligned(ref _at, 0, size);");
            _writer.Line($"return ref {Unsafe}.Add(ref _at, size);");
        }
        else
        {
            _writer.Line("ref byte to = ref _at;");
            _writer.Open("for (int i = 0; i < _count; i++)");
            _writer.Line("_blank(ref to);");
            _writer.Line($"to = ref {Unsafe}.Add(ref to, BlockLength);");
            _writer.Close();
            _writer.Line();
            _writer.Line("return ref to;");
        }

        _writer.Close();
        _writer.Line();
    }
}
