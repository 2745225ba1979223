using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>The reference itself, against constants computed elsewhere with 60 digits: an error of its own would excuse the product's.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class DoubleDoubleTests
{
    [TestCase(1.0, "2.71828182845904523536028747135266249775725")]
    [TestCase(-1.0, "0.367879441171442321595523770161460867445811")]
    [TestCase(-12.5, "0.00000372665317207867099292485147595042618033748")]
    [TestCase(300.0, "1.94242639524125593658420883601769921936621e130")]
    [TestCase(-600.0, "2.65039655300431081633867944726958270152909e-261")]
    public void The_exponential_has_thirty_digits(double x, string expected) => Expect(DoubleDouble.Exp(x), expected, 1e-28);

    [TestCase(10.0, "2.3025850929940456840179914546843642076011")]
    [TestCase(0.5, "-0.6931471805599453094172321214581765680755")]
    [TestCase(1.0000001, "0.0000000999999950583870451775160996834544912302988")]
    [TestCase(1e-300, "-690.775527898213705180338344570100502908613")]
    [TestCase(123456.789, "11.7236464871858810160296312529384925180256")]
    public void The_logarithm_has_thirty_digits(double x, string expected) => Expect(DoubleDouble.Log(x), expected, 1e-24);

    [TestCase(-0.5, "0.308537538725986896362295389391662260116398")]
    [TestCase(0.5, "0.691462461274013103637704610608337739883602")]
    [TestCase(-1.0, "0.158655253931457051414767454367962077522087")]
    [TestCase(2.0, "0.977249868051820792799717362833466562528224")]
    [TestCase(-3.9375, "0.0000411674659715993519060438670850679859072818")]
    [TestCase(-4.0625, "0.0000242749738566888479929482813578089111325689")]
    [TestCase(-8.0, "6.22096057427178412351599517258818842248872e-16")]
    [TestCase(-20.0, "2.7536241186062336950756227808574653328075e-89")]
    public void The_normal_distribution_has_twenty_five_digits(double x, string expected) => Expect(DoubleDouble.NormalCdf(x), expected, 1e-25);

    [Test]
    public void Far_in_the_tail_the_parts_hold_what_the_sum_cannot()
    {
        (DoubleDouble mantissa, int power) = DoubleDouble.NormalCdfParts(-37.0);
        DoubleDouble scaled = DoubleDouble.Scale(DoubleDouble.Parse("5.72557122252457682268319254827320165643279e-300"), 600);
        Expect(DoubleDouble.Scale(mantissa, power + 600) / scaled, "1", 1e-25);
    }

    private static void Expect(DoubleDouble value, string expected, double relative)
    {
        double error = (double)(value / DoubleDouble.Parse(expected) - 1.0);
        Assert.That(Math.Abs(error), Is.LessThanOrEqualTo(relative), expected);
    }
}
