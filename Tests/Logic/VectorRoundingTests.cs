using System.Runtime.Intrinsics;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Where vectors round in place of the scalar arithmetic of the state, they give its bits.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class VectorRoundingTests
{
    [Test]
    public void Lots_times_figures_round_as_single_amounts_do()
    {
        Random random = new(3);
        int tried = 0;
        for (int round = 0; round < 200_000; round++)
        {
            double Any() => (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-6, 12)) * (random.Next(4) == 0 ? 0.0 : 1.0);
            LotFigures lot = new() { Value = Halved(Any()), DeltaBase = Any(), DeltaUsd = Any(), GammaUsd = Any(), VegaUsd = Any(), ThetaUsd = Any(), RhoUsd = Any(), Notional = Any() };
            double lots = random.Next(-1_000, 1_001);
            double[] wanted = [lots * lot.Value, lots * lot.DeltaBase * 1e9, lots * lot.DeltaUsd * 1e6, lots * lot.GammaUsd * 1e6, lots * lot.VegaUsd * 1e6, lots * lot.ThetaUsd * 1e6, lots * lot.RhoUsd * 1e6, 0.0];
            bool taken = LotFigures.TryProducts(lot, lots, out Vector256<long> first, out Vector256<long> second);
            Assert.That(taken, Is.EqualTo(wanted.All(value => Math.Abs(value) < 1L << 51)));
            if (taken)
            {
                tried++;
                long[] got = [first[0], first[1], first[2], first[3], second[0], second[1], second[2], second[3]];
                Assert.That(got, Is.EqualTo(wanted.Select(Fixed.ToAtoms)));
            }
        }

        Assert.That(tried, Is.GreaterThan(20_000));
    }

    [Test]
    public void What_is_no_number_or_too_large_is_left_to_the_scalar_arithmetic([Values(double.NaN, double.PositiveInfinity, 1e16)] double figure) =>
        Assert.That(LotFigures.TryProducts(new LotFigures { RhoUsd = figure }, 3.0, out _, out _), Is.False);

    [TestCase(100_000_000L)]
    [TestCase(50_000_000L)]
    [TestCase(25_000_000L)]
    [TestCase(33_333_333L)]
    [TestCase(99_999_999L)]
    [TestCase(1L)]
    [TestCase(0L)]
    public void Gains_are_shared_as_a_single_gain_is(long shareE8)
    {
        Random random = new((int)(shareE8 % 1_000));
        for (int round = 0; round < 20_000; round++)
        {
            long[] profits = [.. Enumerable.Range(0, 8).Select(_ => random.Next(5) == 0 ? random.Next(-3, 4) : random.NextInt64(-(1L << random.Next(2, 50)), 1L << random.Next(2, 50)))];
            long[] before = [.. Enumerable.Range(0, 8).Select(_ => random.NextInt64(-(1L << 49), 1L << 49))];
            long[] rows = [.. before];
            Assert.That(GroupCalculator.TryAddShared(profits, shareE8, rows), Is.True);
            Assert.That(rows, Is.EqualTo(before.Zip(profits, (row, profit) => row + (profit <= 0 ? profit : Fixed.MultiplyFloor(profit, shareE8, Fixed.One)))));
        }
    }

    [Test]
    public void Rows_that_doubles_cannot_hold_are_left_alone([Values] bool isProfit)
    {
        long[] profits = new long[8], rows = [1, 2, 3, 4, 5, 6, 7, 8];
        (isProfit ? profits : rows)[5] = (1L << 49) + 1;
        long[] before = [.. rows];
        Assert.That(GroupCalculator.TryAddShared(profits, 50_000_000, rows), Is.False);
        Assert.That(rows, Is.EqualTo(before));
    }

    // Halves, so that ties are met.
    private static double Halved(double value) => Math.Abs(value) < 1e15 ? Math.Round(value) + 0.5 : value;
}
