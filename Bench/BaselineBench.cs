// Costs of our parts against a reference measured in turns in the same run (an overlay, a scalar formula, the raw device), kept in
// baseline.json. A ratio moves little from machine to machine; nanoseconds do. `baseline` prints them, --out writes, --check compares.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using MarginEngine.Journal;

namespace MarginEngine.Bench;

public static class BaselineBench
{
    private const int Difference = 3;
    private const int Runs = 3;

    /// <summary>A ratio this much above the recorded one counts as slower: shared machines are noisy.</summary>
    private const double Tolerance = 1.5;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>baseline [--out FILE | --check FILE] [--directory DIR]: 0 done, 1 usage, 3 something became slower.</summary>
    public static int Command(ReadOnlySpan<string> options, TextWriter output, TextWriter errors)
    {
        string? outFile = null, checkFile = null;
        string directory = ".";
        for (int i = 0; i < options.Length; i += 2)
        {
            string value = i + 1 < options.Length ? options[i + 1] : "";
            switch (options[i])
            {
                case "--out" when value.Length > 0: outFile = value; break;
                case "--check" when File.Exists(value): checkFile = value; break;
                case "--directory" when Directory.Exists(value): directory = value; break;
                default:
                    errors.WriteLine($"baseline: cannot use {options[i]} {value}");
                    errors.WriteLine("baseline [--out FILE | --check FILE] [--directory DIR]");
                    return 1;
            }
        }

        SortedDictionary<string, double> measured = Measure(Runs, directory, quick: false);
        foreach ((string name, double ratio) in measured)
            output.WriteLine(Line(name, ratio));
        if (outFile is not null)
            File.WriteAllText(outFile, ToJson(measured) + "\n");
        return checkFile is null ? 0 : Compare(measured, File.ReadAllText(checkFile), output);
    }

    /// <summary><c>--check</c>: what was recorded in the repository, or in a file that is given.</summary>
    public static int Check(ReadOnlySpan<string> options, TextWriter output, TextWriter errors) =>
        options.Length > 0 && !options[0].StartsWith("--", StringComparison.Ordinal)
            ? Command(["--check", .. options], output, errors)
            : Command(["--check", Path.Combine("Bench", "baseline.json"), .. options], output, errors);

    /// <summary>Cost of ours over cost of the reference for each part, the least of some runs: 0.5 is twice as fast.</summary>
    /// <param name="runs">How often everything is measured.</param>
    /// <param name="directory">A folder on the disk to measure.</param>
    /// <param name="quick">A few samples only: for tests, which do not look at the values.</param>
    public static SortedDictionary<string, double> Measure(int runs, string directory, bool quick)
    {
        SortedDictionary<string, double> least = new(StringComparer.Ordinal);
        for (int run = 0; run < runs; run++)
        {
            foreach ((string name, double ratio) in Ratios(directory, quick))
                least[name] = least.TryGetValue(name, out double other) ? Math.Min(other, ratio) : ratio;
        }

        return least;
    }

    /// <summary>Prints each ratio beside the recorded one, and what was not measured here; 0, or 3 where something became slower.</summary>
    public static int Compare(IReadOnlyDictionary<string, double> measured, string baseline, TextWriter output)
    {
        int result = 0;
        output.WriteLine("cost against the reference of this run:  now  recorded   limit");
        SortedSet<string> known = new(StringComparer.Ordinal);
        foreach ((string name, JsonNode? entry) in JsonNode.Parse(baseline)!["costAgainstReference"]!.AsObject())
        {
            double recorded = entry!.GetValue<double>(), limit = Tolerance * recorded;
            known.Add(name);
            if (!measured.TryGetValue(name, out double now))
            {
                output.WriteLine($"not measured here: {name}"); // a processor with narrower vectors
                continue;
            }

            string verdict = now <= limit ? "as fast" : "slower";
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{verdict}: {name}: {now:F3} {recorded:F3} {limit:F3}"));
            if (now > limit)
                result = Difference;
        }

        foreach (string name in measured.Keys.Where(name => !known.Contains(name)))
            output.WriteLine($"not recorded: {name}");
        output.WriteLine(result == 0 ? "nothing became slower" : "something became slower");
        return result;
    }

    private static IEnumerable<(string Name, double Ratio)> Ratios(string directory, bool quick)
    {
        foreach (CodecBench.Line line in CodecBench.Run(quick ? 3 : 200, quick ? 3 : 200, TextWriter.Null))
            yield return ($"codec, {line.Work}, against a packed struct", line.Ratio);

        IReadOnlyList<PricingBench.Line> pricing = PricingBench.Run(new PricingBench.Settings(quick ? 2 : 400, Points: 0), TextWriter.Null);
        foreach (IGrouping<string, PricingBench.Line> work in pricing.Where(line => line.Work != "greeks").GroupBy(line => line.Work))
        {
            PricingBench.Line reference = work.First();
            foreach (PricingBench.Line line in work.Where(line => line.Candidate.StartsWith("ours", StringComparison.Ordinal)))
                yield return ($"pricing, {line.Work}, {line.Candidate}, against {reference.Candidate}", line.LeastNanos / reference.LeastNanos);
        }

        var journal = new JournalBench.Settings(directory, Commits: quick ? 10 : 1000)
        {
            Modes = [SyncMode.FileSync],
            MessagesPerCommit = quick ? [10] : [1, 100, 1000],
        };
        foreach (JournalBench.Line line in JournalBench.Run(journal, TextWriter.Null))
            yield return ($"journal, {line.MessagesPerCommit} messages a commit, against the raw device", 1 / line.ThroughputRatio);
    }

    private static string ToJson(SortedDictionary<string, double> measured)
    {
        JsonObject ratios = [];
        foreach ((string name, double ratio) in measured)
            ratios[name] = Math.Round(ratio, 4);
        JsonObject document = new()
        {
            ["machine"] = $"{Environment.ProcessorCount} processors, {RuntimeInformation.ProcessArchitecture}, {RuntimeInformation.FrameworkDescription}",
            ["command"] = "dotnet run -c Release --project Bench -- baseline --out Bench/baseline.json",
            ["costAgainstReference"] = ratios,
        };
        return document.ToJsonString(Indented);
    }

    private static string Line(string name, double ratio) => string.Create(CultureInfo.InvariantCulture, $"{ratio,8:F3}  {name}");
}
