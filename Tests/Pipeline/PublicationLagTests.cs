// Input is held exactly while something older than the limit is unpublished.
using MarginEngine.Pipeline;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

public sealed class PublicationLagTests
{
    private const long Limit = 1_600;
    private const long Slice = Limit / 16;
    private const long Start = 1_700_000_000_000_000_000;

    [Test]
    public void Input_flows_while_publication_keeps_up()
    {
        var lag = new PublicationLag(Limit);
        for (long i = 0; i < 10_000; i++)
            Assert.That(lag.Holds(Start + i * 7, i, i), Is.False, $"input {i}");
    }

    [Test]
    public void Input_is_held_when_an_input_of_the_limits_age_has_not_left_and_flows_again_when_it_has()
    {
        var lag = new PublicationLag(Limit);
        long heldAt = -1;
        for (long i = 1; heldAt < 0 && i < 10_000; i++)
        {
            if (lag.Holds(Start + i, i, published: 100))
                heldAt = i;
        }

        Assert.That(heldAt - 101, Is.InRange(Limit - Slice, Limit + Slice), "age of input 101 when the gateway closed");
        Assert.That(lag.Holds(Start + heldAt, heldAt, published: 100), Is.True);
        Assert.That(lag.Holds(Start + heldAt, heldAt, published: heldAt), Is.False);
    }

    [Test]
    public void After_a_silence_what_came_before_it_must_have_left()
    {
        var lag = new PublicationLag(Limit);
        lag.Holds(Start, 0, 0);
        lag.Holds(Start + 10, 50, 50);
        Assert.That(lag.Holds(Start + 100 * Limit, 50, 50), Is.False);
        Assert.That(lag.Holds(Start + 100 * Limit + 1, 50, 49), Is.True);
    }

    [Test]
    public void A_clock_set_back_forgets_the_slices_instead_of_holding_for_ever()
    {
        var lag = new PublicationLag(Limit);
        lag.Holds(Start, 10, 0);
        Assert.That(lag.Holds(Start - 5 * Limit, 10, 0), Is.False);
    }
}
