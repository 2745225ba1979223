using System.Globalization;
using System.Numerics;
using System.Text;
using MarginEngine.Tool.Import;
using NUnit.Framework;

namespace MarginEngine.Tests.MarketTests;

[Parallelizable(ParallelScope.Self)]
public class DecimalTextTests
{
    [TestCase("0", 8, 0)]
    [TestCase("1", 8, 100_000_000)]
    [TestCase("-1.5", 8, -150_000_000)]
    [TestCase("+2.25", 2, 225)]
    [TestCase("0.02902650", 8, 2_902_650)]
    [TestCase("77341.95999999999", 8, 7_734_196_000_000)]
    [TestCase("0.5075999999999999", 8, 50_760_000)]
    [TestCase("1.99e-05", 8, 1_990)]
    [TestCase("8.61E-06", 8, 861)]
    [TestCase("9.999999999999999e-05", 8, 10_000)]
    [TestCase("1e3", 0, 1000)]
    [TestCase("1e+3", 8, 100_000_000_000)]
    [TestCase(".5", 1, 5)]
    [TestCase("5.", 1, 50)]
    [TestCase("0.125", 2, 12)]
    [TestCase("0.135", 2, 14)]
    [TestCase("0.1250000000000000000000000000000001", 2, 13)]
    [TestCase("0.5", 0, 0)]
    [TestCase("1.5", 0, 2)]
    [TestCase("-2.5", 0, -2)]
    [TestCase("0.04", 1, 0)]
    [TestCase("1e-400", 8, 0)]
    [TestCase("0e400", 8, 0)]
    [TestCase("92233720368.54775807", 8, long.MaxValue)]
    public void Decimal_text_becomes_the_nearest_integer_of_its_scale(string text, int scale, long expected)
    {
        Assert.That(DecimalText.TryParse(Encoding.UTF8.GetBytes(text), scale, out long mantissa), Is.True, text);
        Assert.That(mantissa, Is.EqualTo(expected), text);
    }

    [TestCase("")]
    [TestCase("-")]
    [TestCase(".")]
    [TestCase("e5")]
    [TestCase("1e")]
    [TestCase("1e99999")]
    [TestCase("1e-")]
    [TestCase("1.2.3")]
    [TestCase("1,5")]
    [TestCase(" 1")]
    [TestCase("1 ")]
    [TestCase("NaN")]
    [TestCase("Infinity")]
    [TestCase("0x10")]
    [TestCase("--1")]
    [TestCase("92233720368.54775808")]
    [TestCase("1e30")]
    public void What_is_no_decimal_in_range_is_refused(string text)
        => Assert.That(DecimalText.TryParse(Encoding.UTF8.GetBytes(text), 8, out _), Is.False, text);

    [Test]
    public void Any_decimal_agrees_with_exact_rational_arithmetic()
    {
        const int Seed = 20260205;
        var random = new Random(Seed);
        for (int round = 0; round < 20_000; round++)
        {
            string text = Digits(random, random.Next(0, 8)) + "." + Digits(random, random.Next(1, 14));
            int exponent = random.Next(-12, 6);
            if (random.Next(2) == 0)
                text += "e" + exponent.ToString(CultureInfo.InvariantCulture);
            else
                exponent = 0;
            int scale = random.Next(0, 11);
            BigInteger? expected = Exact(text, exponent + scale);
            bool read = DecimalText.TryParse(Encoding.UTF8.GetBytes(text), scale, out long mantissa);
            Assert.That(read, Is.EqualTo(expected is not null), $"{text} scale {scale} seed {Seed}");
            if (expected is not null)
                Assert.That((BigInteger)mantissa, Is.EqualTo(expected), $"{text} scale {scale} seed {Seed}");
        }
    }

    private static string Digits(Random random, int count)
        => string.Concat(Enumerable.Range(0, count).Select(_ => (char)('0' + (random.Next(3) == 0 ? 5 : random.Next(10)))));

    // Half to even with integers of any size; null beyond 63 bits.
    private static BigInteger? Exact(string text, int shift)
    {
        string plain = text.Split('e')[0];
        int fraction = plain.Length - plain.IndexOf('.') - 1;
        BigInteger digits = BigInteger.Parse("0" + plain.Replace(".", string.Empty), CultureInfo.InvariantCulture);
        int power = shift - fraction;
        if (power >= 0)
        {
            BigInteger whole = digits * BigInteger.Pow(10, power);
            return whole > long.MaxValue ? null : whole;
        }
        BigInteger unit = BigInteger.Pow(10, -power);
        BigInteger quotient = BigInteger.DivRem(digits, unit, out BigInteger rest);
        int half = (rest * 2).CompareTo(unit);
        if (half > 0 || (half == 0 && !quotient.IsEven))
            quotient++;
        return quotient > long.MaxValue ? null : quotient;
    }
}
