// The bytes that encoders start from, computed while generating: a block with its null values, an empty group, an empty message.
// Everything not named is zero, so that padding and unset fields never carry what the buffer held before.

using System.Collections.Generic;
using System.Linq;
using MarginEngine.SbeGenerator.Model;

namespace MarginEngine.SbeGenerator.Emit;

internal sealed class Image
{
    private readonly Schema _schema;

    public Image(Schema schema) => _schema = schema;

    /// <summary>Header, root block, empty parts.</summary>
    public byte[] Message(Message message)
    {
        Header header = _schema.Header;
        var bytes = new byte[header.Size];
        Put(bytes, header.BlockLength, (ulong)message.Block.Length);
        Put(bytes, header.TemplateId, message.Id);
        Put(bytes, header.SchemaId, _schema.Id);
        Put(bytes, header.Version, (ulong)_schema.Version);
        Put(bytes, header.NumGroups, (ulong)message.Block.Groups.Count());
        Put(bytes, header.NumVarDataFields, (ulong)message.Block.Data.Count());
        return bytes.Concat(Entry(message.Block)).ToArray();
    }

    /// <summary>A block and its empty parts.</summary>
    public byte[] Entry(Block block) => Fields(block).Concat(Tail(block, 0)).ToArray();

    /// <summary>The parts from one on, all empty.</summary>
    public byte[] Tail(Block block, int from) => block.Parts.Skip(from).SelectMany(Empty).ToArray();

    /// <summary>A block whose optional fields are null.</summary>
    public byte[] Fields(Block block)
    {
        var bytes = new byte[block.Length];
        foreach (Slot slot in block.Fields)
            Put(bytes, 0, slot, absent: false);
        return bytes;
    }

    /// <summary>A composite every member of which is null: what stands for one that a message does not have.</summary>
    public byte[] Absent(CompositeType composite)
    {
        var bytes = new byte[composite.Size];
        foreach (Slot slot in composite.Members)
            Put(bytes, 0, slot, absent: true);
        return bytes;
    }

    private byte[] Empty(Part part)
    {
        var bytes = new byte[part.EmptySize];
        if (part is Group group)
        {
            Put(bytes, group.Dimension.BlockLength, (ulong)group.Block.Length);
            Put(bytes, group.Dimension.NumGroups, (ulong)group.Block.Groups.Count());
            Put(bytes, group.Dimension.NumVarDataFields, (ulong)group.Block.Data.Count());
        }

        return bytes;
    }

    private void Put(byte[] bytes, Slot? slot, ulong value)
    {
        if (slot is { Constant: null, Type: SimpleType simple })
            Put(bytes, slot.Offset, simple.Primitive, Value.Of((decimal)value));
    }

    private void Put(byte[] bytes, int at, Slot slot, bool absent)
    {
        if (slot.Presence == Presence.Constant)
            return;
        bool isNull = absent || slot.Presence == Presence.Optional;
        switch (slot.Type)
        {
            case SimpleType simple when isNull:
                for (int i = 0; i < simple.Length; i++)
                    Put(bytes, at + slot.Offset + (i * simple.Primitive.Size()), simple.Primitive, simple.IsArray && absent ? Value.Of(0m) : simple.Null);
                break;
            case EnumType type when isNull:
                Put(bytes, at + slot.Offset, type.Encoding.Primitive, type.Null);
                break;
            case CompositeType composite:
                foreach (Slot member in composite.Members)
                    Put(bytes, at + slot.Offset, member, isNull);
                break;
        }
    }

    private void Put(byte[] bytes, int at, Primitive primitive, Value value)
    {
        byte[] little = primitive.Bytes(value);
        for (int i = 0; i < little.Length; i++)
            bytes[at + i] = little[_schema.BigEndian ? little.Length - 1 - i : i];
    }

    /// <summary>Writes a method that puts the bytes to a place: short ones as one copy, long ones as zeros with the rest patched in.</summary>
    public static void EmitPut(CodeWriter writer, string wire, string name, byte[] bytes)
    {
        writer.Line($"private const int {name}Length = {bytes.Length};");
        writer.Line();
        writer.Line("[global::System.Runtime.CompilerServices.MethodImpl(global::System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]");
        writer.Open($"private static void {name}(ref byte to)");
        if (bytes.Length > 0 && bytes.Length <= 1024 && bytes.Any(b => b != 0))
        {
            writer.Line($"{wire}.Copy({Literal(bytes)}, ref to);");
        }
        else if (bytes.Length > 0)
        {
            writer.Line($"global::System.Runtime.CompilerServices.Unsafe.InitBlockUnaligned(ref to, 0, {bytes.Length}U);");
            foreach ((int start, int length) in Runs(bytes))
            {
                writer.Line(
                    $"{wire}.Copy({Literal(bytes.Skip(start).Take(length))}, ref global::System.Runtime.CompilerServices.Unsafe.Add(ref to, {start}));");
            }
        }

        writer.Close();
        writer.Line();
    }

    public static string Literal(IEnumerable<byte> bytes) => "[" + string.Join(", ", bytes) + "]";

    // Runs of non-zero bytes; zeros of fewer than eight do not end one.
    private static IEnumerable<(int Start, int Length)> Runs(byte[] bytes)
    {
        int start = -1;
        int last = -1;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == 0)
                continue;
            if (start >= 0 && i - last > 8)
            {
                yield return (start, last - start + 1);
                start = -1;
            }

            start = start < 0 ? i : start;
            last = i;
        }

        if (start >= 0)
            yield return (start, last - start + 1);
    }
}
