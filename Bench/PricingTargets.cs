using System.Globalization;

namespace MarginEngine.Bench;

/// <summary>What the kernels are asked to reach, as ratios of two candidates of one run of PricingBench, and what they reached in it.</summary>
internal static class PricingTargets
{
    private const string Ours = "ours, * lanes";

    /// <param name="Work">The part of the bench.</param>
    /// <param name="What">For the reader.</param>
    /// <param name="Reference">The candidate to beat, and of ours the fastest width.</param>
    /// <param name="Scale">Prices of ours for one of the reference: a grid gives a call and a put where a formula is asked for one.</param>
    /// <param name="Asked">Times faster, at least.</param>
    private sealed record Target(string Work, string What, string Reference, string Ours, double Scale, double Asked);

    private static readonly Target[] Targets =
    [
        new("columns", "call and put, against MathNet", "MathNet Normal.CDF, scalar", Ours, 1.0, 8.0),
        new("columns", "call and put, against Hart", "Hart rational, Math.Exp/Log, scalar", Ours, 1.0, 5.0),
        new("columns", "call and put, against TensorPrimitives", "TensorPrimitives, passes", Ours, 1.0, 1.7),
        new("greeks", "values alone, against 2 values and 9 Greeks", "ours, values alone", "ours, 2 values and 9 Greeks, * lanes", 1.0, 1.0 / 1.25),
        new("rows", "grid, an option and row, against Hart", "Hart rational, Math.Exp/Log, scalar", Ours, 2.0, 28.0),
        new("implied", "implied volatility, against LetsBeRational", "LetsBeRational, scalar", Ours, 1.0, 12.0),
        new("aggregation", "64 exact sums, against plain loops", "plain loops, jagged arrays", "ours, exact, an account a call", 1.0, 6.0),
        new("aggregation", "64 exact sums, against TensorPrimitives", "TensorPrimitives.MultiplyAdd", "ours, exact, an account a call", 1.0, 3.0),
    ];

    public static void Write(IReadOnlyList<PricingBench.Line> lines, TextWriter output)
    {
        output.WriteLine("times faster                                         asked   least     p10");
        foreach (Target target in Targets)
        {
            PricingBench.Line reference = lines.Single(line => line.Work == target.Work && line.Candidate == target.Reference);
            string[] name = target.Ours.Split('*');
            PricingBench.Line[] ours =
            [
                .. lines.Where(line => line.Work == target.Work && line.Candidate.StartsWith(name[0], StringComparison.Ordinal)
                    && line.Candidate.EndsWith(name[^1], StringComparison.Ordinal)),
            ];
            double least = target.Scale * reference.LeastNanos / ours.Min(line => line.LeastNanos);
            double tenth = target.Scale * reference.Percentile10Nanos / ours.Min(line => line.Percentile10Nanos);
            string verdict = least >= target.Asked ? "reached" : "not reached";
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{target.What,-50} {target.Asked,7:F2} {least,7:F2} {tenth,7:F2}  {verdict}"));
        }
    }
}
