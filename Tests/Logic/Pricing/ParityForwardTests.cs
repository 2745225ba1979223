using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>The forward behind coin-settled marks, from clean, rounded, stale and useless pairs.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class ParityForwardTests
{
    [Test]
    public void Exact_marks_give_the_forward_back()
    {
        Assert.That(ParityForward.TryEstimate(Chain(76_541.25, 21), out double forward), Is.True);
        Assert.That(forward, Is.EqualTo(76_541.25).Within(1e-9));
    }

    [Test]
    public void Marks_of_eight_decimals_give_it_to_a_tenth_of_a_cent()
    {
        ParityPair[] chain = Chain(76_541.25, 20);
        for (int i = 0; i < chain.Length; i++)
            chain[i] = chain[i] with { Call = Math.Round(chain[i].Call, 8), Put = Math.Round(chain[i].Put, 8) };
        Assert.That(ParityForward.TryEstimate(chain, out double forward), Is.True);
        Assert.That(forward, Is.EqualTo(76_541.25).Within(1e-3));
    }

    [Test]
    public void A_third_of_stale_marks_does_not_move_it()
    {
        ParityPair[] chain = Chain(76_541.25, 21);
        ParityPair[] stale = Chain(75_900.0, 21);
        for (int i = 0; i < chain.Length; i += 3)
            chain[i] = stale[i];
        Assert.That(ParityForward.TryEstimate(chain, out double forward), Is.True);
        Assert.That(forward, Is.EqualTo(76_541.25).Within(1e-9));
    }

    private static readonly ParityPair[] Useless =
    [
        new(0.0, 0.1, 0.1),
        new(-5.0, 0.1, 0.1),
        new(double.NaN, 0.1, 0.1),
        new(100.0, double.NaN, 0.1),
        new(100.0, 0.1, double.NaN),
        new(100.0, 1.5, 0.1),
        new(100.0, 1.1, 0.1),
        new(100.0, -0.1, 0.1),
        new(100.0, 0.1, -0.1),
        new(double.PositiveInfinity, 0.1, 0.1),
    ];

    [TestCaseSource(nameof(Useless))]
    public void A_pair_without_meaning_is_left_out(ParityPair pair)
    {
        Assert.That(ParityForward.TryEstimate([pair], out double none), Is.False);
        Assert.That(none, Is.Zero);
        Assert.That(ParityForward.TryEstimate([pair, .. Chain(500.0, 3), pair], out double forward), Is.True);
        Assert.That(forward, Is.EqualTo(500.0).Within(1e-10));
    }

    [Test]
    public void No_pairs_give_no_forward() => Assert.That(ParityForward.TryEstimate([], out _), Is.False);

    private static ParityPair[] Chain(double forward, int strikes)
    {
        var pairs = new ParityPair[strikes];
        for (int i = 0; i < strikes; i++)
        {
            double strike = forward * (0.4 + 1.4 * i / strikes);
            (double call, double put) = Black76.Value(forward, strike, 0.2, 0.6);
            pairs[i] = new ParityPair(strike, call / forward, put / forward);
        }

        return pairs;
    }
}
