using NUnit.Framework;

namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// Decimal functions against published constants (to be found in OEIS under the numbers beside them) and against values computed with 60 digits by
/// another program's arbitrary precision. A decimal ends at 10^-28: the allowed error is 10^-24 of the value and a thousand such steps.
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class DecimalMathTests
{
    private const decimal Step = 0.0000000000000000000000000001m;
    private const decimal Relative = 1e-24m;

    private static readonly object[] Published =
    [
        new object[] { "e, A001113", DecimalMath.Exp(1m), 2.71828182845904523536028747135m },
        new object[] { "1/e, A068985", DecimalMath.Exp(-1m), 0.36787944117144232159552377016m },
        new object[] { "e^pi, A039661", DecimalMath.Exp(DecimalMath.Pi), 23.1406926327792690057290863679m },
        new object[] { "ln 2, A002162", DecimalMath.Ln(2m), 0.69314718055994530941723212146m },
        new object[] { "ln 3, A002391", DecimalMath.Ln(3m), 1.09861228866810969139524523692m },
        new object[] { "ln 10, A002392", DecimalMath.Ln(10m), 2.30258509299404568401799145468m },
        new object[] { "sqrt 2, A002193", DecimalMath.Sqrt(2m), 1.41421356237309504880168872421m },
        new object[] { "sqrt 3, A002194", DecimalMath.Sqrt(3m), 1.73205080756887729352744634151m },
        new object[] { "2^sqrt 2, A007507", DecimalMath.Pow(2m, DecimalMath.Sqrt(2m)), 2.66514414269022518865029724987m },
        new object[] { "1/sqrt(2 pi), A231863", DecimalMath.NormalDensity(0m), 0.39894228040143267793994605993m },
        new object[] { "2 Phi(1) - 1, A178647", (2m * DecimalMath.NormalCdf(1m)) - 1m, 0.68268949213708589717046509126m },
    ];

    private static readonly object[] Exponentials =
    [
        new object[] { 0m, 1m },
        new object[] { 0.0001m, 1.00010000500016667083341666806m },
        new object[] { 0.347m, 1.41481672537042865831445076622m },
        new object[] { 2.5m, 12.1824939607034734380701759512m },
        new object[] { 10m, 22026.4657948067165169579006453m },
        new object[] { -10m, 0.0000453999297624848515355915155606m },
        new object[] { 30m, 10686474581524.4621469904686507m },
        new object[] { -30m, 0.0000000000000935762296884017460491583222338m },
        new object[] { 60m, 114200738981568428366295718.314m },
        new object[] { -60m, 0.00000000000000000000000000875651076269652033848873280074m },
        new object[] { 65.5m, 27943999487401854681063753349.6m },
    ];

    private static readonly object[] Logarithms =
    [
        new object[] { 0.00000001m, -18.4206807439523654721439316375m },
        new object[] { 0.5m, -0.693147180559945309417232121458m },
        new object[] { 0.999999m, -0.00000100000050000033333358333353333m },
        new object[] { 1m, 0m },
        new object[] { 1.0001m, 0.0000999950003333083353331666809511m },
        new object[] { 1.7m, 0.530628251062170396231543163189m },
        new object[] { 60_000m, 11.0020998412042377368844431771m },
        new object[] { decimal.MaxValue, 66.5421293337547497040542836600m },
    ];

    private static readonly object[] Roots =
    [
        new object[] { 0m, 0m },
        new object[] { 0.00000001m, 0.0001m },
        new object[] { 0.0000019m, 0.00137840487520902217679559125529m },
        new object[] { 10m, 3.16227766016837933199889354443m },
        new object[] { 31_536_000m, 5615.69229926284333629324741076m },
        new object[] { 1_234_567_890_123_456_789m, 1111111106.11111109935555550266m },
    ];

    private static readonly object[] Powers =
    [
        new object[] { 30m, 0.3m, 2.77419111467218108677127181916m },
        new object[] { 0.03m, 0.13m, 0.633907314639923312974168699121m },
        new object[] { 1.0001m, 365m, 1.03717241130255192990202801706m },
        new object[] { 12m, -3.5m, 0.000167057369557183380934360179543m },
    ];

    private static readonly object[] Probabilities =
    [
        new object[] { 0m, 0.5m },
        new object[] { 0.1m, 0.539827837277028981465404618239m },
        new object[] { 0.5m, 0.691462461274013103637704610608m },
        new object[] { 1m, 0.841344746068542948585232545632m },
        new object[] { 2m, 0.977249868051820792799717362833m },
        new object[] { 3m, 0.998650101968369905473348185232m },
        new object[] { 4m, 0.999968328758166880078746229243m },
        new object[] { 5m, 0.999999713348428120806088326248m },
        new object[] { 7m, 0.999999999998720187456114164996m },
        new object[] { 9m, 0.999999999999999999887141159405m },
        new object[] { 11m, 0.999999999999999999999999999809m },
        new object[] { -0.1m, 0.460172162722971018534595381761m },
        new object[] { -1m, 0.158655253931457051414767454368m },
        new object[] { -3m, 0.00134989803163009452665181476759m },
        new object[] { -4.001m, 0.0000315376789335207850460905636876m },
        new object[] { -4m, 0.0000316712418331199212537707567222m },
        new object[] { -5m, 0.000000286651571879193911673752332875m },
        new object[] { -7m, 0.00000000000127981254388583500438362369078m },
        new object[] { -9m, 0.000000000000000000112858840595384064773550207597m },
        new object[] { -11m, 0.000000000000000000000000000191065957449867571115041563371m },
    ];

    [TestCaseSource(nameof(Published))]
    public void A_published_constant_has_all_its_digits(string name, decimal actual, decimal expected) => AssertClose(actual, expected, name);

    [TestCaseSource(nameof(Exponentials))]
    public void Exponentials_agree_with_sixty_digits(decimal x, decimal expected) => AssertClose(DecimalMath.Exp(x), expected, $"e^{x}");

    [TestCaseSource(nameof(Logarithms))]
    public void Logarithms_agree_with_sixty_digits(decimal x, decimal expected) => AssertClose(DecimalMath.Ln(x), expected, $"ln {x}");

    [TestCaseSource(nameof(Roots))]
    public void Roots_agree_with_sixty_digits(decimal x, decimal expected) => AssertClose(DecimalMath.Sqrt(x), expected, $"sqrt {x}");

    [TestCaseSource(nameof(Powers))]
    public void Powers_agree_with_sixty_digits(decimal x, decimal y, decimal expected) => AssertClose(DecimalMath.Pow(x, y), expected, $"{x}^{y}");

    [TestCaseSource(nameof(Probabilities))]
    public void Normal_probabilities_agree_with_sixty_digits(decimal x, decimal expected) => AssertClose(DecimalMath.NormalCdf(x), expected, $"Phi({x})");

    [Test]
    public void What_decimal_cannot_tell_from_zero_is_zero()
    {
        Assert.Multiple(() =>
        {
            Assert.That(DecimalMath.Exp(-64m), Is.EqualTo(2m * Step), "1.6e-28");
            Assert.That(DecimalMath.Exp(-66m), Is.Zero);
            Assert.That(DecimalMath.Exp(decimal.MinValue), Is.Zero);
            Assert.That(DecimalMath.NormalDensity(-12.1m), Is.Zero);
            Assert.That(DecimalMath.NormalDensity(decimal.MaxValue), Is.Zero, "and its square does not overflow");
            Assert.That(DecimalMath.NormalCdf(-13m), Is.Zero);
            Assert.That(DecimalMath.NormalCdf(decimal.MinValue), Is.Zero);
            Assert.That(DecimalMath.NormalCdf(decimal.MaxValue), Is.EqualTo(1m));
        });
    }

    [Test]
    public void What_has_no_value_or_is_too_large_throws()
    {
        Assert.Multiple(() =>
        {
            Assert.That(() => DecimalMath.Exp(67m), Throws.TypeOf<OverflowException>());
            Assert.That(() => DecimalMath.Ln(0m), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => DecimalMath.Ln(-1m), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => DecimalMath.Sqrt(-1m), Throws.TypeOf<ArgumentOutOfRangeException>());
        });
    }

    // Range reductions change at every multiple of ln 2 and sqrt 2, the series of the distribution ends at 4: no step anywhere.
    [Test]
    public void Functions_undo_each_other_and_both_sides_of_the_distribution_add_up()
    {
        for (decimal x = -12m; x <= 12m; x += 0.0625m)
        {
            AssertClose(DecimalMath.Ln(DecimalMath.Exp(x)), x, $"ln e^{x}", loss: x < 0m ? 1m / DecimalMath.Exp(x) : 1m);
            decimal root = DecimalMath.Sqrt(DecimalMath.Exp(x));
            AssertClose(root * root, DecimalMath.Exp(x), $"sqrt e^{x}");
            AssertClose(DecimalMath.NormalCdf(x) + DecimalMath.NormalCdf(-x), 1m, $"Phi({x}) + Phi(-{x})");
        }
    }

    // A result below 1 has fewer digits than 28; what is taken from it again loses them by so much.
    private static void AssertClose(decimal actual, decimal expected, string name, decimal loss = 1m) =>
        Assert.That(actual, Is.EqualTo(expected).Within((Relative * Math.Abs(expected)) + (1_000m * Step * loss)), name);
}
