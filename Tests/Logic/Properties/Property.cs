using NUnit.Framework;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Agreement;

namespace MarginEngine.Tests.LogicTests.Properties;

/// <summary>One property over many books: counts what was looked at, keeps every failure with its seed and book, and says at the end how it went.</summary>
internal sealed class Property(string name)
{
    private readonly List<string> _failures = [];
    private long _checked;

    /// <summary>Whether all of it went well so far.</summary>
    public IReadOnlyList<string> Failures => _failures;

    public void That(bool holds, Func<string> about)
    {
        _checked++;
        if (!holds)
        {
            _failures.Add(about());
        }
    }

    /// <summary>Fails with the first of the failures; a property that was hardly looked at fails as well.</summary>
    public void Finish(int atLeast)
    {
        TestContext.Out.WriteLine($"{name}: {_checked} checks, {_failures.Count} failures");
        Assert.That(_failures, Is.Empty, $"{_failures.Count} of {_checked}\n{string.Join('\n', _failures.Take(8))}");
        Assert.That(_checked, Is.GreaterThanOrEqualTo(atLeast), "books reach the property");
    }

    /// <summary>Every seed's book on its stage.</summary>
    public static void ForAll(int books, BookStyle style, Action<Stage> check, int firstSeed = 1)
    {
        for (int seed = firstSeed; seed < firstSeed + books; seed++)
        {
            using Stage stage = new(BookMaker.Make(seed, style));
            check(stage);
        }
    }

    public static string Text(in AccountMargin margin) =>
        $"equity {margin.Equity} gross {margin.GrossEquity} initial {margin.Initial} maintenance {margin.Maintenance} worst row {margin.WorstRow} of {margin.WorstUnderlying}";
}
