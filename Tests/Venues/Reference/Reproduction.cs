using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// Counts what a reference formula reproduces of a venue's published numbers: cases and figures compared, the largest error and where it
/// was, what was skipped and why. Printed by every test of this folder; <see cref="Finish"/> fails with each miss listed.
/// </summary>
internal sealed class Reproduction(string subject, double tolerance)
{
    private readonly List<string> _misses = [];
    private readonly List<string> _skipped = [];
    private int _cases;
    private int _figures;
    private double _largest;
    private string _where = "-";

    public void Case() => _cases++;

    public void Skip(string name, string reason) => _skipped.Add($"{name}: {reason}");

    /// <summary>Compares relative to the published figure, absolutely below <paramref name="floor"/> (in the figure's unit).</summary>
    public void Relative(double actual, double published, string name, double floor = 1.0)
        => Add(Math.Abs(actual - published) / Math.Max(Math.Abs(published), floor), actual, published, name);

    public void Absolute(double actual, double published, string name) => Add(Math.Abs(actual - published), actual, published, name);

    /// <summary>Compares with a figure that was printed without its decimals (cut toward zero): the error is how far outside of that unit it is.</summary>
    public void Truncated(double actual, double published, string name)
    {
        double low = published > 0.0 ? published : published - 1.0;
        double high = published < 0.0 ? published : published + 1.0;
        Add(Math.Max(0.0, Math.Max(low - actual, actual - high)), actual, published, name);
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

    private void Add(double error, double actual, double published, string name)
    {
        _figures++;
        if (!(error <= _largest))
        {
            _largest = error;
            _where = name;
        }

        if (!(error <= tolerance))
            _misses.Add($"{name}: {actual:r} instead of {published:r}, error {error:e2}");
    }
}
