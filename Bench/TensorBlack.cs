using System.Numerics.Tensors;

namespace MarginEngine.Bench;

/// <summary>
/// The formula as passes of <see cref="TensorPrimitives"/> over columns, a block in the nearest cache at a time: what a user gets from vectors
/// without writing for them. Both distribution values from one exponential, as this product's kernel does it. A baseline of PricingBench.
/// </summary>
internal sealed class TensorBlack
{
    private const int Block = 128;

    /// <summary>sqrt(log2(e) / 2): exp(-d^2/2) = 2^(-z^2) for z = d times this.</summary>
    internal const double DeviationScale = 0.8493218002880191;

    private readonly double[] _deviation = new double[Block];
    private readonly double[] _d1 = new double[Block];
    private readonly double[] _d2 = new double[Block];
    private readonly double[] _z = new double[Block];
    private readonly double[] _p = new double[Block];
    private readonly double[] _q = new double[Block];
    private readonly double[] _density = new double[Block];

    /// <summary>N(-d) / 2^(-z^2) as a quotient of polynomials, highest power first; that of the denominator has the coefficient 1.</summary>
    internal static ReadOnlySpan<double> Numerator =>
        [0.3388365998701501, 5.715949822867906, 44.18116673650308, 199.64880566704855, 560.4048975524919, 939.4257969869935, 794.2481500477577];

    internal static ReadOnlySpan<double> Denominator =>
        [16.870295457082598, 131.10337891331017, 601.524289740295, 1745.9139071660195, 3186.7266299337603, 3371.1442353602024, 1588.4963000955154];

    public void Value(
        ReadOnlySpan<double> forward,
        ReadOnlySpan<double> strike,
        ReadOnlySpan<double> years,
        ReadOnlySpan<double> volatility,
        Span<double> call,
        Span<double> put)
    {
        for (int from = 0; from < forward.Length; from += Block)
        {
            int rows = Math.Min(Block, forward.Length - from);
            OneBlock(
                forward.Slice(from, rows),
                strike.Slice(from, rows),
                years.Slice(from, rows),
                volatility.Slice(from, rows),
                call.Slice(from, rows),
                put.Slice(from, rows));
        }
    }

    private void OneBlock(
        ReadOnlySpan<double> forward,
        ReadOnlySpan<double> strike,
        ReadOnlySpan<double> years,
        ReadOnlySpan<double> volatility,
        Span<double> call,
        Span<double> put)
    {
        int rows = forward.Length;
        Span<double> deviation = _deviation.AsSpan(0, rows), d1 = _d1.AsSpan(0, rows), d2 = _d2.AsSpan(0, rows);
        Span<double> density = _density.AsSpan(0, rows);
        TensorPrimitives.Sqrt(years, deviation);
        TensorPrimitives.Multiply(deviation, volatility, deviation);
        TensorPrimitives.Divide(forward, strike, d1);
        TensorPrimitives.Log(d1, d1);
        TensorPrimitives.Divide(d1, deviation, d1);
        TensorPrimitives.MultiplyAdd(deviation, 0.5, d1, d1);
        TensorPrimitives.Subtract(d1, deviation, d2);

        // forward times the density of d1, which is strike times that of d2.
        TensorPrimitives.Multiply(d1, DeviationScale, density);
        TensorPrimitives.Multiply(density, density, density);
        TensorPrimitives.Negate(density, density);
        TensorPrimitives.Exp2(density, density);
        TensorPrimitives.Multiply(density, forward, density);
        Probability(d1, forward, density, call);
        Probability(d2, strike, density, put);
        TensorPrimitives.Subtract(call, put, call);
        TensorPrimitives.Subtract(forward, strike, put);
        TensorPrimitives.Subtract(call, put, put);
    }

    /// <summary>amount * N(d) into <paramref name="result"/>: half of the amount, and of what the tail leaves of it with the sign of d.</summary>
    private void Probability(ReadOnlySpan<double> d, ReadOnlySpan<double> amount, ReadOnlySpan<double> density, Span<double> result)
    {
        Span<double> z = _z.AsSpan(0, d.Length), p = _p.AsSpan(0, d.Length), q = _q.AsSpan(0, d.Length);
        TensorPrimitives.Abs(d, z);
        TensorPrimitives.Multiply(z, DeviationScale, z);
        TensorPrimitives.Multiply(z, Numerator[0], p);
        TensorPrimitives.Add(p, Numerator[1], p);
        foreach (double coefficient in Numerator[2..])
            TensorPrimitives.MultiplyAdd(p, z, coefficient, p);
        TensorPrimitives.Add(z, Denominator[0], q);
        foreach (double coefficient in Denominator[1..])
            TensorPrimitives.MultiplyAdd(q, z, coefficient, q);
        TensorPrimitives.Divide(p, q, p);
        TensorPrimitives.Multiply(p, density, p);
        TensorPrimitives.Multiply(amount, 0.5, q);
        TensorPrimitives.Subtract(q, p, p);
        TensorPrimitives.CopySign(p, d, p);
        TensorPrimitives.Add(p, q, result);
    }
}
