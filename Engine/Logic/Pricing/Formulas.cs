using System.Runtime.CompilerServices;

namespace MarginEngine.Logic;

/// <summary>
/// Exponential, logarithm and normal distribution, each written once over <see cref="ILanes{TSelf}"/>. Called by
/// <see cref="Functions"/> and the Black-76 kernels; promises the same bits at every width and the error bounds that Functions states.
/// </summary>
internal static class Formulas
{
    /// <summary>1.5 * 2^52: adding it rounds |x| &lt; 2^51 to the nearest integer, ties to even, and leaves that integer in the low bits.</summary>
    internal const double Rounder = 6755399441055744.0;

    /// <summary>Bit pattern of 2^52, and of its exponent: an integer below 2^52 or-ed in becomes that integer plus 2^52.</summary>
    private const long IntegerExponent = 0x4330000000000000;

    /// <summary>2^52 and the bias of an exponent.</summary>
    private const double NormalBias = 4503599627371519.0;

    internal const double SmallestNormal = 2.2250738585072014E-308;

    private const double Log2E = 1.4426950408889634;

    // ln 2 in two parts; the leading one has 21 zero bits at its end, so that its product with an exponent is exact.
    private const double Ln2High = 0.6931471803691238;
    private const double Ln2Low = 1.9082149292705877E-10;

    // log2(e) / 2 in two parts.
    private const double HalfLog2EHigh = 0.7213475204444817;
    private const double HalfLog2ELow = 1.0177636870465517E-17;

    /// <summary>sqrt(log2(e) / 2): turns a number of standard deviations d into z with exp(-d^2/2) = 2^(-z^2).</summary>
    internal const double DeviationScale = 0.8493218002880191;

    /// <summary>e^x. Range reduction to |r| &lt;= ln(2)/2, polynomial of degree 12 (relative fit error 6e-20), scaling in two exact steps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Exp<T>(T x) where T : struct, ILanes<T>
    {
        // Beyond these e^x is infinite or rounds to zero; a NaN passes both comparisons unchanged.
        T high = T.Broadcast(710.0);
        T low = T.Broadcast(-746.0);
        x = T.WhereGreater(x, high, high, x);
        x = T.WhereGreater(low, x, low, x);

        T rounder = T.Broadcast(Rounder);
        T power = (x * T.Broadcast(Log2E) + rounder) - rounder;

        // r carries the remainder and tail what its rounding lost, so that the reduction costs no accuracy.
        T leading = T.SubtractProduct(x, power, T.Broadcast(Ln2High));
        T correction = power * T.Broadcast(Ln2Low);
        T r = leading - correction;
        T tail = (leading - r) - correction;

        T p = T.Broadcast(2.0826657291414395E-09);
        p = T.MultiplyAdd(p, r, T.Broadcast(2.51120159738829E-08));
        p = T.MultiplyAdd(p, r, T.Broadcast(2.7557581580719667E-07));
        p = T.MultiplyAdd(p, r, T.Broadcast(2.755723492984721E-06));
        p = T.MultiplyAdd(p, r, T.Broadcast(2.4801586927268107E-05));
        p = T.MultiplyAdd(p, r, T.Broadcast(0.000198412698963049));
        p = T.MultiplyAdd(p, r, T.Broadcast(0.001388888888911501));
        p = T.MultiplyAdd(p, r, T.Broadcast(0.008333333333317072));
        p = T.MultiplyAdd(p, r, T.Broadcast(0.041666666666666095));
        p = T.MultiplyAdd(p, r, T.Broadcast(0.16666666666666682));
        p = T.MultiplyAdd(p, r, T.Broadcast(0.5));

        // 1 + r exactly in two parts, then everything small on top of the low part.
        T one = T.Broadcast(1.0);
        T sum = one + r;
        T lost = r - (sum - one);
        T value = sum + (lost + T.MultiplyAdd(r * r, p, tail));
        return ScaleByPower(value, power);
    }

    /// <summary>ln x. x = 2^k m with m in [sqrt(1/2), sqrt(2)), then the series of the area tangent in s = (m-1)/(m+1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Log<T>(T x) where T : struct, ILanes<T>
    {
        T zero = T.Broadcast(0.0);
        T smallest = T.Broadcast(SmallestNormal);

        // Subnormal numbers are brought into the normal range first.
        T normal = T.WhereGreater(smallest, x, x * T.Broadcast(18014398509481984.0), x);
        T bias = T.WhereGreater(smallest, x, T.Broadcast(NormalBias + 54.0), T.Broadcast(NormalBias));

        T value = LogOfNormal(normal, bias);

        T infinity = T.Broadcast(double.PositiveInfinity);
        value = T.WhereGreater(infinity, x, value, x);
        T outside = T.WhereGreater(zero, x, T.Broadcast(double.NaN), x - infinity);
        return T.WhereGreater(x, zero, value, outside);
    }

    /// <summary>ln x within 1 ulp for normal positive x; anything else gives anything.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T LogOfNormal<T>(T x) where T : struct, ILanes<T> => LogOfNormal(x, T.Broadcast(NormalBias));

    /// <summary>ln(x 2^-scaling) for bias = <see cref="NormalBias"/> + scaling.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T LogOfNormal<T>(T normal, T bias) where T : struct, ILanes<T>
    {
        const long RootHalf = 0x3FE6A09E667F3BCD;
        T shifted = T.AddBits(normal, 0x3FF0000000000000 - RootHalf);
        T power = T.OrBits(T.ShiftBitsRight(shifted, 52), IntegerExponent) - bias;
        T mantissa = T.AddBits(T.AndBits(shifted, 0x000FFFFFFFFFFFFF), RootHalf);

        T f = mantissa - T.Broadcast(1.0);
        T s = f / (mantissa + T.Broadcast(1.0));
        T z = s * s;
        T r = T.Broadcast(0.13251478164368805);
        r = T.MultiplyAdd(r, z, T.Broadcast(0.13250101749253926));
        r = T.MultiplyAdd(r, z, T.Broadcast(0.15387091484429338));
        r = T.MultiplyAdd(r, z, T.Broadcast(0.18181775648858442));
        r = T.MultiplyAdd(r, z, T.Broadcast(0.22222222647005557));
        r = T.MultiplyAdd(r, z, T.Broadcast(0.2857142856908449));
        r = T.MultiplyAdd(r, z, T.Broadcast(0.40000000000006253));
        r = T.MultiplyAdd(r, z, T.Broadcast(0.6666666666666666));

        // ln(1+f) = f - (h - s (h + z r)) with h = f^2/2: the leading term is exact and the rest is small beside it.
        T h = T.Broadcast(0.5) * f * f;
        T small = T.MultiplyAdd(s, T.MultiplyAdd(z, r, h), power * T.Broadcast(Ln2Low));
        return T.MultiplyAdd(power, T.Broadcast(Ln2High), f - (h - small));
    }

    /// <summary>
    /// N(x), with the relative accuracy of the lower tail kept: N(-a) = 2^(-a^2 log2(e)/2) times <see cref="ScaledTail{T}"/>, the exponent in
    /// two parts.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T NormalCdf<T>(T x) where T : struct, ILanes<T>
    {
        T limit = T.Broadcast(39.0);
        T a = T.Abs(x);
        a = T.WhereGreater(a, limit, limit, a);

        T rounder = T.Broadcast(Rounder);
        T half = T.Broadcast(HalfLog2EHigh);
        T square = a * a;
        T squareLow = T.MultiplyAdd(a, a, T.Broadcast(0.0) - square);
        T power = T.SubtractProduct(rounder, square, half) - rounder;
        T f = T.SubtractProduct(T.Broadcast(0.0) - power, square, half);
        f = f - T.MultiplyAdd(square, T.Broadcast(HalfLog2ELow), squareLow * half);

        T tail = ScaleByPower(Exp2Fraction(f) * ScaledTail(a), power);
        return T.WhereGreater(x, T.Broadcast(0.0), T.Broadcast(1.0) - tail, tail);
    }

    /// <summary>2^f for |f| &lt;= 1/2 (a little more does no harm): degree 11, relative fit error 3.6e-17.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Exp2Fraction<T>(T f) where T : struct, ILanes<T>
    {
        T p = T.Broadcast(4.435287674876678E-10);
        p = T.MultiplyAdd(p, f, T.Broadcast(7.074105783582188E-09));
        p = T.MultiplyAdd(p, f, T.Broadcast(1.0178197993896444E-07));
        p = T.MultiplyAdd(p, f, T.Broadcast(1.3215433088637997E-06));
        p = T.MultiplyAdd(p, f, T.Broadcast(1.5252733490032449E-05));
        p = T.MultiplyAdd(p, f, T.Broadcast(0.00015403530462516647));
        p = T.MultiplyAdd(p, f, T.Broadcast(0.0013333558146789925));
        p = T.MultiplyAdd(p, f, T.Broadcast(0.009618129107588334));
        p = T.MultiplyAdd(p, f, T.Broadcast(0.05550410866481992));
        p = T.MultiplyAdd(p, f, T.Broadcast(0.24022650695910155));
        p = T.MultiplyAdd(p, f, T.Broadcast(0.6931471805599453));
        return T.MultiplyAdd(p, f, T.Broadcast(1.0));
    }

    /// <summary>
    /// 2^f as <see cref="Exp2Fraction{T}"/> has it, and for each of two arguments z = d * DeviationScale >= 0 the quotient
    /// N(-d) / 2^(-z^2): degree 6/7, error 4.3e-17 absolute in N; the tier of the price kernels.
    /// </summary>
    /// <remarks>
    /// The five chains of dependent operations stand interleaved: a processor looks ahead by some sixty waiting operations only, and one
    /// chain after the other fills that place with operations that all wait for the same.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T PowerAndTails<T>(T f, T near, T far, out T nearTail, out T farTail) where T : struct, ILanes<T>
    {
        T p = T.Broadcast(4.435287674876678E-10);
        p = T.MultiplyAdd(p, f, T.Broadcast(7.074105783582188E-09));
        T nearQ = near + T.Broadcast(16.870295457082598);
        T farQ = far + T.Broadcast(16.870295457082598);
        T nearP = T.MultiplyAdd(T.Broadcast(0.3388365998701501), near, T.Broadcast(5.715949822867906));
        T farP = T.MultiplyAdd(T.Broadcast(0.3388365998701501), far, T.Broadcast(5.715949822867906));
        p = T.MultiplyAdd(p, f, T.Broadcast(1.0178197993896444E-07));
        nearQ = T.MultiplyAdd(nearQ, near, T.Broadcast(131.10337891331017));
        farQ = T.MultiplyAdd(farQ, far, T.Broadcast(131.10337891331017));
        p = T.MultiplyAdd(p, f, T.Broadcast(1.3215433088637997E-06));
        nearP = T.MultiplyAdd(nearP, near, T.Broadcast(44.18116673650308));
        farP = T.MultiplyAdd(farP, far, T.Broadcast(44.18116673650308));
        p = T.MultiplyAdd(p, f, T.Broadcast(1.5252733490032449E-05));
        nearQ = T.MultiplyAdd(nearQ, near, T.Broadcast(601.524289740295));
        farQ = T.MultiplyAdd(farQ, far, T.Broadcast(601.524289740295));
        p = T.MultiplyAdd(p, f, T.Broadcast(0.00015403530462516647));
        nearP = T.MultiplyAdd(nearP, near, T.Broadcast(199.64880566704855));
        farP = T.MultiplyAdd(farP, far, T.Broadcast(199.64880566704855));
        p = T.MultiplyAdd(p, f, T.Broadcast(0.0013333558146789925));
        nearQ = T.MultiplyAdd(nearQ, near, T.Broadcast(1745.9139071660195));
        farQ = T.MultiplyAdd(farQ, far, T.Broadcast(1745.9139071660195));
        p = T.MultiplyAdd(p, f, T.Broadcast(0.009618129107588334));
        nearP = T.MultiplyAdd(nearP, near, T.Broadcast(560.4048975524919));
        farP = T.MultiplyAdd(farP, far, T.Broadcast(560.4048975524919));
        p = T.MultiplyAdd(p, f, T.Broadcast(0.05550410866481992));
        nearQ = T.MultiplyAdd(nearQ, near, T.Broadcast(3186.7266299337603));
        farQ = T.MultiplyAdd(farQ, far, T.Broadcast(3186.7266299337603));
        p = T.MultiplyAdd(p, f, T.Broadcast(0.24022650695910155));
        nearP = T.MultiplyAdd(nearP, near, T.Broadcast(939.4257969869935));
        farP = T.MultiplyAdd(farP, far, T.Broadcast(939.4257969869935));
        p = T.MultiplyAdd(p, f, T.Broadcast(0.6931471805599453));
        nearQ = T.MultiplyAdd(nearQ, near, T.Broadcast(3371.1442353602024));
        farQ = T.MultiplyAdd(farQ, far, T.Broadcast(3371.1442353602024));
        p = T.MultiplyAdd(p, f, T.Broadcast(1.0));
        nearP = T.MultiplyAdd(nearP, near, T.Broadcast(794.2481500477577));
        farP = T.MultiplyAdd(farP, far, T.Broadcast(794.2481500477577));
        nearQ = T.MultiplyAdd(nearQ, near, T.Broadcast(1588.4963000955154));
        farQ = T.MultiplyAdd(farQ, far, T.Broadcast(1588.4963000955154));
        nearTail = nearP / nearQ;
        farTail = farP / farQ;
        return p;
    }

    /// <summary>
    /// N(-a) exp(a^2/2) for 0 &lt;= a &lt;= 39 within 1.8e-17, relative: (1 + sqrt(pi/2) a) times it is nearly constant, 1/2 plus w S(q) with
    /// w = a/(a+4) and q = 2w - 1, so that the rounding of the polynomial S of degree 22 hardly counts. At 0 it is exactly 1/2.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T ScaledTail<T>(T a) where T : struct, ILanes<T>
    {
        T w = a / (a + T.Broadcast(4.0));
        T q = T.MultiplyAdd(T.Broadcast(2.0), w, T.Broadcast(-1.0));
        T s = T.Broadcast(-1.9028464385472253E-09);
        s = T.MultiplyAdd(s, q, T.Broadcast(-1.6182878246571683E-09));
        s = T.MultiplyAdd(s, q, T.Broadcast(1.7792330888799385E-08));
        s = T.MultiplyAdd(s, q, T.Broadcast(2.546142516277154E-08));
        s = T.MultiplyAdd(s, q, T.Broadcast(-8.086018782405244E-08));
        s = T.MultiplyAdd(s, q, T.Broadcast(-2.0067012386241817E-07));
        s = T.MultiplyAdd(s, q, T.Broadcast(2.309131902601741E-07));
        s = T.MultiplyAdd(s, q, T.Broadcast(1.1991314022909544E-06));
        s = T.MultiplyAdd(s, q, T.Broadcast(-2.8970870178641833E-07));
        s = T.MultiplyAdd(s, q, T.Broadcast(-6.594276433871022E-06));
        s = T.MultiplyAdd(s, q, T.Broadcast(-1.5886333671970645E-06));
        s = T.MultiplyAdd(s, q, T.Broadcast(3.792617120122211E-05));
        s = T.MultiplyAdd(s, q, T.Broadcast(1.2993263452725392E-05));
        s = T.MultiplyAdd(s, q, T.Broadcast(-0.0002477225398666894));
        s = T.MultiplyAdd(s, q, T.Broadcast(3.4100408086184076E-05));
        s = T.MultiplyAdd(s, q, T.Broadcast(0.001802581157269526));
        s = T.MultiplyAdd(s, q, T.Broadcast(-0.0028421732521305876));
        s = T.MultiplyAdd(s, q, T.Broadcast(-0.009954075662231767));
        s = T.MultiplyAdd(s, q, T.Broadcast(0.059215540423575755));
        s = T.MultiplyAdd(s, q, T.Broadcast(-0.1555605325540262));
        s = T.MultiplyAdd(s, q, T.Broadcast(0.2635800138131719));
        s = T.MultiplyAdd(s, q, T.Broadcast(-0.2915021811108404));
        s = T.MultiplyAdd(s, q, T.Broadcast(0.13543081425818063));
        return T.MultiplyAdd(w, s, T.Broadcast(0.5)) / T.MultiplyAdd(T.Broadcast(1.2533141373155001), a, T.Broadcast(1.0));
    }

    /// <summary>
    /// N(-d) / 2^(-z^2) for z = d * DeviationScale of two d >= 0 up to 45: degree 9/10, fitted for relative error, 5.1e-17; positive
    /// coefficients only, so that rounding adds about 2 ulp. Interleaved as <see cref="PowerAndTails{T}"/> is.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void RelativeTails<T>(T near, T far, out T nearTail, out T farTail) where T : struct, ILanes<T>
    {
        T nearQ = near + T.Broadcast(22.833299420339145);
        T farQ = far + T.Broadcast(22.833299420339145);
        T nearP = T.MultiplyAdd(T.Broadcast(0.3388303758005477), near, T.Broadcast(7.736615423559603));
        T farP = T.MultiplyAdd(T.Broadcast(0.3388303758005477), far, T.Broadcast(7.736615423559603));
        nearQ = T.MultiplyAdd(nearQ, near, T.Broadcast(256.0061066743027));
        farQ = T.MultiplyAdd(farQ, far, T.Broadcast(256.0061066743027));
        nearP = T.MultiplyAdd(nearP, near, T.Broadcast(86.49823086649808));
        farP = T.MultiplyAdd(farP, far, T.Broadcast(86.49823086649808));
        nearQ = T.MultiplyAdd(nearQ, near, T.Broadcast(1824.3756834647745));
        farQ = T.MultiplyAdd(farQ, far, T.Broadcast(1824.3756834647745));
        nearP = T.MultiplyAdd(nearP, near, T.Broadcast(612.5731107473426));
        farP = T.MultiplyAdd(farP, far, T.Broadcast(612.5731107473426));
        nearQ = T.MultiplyAdd(nearQ, near, T.Broadcast(9052.96314904558));
        farQ = T.MultiplyAdd(farQ, far, T.Broadcast(9052.96314904558));
        nearP = T.MultiplyAdd(nearP, near, T.Broadcast(3005.3762154847964));
        farP = T.MultiplyAdd(farP, far, T.Broadcast(3005.3762154847964));
        nearQ = T.MultiplyAdd(nearQ, near, T.Broadcast(32437.03686683325));
        farQ = T.MultiplyAdd(farQ, far, T.Broadcast(32437.03686683325));
        nearP = T.MultiplyAdd(nearP, near, T.Broadcast(10556.8271775061));
        farP = T.MultiplyAdd(farP, far, T.Broadcast(10556.8271775061));
        nearQ = T.MultiplyAdd(nearQ, near, T.Broadcast(84501.80164722099));
        farQ = T.MultiplyAdd(farQ, far, T.Broadcast(84501.80164722099));
        nearP = T.MultiplyAdd(nearP, near, T.Broadcast(26552.593169647556));
        farP = T.MultiplyAdd(farP, far, T.Broadcast(26552.593169647556));
        nearQ = T.MultiplyAdd(nearQ, near, T.Broadcast(157330.51934809252));
        farQ = T.MultiplyAdd(farQ, far, T.Broadcast(157330.51934809252));
        nearP = T.MultiplyAdd(nearP, near, T.Broadcast(46301.79726241871));
        farP = T.MultiplyAdd(farP, far, T.Broadcast(46301.79726241871));
        nearQ = T.MultiplyAdd(nearQ, near, T.Broadcast(199629.20775104486));
        farQ = T.MultiplyAdd(farQ, far, T.Broadcast(199629.20775104486));
        nearP = T.MultiplyAdd(nearP, near, T.Broadcast(51295.20584504311));
        farP = T.MultiplyAdd(farP, far, T.Broadcast(51295.20584504311));
        nearQ = T.MultiplyAdd(nearQ, near, T.Broadcast(155408.33721688497));
        farQ = T.MultiplyAdd(farQ, far, T.Broadcast(155408.33721688497));
        nearP = T.MultiplyAdd(nearP, near, T.Broadcast(28111.469879026336));
        farP = T.MultiplyAdd(farP, far, T.Broadcast(28111.469879026336));
        nearQ = T.MultiplyAdd(nearQ, near, T.Broadcast(56222.93975805268));
        farQ = T.MultiplyAdd(farQ, far, T.Broadcast(56222.93975805268));
        nearTail = nearP / nearQ;
        farTail = farP / farQ;
    }

    /// <summary>2^n for n + <see cref="Rounder"/> in [-1023, 1023]; n = -1023 gives zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T PowerOfTwo<T>(T roundedPower) where T : struct, ILanes<T> =>
        T.ShiftBitsLeft(T.AddBits(roundedPower, 1023), 52);

    /// <summary>value * 2^power for whole |power| &lt;= 2000, in two steps of which only the last can round.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T ScaleByPower<T>(T value, T power) where T : struct, ILanes<T>
    {
        T rounder = T.Broadcast(Rounder);
        T firstRounded = power * T.Broadcast(0.5) + rounder;
        T restRounded = (power - (firstRounded - rounder)) + rounder;
        return value * PowerOfTwo(firstRounded) * PowerOfTwo(restRounded);
    }
}
