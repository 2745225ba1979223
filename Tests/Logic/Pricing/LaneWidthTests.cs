using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Every width, wider than the hardware's included, gives the same bits; the digest says so in one number.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class LaneWidthTests
{
    private const int Seed = 512;
    private static readonly int[] Widths = [1, 2, 4, 8];

    [TearDown]
    public void Back_to_the_widest() => Kernel.UseLaneWidth(Kernel.WidestLanes());

    [Test]
    public void A_million_options_have_the_same_bits_at_every_width()
    {
        const int Rows = 4096;
        double[][] inputs = [new double[Rows], new double[Rows], new double[Rows], new double[Rows]];
        double[] factor = new double[Rows];
        double[] logFactor = new double[Rows];
        var random = new PricingRandom(Seed);
        for (int done = 0; done < 1_000_000; done += Rows)
        {
            for (int i = 0; i < Rows; i++)
            {
                (inputs[0][i], inputs[1][i], inputs[2][i], inputs[3][i]) = (i & 3) == 3 ? random.Wild() : random.Option();
                factor[i] = random.Between(0.0, 6.0);
                logFactor[i] = Functions.Log(factor[i]);
            }

            double[][] expected = Results(1, inputs, factor, logFactor);
            foreach (int width in Widths[1..])
            {
                double[][] results = Results(width, inputs, factor, logFactor);
                for (int column = 0; column < expected.Length; column++)
                {
                    int at = FirstDifference(expected[column], results[column]);
                    Assert.That(at, Is.EqualTo(-1), $"column {column} at width {width}, options {done}.., seed {Seed}");
                }
            }
        }
    }

    [TestCaseSource(nameof(Widths))]
    public void The_known_answer_digest_is_the_expected_one(int width)
    {
        Kernel.UseLaneWidth(width);
        Assert.That(Kernel.LaneWidth, Is.EqualTo(width));
        Assert.That(Kernel.KnownAnswerDigest(), Is.EqualTo(Kernel.ExpectedDigest), $"0x{Kernel.KnownAnswerDigest():X16}");
    }

    [Test]
    public void The_random_digest_depends_on_the_seed_and_not_on_the_width()
    {
        var digests = new HashSet<ulong>();
        foreach (int width in Widths)
        {
            Kernel.UseLaneWidth(width);
            digests.Add(Kernel.RandomDigest(10_000, seed: 5));
        }

        Assert.That(digests, Has.Count.EqualTo(1));
        Assert.That(digests, Does.Not.Contain(Kernel.RandomDigest(10_000, seed: 6)));
    }

    [TestCase(0)]
    [TestCase(3)]
    [TestCase(16)]
    [TestCase(-4)]
    public void Another_width_is_refused(int width) =>
        Assert.That(() => Kernel.UseLaneWidth(width), Throws.InstanceOf<ArgumentOutOfRangeException>());

    private static double[][] Results(int width, double[][] inputs, double[] factor, double[] logFactor)
    {
        Kernel.UseLaneWidth(width);
        int rows = factor.Length;
        double[][] results = [new double[rows], new double[rows], new double[rows], new double[rows]];
        Black76.Value(inputs[0], inputs[1], inputs[2], inputs[3], results[0], results[1]);
        Black76.ValueRows(inputs[0][0], inputs[1][0], inputs[2][0], factor, logFactor, inputs[3], results[2], results[3]);
        return results;
    }

    private static int FirstDifference(double[] left, double[] right)
    {
        for (int i = 0; i < left.Length; i++)
        {
            if (BitConverter.DoubleToInt64Bits(left[i]) != BitConverter.DoubleToInt64Bits(right[i]))
                return i;
        }

        return -1;
    }
}
