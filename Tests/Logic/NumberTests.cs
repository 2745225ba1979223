using System.Numerics;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Fixed-point arithmetic against big integers; the id map against a dictionary; sums of rows at every width.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class NumberTests
{
    private const int Seed = 4711;

    [Test]
    public void Sums_saturate_instead_of_wrapping()
    {
        Random random = new(Seed);
        for (int round = 0; round < 200_000; round++)
        {
            long left = random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64);
            long right = random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64);
            BigInteger expected = BigInteger.Clamp((BigInteger)left + right, -Fixed.Ceiling, Fixed.Ceiling);
            Assert.That((BigInteger)Fixed.Add(left, right), Is.EqualTo(expected), $"{left} + {right}");
        }
    }

    [Test]
    public void Products_round_down_up_and_half_to_even()
    {
        Random random = new(Seed);
        for (int round = 0; round < 100_000; round++)
        {
            long value = random.NextInt64(-1_000_000_000_000_000, 1_000_000_000_000_000) >> random.Next(50);
            long numerator = random.NextInt64(1, 1_000_000_000_000) >> random.Next(30);
            long denominator = random.NextInt64(1, 1_000_000_000_000) >> random.Next(39);
            denominator = Math.Max(denominator, 1);
            BigInteger product = (BigInteger)value * numerator;
            BigInteger floor = BigInteger.DivRem(product, denominator, out BigInteger rest);
            floor -= rest < 0 ? 1 : 0;
            BigInteger ceiling = rest == 0 ? floor : floor + 1;
            BigInteger twice = (product - (floor * denominator)) * 2;
            BigInteger even = twice < denominator || (twice == denominator && floor.IsEven) ? floor : floor + 1;
            string input = $"{value} * {numerator} / {denominator}";
            Assert.That((BigInteger)Fixed.MultiplyFloor(value, numerator, denominator), Is.EqualTo(Clamp(floor)), input);
            Assert.That((BigInteger)Fixed.MultiplyCeiling(value, numerator, denominator), Is.EqualTo(Clamp(ceiling)), input);
            Assert.That((BigInteger)Fixed.DivideHalfEven((Int128)value * numerator, denominator), Is.EqualTo(Clamp(even)), input);
        }

        static BigInteger Clamp(BigInteger value) => BigInteger.Clamp(value, -Fixed.Ceiling, Fixed.Ceiling);
    }

    [TestCase(15, -1, 6, true, 1_500_000L)]
    [TestCase(1, -6, 6, true, 1L)]
    [TestCase(1, -7, 6, false, 0L)]
    [TestCase(10, -7, 6, true, 1L)]
    [TestCase(0, -12, 6, true, 0L)]
    [TestCase(long.MaxValue, 0, 6, false, 0L)]
    public void An_amount_is_rescaled_exactly_or_not_at_all(long mantissa, int exponent, int decimals, bool possible, long atoms)
    {
        bool done = Fixed.TryRescale(mantissa, exponent, decimals, out long result);
        Assert.That(done, Is.EqualTo(possible));
        if (possible)
        {
            Assert.That(result, Is.EqualTo(atoms));
        }
    }

    [Test]
    public void The_id_map_agrees_with_a_dictionary_through_additions_and_removals()
    {
        Random random = new(Seed);
        IdMap map = new(500);
        Dictionary<ulong, int> expected = [];
        for (int round = 0; round < 200_000; round++)
        {
            ulong key = (ulong)random.Next(700) * (round % 3 == 0 ? 1UL : 0x1_0000_0001UL);
            if (random.Next(2) == 0)
            {
                bool added = map.TryAdd(key, round);
                Assert.That(added, Is.EqualTo(expected.Count < 500 && expected.TryAdd(key, round)), $"round {round}, add {key}");
            }
            else
            {
                Assert.That(map.Remove(key), Is.EqualTo(expected.Remove(key)), $"round {round}, remove {key}");
            }

            ulong probe = (ulong)random.Next(700);
            Assert.That(map.TryGet(probe, out int found), Is.EqualTo(expected.TryGetValue(probe, out int wanted)), $"round {round}, get {probe}");
            Assert.That(found, Is.EqualTo(expected.ContainsKey(probe) ? wanted : -1));
        }
    }

    [Test]
    public void Row_sums_are_the_same_at_every_width_and_round_half_to_even()
    {
        Random random = new(Seed);
        double[] row = new double[64];
        for (int round = 0; round < 2_000; round++)
        {
            for (int index = 0; index < row.Length; index++)
            {
                row[index] = (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-3, 10));
            }

            double lots = random.NextInt64(-100_000, 100_000) / (random.Next(2) == 0 ? 1 : 2.0);
            long[] scalar = new long[64], wide = new long[64], wider = new long[64], chosen = new long[64];
            RowSums.AddScalar(ref row[0], lots, ref scalar[0], 64);
            RowSums.Add256(ref row[0], lots, ref wide[0], 64);
            RowSums.Add(row, lots, row.Max(Math.Abs), chosen);
            if (System.Runtime.Intrinsics.X86.Avx512F.IsSupported)
            {
                RowSums.Add512(ref row[0], lots, ref wider[0], 64);
                Assert.That(wider, Is.EqualTo(scalar), $"seed {Seed}, round {round}");
            }

            Assert.That(wide, Is.EqualTo(scalar), $"seed {Seed}, round {round}");
            Assert.That(chosen, Is.EqualTo(scalar), $"seed {Seed}, round {round}");
            for (int index = 0; index < row.Length; index++)
            {
                Assert.That(scalar[index], Is.EqualTo(RowSums.Product(lots, row[index])));
                Assert.That((double)scalar[index], Is.EqualTo(lots * row[index]).Within(0.500001));
            }
        }
    }

    [Test]
    public void A_product_beyond_the_exact_range_is_reported_and_saturates()
    {
        double[] row = new double[8];
        row[3] = 1e15;
        long[] sums = new long[8];
        Assert.That(RowSums.Add(row, 1e10, 1e15, sums), Is.False);
        Assert.That(sums[3], Is.EqualTo(Fixed.Ceiling));
    }
}
