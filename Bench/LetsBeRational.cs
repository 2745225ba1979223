// A scalar implementation of a published method, written from its formulas: a baseline of PricingBench and nothing else.
using System.Runtime.CompilerServices;

namespace MarginEngine.Bench;

/// <summary>
/// Implied volatility by Jäckel's "Let's Be Rational" (2013), one option a call, in doubles and with the exponential and logarithm of <see cref="Math"/>.
/// With x = -|ln(F/K)|, s = volatility sqrt(T), h = x/s and t = s/2 the price over sqrt(F K) is
/// <code>
///     b(s) = e^(x/2) N(h + t) - e^(-x/2) N(h - t)          b'(s) = e^(-(h^2 + t^2)/2) / sqrt(2 pi)
/// </code>
/// and rises from 0 to e^(x/2), convex below s = sqrt(2|x|) and concave above. The tangent there cuts both bounds; at the three points the axis of prices
/// falls into four branches, each with a guess by a rational cubic. Two Householder steps of third order follow, on 1/ln b, b or ln(e^(x/2) - b).
/// </summary>
/// <remarks>
/// No step is slower than it need be: one exponential serves b and b', the values at sqrt(2|x|) share that of the upper bound, both scaled tails are evaluated
/// side by side by the branch-free rational function of this product's kernels, and nothing is tested for convergence.
/// </remarks>
internal static class LetsBeRational
{
    private const double RootTwoPi = 2.5066282746310002;
    private const double InverseRootTwoPi = 0.3989422804014327;
    private const double RootHalfPi = 1.2533141373155001;
    private const double RootThree = 1.7320508075688772;
    private const double TwoPi = 6.283185307179586;

    /// <summary>Below this t a difference of tails loses digits, and the Taylor series about h has enough with seven terms.</summary>
    private const double LargestTaylor = 0.21;

    /// <summary>Both tails beyond this: their difference term by term of the asymptotic series, which then has 1e-16 with fourteen.</summary>
    private const double LeastAsymptotic = 12.0;

    /// <summary>Where the rational function of the tails has its whole accuracy.</summary>
    private const double LargestRational = 39.0;

    /// <summary>Of the value of whichever of call and put is out of the money; the price is above zero and below the smaller of forward and strike.</summary>
    public static double OfOutOfTheMoney(double forward, double strike, double years, double price)
    {
        double x = -Math.Abs(Math.Log(forward / strike));
        return Deviation(x, price / Math.Sqrt(forward * strike)) / Math.Sqrt(years);
    }

    /// <summary>The value of the same option, with all digits also far from the money.</summary>
    public static double Value(double forward, double strike, double years, double volatility)
    {
        double x = -Math.Abs(Math.Log(forward / strike));
        double s = volatility * Math.Sqrt(years);
        double h = x / s, t = 0.5 * s;
        return Math.Sqrt(forward * strike) * Black(h, t, Math.Exp(-0.5 * (h * h + t * t)), Math.Exp(0.5 * x));
    }

    private static double Deviation(double x, double price)
    {
        if (x == 0.0)
            return price <= 0.85 ? 2.0 * InverseOfExcess(0.5 * price) : -2.0 * InverseNormal(0.5 - 0.5 * price);
        double bound = Math.Exp(0.5 * x);

        // At the inflection h = -t: its density is the bound itself.
        double middle = Math.Sqrt(-2.0 * x);
        double middlePrice = Black(-0.5 * middle, 0.5 * middle, bound, bound);
        double middleVega = bound * InverseRootTwoPi;
        return price < middlePrice
            ? FromBelow(x, price, bound, middle, middlePrice, middleVega)
            : FromAbove(x, price, bound, middle, middlePrice, middleVega);
    }

    private static double FromBelow(double x, double price, double bound, double middle, double middlePrice, double middleVega)
    {
        double low = middle - middlePrice / middleVega;
        double h = x / low, t = 0.5 * low;
        double density = Math.Exp(-0.5 * (h * h + t * t));
        double lowPrice = Black(h, t, density, bound);
        double lowVega = density * InverseRootTwoPi;
        if (price >= lowPrice)
        {
            double right = 1.0 / middleVega, left = 1.0 / lowVega;
            double width = middlePrice - lowPrice;
            double slope = (middle - low) / width;
            double control = Control((right - left) / (right - slope), left, right, slope);
            return OnPrice(x, price, bound, RationalCubic((price - lowPrice) / width, width, low, middle, left, right, control));
        }

        // f = 2 pi |x| / (3 sqrt 3) N(z)^3 with z = x / (sqrt 3 s) has slope 1 at a price of zero; in the scaled tail R the powers of e join.
        double z = -h * (1.0 / RootThree);
        double tail = Tail(z);
        double growth = Math.Exp(0.5 * t * t);
        double f = TwoPi / (3.0 * RootThree) * -x * (density * growth) * (tail * tail * tail);
        double zTail = z * tail;
        double fSlope = TwoPi * growth * (zTail * zTail);
        double bend = fSlope * ((-2.0 + 2.0 * z * (InverseRootTwoPi / tail) - 2.0 * z * z) / low + 0.25 * low) / lowVega;
        double chord = f / lowPrice;
        double fControl = Control((0.5 * lowPrice * bend + fSlope - 1.0) / (fSlope - chord), 1.0, fSlope, chord);
        double share = price / lowPrice;
        double found = RationalCubic(share, lowPrice, 0.0, f, 1.0, fSlope, fControl);
        if (!(found > 0.0))
            found = (f * share + lowPrice * (1.0 - share)) * share;
        double guess = x / (RootThree * InverseNormal(RootThree * Math.Cbrt(found / (-TwoPi * x))));
        return OnInverseLogarithm(x, price, bound, guess);
    }

    private static double FromAbove(double x, double price, double bound, double middle, double middlePrice, double middleVega)
    {
        double high = middle + (bound - middlePrice) / middleVega;
        double h = x / high, t = 0.5 * high;
        double density = Math.Exp(-0.5 * (h * h + t * t));
        double highPrice = Black(h, t, density, bound);
        if (price <= highPrice)
        {
            double left = 1.0 / middleVega, right = RootTwoPi / density;
            double width = highPrice - middlePrice;
            double slope = (high - middle) / width;
            double control = Control((right - left) / (slope - left), left, right, slope);
            return OnPrice(x, price, bound, RationalCubic((price - middlePrice) / width, width, middle, high, left, right, control));
        }

        // f = N(-s/2) falls to zero at the bound with slope -1/2.
        double growth = Math.Exp(0.5 * h * h);
        double tail = Tail(t);
        double f = density * growth * tail;
        double fSlope = -0.5 * growth;
        double bend = RootHalfPi * (growth / density) * (h * h / high);
        double rest = bound - highPrice;
        double chord = -f / rest;
        double fControl = Control((0.5 * rest * bend - 0.5 - fSlope) / (chord - fSlope), fSlope, -0.5, chord);
        double share = (price - highPrice) / rest;
        double found = RationalCubic(share, rest, f, 0.0, fSlope, -0.5, fControl);
        if (!(found > 0.0))
            found = (f * (1.0 - share) + 0.5 * rest * share) * (1.0 - share);
        double guess = -2.0 * InverseNormal(found);
        return price > 0.5 * bound ? OnComplement(x, bound - price, guess) : OnPrice(x, price, bound, guess);
    }

    /// <summary>Two steps on g(s) = b(s) - price.</summary>
    private static double OnPrice(double x, double price, double bound, double s)
    {
        for (int step = 0; step < 2; step++)
        {
            double h = x / s, t = 0.5 * s;
            double density = Math.Exp(-0.5 * (h * h + t * t));
            double newton = (price - Black(h, t, density, bound)) * (RootTwoPi / density);
            Shape(h, t, s, out double second, out double third);
            s += Householder(newton, second, third, s);
        }

        return s;
    }

    /// <summary>Two steps on g(s) = 1 / ln b(s) - 1 / ln price.</summary>
    private static double OnInverseLogarithm(double x, double price, double bound, double s)
    {
        double target = Math.Log(price);
        for (int step = 0; step < 2; step++)
        {
            double h = x / s, t = 0.5 * s;
            double density = Math.Exp(-0.5 * (h * h + t * t));
            double b = Black(h, t, density, bound);
            double logarithm = Math.Log(b);
            double relative = density * InverseRootTwoPi / b;
            double inverse = 1.0 / logarithm;
            double newton = (target - logarithm) * logarithm / (target * relative);
            Shape(h, t, s, out double second, out double third);
            double bent = relative * (1.0 + 2.0 * inverse);
            third += 2.0 * relative * relative * (1.0 + 3.0 * inverse * (1.0 + inverse)) - 3.0 * second * bent;
            s += Householder(newton, second - bent, third, s);
        }

        return s;
    }

    /// <summary>Two steps on g(s) = ln((e^(x/2) - price) / (e^(x/2) - b(s))); the difference is a sum of tails.</summary>
    private static double OnComplement(double x, double rest, double s)
    {
        for (int step = 0; step < 2; step++)
        {
            double h = x / s, t = 0.5 * s;
            double density = Math.Exp(-0.5 * (h * h + t * t));
            double remaining = density * TailSum(h, t);
            double relative = density * InverseRootTwoPi / remaining;
            double newton = Math.Log(remaining / rest) / relative;
            Shape(h, t, s, out double second, out double third);
            third += relative * (2.0 * relative + 3.0 * second);
            s += Householder(newton, second + relative, third, s);
        }

        return s;
    }

    /// <summary>b''/b' = h^2/s - s/4 and b'''/b' = (b''/b')^2 - 3 (h/s)^2 - 1/4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Shape(double h, double t, double s, out double second, out double third)
    {
        double inverse = 1.0 / s;
        double bent = h * inverse;
        second = h * bent - 0.5 * t;
        third = second * second - 3.0 * bent * bent - 0.25;
    }

    /// <summary>The step from Newton's and the quotients g''/g', g'''/g'; never below half of s.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Householder(double newton, double second, double third, double s)
    {
        double step = newton * (1.0 + 0.5 * second * newton) / (1.0 + newton * (second + third * newton * (1.0 / 6.0)));
        return Math.Max(-0.5 * s, step);
    }

    /// <summary>
    /// Delbourgo and Gregory's r, by which the curve has the wanted second derivative at one end, held where it stays monotonic and convex or concave.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Control(double wanted, double left, double right, double chord)
    {
        double monotonic = (left + right) / chord;
        double change = right - left;
        double convex = Math.Max(Math.Abs(change / (right - chord)), Math.Abs(change / (chord - left)));
        double least = Math.Max(monotonic, convex);
        return wanted > least ? wanted : least;
    }

    /// <summary>Through both ends with their slopes, by r between a cubic (3) and the chord (infinity); u goes from 0 to 1 over the width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double RationalCubic(double u, double width, double left, double right, double leftSlope, double rightSlope, double control)
    {
        double v = 1.0 - u;
        double product = u * v;
        double above = u * u * (right * u + (control * right - width * rightSlope) * v) + v * v * (left * v + (control * left + width * leftSlope) * u);
        double curve = above / (1.0 + (control - 3.0) * product);
        return double.IsFinite(curve) ? curve : right * u + left * v;
    }

    /// <summary>b by h and t, its density e^(-(h^2 + t^2)/2) and its bound e^(x/2).</summary>
    private static double Black(double h, double t, double density, double bound)
    {
        if (-h - t > LeastAsymptotic)
            return density * Asymptotic(-h - t, -h + t, t);
        if (t < LargestTaylor)
            return density * Taylor(h, t);
        Tails(Math.Abs(h + t), t - h, out double near, out double far);
        return h + t <= 0.0 ? density * (near - far) : bound - density * (near + far);
    }

    /// <summary>(e^(x/2) - b) / density.</summary>
    private static double TailSum(double h, double t)
    {
        double d = h + t;
        Tails(Math.Abs(d), t - h, out double near, out double far);
        return d >= 0.0 ? near + far : Math.Exp(0.5 * d * d) - near + far;
    }

    /// <summary>
    /// (Y(h + t) - Y(h - t)) / sqrt(2 pi) for Y(h) = N(h) / n(h): its odd derivatives follow one another by
    /// Y(n+4) = (h^2 + 2n + 5) Y(n+2) - (n+1)(n+2) Y(n), from Y' = 1 + h Y and Y''' = (h^2 + 3) Y' - 1.
    /// </summary>
    private static double Taylor(double h, double t)
    {
        double q = h * h, w = t * t;
        double y1 = Math.FusedMultiplyAdd(h * RootTwoPi, Tail(-h), 1.0);
        double y3 = Math.FusedMultiplyAdd(q + 3.0, y1, -1.0);
        double y5 = Math.FusedMultiplyAdd(q + 7.0, y3, -6.0 * y1);
        double y7 = Math.FusedMultiplyAdd(q + 11.0, y5, -20.0 * y3);
        double y9 = Math.FusedMultiplyAdd(q + 15.0, y7, -42.0 * y5);
        double y11 = Math.FusedMultiplyAdd(q + 19.0, y9, -72.0 * y7);
        double y13 = Math.FusedMultiplyAdd(q + 23.0, y11, -110.0 * y9);
        double sum = y13 * (1.0 / 156.0);
        sum = Math.FusedMultiplyAdd(sum, w, y11) * (1.0 / 110.0);
        sum = Math.FusedMultiplyAdd(sum, w, y9) * (1.0 / 72.0);
        sum = Math.FusedMultiplyAdd(sum, w, y7) * (1.0 / 42.0);
        sum = Math.FusedMultiplyAdd(sum, w, y5) * (1.0 / 20.0);
        sum = Math.FusedMultiplyAdd(sum, w, y3) * (1.0 / 6.0);
        return 2.0 * InverseRootTwoPi * t * Math.FusedMultiplyAdd(sum, w, y1);
    }

    /// <summary>R(a) - R(c) for c = a + 2t, from R(a) = (1/a - 1/a^3 + 3/a^5 - 15/a^7 ..)/sqrt(2 pi); differences of powers without cancellation.</summary>
    private static double Asymptotic(double a, double c, double t)
    {
        double u = 1.0 / a, v = 1.0 / c;
        double difference = 2.0 * t * u * v;
        double squares = difference * (u + v);
        double u2 = u * u, v2 = v * v, power = v;
        double sum = difference, factor = 1.0;
        for (int k = 1; k <= 14; k++)
        {
            difference = difference * u2 + power * squares;
            power *= v2;
            factor *= 1 - 2 * k;
            sum += factor * difference;
        }

        return InverseRootTwoPi * sum;
    }

    /// <summary>R(a) = N(-a) e^(a^2/2) of two a >= 0: the relative tier of the product's kernels, degree 9/10, and beyond its range the asymptotic series.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Tails(double near, double far, out double nearTail, out double farTail)
    {
        double nearZ = near * TensorBlack.DeviationScale, farZ = far * TensorBlack.DeviationScale;
        double nearP = 0.3388303758005477, farP = 0.3388303758005477, nearQ = 1.0, farQ = 1.0;
        Step(ref nearP, ref farP, nearZ, farZ, 7.736615423559603);
        Step(ref nearQ, ref farQ, nearZ, farZ, 22.833299420339145);
        Step(ref nearP, ref farP, nearZ, farZ, 86.49823086649808);
        Step(ref nearQ, ref farQ, nearZ, farZ, 256.0061066743027);
        Step(ref nearP, ref farP, nearZ, farZ, 612.5731107473426);
        Step(ref nearQ, ref farQ, nearZ, farZ, 1824.3756834647745);
        Step(ref nearP, ref farP, nearZ, farZ, 3005.3762154847964);
        Step(ref nearQ, ref farQ, nearZ, farZ, 9052.96314904558);
        Step(ref nearP, ref farP, nearZ, farZ, 10556.8271775061);
        Step(ref nearQ, ref farQ, nearZ, farZ, 32437.03686683325);
        Step(ref nearP, ref farP, nearZ, farZ, 26552.593169647556);
        Step(ref nearQ, ref farQ, nearZ, farZ, 84501.80164722099);
        Step(ref nearP, ref farP, nearZ, farZ, 46301.79726241871);
        Step(ref nearQ, ref farQ, nearZ, farZ, 157330.51934809252);
        Step(ref nearP, ref farP, nearZ, farZ, 51295.20584504311);
        Step(ref nearQ, ref farQ, nearZ, farZ, 199629.20775104486);
        Step(ref nearP, ref farP, nearZ, farZ, 28111.469879026336);
        Step(ref nearQ, ref farQ, nearZ, farZ, 155408.33721688497);
        Step(ref nearQ, ref farQ, nearZ, farZ, 56222.93975805268);
        nearTail = nearP / nearQ;
        farTail = farP / farQ;
        if (near > LargestRational)
            nearTail = FarTail(near);
        if (far > LargestRational)
            farTail = FarTail(far);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(ref double near, ref double far, double nearZ, double farZ, double coefficient)
    {
        near = Math.FusedMultiplyAdd(near, nearZ, coefficient);
        far = Math.FusedMultiplyAdd(far, farZ, coefficient);
    }

    /// <summary>The same of one.</summary>
    private static double Tail(double a)
    {
        double z = a * TensorBlack.DeviationScale;
        double q = z + 22.833299420339145;
        double p = Math.FusedMultiplyAdd(0.3388303758005477, z, 7.736615423559603);
        q = Math.FusedMultiplyAdd(q, z, 256.0061066743027);
        p = Math.FusedMultiplyAdd(p, z, 86.49823086649808);
        q = Math.FusedMultiplyAdd(q, z, 1824.3756834647745);
        p = Math.FusedMultiplyAdd(p, z, 612.5731107473426);
        q = Math.FusedMultiplyAdd(q, z, 9052.96314904558);
        p = Math.FusedMultiplyAdd(p, z, 3005.3762154847964);
        q = Math.FusedMultiplyAdd(q, z, 32437.03686683325);
        p = Math.FusedMultiplyAdd(p, z, 10556.8271775061);
        q = Math.FusedMultiplyAdd(q, z, 84501.80164722099);
        p = Math.FusedMultiplyAdd(p, z, 26552.593169647556);
        q = Math.FusedMultiplyAdd(q, z, 157330.51934809252);
        p = Math.FusedMultiplyAdd(p, z, 46301.79726241871);
        q = Math.FusedMultiplyAdd(q, z, 199629.20775104486);
        p = Math.FusedMultiplyAdd(p, z, 51295.20584504311);
        q = Math.FusedMultiplyAdd(q, z, 155408.33721688497);
        p = Math.FusedMultiplyAdd(p, z, 28111.469879026336);
        q = Math.FusedMultiplyAdd(q, z, 56222.93975805268);
        return a > LargestRational ? FarTail(a) : p / q;
    }

    private static double FarTail(double a)
    {
        double w = 1.0 / (a * a);
        return InverseRootTwoPi / a * (1.0 - w * (1.0 - 3.0 * w * (1.0 - 5.0 * w * (1.0 - 7.0 * w * (1.0 - 9.0 * w)))));
    }

    /// <summary>The x with N(x) = p for 0 &lt; p &lt;= 1/2: Wichura's algorithm AS 241 (1988), sixteen digits.</summary>
    private static double InverseNormal(double p)
    {
        if (p >= 0.075)
            return -InverseOfExcess(0.5 - p);

        double far = Math.Sqrt(-Math.Log(p));
        if (far <= 5.0)
        {
            double r = far - 1.6;
            return -Horner(
                    r, 7.74545014278341407640e-4, 0.0227238449892691845833, 0.241780725177450611770, 1.27045825245236838258,
                    3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734)
                / Horner(
                    r, 1.05075007164441684324e-9, 5.47593808499534494600e-4, 0.0151986665636164571966, 0.148103976427480074590,
                    0.689767334985100004550, 1.67638483018380384940, 2.05319162663775882187, 1.0);
        }

        double rest = far - 5.0;
        return -Horner(
                rest, 2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.00124266094738807843860, 0.0265321895265761230930,
                0.296560571828504891230, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720)
            / Horner(
                rest, 2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
                0.0148753612908506148525, 0.136929880922735805310, 0.599832206555887937690, 1.0);
    }

    /// <summary>The x with N(x) = 1/2 + q for 0 &lt;= q &lt;= 0.425.</summary>
    private static double InverseOfExcess(double q)
    {
        double r = 0.180625 - q * q;
        return q * Horner(
                r, 2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
                13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.3871328727963666080)
            / Horner(
                r, 5226.4952788528545610, 28729.085735721942674, 39307.895800092710610, 21213.794301586595867,
                5394.1960214247511077, 687.18700749205790830, 42.313330701600911252, 1.0);
    }

    /// <summary>Coefficients from the highest power on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Horner(double r, double c7, double c6, double c5, double c4, double c3, double c2, double c1, double c0)
    {
        double sum = Math.FusedMultiplyAdd(c7, r, c6);
        sum = Math.FusedMultiplyAdd(sum, r, c5);
        sum = Math.FusedMultiplyAdd(sum, r, c4);
        sum = Math.FusedMultiplyAdd(sum, r, c3);
        sum = Math.FusedMultiplyAdd(sum, r, c2);
        sum = Math.FusedMultiplyAdd(sum, r, c1);
        return Math.FusedMultiplyAdd(sum, r, c0);
    }
}
