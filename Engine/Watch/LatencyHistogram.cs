// Counts of durations in the layout of HdrHistogram: three significant digits from 1 ns to 60 s in 216 KiB.
// One thread records; others read a copy. Recording is one increment and never throws.
using System.Numerics;

namespace MarginEngine.Watch;

/// <summary>
/// Bucket b covers values with their highest bit at 10 + b in 1,024 equal steps (bucket 0 also holds everything below),
/// so the step is never more than 1/1024 of the value. Values over 60 s count as 60 s, values below 0 as 0.
/// </summary>
public sealed class LatencyHistogram
{
    /// <summary>Longest duration told apart: 60 s.</summary>
    public const long HighestNanos = 60_000_000_000;

    internal const int SubBucketBits = 11;
    internal const int SubBuckets = 1 << SubBucketBits;
    internal const int HalfSubBuckets = SubBuckets / 2;
    internal const int Buckets = 36 - SubBucketBits + 1; // 60 s < 2^36 ns
    private readonly long[] _counts = new long[(Buckets + 1) * HalfSubBuckets];
    private long _maxNanos;
    private long _minNanos = long.MaxValue;
    private long _saturated;

    public long MaxNanos => Volatile.Read(ref _maxNanos);

    public long MinNanos => _minNanos == long.MaxValue ? 0 : _minNanos;

    /// <summary>Recorded durations that were longer than 60 s.</summary>
    public long Saturated => Volatile.Read(ref _saturated);

    public long Total
    {
        get
        {
            long total = 0;
            foreach (ref long count in _counts.AsSpan())
                total += Volatile.Read(ref count);
            return total;
        }
    }

    public void Record(long nanos)
    {
        if (unchecked((ulong)nanos) > HighestNanos)
            nanos = Saturate(nanos);
        ref long count = ref _counts[IndexOf(nanos)];
        Volatile.Write(ref count, unchecked(count + 1));
        if (nanos > _maxNanos)
            Volatile.Write(ref _maxNanos, nanos);
        if (nanos < _minNanos)
            _minNanos = nanos;
    }

    /// <summary>The smallest recorded value (to three digits, rounded up) that at least this part of all values do not exceed.</summary>
    /// <param name="percentile">0 to 100.</param>
    public long ValueAtPercentile(double percentile)
    {
        long total = Total;
        if (total == 0)
            return 0;
        long wanted = Math.Max(1, (long)Math.Ceiling(Math.Clamp(percentile, 0, 100) / 100 * total));
        long seen = 0;
        for (int index = 0; index < _counts.Length; index++)
        {
            seen += Volatile.Read(ref _counts[index]);
            if (seen >= wanted)
                return Math.Min(HighestEquivalent(index), MaxNanos);
        }

        return MaxNanos;
    }

    public double MeanNanos()
    {
        double sum = 0;
        long total = 0;
        for (int index = 0; index < _counts.Length; index++)
        {
            sum += (double)_counts[index] * MiddleOf(index);
            total += _counts[index];
        }

        return total == 0 ? 0 : sum / total;
    }

    public double StandardDeviationNanos()
    {
        double mean = MeanNanos();
        double squares = 0;
        long total = 0;
        for (int index = 0; index < _counts.Length; index++)
        {
            double distance = MiddleOf(index) - mean;
            squares += _counts[index] * distance * distance;
            total += _counts[index];
        }

        return total == 0 ? 0 : Math.Sqrt(squares / total);
    }

    /// <summary>Adds another histogram's counts.</summary>
    public void Add(LatencyHistogram other)
    {
        for (int index = 0; index < _counts.Length; index++)
            _counts[index] += Volatile.Read(ref other._counts[index]);
        _maxNanos = Math.Max(_maxNanos, other.MaxNanos);
        _minNanos = Math.Min(_minNanos, other._minNanos);
        _saturated += other.Saturated;
    }

    /// <summary>Forgets everything. The recording thread calls it, or nobody records meanwhile.</summary>
    public void Reset()
    {
        Array.Clear(_counts);
        _maxNanos = 0;
        _minNanos = long.MaxValue;
        _saturated = 0;
    }

    internal ReadOnlySpan<long> Counts => _counts;

    internal static int IndexOf(long nanos)
    {
        // Values below 2,048 have bucket 0; above, the bucket grows with the highest bit.
        int bucket = Math.Max(0, 63 - BitOperations.LeadingZeroCount((ulong)nanos) - (SubBucketBits - 1));
        int subBucket = (int)(nanos >> bucket);
        return (bucket << (SubBucketBits - 1)) + subBucket;
    }

    internal static long LowestEquivalent(int index)
    {
        int bucket = Math.Max(0, (index >> (SubBucketBits - 1)) - 1);
        long subBucket = index - (bucket << (SubBucketBits - 1));
        return subBucket << bucket;
    }

    internal static long HighestEquivalent(int index)
    {
        int bucket = Math.Max(0, (index >> (SubBucketBits - 1)) - 1);
        return LowestEquivalent(index) + (1L << bucket) - 1;
    }

    private static double MiddleOf(int index) => (LowestEquivalent(index) + HighestEquivalent(index)) * 0.5;

    private long Saturate(long nanos)
    {
        if (nanos < 0)
            return 0;
        Volatile.Write(ref _saturated, _saturated + 1);
        return HighestNanos;
    }
}
