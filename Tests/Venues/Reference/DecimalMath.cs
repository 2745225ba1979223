namespace MarginEngine.Tests.VenueTests.Reference;

/// <summary>
/// Elementary functions in System.Decimal for the reference margins: slow, obvious, nothing shared with the engine. A decimal has 28 digits and no
/// step smaller than 10^-28: a result is good to 10^-24 of itself or 10^-25 absolutely, whichever is more, and what is smaller than half a
/// step is 0 (e^-65, the normal density beyond 11.3). What is too large throws <see cref="OverflowException"/>.
/// </summary>
internal static class DecimalMath
{
    public const decimal Pi = 3.1415926535897932384626433833m;
    public const decimal Ln2 = 0.6931471805599453094172321215m;

    private const decimal RootTwoPi = 2.5066282746310005024157652848m;
    private const decimal RootTwo = 1.4142135623730950488016887242m;

    // Half a step of decimal lies between e^-65 and e^-64.
    private const decimal LeastExponent = -65m;
    private const decimal TailStart = 4m;
    private const decimal TailEnd = 12m;

    // The error of the fraction falls as e^(-1.8 x sqrt(levels)): below 10^-28 of the tail.
    private const decimal TailLevels = 1_300m;

    /// <summary>e^x = 2^k e^r, k = the integer nearest to x / ln 2, e^r = 1 + r + r^2/2! + .. to the last term that decimal can tell from 0.</summary>
    public static decimal Exp(decimal x)
    {
        if (x < 0m)
            return x < LeastExponent ? 0m : 1m / Exp(-x);
        decimal doublings = decimal.Round(x / Ln2);
        decimal rest = x - (doublings * Ln2);
        decimal term = 1m;
        decimal sum = 1m;
        for (int n = 1; term != 0m; n++)
        {
            term = term * rest / n;
            sum += term;
        }

        for (; doublings > 0m; doublings--)
        {
            sum *= 2m;
        }

        return sum;
    }

    /// <summary>ln x = k ln 2 + ln m, m between 1/sqrt 2 and sqrt 2, ln m = 2 (z + z^3/3 + z^5/5 + ..), z = (m - 1)/(m + 1). Positive x only.</summary>
    public static decimal Ln(decimal x)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(x);
        int doublings = 0;
        for (; x > RootTwo; x /= 2m)
        {
            doublings++;
        }

        for (; x * RootTwo < 1m; x *= 2m)
        {
            doublings--;
        }

        decimal z = (x - 1m) / (x + 1m);
        decimal square = z * z;
        decimal power = z;
        decimal sum = z;
        for (int n = 3; power != 0m; n += 2)
        {
            power *= square;
            sum += power / n;
        }

        return (doublings * Ln2) + (2m * sum);
    }

    /// <summary>Newton's y = (y + x/y) / 2 from the double nearest to the root, whose 15 digits two steps make more than 28.</summary>
    public static decimal Sqrt(decimal x)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(x);
        if (x == 0m)
            return 0m;
        decimal root = (decimal)Math.Sqrt((double)x);
        root = (root + (x / root)) / 2m;
        return (root + (x / root)) / 2m;
    }

    /// <summary>x^y = e^(y ln x) of a positive x.</summary>
    public static decimal Pow(decimal x, decimal y) => Exp(y * Ln(x));

    /// <summary>Standard normal density e^(-x^2/2) / sqrt(2 pi).</summary>
    public static decimal NormalDensity(decimal x) => Math.Abs(x) > TailEnd ? 0m : Exp(-x * x / 2m) / RootTwoPi;

    /// <summary>
    /// Standard normal distribution function. Below 4 in size the series Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/(3*5) + ..), beyond it the continued
    /// fraction 1 - Phi(x) = phi(x) / (x + 1/(x + 2/(x + ..))); 0 and 1 from 12 on.
    /// </summary>
    public static decimal NormalCdf(decimal x)
    {
        if (Math.Abs(x) > TailStart)
            return x > 0m ? 1m - UpperTail(x) : UpperTail(-x);
        decimal square = x * x;
        decimal term = x;
        decimal sum = x;
        for (int i = 3; term != 0m; i += 2)
        {
            term = term * square / i;
            sum += term;
        }

        return 0.5m + (NormalDensity(x) * sum);
    }

    private static decimal UpperTail(decimal x)
    {
        if (x > TailEnd)
            return 0m;
        decimal fraction = x;
        for (int i = (int)(TailLevels / (x * x)); i >= 1; i--)
        {
            fraction = x + (i / fraction);
        }

        return NormalDensity(x) / fraction;
    }
}
