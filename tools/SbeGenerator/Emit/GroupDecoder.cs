// Emits the view of a repeating group: count, indexer where every entry has the same length, enumerator without allocation, entries.

using MarginEngine.SbeGenerator.Model;
using static MarginEngine.SbeGenerator.Emit.Text;

namespace MarginEngine.SbeGenerator.Emit;

internal sealed class GroupDecoder
{
    private readonly Schema _schema;
    private readonly CodeWriter _writer;
    private readonly string _error;

    public GroupDecoder(Schema schema, CodeWriter writer)
    {
        _schema = schema;
        _writer = writer;
        _error = Global(schema, "SbeError");
    }

    public void Emit(Group group)
    {
        bool flat = group.Block.IsFlat;
        bool version = Layout.GroupNeedsVersion(group);
        _writer.Doc(group.Description);
        _writer.Open($"public readonly ref struct {group.DecoderName}");
        _writer.Line("/// <summary>Octets of an entry's fields in this version of the schema.</summary>");
        _writer.Line($"public const int BlockLength = {Digits(group.Block.Length)};");
        _writer.Line();
        _writer.Line("private readonly ref byte _at;");
        _writer.Line("private readonly int _block;");
        _writer.Line("private readonly int _count;");
        if (!flat)
            _writer.Line("private readonly int _room;");
        if (version)
            _writer.Line("private readonly int _version;");
        _writer.Line();
        EmitConstructor(group, flat, version);
        _writer.Line("/// <summary>Number of entries.</summary>");
        _writer.Line("public int Count => _count;");
        _writer.Line();
        if (flat)
            EmitIndexer(group);
        _writer.Line("public Enumerator GetEnumerator() => new Enumerator(this);");
        _writer.Line();
        EmitMeasure(group, flat);
        EmitEntry(group, flat);
        EmitEnumerator(group, flat, version);
        _writer.Close();
        _writer.Line();
    }

    private void EmitConstructor(Group group, bool flat, bool version)
    {
        Dimension dimension = group.Dimension;
        _writer.Open($"internal {group.DecoderName}(ref byte dimension{(flat ? "" : ", int room")}{(version ? ", int version" : "")})");
        _writer.Line($"_at = ref {Unsafe}.Add(ref dimension, {Digits(dimension.Size)});");
        _writer.Line($"_block = unchecked((int){GetMember(_schema, dimension.BlockLength, "dimension", 0)});");
        _writer.Line($"_count = unchecked((int){GetMember(_schema, dimension.NumInGroup, "dimension", 0)});");
        if (!flat)
            _writer.Line($"_room = unchecked(room - {Digits(dimension.Size)});");
        if (version)
            _writer.Line("_version = version;");
        _writer.Close();
        _writer.Line();
    }

    private void EmitIndexer(Group group)
    {
        _writer.Line("/// <exception cref=\"global::System.IndexOutOfRangeException\">The index is not from 0 to Count - 1.</exception>");
        _writer.Open("public Entry this[int index]");
        _writer.Open("get");
        _writer.Line($"{Wire(_schema)}.CheckIndex(index, _count);");
        _writer.Line($"return new Entry(ref {Unsafe}.Add(ref _at, (nint)index * _block){EntryArguments(group.Block)});");
        _writer.Close();
        _writer.Close();
        _writer.Line();
    }

    private static string EntryArguments(Block block) =>
        (Layout.NeedsVersion(block) ? ", _version" : "") + (Layout.NeedsBlock(block) ? ", _block" : "");

    // The one place where the group's numbers are checked: everything after relies on it.
    private void EmitMeasure(Group group, bool flat)
    {
        Dimension dimension = group.Dimension;
        Primitive countType = ((SimpleType)dimension.NumInGroup.Type).Primitive;
        _writer.Open($"internal static bool Measure(ref byte at, int length, int version, out int size, out {_error} error, out ushort fieldId)");
        _writer.Open("unchecked");
        _writer.Line("size = 0;");
        _writer.Line($"fieldId = {Digits(group.Id)};");
        Fail($"length < {Digits(dimension.Size)}", "GroupOverrun");
        _writer.Line($"ulong block = {GetMember(_schema, dimension.BlockLength, "at", 0)};");
        string read = GetMember(_schema, dimension.NumInGroup, "at", 0);
        _writer.Line(countType.IsUnsigned() ? $"ulong count = {read};" : $"ulong count = (ulong)(long){read};");
        Fail($"count > {Digits(Layout.MaxCount(group))}UL", "CountOutOfRange");
        _writer.Line($"size = {Digits(dimension.Size)};");
        _writer.Open("if (count != 0)");
        if (Layout.Required(group.Block) is { } required)
            Fail($"block < (ulong)({required})", "BlockTooShort");
        Fail("block > (ulong)length", "GroupOverrun");
        if (flat)
        {
            _writer.Line("long total = (long)count * (long)block;");
            Fail($"total > length - {Digits(dimension.Size)}", "GroupOverrun");
            _writer.Line("size += (int)total;");
        }
        else
        {
            EmitMeasureEntries(group);
        }

        _writer.Close();
        _writer.Line();
        _writer.Line("fieldId = 0;");
        _writer.Line($"error = {_error}.None;");
        _writer.Line("return true;");
        _writer.Close();
        _writer.Close();
        _writer.Line();
    }

    private void EmitMeasureEntries(Group group)
    {
        _writer.Open("for (ulong i = 0; i < count; i++)");
        Fail("block > (ulong)(length - size)", "GroupOverrun");
        _writer.Open(
            $"if (!Entry.TryLocate(ref {Unsafe}.Add(ref at, size), length - size, version, (int)block, out Entry entry, out error, out fieldId))");
        _writer.Line("return false;");
        _writer.Close();
        _writer.Line();
        _writer.Line("// Entries of nothing are all alike: a count of billions of them is no reason to count them.");
        _writer.Line("if (entry._end == 0)");
        _writer.Line("    break;");
        _writer.Line("size += entry._end;");
        _writer.Line($"fieldId = {Digits(group.Id)};");
        _writer.Close();
    }

    private void Fail(string condition, string error)
    {
        _writer.Open($"if ({condition})");
        _writer.Line($"error = {_error}.{error};");
        _writer.Line("return false;");
        _writer.Close();
        _writer.Line();
    }

    private void EmitEntry(Group group, bool flat)
    {
        Block block = group.Block;
        var emitter = new BlockDecoder(_schema, _writer);
        bool version = Layout.NeedsVersion(block);
        bool acting = Layout.NeedsBlock(block);
        _writer.Line("/// <summary>One entry.</summary>");
        _writer.Open("public readonly ref struct Entry");
        emitter.EmitFieldIds(block);
        _writer.Line("private readonly ref byte _at;");
        if (version)
            _writer.Line("private readonly int _version;");
        if (acting)
            _writer.Line("private readonly int _block;");
        emitter.EmitPartFields(block);
        _writer.Line();
        string room = !flat && Layout.NeedsRoom(block) ? ", int room" : "";
        _writer.Open(
            $"internal Entry(ref byte at{(version ? ", int version" : "")}{(acting ? ", int block" : "")}{room}{BlockDecoder.PartList(block, "int ")})");
        _writer.Line("_at = ref at;");
        if (version)
            _writer.Line("_version = version;");
        if (acting)
            _writer.Line("_block = block;");
        emitter.EmitPartAssignments(block);
        _writer.Close();
        _writer.Line();
        if (!flat)
        {
            string arguments = (version ? ", version" : "") + (acting ? ", block" : "") + (room.Length > 0 ? ", length" : "");
            emitter.EmitTryLocate(block, "Entry", arguments + BlockDecoder.PartList(block, ""));
        }

        emitter.EmitAccessors(block, new Reach(block.Since, "_version", "_block"));
        _writer.Close();
        _writer.Line();
    }

    private void EmitEnumerator(Group group, bool flat, bool version)
    {
        _writer.Line("/// <summary>Goes through the entries in order.</summary>");
        _writer.Open("public ref struct Enumerator");
        _writer.Line("private ref byte _at;");
        _writer.Line("private readonly int _block;");
        _writer.Line("private int _left;");
        if (!flat)
            _writer.Line("private int _room;");
        if (version)
            _writer.Line("private readonly int _version;");
        _writer.Line("private Entry _current;");
        _writer.Line();
        _writer.Open($"internal Enumerator({group.DecoderName} group)");
        _writer.Line("_at = ref group._at;");
        _writer.Line("_block = group._block;");
        _writer.Line("_left = group._count;");
        if (!flat)
            _writer.Line("_room = group._room;");
        if (version)
            _writer.Line("_version = group._version;");
        _writer.Close();
        _writer.Line();
        _writer.Line("public readonly Entry Current => _current;");
        _writer.Line();
        _writer.Open("public bool MoveNext()");
        _writer.Open("unchecked");
        _writer.Line("if (--_left < 0)");
        _writer.Line("    return false;");
        if (flat)
        {
            _writer.Line($"_current = new Entry(ref _at{EntryArguments(group.Block)});");
            _writer.Line($"_at = ref {Unsafe}.Add(ref _at, _block);");
        }
        else
        {
            _writer.Line("// Checked when the message was wrapped; checked again because a buffer may have been overwritten since.");
            _writer.Open("if (_block > _room || !Entry.TryLocate(ref _at, _room, _version, _block, out _current, out _, out _))");
            _writer.Line("_left = 0;");
            _writer.Line("return false;");
            _writer.Close();
            _writer.Line();
            _writer.Line($"_at = ref {Unsafe}.Add(ref _at, _current._end);");
            _writer.Line("_room -= _current._end;");
        }

        _writer.Line("return true;");
        _writer.Close();
        _writer.Close();
        _writer.Close();
    }
}
