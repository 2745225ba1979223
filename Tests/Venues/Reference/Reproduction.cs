using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// Counts what a reference formula reproduces of a venue's published numbers: cases and figures compared, the largest error and where it
/// was, what was skipped and why. Printed by every test of this folder; <see cref="Finish"/> fails with each miss listed.
/// </summary>
internal sealed class Reproduction(string subject, double tolerance)
{
    private readonly decimal _tolerance = (decimal)tolerance;
    private readonly List<string> _misses = [];
    private readonly List<string> _skipped = [];
    private int _cases;
    private int _figures;
    private decimal _largest;
    private string _where = "-";

    public void Case() => _cases++;

    public void Skip(string name, string reason) => _skipped.Add($"{name}: {reason}");

    /// <summary>Compares relative to the published figure, absolutely below <paramref name="floor"/> (in the figure's unit).</summary>
    public void Relative(decimal actual, decimal published, string name, decimal floor = 1m)
        => Add(Math.Abs(actual - published) / Math.Max(Math.Abs(published), floor), actual, published, name);

    public void Absolute(decimal actual, decimal published, string name) => Add(Math.Abs(actual - published), actual, published, name);

    /// <summary>Compares with a figure that was printed without its decimals (cut toward zero): the error is how far outside of that unit it is.</summary>
    public void Truncated(decimal actual, decimal published, string name)
    {
        decimal low = published > 0m ? published : published - 1m;
        decimal high = published < 0m ? published : published + 1m;
        Add(Math.Max(0m, Math.Max(low - actual, actual - high)), actual, published, name);
    }

    /// <summary>Prints the tally and asserts that nothing missed the tolerance and that something was compared.</summary>
    public void Finish()
    {
        TestContext.Out.WriteLine($"{subject}: {_cases} cases, {_figures} figures, largest error {_largest:e1} (allowed {tolerance:e1}) at {_where}");
        foreach (string skipped in _skipped)
        {
            TestContext.Out.WriteLine($"  skipped {skipped}");
        }

        Assert.Multiple(() =>
        {
            Assert.That(_figures, Is.GreaterThan(0), $"{subject}: nothing compared");
            Assert.That(_misses, Is.Empty, $"{subject}: {_misses.Count} of {_figures} figures outside {tolerance:e1}\n{string.Join('\n', _misses.Take(20))}");
        });
    }

    private void Add(decimal error, decimal actual, decimal published, string name)
    {
        _figures++;
        if (error > _largest)
        {
            _largest = error;
            _where = name;
        }

        if (error > _tolerance)
            _misses.Add($"{name}: {actual} instead of {published}, error {error:e2}");
    }
}
