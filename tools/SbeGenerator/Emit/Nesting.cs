// Where a block stands within its message while encoding: how deep, and which empty parts of the blocks around it follow it.

using System;
using System.Linq;
using MarginEngine.SbeGenerator.Model;
using static MarginEngine.SbeGenerator.Emit.Text;

namespace MarginEngine.SbeGenerator.Emit;

internal sealed class Nesting
{
    private Nesting(Slot[] counts, string decoder, byte[] outerTail)
    {
        Counts = counts;
        Decoder = decoder;
        OuterTail = outerTail;
    }

    /// <summary>Groups around the block.</summary>
    public int Depth => Counts.Length;

    /// <summary>The members that count the entries of the groups around, the outermost first.</summary>
    public Slot[] Counts { get; }

    /// <summary>The decoder struct of the block, which knows how to find its parts.</summary>
    public string Decoder { get; }

    /// <summary>The empty parts of all blocks around that come after this one on the wire.</summary>
    public byte[] OuterTail { get; }

    public static Nesting Root(string decoder) => new Nesting(Array.Empty<Slot>(), decoder, Array.Empty<byte>());

    /// <summary>The position of an entry of a group of <paramref name="block"/>.</summary>
    public Nesting Inside(Group group, Block block, Image image) => new Nesting(
        Counts.Concat(new[] { group.Dimension.NumInGroup }).ToArray(),
        $"{Decoder}.{group.DecoderName}.Entry",
        image.Tail(block, group.Index + 1).Concat(OuterTail).ToArray());

    /// <summary>", int dim1, int index1, int dim2 .." as fields, parameters or arguments, for the groups down to a depth.</summary>
    public static string Chain(int depth, string before, string separator) => string.Concat(
        Enumerable.Range(1, depth).Select(i => $"{separator}{before}dim{Digits(i)}{separator}{before}index{Digits(i)}"));
}
