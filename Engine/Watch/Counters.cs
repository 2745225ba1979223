// Counts by kind, preallocated: message templates, reject codes, events of a stage. One writer a table, any reader.
namespace MarginEngine.Watch;

/// <summary>
/// A table of counts addressed by a small number (template id, reject code). Numbers beyond the table count in slot 0,
/// so that a hostile number cannot reach outside.
/// </summary>
public sealed class CountersByKind
{
    private const int PaddingLongs = 16;
    private readonly long[] _counts;

    /// <param name="kinds">Kinds 0 .. kinds - 1 get their own count.</param>
    public CountersByKind(int kinds)
    {
        Kinds = kinds;
        _counts = new long[kinds + 2 * PaddingLongs];
    }

    public int Kinds { get; }

    public long this[int kind] => Volatile.Read(ref _counts[PaddingLongs + kind]);

    public void Count(int kind)
    {
        ref long count = ref _counts[PaddingLongs + ((uint)kind < (uint)Kinds ? kind : 0)];
        Volatile.Write(ref count, unchecked(count + 1));
    }

    public long Total()
    {
        long total = 0;
        for (int kind = 0; kind < Kinds; kind++)
            total += this[kind];
        return total;
    }

    /// <summary>A copy, one entry a kind. Allocates: for the status thread.</summary>
    public long[] ToArray()
    {
        var copy = new long[Kinds];
        for (int kind = 0; kind < Kinds; kind++)
            copy[kind] = this[kind];
        return copy;
    }
}
