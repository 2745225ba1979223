// Emits what the decoders of messages and of group entries share: the walk over groups and var data that checks a message once, the
// accessors of fields, groups and var data, the views of groups.

using System.Linq;
using MarginEngine.SbeGenerator.Model;
using static MarginEngine.SbeGenerator.Emit.Text;

namespace MarginEngine.SbeGenerator.Emit;

internal sealed class BlockDecoder
{
    private readonly Schema _schema;
    private readonly CodeWriter _writer;
    private readonly string _error;

    public BlockDecoder(Schema schema, CodeWriter writer)
    {
        _schema = schema;
        _writer = writer;
        _error = Global(schema, "SbeError");
    }

    /// <summary>The fields of a struct over a block with parts: where each part begins, from the start of the block.</summary>
    public void EmitPartFields(Block block)
    {
        if (block.IsFlat)
            return;
        if (Layout.NeedsRoom(block))
            _writer.Line("private readonly int _room;");
        foreach (Part part in block.Parts)
            _writer.Line($"internal readonly int _part{Digits(part.Index)};");
        _writer.Line("internal readonly int _end;");
    }

    public void EmitFieldIds(Block block)
    {
        _writer.Line("/// <summary>The schema's ids of the fields, groups and var data.</summary>");
        _writer.Open("public static class FieldIds");
        foreach (Slot field in block.Fields)
            _writer.Line($"public const ushort {field.IdName} = {Digits(field.Id)};");
        foreach (Part part in block.Parts)
            _writer.Line($"public const ushort {part.IdName} = {Digits(part.Id)};");
        _writer.Close();
        _writer.Line();
    }

    /// <summary>Finds and checks the parts behind a block. The block itself is known to lie within the length.</summary>
    public void EmitTryLocate(Block block, string name, string constructorArguments)
    {
        _writer.Open(
            $"internal static bool TryLocate(ref byte at, int length, int version, int block, out {name} located, out {_error} error, out ushort fieldId)");
        _writer.Open("unchecked");
        _writer.Line("located = default;");
        _writer.Line("fieldId = 0;");
        _writer.Line($"error = {_error}.None;");
        _writer.Line("int end = block;");
        foreach (Part part in block.Parts)
        {
            string position = "part" + Digits(part.Index);
            bool mayMiss = part.Since > block.Since;
            _writer.Line($"int {position} = {(mayMiss ? "-1" : "end")};");
            if (mayMiss)
            {
                _writer.Open($"if (version >= {Digits(part.Since)})");
                _writer.Line($"{position} = end;");
            }

            if (part is Group group)
                EmitLocateGroup(group);
            else
                EmitLocateData((VarData)part);
            if (mayMiss)
                _writer.Close();
            _writer.Line();
        }

        _writer.Line($"located = new {name}(ref at{constructorArguments});");
        _writer.Line("return true;");
        _writer.Close();
        _writer.Close();
        _writer.Line();
    }

    /// <summary>Parameters and arguments of a constructor that takes the parts' places.</summary>
    public static string PartList(Block block, string type) =>
        string.Concat(block.Parts.Select(p => $", {type}part{Digits(p.Index)}")) + (block.IsFlat ? "" : $", {type}end");

    public void EmitPartAssignments(Block block)
    {
        if (block.IsFlat)
            return;
        if (Layout.NeedsRoom(block))
            _writer.Line("_room = room;");
        foreach (Part part in block.Parts)
            _writer.Line($"_part{Digits(part.Index)} = part{Digits(part.Index)};");
        _writer.Line("_end = end;");
    }

    private void EmitLocateGroup(Group group)
    {
        _writer.Open(
            $"if (!{group.DecoderName}.Measure(ref {Unsafe}.Add(ref at, end), length - end, version, out int size{Digits(group.Index)}, out error, out fieldId))");
        _writer.Line("return false;");
        _writer.Close();
        _writer.Line();
        _writer.Line($"end += size{Digits(group.Index)};");
    }

    private void EmitLocateData(VarData data)
    {
        string count = "octets" + Digits(data.Index);
        Primitive primitive = ((SimpleType)data.Length.Type).Primitive;
        Fail($"length - end < {Digits(data.DataOffset)}", "DataOverrun", data.Id);
        _writer.Line($"ulong {count} = {Get(_schema, primitive, $"{Unsafe}.Add(ref at, end)", data.Length.Offset)};");
        Fail($"{count} > {Digits(Layout.MaxLength(data))}UL", "LengthOutOfRange", data.Id);
        Fail($"{count} > (ulong)(length - end - {Digits(data.DataOffset)})", "DataOverrun", data.Id);
        _writer.Line($"end += {Digits(data.DataOffset)} + (int){count};");
    }

    private void Fail(string condition, string error, int id)
    {
        _writer.Open($"if ({condition})");
        _writer.Line($"error = {_error}.{error};");
        _writer.Line($"fieldId = {Digits(id)};");
        _writer.Line("return false;");
        _writer.Close();
        _writer.Line();
    }

    public void EmitAccessors(Block block, Reach reach)
    {
        var slots = new SlotDecoder(_schema, _writer);
        foreach (Slot field in block.Fields)
            slots.Emit(field, reach);
        foreach (Part part in block.Parts)
        {
            if (part is Group group)
                EmitGroupAccessor(group, block, reach);
            else
                EmitDataAccessor((VarData)part, block);
        }

        foreach (Group group in block.Groups)
            new GroupDecoder(_schema, _writer).Emit(group);
    }

    private void EmitGroupAccessor(Group group, Block block, Reach reach)
    {
        string part = "_part" + Digits(group.Index);
        string room = group.Block.IsFlat ? "" : $", unchecked(_room - {part})";
        string version = Layout.GroupNeedsVersion(group) ? $", {reach.Version}" : "";
        string view = $"new {group.DecoderName}(ref {Unsafe}.Add(ref _at, {part}){room}{version})";
        _writer.Doc(group.Description);
        _writer.Line($"public {group.DecoderName} {group.CsName} => {(group.Since > block.Since ? $"{part} < 0 ? default : " : "")}{view};");
        _writer.Line();
    }

    private void EmitDataAccessor(VarData data, Block block)
    {
        string part = "_part" + Digits(data.Index);
        Primitive primitive = ((SimpleType)data.Length.Type).Primitive;
        string length = Get(_schema, primitive, $"{Unsafe}.Add(ref _at, {part})", data.Length.Offset);
        string bytes = $"{Wire(_schema)}.Elements<byte>(ref {Unsafe}.Add(ref _at, unchecked({part} + {Digits(data.DataOffset)})), unchecked((int){length}))";
        _writer.Doc(data.Description);
        _writer.Line($"public {ReadOnlySpan}<byte> {data.CsName} => {(data.Since > block.Since ? $"{part} < 0 ? default : " : "")}{bytes};");
        _writer.Line();
        if (TextEncoding(data.CharacterEncoding) is not { } encoding)
            return;
        _writer.Line($"public string {data.StringName}() => global::System.Text.Encoding.{encoding}.GetString({data.CsName});");
        _writer.Line();
    }
}
