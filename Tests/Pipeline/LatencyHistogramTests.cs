// The histogram against a sorted list, its limits, and the text it writes.
using System.Globalization;
using MarginEngine.Watch;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
public sealed class LatencyHistogramTests
{
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2047)]
    [TestCase(2048)]
    [TestCase(2049)]
    [TestCase(4095)]
    [TestCase(4096)]
    [TestCase(1_000_000)]
    [TestCase(59_999_999_999)]
    [TestCase(60_000_000_000)]
    public void A_value_lands_in_a_bucket_that_holds_it_and_is_a_thousandth_wide(long nanos)
    {
        int index = LatencyHistogram.IndexOf(nanos);
        long lowest = LatencyHistogram.LowestEquivalent(index);
        long highest = LatencyHistogram.HighestEquivalent(index);
        Assert.That(nanos, Is.InRange(lowest, highest));
        Assert.That(highest - lowest, Is.LessThanOrEqualTo(Math.Max(0, nanos / 1000)));
    }

    [Test]
    public void Buckets_follow_each_other_without_gap_or_overlap()
    {
        int count = new LatencyHistogram().Counts.Length;
        for (int index = 1; index < count; index++)
            Assert.That(LatencyHistogram.LowestEquivalent(index), Is.EqualTo(LatencyHistogram.HighestEquivalent(index - 1) + 1), $"index {index}");
    }

    [Test]
    public void Percentiles_agree_with_a_sorted_list_to_three_digits([Values(1, 2, 3)] int seed)
    {
        var random = new Random(seed);
        var histogram = new LatencyHistogram();
        var values = new List<long>();
        for (int i = 0; i < 20_000; i++)
        {
            long value = (long)Math.Exp(random.NextDouble() * Math.Log(LatencyHistogram.HighestNanos));
            values.Add(value);
            histogram.Record(value);
        }

        values.Sort();
        foreach (double percentile in new[] { 0, 1, 50, 90, 99, 99.9, 99.99, 100 })
        {
            long exact = values[Math.Max(0, (int)Math.Ceiling(percentile / 100 * values.Count) - 1)];
            Assert.That(
                (double)histogram.ValueAtPercentile(percentile), Is.EqualTo((double)exact).Within(0.1).Percent, $"p{percentile}, seed {seed}");
        }

        Assert.That(histogram.Total, Is.EqualTo(values.Count));
        Assert.That(histogram.MaxNanos, Is.EqualTo(values[^1]));
        Assert.That(histogram.MinNanos, Is.EqualTo(values[0]));
        Assert.That(histogram.MeanNanos(), Is.EqualTo(values.Average()).Within(0.1).Percent);
    }

    [Test]
    public void Too_long_and_negative_durations_are_kept_at_the_bounds()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(long.MaxValue);
        histogram.Record(LatencyHistogram.HighestNanos + 1);
        histogram.Record(-5);
        Assert.That(histogram.Saturated, Is.EqualTo(2));
        Assert.That(histogram.MaxNanos, Is.EqualTo(LatencyHistogram.HighestNanos));
        Assert.That(histogram.ValueAtPercentile(1), Is.Zero);
        Assert.That(histogram.Total, Is.EqualTo(3));
    }

    [Test]
    public void Adding_two_histograms_counts_both()
    {
        var one = new LatencyHistogram();
        var other = new LatencyHistogram();
        one.Record(10);
        other.Record(5_000_000);
        one.Add(other);
        Assert.That((one.Total, one.MinNanos, one.MaxNanos), Is.EqualTo((2L, 10L, 5_000_000L)));
        one.Reset();
        Assert.That((one.Total, one.MinNanos, one.MaxNanos), Is.EqualTo((0L, 0L, 0L)));
    }

    [Test]
    public void The_hgrm_text_has_the_columns_that_the_public_plotter_reads()
    {
        var histogram = new LatencyHistogram();
        for (int i = 1; i <= 1000; i++)
            histogram.Record(i * 1000);
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        HgrmWriter.Write(histogram, text);
        string[] lines = text.ToString().Split('\n');
        Assert.That(lines[0], Is.EqualTo("       Value     Percentile TotalCount 1/(1-Percentile)"));
        Assert.That(lines[1], Is.Empty);

        double lastValue = 0;
        double lastPercentile = -1;
        int rows = 0;
        foreach (string line in lines.Skip(2).Where(line => line.Length > 0 && line[0] != '#'))
        {
            double[] columns = [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => double.Parse(word, CultureInfo.InvariantCulture))];
            Assert.That(columns, Has.Length.EqualTo(columns[1] < 1 ? 4 : 3), line);
            Assert.That(columns[0], Is.GreaterThanOrEqualTo(lastValue), line);
            Assert.That(columns[1], Is.GreaterThan(lastPercentile), line);
            Assert.That(columns[2] / 1000, Is.GreaterThanOrEqualTo(columns[1] - 1e-9), line);
            (lastValue, lastPercentile) = (columns[0], columns[1]);
            rows++;
        }

        Assert.That(lastPercentile, Is.EqualTo(1));
        Assert.That(lastValue, Is.EqualTo(1000).Within(0.1).Percent);
        Assert.That(rows, Is.GreaterThan(20));
        Assert.That(lines[^4], Does.StartWith("#[Mean    =      500.").And.Contains("StdDeviation   =      288."));
        Assert.That(lines[^3], Does.StartWith("#[Max     =     1000.000, Total count    =         1000]"));
        Assert.That(lines[^2], Is.EqualTo("#[Buckets =           26, SubBuckets     =         2048]"));
    }

    [Test]
    public void An_empty_histogram_writes_only_its_footer()
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        HgrmWriter.Write(new LatencyHistogram(), text);
        Assert.That(text.ToString().Split('\n').Skip(2).Where(line => line.Length > 0), Has.All.StartsWith("#["));
    }
}
