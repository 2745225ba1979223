namespace MarginEngine.Logic;

/// <summary>
/// Exponential, logarithm, power and normal distribution for one number, from IEEE 754 operations and explicit fused multiply-adds only:
/// the same bits on every processor, unlike the library functions, which follow the machine's C library.
/// </summary>
/// <remarks>
/// Error bounds are in units in the last place of the exact result (ulp) and are checked against arbitrary precision in
/// Tests/Logic/FunctionsAccuracyTest.cs. The square root is <see cref="Math.Sqrt"/>: IEEE 754 rounds it correctly everywhere.
/// </remarks>
public static class Functions
{
    /// <summary>
    /// e^x within 0.6 ulp, subnormal results within 1.1 ulp of 2^-1074. Exact: Exp(±0) = 1, Exp(-infinity) = 0, Exp(+infinity) = +infinity, NaN stays NaN. Above
    /// 709.7827 the result is +infinity, below -745.1332 it is 0.
    /// </summary>
    public static double Exp(double x) => Formulas.Exp(Lanes1.Broadcast(x)).Value;

    /// <summary>
    /// ln x within 1 ulp, for subnormal x too. Exact: Log(1) = +0, Log(±0) = -infinity, Log(+infinity) = +infinity; a negative x gives NaN.
    /// </summary>
    public static double Log(double x) =>
        x >= Formulas.SmallestNormal && x <= double.MaxValue ? Formulas.LogOfNormal(Lanes1.Broadcast(x)).Value : Formulas.Log(Lanes1.Broadcast(x)).Value;

    /// <summary>
    /// N(x), the probability of a standard normal variable below x: within 5 ulp in the lower tail down to the smallest normal double,
    /// within 1 ulp above 0. Exact: NormalCdf(±0) = 1/2, NormalCdf(-infinity) = 0, NormalCdf(+infinity) = 1, NaN stays NaN.
    /// </summary>
    public static double NormalCdf(double x) => Formulas.NormalCdf(Lanes1.Broadcast(x)).Value;

    /// <summary>
    /// x^y as Exp(y Log(x)), for x >= 0: relative error at most (2 + 2 |y ln x|) 2^-53. Exact: y = 0 gives 1 and y = 1 gives x, whatever x
    /// is; x = 1 gives 1; x = 0 gives 0 for y > 0 and +infinity for y &lt; 0. A negative x gives NaN.
    /// </summary>
    public static double Pow(double x, double y)
    {
        if (y == 0.0)
            return 1.0;
        if (y == 1.0)
            return x;
        return Exp(y * Log(x));
    }
}
