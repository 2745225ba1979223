// The one source of chance in scripts and books: the same seed gives the same numbers on every machine and runtime.

using System.Numerics;
using MarginEngine.Logic;

namespace MarginEngine.Tool.Market;

/// <summary>xoshiro256** seeded by SplitMix64 (Blackman and Vigna, public domain algorithms). Not for secrets.</summary>
public sealed class SeededRandom
{
    private readonly ulong _seed;
    private ulong _a, _b, _c, _d;
    private double _spare = double.NaN;

    public SeededRandom(ulong seed)
    {
        _seed = seed;
        ulong state = seed;
        _a = SplitMix(ref state);
        _b = SplitMix(ref state);
        _c = SplitMix(ref state);
        _d = SplitMix(ref state);
    }

    /// <summary>A stream of its own, that depends on the seed and the name of its use only, not on what was drawn before.</summary>
    public SeededRandom Fork(string use)
    {
        ulong hash = 14695981039346656037UL;
        foreach (char letter in use)
            hash = unchecked((hash ^ letter) * 1099511628211UL);
        return new SeededRandom(_seed ^ hash);
    }

    public ulong Next()
    {
        unchecked
        {
            ulong result = BitOperations.RotateLeft(_b * 5, 7) * 9;
            ulong shifted = _b << 17;
            _c ^= _a;
            _d ^= _b;
            _b ^= _c;
            _a ^= _d;
            _c ^= shifted;
            _d = BitOperations.RotateLeft(_d, 45);
            return result;
        }
    }

    /// <summary>0 to below 1.</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    public double Between(double low, double high) => low + (high - low) * Unit();

    /// <summary>0 to below <paramref name="bound"/>, which is above 0.</summary>
    public int Below(int bound) => (int)(((UInt128)Next() * (uint)bound) >> 64);

    public bool Chance(double probability) => Unit() < probability;

    /// <summary>Mean 0, deviation 1 (polar method of Marsaglia).</summary>
    public double Gaussian()
    {
        if (!double.IsNaN(_spare))
        {
            double spare = _spare;
            _spare = double.NaN;
            return spare;
        }
        while (true)
        {
            double x = 2.0 * Unit() - 1.0;
            double y = 2.0 * Unit() - 1.0;
            double square = x * x + y * y;
            if (square is >= 1.0 or <= 0.0)
                continue;
            double factor = Math.Sqrt(-2.0 * Functions.Log(square) / square);
            _spare = y * factor;
            return x * factor;
        }
    }

    /// <summary>Mean 1, always above 0.</summary>
    public double Exponential() => -Functions.Log(1.0 - Unit());

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    private static ulong SplitMix(ref ulong state)
    {
        unchecked
        {
            state += 0x9E3779B97F4A7C15UL;
            ulong mixed = state;
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9UL;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL;
            return mixed ^ (mixed >> 31);
        }
    }
}
