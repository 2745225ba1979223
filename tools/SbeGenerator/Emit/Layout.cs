// Questions about a block that decoder, encoder and checks all ask.

using System;
using System.Collections.Generic;
using System.Linq;
using MarginEngine.SbeGenerator.Model;
using static MarginEngine.SbeGenerator.Emit.Text;

namespace MarginEngine.SbeGenerator.Emit;

internal static class Layout
{
    /// <summary>True where the accessors of an entry depend on the message's version.</summary>
    public static bool NeedsVersion(Block block) =>
        block.Fields.Any(f => f.Since > block.Since || f.Type is CompositeType { IsVersioned: true })
        || block.Groups.Any(GroupNeedsVersion);

    public static bool GroupNeedsVersion(Group group) => !group.Block.IsFlat || NeedsVersion(group.Block);

    /// <summary>True where the accessors of an entry depend on the block length on the wire.</summary>
    public static bool NeedsBlock(Block block) => block.Fields.Any(f => f.Since > block.Since);

    /// <summary>True where some group's entries must be walked one by one.</summary>
    public static bool NeedsRoom(Block block) => block.Groups.Any(g => !g.Block.IsFlat);

    /// <summary>The octets that a block of a version must have at least, as an expression of the variable version; null for none.</summary>
    public static string? Required(Block block)
    {
        var ends = new SortedDictionary<int, int>();
        foreach (Slot field in block.Fields)
            CollectEnds(field, 0, field.Since, ends);
        if (ends.Count == 0)
            return null;
        var steps = new List<(int Since, int End)>();
        int reached = 0;
        foreach (KeyValuePair<int, int> pair in ends)
        {
            if (pair.Value > reached)
                steps.Add((pair.Key, reached = pair.Value));
        }

        if (steps.Count == 0)
            return null;
        string text = steps[0].Since <= block.Since ? Digits(steps[0].End) : $"version >= {Digits(steps[0].Since)} ? {Digits(steps[0].End)} : 0";
        foreach ((int since, int end) in steps.Skip(1))
            text = $"version >= {Digits(since)} ? {Digits(end)} : {text}";
        return text;
    }

    // A composite may have grown: each of its members counts from its own version on.
    private static void CollectEnds(Slot slot, int offset, int since, SortedDictionary<int, int> ends)
    {
        if (slot.Presence == Presence.Constant)
            return;
        if (slot.Type is CompositeType composite)
        {
            foreach (Slot member in composite.Members)
                CollectEnds(member, offset + slot.Offset, Math.Max(since, member.Since), ends);
            return;
        }

        int end = offset + slot.End;
        ends[since] = ends.TryGetValue(since, out int known) ? Math.Max(known, end) : end;
    }

    /// <summary>The largest number of entries: what the schema allows and an int can count.</summary>
    public static int MaxCount(Group group)
    {
        var type = (SimpleType)group.Dimension.NumInGroup.Type;
        return (int)Math.Min(type.Max.Integer, int.MaxValue);
    }

    public static int MinCount(Group group)
    {
        var type = (SimpleType)group.Dimension.NumInGroup.Type;
        return (int)Math.Max(0, Math.Min(type.Min.Integer, int.MaxValue));
    }

    public static int MaxLength(VarData data)
    {
        var type = (SimpleType)data.Length.Type;
        return (int)Math.Min(type.Max.Integer, int.MaxValue);
    }

    /// <summary>The C# type of a header's number in the generated interface: ushort, or wider where the header is.</summary>
    public static string NumberType(Slot slot) => ((SimpleType)slot.Type).Primitive switch
    {
        Primitive.UInt32 => "uint",
        Primitive.UInt64 => "ulong",
        _ => "ushort",
    };
}
