using System.Globalization;
using System.Numerics;

namespace MarginEngine.Tests.LogicTests;

/// <summary>
/// A number as the unevaluated sum of two doubles, about 104 bits: the reference that the product's functions and prices are measured
/// against. It shares no coefficient with them, and is itself checked against 40-digit constants in DoubleDoubleTests.
/// </summary>
internal readonly record struct DoubleDouble(double High, double Low) : IComparable<DoubleDouble>
{
    public static readonly DoubleDouble Zero = new(0.0, 0.0);
    public static readonly DoubleDouble One = new(1.0, 0.0);
    public static readonly DoubleDouble Ln2 = Parse("0.693147180559945309417232121458176568");
    public static readonly DoubleDouble RootTwoPi = Parse("2.506628274631000502415765284811045253");

    public static implicit operator DoubleDouble(double value) => new(value, 0.0);

    public static explicit operator double(DoubleDouble value) => value.High + value.Low;

    public static DoubleDouble operator -(DoubleDouble value) => new(-value.High, -value.Low);

    public static DoubleDouble operator +(DoubleDouble left, DoubleDouble right)
    {
        DoubleDouble high = TwoSum(left.High, right.High);
        DoubleDouble low = TwoSum(left.Low, right.Low);
        DoubleDouble sum = FastTwoSum(high.High, high.Low + low.High);
        return FastTwoSum(sum.High, sum.Low + low.Low);
    }

    public static DoubleDouble operator -(DoubleDouble left, DoubleDouble right) => left + -right;

    public static DoubleDouble operator *(DoubleDouble left, DoubleDouble right)
    {
        double high = left.High * right.High;
        double low = Math.FusedMultiplyAdd(left.High, right.High, -high);
        low = Math.FusedMultiplyAdd(left.High, right.Low, low);
        low = Math.FusedMultiplyAdd(left.Low, right.High, low);
        return FastTwoSum(high, low);
    }

    public static DoubleDouble operator /(DoubleDouble left, DoubleDouble right)
    {
        double first = left.High / right.High;
        DoubleDouble rest = left - right * first;
        double second = rest.High / right.High;
        rest -= right * second;
        double third = rest.High / right.High;
        return FastTwoSum(first, second) + third;
    }

    public static bool operator <(DoubleDouble left, DoubleDouble right) => left.CompareTo(right) < 0;

    public static bool operator >(DoubleDouble left, DoubleDouble right) => left.CompareTo(right) > 0;

    public int CompareTo(DoubleDouble other)
    {
        int order = High.CompareTo(other.High);
        return order != 0 ? order : Low.CompareTo(other.Low);
    }

    public static DoubleDouble Abs(DoubleDouble value) => value.High < 0.0 ? -value : value;

    public static DoubleDouble Sqrt(double value)
    {
        double root = Math.Sqrt(value);
        if (root == 0.0)
            return Zero;
        double rest = -Math.FusedMultiplyAdd(root, root, -value);
        return FastTwoSum(root, rest / (2.0 * root));
    }

    /// <summary>value * 2^power, exact unless the low part leaves the range of double.</summary>
    public static DoubleDouble Scale(DoubleDouble value, int power) => new(Math.ScaleB(value.High, power), Math.ScaleB(value.Low, power));

    /// <summary>e^x by 2^k (1 + q)^512 with q = expm1(r/512) from its series; relative error below 2^-94.</summary>
    public static (DoubleDouble Mantissa, int Power) ExpParts(DoubleDouble x)
    {
        int power = (int)Math.Round(x.High / Ln2.High);
        DoubleDouble r = Scale(x - Ln2 * power, -9);
        DoubleDouble term = r;
        DoubleDouble sum = r;
        for (int n = 2; n <= 14; n++)
        {
            term = term * r / n;
            sum += term;
        }

        for (int i = 0; i < 9; i++)
            sum = Scale(sum, 1) + sum * sum;
        return (One + sum, power);
    }

    public static DoubleDouble Exp(DoubleDouble x)
    {
        (DoubleDouble mantissa, int power) = ExpParts(x);
        return Scale(mantissa, power);
    }

    /// <summary>ln x by one Halley step of e^y = x from the library's logarithm; x may be subnormal.</summary>
    public static DoubleDouble Log(DoubleDouble x)
    {
        int power = x.High == 1.0 ? 0 : Math.ILogB(x.High);
        DoubleDouble mantissa = Scale(Scale(x, -(power / 2)), -(power - power / 2));
        DoubleDouble guess = Math.Log(mantissa.High);
        DoubleDouble back = Exp(guess);
        DoubleDouble y = guess + Scale((mantissa - back) / (mantissa + back), 1);
        return y + Ln2 * power;
    }

    /// <summary>N(x) as mantissa and power of two, so that its relative accuracy does not end with the range of double.</summary>
    public static (DoubleDouble Mantissa, int Power) NormalCdfParts(DoubleDouble x)
    {
        DoubleDouble a = Abs(x);
        (DoubleDouble density, int power) = ExpParts(Scale(a * a, -1) * -1.0);
        density /= RootTwoPi;
        DoubleDouble tail;
        if (a.High < 4.0)
        {
            // 1/2 - phi(a) (a + a^3/3 + a^5/(3 5) + ..): all terms positive, at a = 4 the difference costs 14 bits.
            DoubleDouble term = a;
            DoubleDouble sum = a;
            DoubleDouble square = a * a;
            for (int n = 1; n < 140; n++)
            {
                term = term * square / (2.0 * n + 1.0);
                sum += term;
            }

            tail = Scale(DoubleDouble.One * 0.5 - Scale(density * sum, power), -power);
        }
        else
        {
            // Laplace's continued fraction from the inside out.
            DoubleDouble fraction = a;
            for (int n = 160; n >= 1; n--)
                fraction = a + (double)n / fraction;
            tail = density / fraction;
        }

        return x.High > 0.0 ? (One - Scale(tail, power), 0) : (tail, power);
    }

    public static DoubleDouble NormalCdf(DoubleDouble x)
    {
        (DoubleDouble mantissa, int power) = NormalCdfParts(x);
        return Scale(mantissa, power);
    }

    /// <summary>Decimal text, exponent allowed, by exact integer arithmetic.</summary>
    public static DoubleDouble Parse(string text)
    {
        int mark = text.IndexOf('e', StringComparison.OrdinalIgnoreCase);
        int exponent = mark < 0 ? 0 : int.Parse(text[(mark + 1)..], CultureInfo.InvariantCulture);
        string digits = mark < 0 ? text : text[..mark];
        int point = digits.IndexOf('.');
        if (point >= 0)
        {
            exponent -= digits.Length - point - 1;
            digits = digits.Remove(point, 1);
        }

        BigInteger numerator = BigInteger.Parse(digits, CultureInfo.InvariantCulture);
        BigInteger denominator = BigInteger.One;
        if (exponent >= 0)
            numerator *= BigInteger.Pow(10, exponent);
        else
            denominator = BigInteger.Pow(10, -exponent);
        return Divide(numerator, denominator);
    }

    private static DoubleDouble Divide(BigInteger numerator, BigInteger denominator)
    {
        bool negative = numerator.Sign < 0;
        numerator = BigInteger.Abs(numerator);
        if (numerator.IsZero)
            return Zero;
        int shift = 130 - (int)(numerator.GetBitLength() - denominator.GetBitLength());
        BigInteger quotient = shift >= 0 ? (numerator << shift) / denominator : numerator / (denominator << -shift);
        double high = (double)quotient;
        double low = (double)(quotient - new BigInteger(high));
        var value = new DoubleDouble(Math.ScaleB(high, -shift), Math.ScaleB(low, -shift));
        return negative ? -value : value;
    }

    private static DoubleDouble TwoSum(double left, double right)
    {
        double sum = left + right;
        double part = sum - left;
        return new DoubleDouble(sum, left - (sum - part) + (right - part));
    }

    private static DoubleDouble FastTwoSum(double larger, double smaller)
    {
        double sum = larger + smaller;
        return new DoubleDouble(sum, smaller - (sum - larger));
    }
}
