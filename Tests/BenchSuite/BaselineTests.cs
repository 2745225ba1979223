using System.Text.Json.Nodes;
using MarginEngine.Bench;
using MarginEngine.Tests.CommandTests;
using NUnit.Framework;

namespace MarginEngine.Tests.BenchSuiteTests;

/// <summary>The recorded baseline speaks of what the bench still measures, and a comparison with it can fail.</summary>
public sealed class BaselineTests
{
    private static readonly string File = Path.Combine(Repository.Root, "Bench", "baseline.json");

    private static Dictionary<string, double> Recorded() =>
        JsonNode.Parse(System.IO.File.ReadAllText(File))!["costAgainstReference"]!.AsObject().ToDictionary(entry => entry.Key, entry => entry.Value!.GetValue<double>());

    [Test]
    public void The_bench_still_measures_what_the_baseline_records()
    {
        SortedDictionary<string, double> measured = BaselineBench.Measure(runs: 1, Path.GetTempPath(), quick: true);
        // The number of lanes is the processor's, the size of a commit is smaller in a quick run.
        IEnumerable<string> everywhere = Recorded().Keys.Where(name => !name.Contains(" lanes") && !name.StartsWith("journal", StringComparison.Ordinal));
        Assert.That(everywhere, Is.SubsetOf(measured.Keys));
        Assert.That(measured.Keys.Count(name => name.StartsWith("journal", StringComparison.Ordinal)), Is.EqualTo(1));
        Assert.That(measured.Values, Is.All.Positive);
    }

    [Test]
    public void What_became_much_slower_is_named()
    {
        Dictionary<string, double> now = Recorded();
        string slower = now.Keys.Order(StringComparer.Ordinal).First();
        StringWriter output = new();
        Assert.That(BaselineBench.Compare(now, System.IO.File.ReadAllText(File), output), Is.Zero, output.ToString());
        now[slower] *= 1.6;
        Assert.That(BaselineBench.Compare(now, System.IO.File.ReadAllText(File), output), Is.EqualTo(3));
        Assert.That(output.ToString(), Does.Contain($"slower: {slower}"));
    }
}
