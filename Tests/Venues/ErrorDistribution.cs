using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests;

/// <summary>Absolute differences to a venue's figures: printed as a distribution, judged by its quantiles.</summary>
internal sealed class ErrorDistribution(string name, string unit = "options")
{
    private readonly List<(double Error, string Where)> _errors = [];
    private bool _sorted;

    public int Count => _errors.Count;

    public (double Error, string Where) Worst => Quantile(1.0);

    public double Median => Quantile(0.5).Error;

    public double Percentile99 => Quantile(0.99).Error;

    public void Add(double computed, double expected, string where)
    {
        Assert.That(double.IsFinite(computed), Is.True, $"{name} of {where}");
        _errors.Add((Math.Abs(computed - expected), where));
        _sorted = false;
    }

    public void Add(decimal computed, decimal expected, string where) => Add((double)(computed - expected), 0.0, where);

    public void Print() =>
        TestContext.Out.WriteLine(
            $"{name,-14} {Count,6} {unit}  p50 {Median:E2}  p90 {Quantile(0.9).Error:E2}  p99 {Percentile99:E2}  p99.9 {Quantile(0.999).Error:E2}"
            + $"  max {Worst.Error:E2} ({Worst.Where})");

    private (double Error, string Where) Quantile(double share)
    {
        if (!_sorted)
            _errors.Sort((left, right) => left.Error.CompareTo(right.Error));
        _sorted = true;
        return _errors[Math.Min(_errors.Count - 1, (int)(share * _errors.Count))];
    }
}
