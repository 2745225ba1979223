using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// Profits of one lot that a clearing house publishes, by instrument and row, as they came. Preallocated; how many rows an instrument has stands with it.
/// </summary>
public sealed partial class MarkArrays
{
    private readonly long[] _profits;

    public MarkArrays(Limits limits) => _profits = new long[limits.Instruments * Limits.Rows];

    public ReadOnlySpan<long> Of(int instrument, int rows) => _profits.AsSpan(instrument * Limits.Rows, rows);

    /// <summary>Takes a message's rows, of which there are no more than <see cref="Limits.Rows"/>. True: one of them is another than before.</summary>
    public bool Take(int instrument, in MarkArrayDecoder.RowsDecoder rows)
    {
        bool changed = false;
        int at = instrument * Limits.Rows;
        foreach (MarkArrayDecoder.RowsDecoder.Entry row in rows)
        {
            changed |= _profits[at] != row.Profit;
            _profits[at++] = row.Profit;
        }

        return changed;
    }
}
