using System.Globalization;
using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Agreement;

/// <summary>
/// Compares an engine with a reference on so many books, seeds 1 onward. Prints how many, the share of the allowed difference that was used, and the books
/// with the largest differences; fails with every book whose difference is above its own bound.
/// </summary>
internal sealed class Agreement(IReferenceModel reference, IEngineUnderTest engine)
{
    private const int Shown = 5;

    private readonly List<(decimal Used, decimal Difference, decimal Allowed, string What, string Book)> _differences = [];
    private readonly SortedDictionary<string, int> _shapes = [];

    /// <summary>Figures that differ by more than they may, the worst first.</summary>
    public IReadOnlyList<string> Misses => [.. _differences.Where(each => !(each.Used <= 1m)).OrderByDescending(each => each.Used)
        .Select(each => $"{each.What} differs by {each.Difference:e3} USD, allowed {each.Allowed:e3}: {each.Book}")];

    public void Run(int books)
    {
        for (int seed = 1; seed <= books; seed++)
        {
            Compare(BookMaker.Make(seed, reference.Style));
        }

        Finish(books);
    }

    public void Compare(RandomBook book)
    {
        ReferenceMargin expected = reference.Margin(book);
        (decimal equity, decimal initial, decimal maintenance) = engine.Margin(book, reference.Name);
        _shapes[book.Shape] = _shapes.GetValueOrDefault(book.Shape) + 1;
        Add("initial", initial, expected.Initial, expected.AllowedRequirement, book);
        Add("maintenance", maintenance, expected.Maintenance, expected.AllowedRequirement, book);
        if (expected.Equity is decimal wanted)
            Add("equity", equity, wanted, expected.AllowedEquity, book);
    }

    public void Finish(int books)
    {
        (decimal Used, decimal Difference, decimal Allowed, string What, string Book)[] worst = [.. _differences.OrderByDescending(each => each.Used).Take(Shown)];
        TestContext.Progress.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{reference.Name}: {books} books, {_differences.Count} figures, largest difference {_differences.Max(each => each.Difference):e2} USD; shapes: {string.Join(", ", _shapes.Select(shape => $"{shape.Value} {shape.Key}"))}"));
        foreach ((decimal used, decimal difference, decimal allowed, string what, string text) in worst)
        {
            TestContext.Progress.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {used:p1} of {allowed:e2} USD: {what} {difference:e2}: {text}"));
        }

        IReadOnlyList<string> misses = Misses;
        Assert.That(misses, Is.Empty, $"{reference.Name}: {misses.Count} of {_differences.Count} figures\n{string.Join('\n', misses.Take(10))}");
    }

    private void Add(string what, decimal actual, decimal expected, decimal allowed, RandomBook book)
    {
        decimal difference = Math.Abs(actual - expected);
        _differences.Add((difference / allowed, difference, allowed, $"{what} {actual} instead of {expected:f12}", difference > 0.5m * allowed ? book.ToString() : $"seed {book.Seed} {book.Shape}"));
    }
}
