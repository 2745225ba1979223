using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Many positions in one call give what one after the other gives, at every width, and saturate where that does.</summary>
public sealed class RowSumsTests
{
    private const int Seed = 6464;
    private const int Instruments = 40;

    [Test]
    public void Positions_in_one_call_have_the_sums_of_positions_one_by_one([Values(8, 16, 24, 32, 40, 64, 72, 128)] int rows, [Values(0, 8)] int padding)
    {
        Random random = new(Seed + rows);
        int stride = rows + padding;
        double[] table = new double[Instruments * stride];
        double[] largest = new double[Instruments];
        for (int round = 0; round < 200; round++)
        {
            for (int index = 0; index < table.Length; index++)
                table[index] = (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-3, 10));
            for (int row = 0; row < Instruments; row++)
                largest[row] = table[(row * stride)..((row + 1) * stride)].Max(Math.Abs);
            RowLots[] positions = new RowLots[random.Next(30)];
            for (int index = 0; index < positions.Length; index++)
                positions[index] = new RowLots(random.Next(Instruments), random.NextInt64(-100_000, 100_000) / (random.Next(2) == 0 ? 1 : 2.0));

            long[] start = [.. Enumerable.Range(0, rows).Select(_ => random.NextInt64(-1_000_000, 1_000_000))];
            long[] expected = [.. start], chosen = [.. start], wide = [.. start], wider = [.. start];
            foreach (RowLots position in positions)
                Assert.That(RowSums.Add(table.AsSpan(position.Row * stride, rows), position.Lots, largest[position.Row], expected), Is.True);
            Assert.That(RowSums.Add(table, stride, largest, positions, chosen), Is.True);
            Assert.That(chosen, Is.EqualTo(expected), $"seed {Seed + rows}, round {round}, {positions.Length} positions");
            if (System.Runtime.Intrinsics.X86.Fma.IsSupported)
            {
                RowSums.AddAll256(ref table[0], stride, positions, ref wide[0], rows);
                Assert.That(wide, Is.EqualTo(expected), $"256 bits, seed {Seed + rows}, round {round}");
            }

            if (System.Runtime.Intrinsics.X86.Avx512F.IsSupported)
            {
                RowSums.AddAll512(ref table[0], stride, positions, ref wider[0], rows);
                Assert.That(wider, Is.EqualTo(expected), $"512 bits, seed {Seed + rows}, round {round}");
            }
        }
    }

    [Test]
    public void A_product_beyond_the_exact_range_is_reported_and_saturates_as_alone()
    {
        double[] table = new double[24];
        table[3] = 5.0;
        table[8 + 3] = 1e15;
        table[16 + 4] = -7.5;
        double[] largest = [5.0, 1e15, 7.5];
        RowLots[] positions = [new RowLots(0, 3.0), new RowLots(1, 1e10), new RowLots(2, -1.0)];
        long[] sums = new long[8], expected = new long[8];
        foreach (RowLots position in positions)
            RowSums.Add(table.AsSpan(position.Row * 8, 8), position.Lots, largest[position.Row], expected);
        Assert.That(RowSums.Add(table, 8, largest, positions, sums), Is.False);
        Assert.That(sums, Is.EqualTo(expected));
        Assert.That(sums[3], Is.EqualTo(Fixed.Ceiling));
        Assert.That(sums[4], Is.EqualTo(8), "7.5 rounds half to even");
    }

    [Test]
    public void Positions_that_leave_the_exact_range_only_together_are_exact()
    {
        double[] table = new double[16], largest = [1e15, 9e14];
        table[3] = 1e15;
        table[8 + 3] = -9e14;
        RowLots[] positions = [new RowLots(0, 2.0), new RowLots(1, -2.0), new RowLots(0, -1.0), new RowLots(1, 2.5)];
        long[] sums = new long[8], expected = new long[8];
        foreach (RowLots position in positions)
            RowSums.Add(table.AsSpan(position.Row * 8, 8), position.Lots, largest[position.Row], expected);
        Assert.That(RowSums.Add(table, 8, largest, positions, sums), Is.True);
        Assert.That(sums, Is.EqualTo(expected));
        Assert.That(sums[3], Is.EqualTo(550_000_000_000_000));
    }

    [Test]
    public void A_table_or_a_number_of_sums_that_does_not_fit_is_refused()
    {
        RowLots[] positions = [new RowLots(0, 1.0)];
        Assert.That(() => RowSums.Add(new double[8], 8, new double[2], positions, new long[8]), Throws.Exception);
        Assert.That(() => RowSums.Add(new double[8], 8, new double[1], positions, new long[4]), Throws.Exception);
        Assert.That(() => RowSums.Add(new double[8], 8, new double[1], [new RowLots(1, 1.0)], new long[8]), Throws.Exception);
    }
}
