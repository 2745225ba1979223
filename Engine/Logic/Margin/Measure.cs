using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MarginEngine.Logic;

/// <summary>How the profits of rows become one loss: the worst, value at risk, or expected shortfall. Integers; the order of equal rows does not show.</summary>
public sealed class Measure
{
    private readonly long[] _sorted = new long[Limits.Rows];

    /// <summary>
    /// The loss, not negative, rounded up. With n measured rows and m = ceil((1 - confidence) n): value at risk is the m-th largest loss,
    /// expected shortfall the mean of the m largest.
    /// </summary>
    /// <param name="worstRow">The row that loses most, the first of equals; -1: no row loses.</param>
    public long Of(CompiledModel rules, ReadOnlySpan<long> profits, out int worstRow)
    {
        long worst = 0;
        worstRow = -1;
        int measured = 0;
        bool isTailMeasure = rules.Measure != RowMeasure.Worst;
        if (!isTailMeasure && LeastOf(profits[..rules.PaddedRows]) >= 0)
        {
            return 0;
        }

        for (int row = 0; row < rules.RowCount; row++)
        {
            if (!rules.Rows[row].IsMeasured)
            {
                continue;
            }

            if (profits[row] < worst)
            {
                worst = profits[row];
                worstRow = row;
            }

            if (isTailMeasure)
            {
                _sorted[measured++] = profits[row];
            }
        }

        return isTailMeasure ? Tail(rules, measured) : -worst;
    }

    // Of rows that count and rows that do not: where none loses there is nothing to look for.
    private static long LeastOf(ReadOnlySpan<long> profits)
    {
        Vector256<long> least = Vector256<long>.Zero;
        ref long from = ref MemoryMarshal.GetReference(profits);
        for (nuint at = 0; at < (nuint)profits.Length; at += 4)
        {
            least = Vector256.Min(least, Vector256.LoadUnsafe(ref from, at));
        }

        return Math.Min(Math.Min(least[0], least[1]), Math.Min(least[2], least[3]));
    }

    private long Tail(CompiledModel rules, int measured)
    {
        int tail = Math.Min(rules.TailRows, measured);
        if (tail == 0)
        {
            return 0;
        }

        _sorted.AsSpan(0, measured).Sort();
        if (rules.Measure == RowMeasure.ValueAtRisk)
        {
            return Math.Max(0, -_sorted[tail - 1]);
        }

        Int128 sum = 0;
        for (int row = 0; row < tail; row++)
        {
            sum -= _sorted[row];
        }

        return sum <= 0 ? 0 : Fixed.Saturate((sum + tail - 1) / tail);
    }
}
