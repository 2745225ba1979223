using System.Numerics;

namespace MarginEngine.Logic;

/// <content>Digests over the bits of results: two nodes whose digests agree compute alike.</content>
public static partial class Kernel
{
    /// <summary>What <see cref="KnownAnswerDigest"/> gives everywhere, until a change of a formula changes it knowingly.</summary>
    public const ulong ExpectedDigest = 0x1C95405485E64E31;

    private const int GridRows = 64;

    /// <summary>
    /// Digest of fixed inputs, limits and edge cases included, through every function and kernel of this folder at the current
    /// <see cref="LaneWidth"/>. Stands in journal headers and snapshots; costs well under a millisecond when compiled.
    /// </summary>
    public static ulong KnownAnswerDigest()
    {
        var digest = new BitDigest();
        ReadOnlySpan<double> arguments =
        [
            0.0, -0.0, 5e-324, 1e-310, 2.3e-308, 1e-17, 0.1, -0.1, 0.5, 0.9999999999999999, 1.0, 1.0000000000000002, 1.4142135623730951,
            2.0, -2.5, 3.7, -8.3, 12.0, -37.5, 38.5, 100.0, -708.5, 709.7, -744.9, 1e10, 1e300, double.PositiveInfinity,
        ];
        foreach (double x in arguments)
        {
            digest.Add(Functions.Exp(x));
            digest.Add(Functions.Log(Math.Abs(x)));
            digest.Add(Functions.NormalCdf(x));
            digest.Add(Functions.Pow(Math.Abs(x), 0.3));
        }

        AddGrid(ref digest);
        var slice = new SviSlice(0.04, 0.1, -0.3, 0.02, 0.2);
        var later = new SviSlice(0.09, 0.12, -0.25, 0.0, 0.25);
        for (int i = -8; i <= 8; i++)
        {
            digest.Add(slice.TotalVariance(0.25 * i));
            digest.Add(VarianceCurve.Volatility(in slice, 0.1, in later, 0.35, 100.0 + 9.0 * i, 101.5, 0.2));
        }

        digest.Add((double)slice.Check());
        digest.Add((double)SviSlice.CheckCalendar(in slice, in later));
        return digest.Value;
    }

    /// <summary>
    /// Digest of <paramref name="count"/> pseudo-random options (a multiple of 8) through the column and row kernels, and of each eighth
    /// one through the Greeks.
    /// </summary>
    public static ulong RandomDigest(int count = 100_000, ulong seed = 1)
    {
        var digest = new BitDigest();
        var source = new SplitMix(seed);
        Span<double> forward = stackalloc double[GridRows];
        Span<double> strike = stackalloc double[GridRows];
        Span<double> years = stackalloc double[GridRows];
        Span<double> volatility = stackalloc double[GridRows];
        Span<double> factor = stackalloc double[GridRows];
        Span<double> logFactor = stackalloc double[GridRows];
        Span<double> call = stackalloc double[GridRows];
        Span<double> put = stackalloc double[GridRows];
        for (int done = 0; done < count; done += GridRows)
        {
            for (int i = 0; i < GridRows; i++)
            {
                forward[i] = 1e5 * Functions.Exp(source.Between(-6.0, 6.0));
                strike[i] = forward[i] * Functions.Exp(source.Between(-2.0, 2.0));
                years[i] = Functions.Exp(source.Between(-9.5, 1.0));
                volatility[i] = Functions.Exp(source.Between(-3.0, 1.5));
                factor[i] = source.Between(0.2, 6.0);
                logFactor[i] = Functions.Log(factor[i]);
            }

            Black76.Value(forward, strike, years, volatility, call, put);
            digest.Add(call);
            digest.Add(put);
            Black76.ValueRows(forward[0], strike[0], years[0], factor, logFactor, volatility, call, put);
            digest.Add(call);
            digest.Add(put);
            for (int i = 0; i < GridRows; i += 8)
                digest.Add(Black76.Greeks((i & 8) == 0, forward[i], strike[i], years[i], volatility[i], 0.03));
        }

        return digest.Value;
    }

    /// <summary>
    /// Digest of <paramref name="count"/> pseudo-random options (a multiple of 64) through the Greeks in columns, and of the volatilities that
    /// their prices give back: what no journal depends on, and what must be the same everywhere all the same.
    /// </summary>
    public static ulong ColumnDigest(int count = 20_000, ulong seed = 1)
    {
        var digest = new BitDigest();
        var source = new SplitMix(seed);
        double[][] inputs = [new double[GridRows], new double[GridRows], new double[GridRows], new double[GridRows]];
        double[][] outputs = [.. Enumerable.Range(0, 11).Select(_ => new double[GridRows])];
        double[] volatility = new double[GridRows];
        for (int done = 0; done < count; done += GridRows)
        {
            for (int i = 0; i < GridRows; i++)
            {
                inputs[0][i] = 1e5 * Functions.Exp(source.Between(-6.0, 6.0));
                inputs[1][i] = inputs[0][i] * Functions.Exp(source.Between(-2.0, 2.0));
                inputs[2][i] = Functions.Exp(source.Between(-9.5, 1.0));
                inputs[3][i] = (i & 15) == 7 ? 0.0 : Functions.Exp(source.Between(-3.0, 1.5));
            }

            Black76.Greeks(inputs[0], inputs[1], inputs[2], inputs[3], new GreekColumns
            {
                Call = outputs[0],
                Put = outputs[1],
                CallDelta = outputs[2],
                PutDelta = outputs[3],
                Gamma = outputs[4],
                Vega = outputs[5],
                Theta = outputs[6],
                CallRho = outputs[7],
                PutRho = outputs[8],
                Vanna = outputs[9],
                Volga = outputs[10],
            });
            foreach (double[] output in outputs)
                digest.Add(output);
            for (int i = 0; i < GridRows; i++)
                outputs[2][i] = inputs[0][i] > inputs[1][i] ? outputs[1][i] : outputs[0][i];
            ImpliedVolatility.OfOutOfTheMoney(inputs[0], inputs[1], inputs[2], outputs[2], volatility);
            digest.Add(volatility);
        }

        return digest.Value;
    }

    private static void AddGrid(ref BitDigest digest)
    {
        ReadOnlySpan<double> forwards = [1e-3, 1.0, 3000.0, 76583.47, 1e12];
        ReadOnlySpan<double> moneyness = [1e-9, 0.1, 0.5, 0.97, 1.0, 1.0000001, 1.3, 4.0, 1e9];
        ReadOnlySpan<double> times = [0.0, -1.0, 1e-7, 0.0001141552511415525, 0.019, 0.25, 1.0, 5.0];
        Span<double> factor = stackalloc double[GridRows];
        Span<double> logFactor = stackalloc double[GridRows];
        Span<double> volatility = stackalloc double[GridRows];
        Span<double> call = stackalloc double[GridRows];
        Span<double> put = stackalloc double[GridRows];
        for (int i = 0; i < GridRows; i++)
        {
            factor[i] = i == 0 ? 0.0 : 0.09375 * i;
            logFactor[i] = Functions.Log(factor[i]);
            volatility[i] = i < 2 ? 0.0 : 0.01 * i * i;
        }

        foreach (double forward in forwards)
        foreach (double ratio in moneyness)
        foreach (double years in times)
        {
            Black76.ValueRows(forward, forward * ratio, years, factor, logFactor, volatility, call, put);
            digest.Add(call);
            digest.Add(put);
            digest.Add(Black76.Greeks(isCall: true, forward, forward * ratio, years, 0.7, 0.05));
            digest.Add(Black76.Greeks(isCall: false, forward, forward * ratio, years, 0.7, 0.05));
        }
    }

    /// <summary>A running 64-bit mix of bit patterns; zero is hashed as +0, so that a sign without meaning does not count.</summary>
    private struct BitDigest
    {
        private ulong _state;

        public BitDigest() => _state = 0x243F6A8885A308D3;

        /// <summary>The digest so far; never 0, which stands for "none" in headers.</summary>
        public readonly ulong Value
        {
            get
            {
                ulong mixed = SplitMix.Mix(_state);
                return mixed == 0 ? 1 : mixed;
            }
        }

        public void Add(double value) =>
            _state = unchecked((BitOperations.RotateLeft(_state, 23) ^ BitConverter.DoubleToUInt64Bits(value + 0.0)) * 0x9E3779B97F4A7C15);

        public void Add(ReadOnlySpan<double> values)
        {
            foreach (double value in values)
                Add(value);
        }

        public void Add(in OptionGreeks greeks)
        {
            Add(greeks.Value);
            Add(greeks.Delta);
            Add(greeks.Gamma);
            Add(greeks.Vega);
            Add(greeks.Theta);
            Add(greeks.Rho);
            Add(greeks.Vanna);
            Add(greeks.Volga);
        }
    }

    /// <summary>SplitMix64 (Steele, Lea, Flood 2014): the same numbers from the same seed in any runtime.</summary>
    private struct SplitMix(ulong seed)
    {
        private ulong _state = seed;

        public static ulong Mix(ulong z)
        {
            unchecked
            {
                z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
                z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
                return z ^ (z >> 31);
            }
        }

        public double Between(double low, double high)
        {
            _state = unchecked(_state + 0x9E3779B97F4A7C15);
            double unit = (Mix(_state) >> 11) * (1.0 / 9007199254740992.0);
            return low + (high - low) * unit;
        }
    }
}
