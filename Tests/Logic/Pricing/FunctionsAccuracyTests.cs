using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>The error bounds that Functions states, each over at least 100,000 points, against about 100 bits.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class FunctionsAccuracyTests
{
    private const int Points = 100_000;
    private const int Seed = 20260204;

    [TestCase(-1.0, 1.0)]
    [TestCase(-40.0, 40.0)]
    [TestCase(-708.0, 709.78)]
    public void Exp_is_within_seven_tenths_of_an_ulp(double low, double high) =>
        Measure("Exp", low, high, 0.7, Functions.Exp, x => DoubleDouble.ExpParts(x), Uniform);

    [Test]
    public void Exp_rounds_subnormal_results_once()
    {
        var random = new Random(Seed);
        double largest = 0.0;
        for (int i = 0; i < Points; i++)
        {
            double x = Uniform(random, -745.1, -708.4);
            (DoubleDouble mantissa, int power) = DoubleDouble.ExpParts(x);
            double exact = (double)DoubleDouble.Scale(mantissa, power + 1074);
            double error = Math.Abs(Functions.Exp(x) / double.Epsilon - exact);
            Assert.That(error, Is.LessThanOrEqualTo(0.51 + 2e-16 * exact), $"Exp({x:R}), seed {Seed}");
            largest = Math.Max(largest, error);
        }

        TestContext.Out.WriteLine($"largest error {largest:F3} times the smallest double");
    }

    [TestCase(0.5, 2.0)]
    [TestCase(0.99, 1.01)]
    [TestCase(1e-5, 1e7)]
    public void Log_is_within_an_ulp(double low, double high) =>
        Measure("Log", low, high, 1.0, Functions.Log, x => (DoubleDouble.Log(x), 0), Uniform);

    [TestCase(-708.0, 709.0)]
    [TestCase(-744.0, -708.0)]
    public void Log_is_within_an_ulp_over_all_magnitudes(double low, double high) =>
        Measure("Log", low, high, 1.0, Functions.Log, x => (DoubleDouble.Log(x), 0), (random, from, to) => Math.Exp(Uniform(random, from, to)));

    [TestCase(-36.0, -1.0)]
    public void Log_is_within_an_ulp_close_to_one(double low, double high) =>
        Measure(
            "Log",
            low,
            high,
            1.0,
            Functions.Log,
            x => (DoubleDouble.Log(x), 0),
            (random, from, to) => 1.0 + (random.Next(2) == 0 ? 1.0 : -1.0) * Math.Exp(Uniform(random, from, to)));

    [TestCase(-1.0, 0.0)]
    [TestCase(-6.0, -1.0)]
    [TestCase(-37.5, -6.0)]
    public void NormalCdf_is_within_six_ulp_in_the_lower_tail(double low, double high) =>
        Measure("NormalCdf", low, high, 6.0, Functions.NormalCdf, x => DoubleDouble.NormalCdfParts(x), Uniform);

    [TestCase(0.0, 1.0)]
    [TestCase(0.0, 9.0)]
    public void NormalCdf_is_within_two_and_a_half_ulp_above_zero(double low, double high) =>
        Measure("NormalCdf", low, high, 2.5, Functions.NormalCdf, x => DoubleDouble.NormalCdfParts(x), Uniform);

    [Test]
    public void Pow_keeps_its_relative_bound()
    {
        var random = new Random(Seed);
        double worst = 0.0;
        for (int i = 0; i < Points; i++)
        {
            double x = Math.Exp(Uniform(random, -12.0, 12.0));
            double y = Uniform(random, -5.0, 5.0);
            DoubleDouble exponent = DoubleDouble.Log(x) * y;
            DoubleDouble exact = DoubleDouble.Exp(exponent);
            double error = Math.Abs((double)(exact - Functions.Pow(x, y)) / (double)exact);
            double bound = (2.0 + 3.0 * Math.Abs((double)exponent)) / 9007199254740992.0;
            Assert.That(error, Is.LessThanOrEqualTo(bound), $"Pow({x:R}, {y:R}), seed {Seed}");
            worst = Math.Max(worst, error / bound);
        }

        TestContext.Out.WriteLine($"largest share of the bound {worst:F3}");
    }

    private static double Uniform(Random random, double low, double high) => low + (high - low) * random.NextDouble();

    private static void Measure(
        string name,
        double low,
        double high,
        double bound,
        Func<double, double> function,
        Func<double, (DoubleDouble Mantissa, int Power)> reference,
        Func<Random, double, double, double> draw)
    {
        var random = new Random(Seed);
        double worst = 0.0;
        double sum = 0.0;
        double at = double.NaN;
        for (int i = 0; i < Points; i++)
        {
            double x = draw(random, low, high);
            (DoubleDouble mantissa, int power) = reference(x);
            double ulps = Ulps(Math.ScaleB(function(x), -power), mantissa);
            sum += ulps;
            if (!(ulps <= worst))
                (worst, at) = (ulps, x);
        }

        TestContext.Out.WriteLine($"{name}: largest error {worst:F3} ulp at {at:R}, mean {sum / Points:F3}, {Points} points");
        Assert.That(worst, Is.LessThanOrEqualTo(bound), $"{name}({at:R}), seed {Seed}");
    }

    private static double Ulps(double value, DoubleDouble exact)
    {
        double magnitude = Math.Abs((double)exact);
        return Math.Abs((double)(exact - value)) / (Math.BitIncrement(magnitude) - magnitude);
    }
}
