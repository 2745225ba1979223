using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Arguments whose result is exact, infinite or undefined.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class FunctionsExactTests
{
    [TestCase(0.0, 1.0)]
    [TestCase(-0.0, 1.0)]
    [TestCase(double.NegativeInfinity, 0.0)]
    [TestCase(double.PositiveInfinity, double.PositiveInfinity)]
    [TestCase(double.NaN, double.NaN)]
    [TestCase(709.782712893384, 1.7976931348622732E+308)]
    [TestCase(709.7827128933841, double.PositiveInfinity)]
    [TestCase(1e300, double.PositiveInfinity)]
    [TestCase(-745.1332191019411, double.Epsilon)]
    [TestCase(-745.1332191019412, 0.0)]
    [TestCase(-1e300, 0.0)]
    public void Exp_of(double x, double expected) => Same(Functions.Exp(x), expected);

    [TestCase(1.0, 0.0)]
    [TestCase(0.0, double.NegativeInfinity)]
    [TestCase(-0.0, double.NegativeInfinity)]
    [TestCase(double.PositiveInfinity, double.PositiveInfinity)]
    [TestCase(-1.0, double.NaN)]
    [TestCase(-1e-320, double.NaN)]
    [TestCase(double.NegativeInfinity, double.NaN)]
    [TestCase(double.NaN, double.NaN)]
    [TestCase(double.Epsilon, -744.4400719213812)]
    [TestCase(double.MaxValue, 709.782712893384)]
    public void Log_of(double x, double expected) => Same(Functions.Log(x), expected);

    [TestCase(0.0, 0.5)]
    [TestCase(-0.0, 0.5)]
    [TestCase(double.NegativeInfinity, 0.0)]
    [TestCase(double.PositiveInfinity, 1.0)]
    [TestCase(double.NaN, double.NaN)]
    [TestCase(-39.0, 0.0)]
    [TestCase(-38.4, 6.4E-323)]
    [TestCase(9.0, 1.0)]
    public void NormalCdf_of(double x, double expected) => Same(Functions.NormalCdf(x), expected);

    [TestCase(7.5, 0.0, 1.0)]
    [TestCase(double.NaN, 0.0, 1.0)]
    [TestCase(1.0, 123.0, 1.0)]
    [TestCase(0.1, 1.0, 0.1)]
    [TestCase(0.0, 0.3, 0.0)]
    [TestCase(0.0, -0.3, double.PositiveInfinity)]
    [TestCase(-2.0, 0.3, double.NaN)]
    public void Pow_of(double x, double y, double expected) => Same(Functions.Pow(x, y), expected);

    private static void Same(double value, double expected)
    {
        if (double.IsNaN(expected))
            Assert.That(value, Is.NaN);
        else
            Assert.That(BitConverter.DoubleToInt64Bits(value), Is.EqualTo(BitConverter.DoubleToInt64Bits(expected)), $"{value:R} is not {expected:R}");
    }
}
