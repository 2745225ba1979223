using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Volatility of one strike and time, from slices and between them.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class VarianceCurveTests
{
    private static readonly SviSlice Near = new(0.04, 0.1, -0.3, 0.02, 0.2);
    private static readonly SviSlice Far = new(0.09, 0.12, -0.25, 0.0, 0.25);

    [Test]
    public void At_an_expiry_the_slice_speaks_alone()
    {
        double alone = VarianceCurve.Volatility(Near, 90.0, 100.0, 0.1);
        Assert.That(alone, Is.EqualTo(Math.Sqrt(Near.TotalVariance(Math.Log(0.9)) / 0.1)).Within(1e-15));
        Assert.That(VarianceCurve.Volatility(Near, 0.1, Far, 0.35, 90.0, 100.0, 0.1), Is.EqualTo(alone));
        Assert.That(VarianceCurve.Volatility(Near, 0.1, Far, 0.35, 90.0, 100.0, 0.35), Is.EqualTo(VarianceCurve.Volatility(Far, 90.0, 100.0, 0.35)));
    }

    [TestCase(0.1, 0.04)]
    [TestCase(0.2, 0.065)]
    [TestCase(0.3, 0.09)]
    [TestCase(0.05, 0.02)]
    [TestCase(0.6, 0.18)]
    [TestCase(0.0, 0.0)]
    public void Total_variance_is_linear_between_expiries_and_volatility_constant_outside(double years, double variance) =>
        Assert.That(VarianceCurve.Interpolate(0.1, 0.04, 0.3, 0.09, years), Is.EqualTo(variance).Within(1e-16));

    [Test]
    public void Total_variance_never_falls_with_time()
    {
        double last = 0.0;
        for (double years = 0.0; years < 1.0; years += 0.001)
        {
            double variance = VarianceCurve.Interpolate(0.1, 0.04, 0.3, 0.09, years);
            Assert.That(variance, Is.GreaterThanOrEqualTo(last), $"years {years}");
            last = variance;
        }
    }

    [TestCase(0.0, 1.0, 0.0)]
    [TestCase(0.04, 0.0, 0.0)]
    [TestCase(-0.04, 1.0, 0.0)]
    [TestCase(0.04, -1.0, 0.0)]
    [TestCase(0.04, 4.0, 0.1)]
    public void Volatility_of_a_total_variance(double variance, double years, double volatility) =>
        Assert.That(VarianceCurve.Volatility(variance, years), Is.EqualTo(volatility));
}
