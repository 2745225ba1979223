// A small seeded generator (SplitMix64) for ids and for spreading multicast NAKs; one per agent.

using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MarginEngine.Aeron;

internal sealed class RandomSource
{
    private ulong _state;

    public RandomSource(ulong? seed)
    {
        if (seed is { } given)
        {
            _state = given;
            return;
        }
        RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(new Span<ulong>(ref _state)));
    }

    public ulong Next()
    {
        unchecked
        {
            _state += 0x9E3779B97F4A7C15;
            ulong mixed = _state;
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            return mixed ^ (mixed >> 31);
        }
    }

    public int NextInt32() => unchecked((int)(Next() >> 32));

    public long NextInt64() => unchecked((long)Next());

    /// <summary>Uniform in [0, 1).</summary>
    public double NextFraction() => (Next() >> 11) * (1.0 / (1L << 53));
}
