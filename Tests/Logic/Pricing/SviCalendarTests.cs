using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Which pairs of smiles are let in: the later one nowhere below the earlier, against a dense scan.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class SviCalendarTests
{
    private const int Seed = 646;
    private static readonly SviSlice Good = new(0.04, 0.1, -0.3, 0.02, 0.2);

    private static readonly (string Name, SviSlice Later, SviFault Fault)[] Pairs =
    [
        ("itself", Good, SviFault.None),
        ("higher", Good with { A = 0.05 }, SviFault.None),
        ("lower by little", Good with { A = 0.04 - 1e-12 }, SviFault.Calendar),
        ("lower", Good with { A = 0.03 }, SviFault.Calendar),
        ("steeper", Good with { B = 0.11 }, SviFault.None),
        ("flatter: crosses far out", Good with { A = 0.08, B = 0.099 }, SviFault.Calendar),
        ("one wing flatter", Good with { A = 0.08, Rho = -0.31 }, SviFault.Calendar),
        ("a narrow dip at the centre", new SviSlice(0.02, 0.12, -0.3, 0.02, 0.02), SviFault.Calendar),
        ("the same wings and a rounder centre", Good with { Sigma = 0.25 }, SviFault.None),
        ("the same wings and a sharper centre", Good with { Sigma = 0.15 }, SviFault.Calendar),
        ("moved aside", Good with { M = 0.03 }, SviFault.Calendar),
        ("moved aside and raised enough", Good with { M = 0.03, A = 0.0415 }, SviFault.None),
        ("almost itself", Good with { Sigma = 0.2 + 1e-13 }, SviFault.None),
    ];

    [TestCaseSource(nameof(Pairs))]
    public void A_later_smile((string Name, SviSlice Later, SviFault Fault) pair) =>
        Assert.That(SviSlice.CheckCalendar(Good, pair.Later), Is.EqualTo(pair.Fault), $"{pair.Name}: {pair.Later}");

    [Test]
    public void The_proof_and_a_dense_scan_agree()
    {
        var random = new PricingRandom(Seed);
        int admitted = 0;
        int refused = 0;
        for (int i = 0; i < 4_000; i++)
        {
            SviSlice earlier = Draw(random);
            SviSlice later = (i % 3) switch
            {
                0 => Draw(random),
                1 => new SviSlice(
                    earlier.A + random.Between(-0.001, 0.05),
                    earlier.B * random.Between(0.99, 1.2),
                    earlier.Rho + random.Between(-0.02, 0.02),
                    earlier.M + random.Between(-0.02, 0.02),
                    earlier.Sigma * random.Between(0.9, 1.1)),
                _ => earlier with { Sigma = earlier.Sigma * random.Between(0.8, 1.2), A = earlier.A + random.Between(-0.01, 0.05) },
            };
            SviFault fault = SviSlice.CheckCalendar(earlier, later);
            (double least, double at) = LeastGap(earlier, later);
            string inputs = $"{earlier} then {later}: {least:R} at k = {at:R}, seed {Seed}";
            if (fault == SviFault.None)
            {
                Assert.That(least, Is.GreaterThan(-1.1e-8), inputs);
                admitted++;
            }
            else
            {
                bool flatter = later.B * (1.0 + later.Rho) < earlier.B * (1.0 + earlier.Rho) || later.B * (1.0 - later.Rho) < earlier.B * (1.0 - earlier.Rho);
                Assert.That(least < 0.0 || flatter, Is.True, inputs);
                refused++;
            }
        }

        TestContext.Out.WriteLine($"{admitted} admitted, {refused} refused");
        Assert.That(admitted, Is.GreaterThan(500));
        Assert.That(refused, Is.GreaterThan(500));
    }

    private static SviSlice Draw(PricingRandom random)
    {
        double sigma = random.LogBetween(0.02, 1.0);
        double rho = random.Between(-0.9, 0.9);
        double b = random.LogBetween(0.007, 0.8);
        double lowest = random.LogBetween(0.002, 0.8);
        return new SviSlice(lowest - b * sigma * Math.Sqrt(1.0 - rho * rho), b, rho, random.Between(-0.3, 0.3), sigma);
    }

    // Share of (1 + w), as the tolerance is stated.
    private static (double Least, double At) LeastGap(SviSlice earlier, SviSlice later)
    {
        (double least, double at) = (double.PositiveInfinity, 0.0);
        for (int i = -4_000; i <= 4_000; i++)
        {
            double k = Math.Sinh(i / 300.0);
            double before = earlier.TotalVariance(k);
            double gap = (later.TotalVariance(k) - before) / (1.0 + before);
            if (gap < least)
                (least, at) = (gap, k);
        }

        return (least, at);
    }
}
