using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using MarginEngine.Logic;

namespace MarginEngine.Bench;

/// <summary>
/// The pricing kernels at every width the processor has and the sums over positions, against what a user would pick instead, in turns in one
/// run so that drift of the machine meets all alike. Called by the bench program and, with few repeats, by the tests.
/// </summary>
public static class PricingBench
{
    private const int Options = 512;
    private const int Pairs = 64;
    private const int Rows = 64;
    private const int WarmUpRounds = 12;

    /// <summary>A sample is this long at least: the clock moves in steps of a tenth of a microsecond on some machines.</summary>
    private const double LeastSampleNanos = 20_000.0;

    /// <param name="Repeats">Samples of each candidate; the least and the tenth percentile are reported.</param>
    /// <param name="Points">Options on which the solvers of implied volatilities are checked, rounded up to whole columns.</param>
    public sealed record Settings(int Repeats = 400, int Points = 1_000_000);

    /// <summary>One candidate: nanoseconds for a call and a put together, an implied volatility, or a position of 64 rows.</summary>
    public sealed record Line(string Work, string Candidate, double LeastNanos, double Percentile10Nanos, double Checksum);

    private sealed record Candidate(string Work, string Name, int LaneWidth, int Count, Func<double> Run);

    /// <summary>The verb <c>pricing</c>.</summary>
    public static int Command(TextWriter output)
    {
        Run(new Settings(), output);
        return 0;
    }

    public static IReadOnlyList<Line> Run(Settings settings, TextWriter output)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"pricing: {settings.Repeats} interleaved samples, {Options} options in columns, {Pairs} pairs x {Rows} rows, hardware lanes {Kernel.WidestLanes()}"));
        output.WriteLine(
            $"{Environment.ProcessorCount} processors, {RuntimeInformation.ProcessArchitecture}, {RuntimeInformation.OSDescription}, "
            + RuntimeInformation.FrameworkDescription);
        Candidate[] candidates = [.. Candidates()];
        int collections = GC.CollectionCount(0);
        double[][] samples = Measure(candidates, settings.Repeats);
        collections = GC.CollectionCount(0) - collections;
        var lines = new List<Line>();
        output.WriteLine("nanoseconds for a call and a put, a volatility (implied), a position (aggregation)");
        output.WriteLine("                                                         least     p10   against the first");
        double baseline = 0.0;
        for (int i = 0; i < candidates.Length; i++)
        {
            Candidate candidate = candidates[i];
            Array.Sort(samples[i]);
            var line = new Line(
                candidate.Work, candidate.Name, samples[i][0] / candidate.Count, samples[i][samples[i].Length / 10] / candidate.Count, candidate.Run());
            if (i == 0 || candidates[i - 1].Work != candidate.Work)
                baseline = line.LeastNanos;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{line.Work,-11} {line.Candidate,-42} {line.LeastNanos,8:F2}{line.Percentile10Nanos,8:F2}{baseline / line.LeastNanos,12:F2}x"));
            lines.Add(line);
        }

        output.WriteLine($"collections during the samples: {collections}");
        ImpliedAccuracy.Write(settings.Points, output);
        PricingTargets.Write(lines, output);
        Kernel.UseLaneWidth(Kernel.WidestLanes());
        return lines;
    }

    private static double[][] Measure(Candidate[] candidates, int repeats)
    {
        double[][] samples = new double[candidates.Length][];
        for (int i = 0; i < candidates.Length; i++)
            samples[i] = new double[repeats];

        int[] runs = new int[candidates.Length];
        Array.Fill(runs, 1);

        // Tier 1 code is installed in the background: rounds with a pause let it arrive before the samples count.
        for (int round = 0; round < (repeats > 60 ? WarmUpRounds : 1); round++)
        {
            for (int i = 0; i < candidates.Length; i++)
            {
                Kernel.UseLaneWidth(candidates[i].LaneWidth);
                double least = double.MaxValue;
                for (int run = 0; run < Math.Min(repeats, 40); run++)
                    least = Math.Min(least, Sample(candidates[i], 1));
                runs[i] = repeats > 60 ? (int)Math.Max(1.0, Math.Ceiling(LeastSampleNanos / least)) : 1;
            }

            // The compiler works in the background: what it makes of this round counts in the next.
            if (repeats > 60)
                Thread.Sleep(150);
        }

        for (int repeat = 0; repeat < repeats; repeat++)
        {
            for (int i = 0; i < candidates.Length; i++)
            {
                Kernel.UseLaneWidth(candidates[i].LaneWidth);
                samples[i][repeat] = Sample(candidates[i], runs[i]);
            }
        }

        return samples;
    }

    private static double Sample(Candidate candidate, int runs)
    {
        long start = Stopwatch.GetTimestamp();
        for (int run = 0; run < runs; run++)
            candidate.Run();
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / runs;
    }

    private static IEnumerable<Candidate> Candidates()
    {
        var market = new PricingColumns(Options, Pairs, Rows);
        int widest = Kernel.WidestLanes();
        yield return new Candidate("columns", "MathNet Normal.CDF, scalar", 1, Options, () => market.Columns(ScalarBlack.WithMathNet));
        yield return new Candidate("columns", "Hart rational, Math.Exp/Log, scalar", 1, Options, () => market.Columns(ScalarBlack.WithHart));
        yield return new Candidate("columns", "this rational, Math.Exp/Log, scalar", 1, Options, () => market.Columns(ScalarBlack.WithRational));
        yield return new Candidate("columns", "TensorPrimitives, passes", 1, Options, market.ColumnsOfTensors);
        yield return new Candidate("columns", "ours, one option a call", 1, Options, () => market.Columns(Black76.Value));
        foreach (int width in Widths(widest))
            yield return new Candidate("columns", $"ours, {width} lanes", width, Options, market.ColumnKernel);
        yield return new Candidate("greeks", "ours, values alone", widest, Options, market.ValueKernel);
        yield return new Candidate("greeks", "ours, value and 7 Greeks, one a call", 1, Options, market.Greeks);
        foreach (int width in Widths(widest))
            yield return new Candidate("greeks", $"ours, 2 values and 9 Greeks, {width} lanes", width, Options, market.GreekKernel);
        yield return new Candidate("rows", "Hart rational, Math.Exp/Log, scalar", 1, Pairs * Rows, () => market.RowsOneByOne(ScalarBlack.WithHart));
        foreach (int width in Widths(widest))
            yield return new Candidate("rows", $"ours, {width} lanes", width, Pairs * Rows, market.RowKernel);
        yield return new Candidate("implied", "LetsBeRational, scalar", 1, Options, market.ImpliedByBaseline);
        yield return new Candidate("implied", "single solver, one a call", 1, Options, market.ImpliedOneByOne);
        foreach (int width in Widths(widest))
            yield return new Candidate("implied", $"ours, {width} lanes", width, Options, market.ImpliedKernel);
        var book = new AggregationBook();
        yield return new Candidate("aggregation", "plain loops, jagged arrays", 1, AggregationBook.Positions, book.PlainLoops);
        yield return new Candidate("aggregation", "TensorPrimitives.MultiplyAdd", 1, AggregationBook.Positions, book.WithTensorPrimitives);
        yield return new Candidate("aggregation", "TensorPrimitives, memory laid out as ours", 1, AggregationBook.Positions, book.WithTensorPrimitivesAligned);
        yield return new Candidate("aggregation", "ours, exact, one position a call", 1, AggregationBook.Positions, book.OneByOne);
        yield return new Candidate("aggregation", "ours, exact, an account a call", 1, AggregationBook.Positions, book.AllAtOnce);
        yield return new Candidate("aggregation", "ours, exact, range checked before", 1, AggregationBook.Positions, book.AllAtOnceChecked);
    }

    private static IEnumerable<int> Widths(int widest)
    {
        for (int width = 1; width <= widest; width *= 2)
            yield return width;
    }
}
