// Writes a histogram as .hgrm, the text that HdrHistogram's plotter and gnuplot scripts read. Called by the bench and the command.
using System.Globalization;
using System.Numerics;

namespace MarginEngine.Watch;

/// <summary>The percentile distribution of a <see cref="LatencyHistogram"/>, five rows for each halving of the distance to 100 %.</summary>
public static class HgrmWriter
{
    private const int TicksPerHalfDistance = 5;

    /// <param name="unitNanos">Values are divided by it: 1,000 prints microseconds.</param>
    public static void Write(LatencyHistogram histogram, TextWriter writer, double unitNanos = 1_000)
    {
        writer.Write(Invariant($"{"Value",12} {"Percentile",14} {"TotalCount",10} {"1/(1-Percentile)",14}\n\n"));
        long total = histogram.Total;
        long seen = 0;
        double level = 0;
        ReadOnlySpan<long> counts = histogram.Counts;
        for (int index = 0; index < counts.Length && seen < total; index++)
        {
            if (counts[index] == 0)
                continue;
            seen += counts[index];
            double value = Math.Min(LatencyHistogram.HighestEquivalent(index), histogram.MaxNanos) / unitNanos;
            while (seen < total && 100.0 * seen / total >= level)
            {
                writer.Write(Invariant($"{value,12:F3} {level / 100,2:F12} {seen,10} {1 / (1 - level / 100),14:F2}\n"));
                level += 100.0 / TicksAt(level);
            }

            if (seen == total)
                writer.Write(Invariant($"{value,12:F3} {1.0,2:F12} {seen,10}\n"));
        }

        WriteFooter(histogram, writer, unitNanos, total);
    }

    private static void WriteFooter(LatencyHistogram histogram, TextWriter writer, double unitNanos, long total)
    {
        double mean = histogram.MeanNanos() / unitNanos;
        double deviation = histogram.StandardDeviationNanos() / unitNanos;
        writer.Write(Invariant($"#[Mean    = {mean,12:F3}, StdDeviation   = {deviation,12:F3}]\n"));
        writer.Write(Invariant($"#[Max     = {histogram.MaxNanos / unitNanos,12:F3}, Total count    = {total,12}]\n"));
        writer.Write(Invariant($"#[Buckets = {LatencyHistogram.Buckets,12}, SubBuckets     = {LatencyHistogram.SubBuckets,12}]\n"));
    }

    // Twice as many rows to 100 % each time the distance has halved.
    private static double TicksAt(double level)
    {
        ulong halvings = (ulong)Math.Min(100.0 / (100.0 - level), 1e18);
        return TicksPerHalfDistance * (double)(2UL << BitOperations.Log2(Math.Max(1, halvings)));
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
