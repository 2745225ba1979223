using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tests.VenueTests.Agreement;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Properties;

/// <summary>The width of the vectors does not show: one digest under skews, surfaces, time steps, scan ranges, policy discounts, historical rows.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class LaneWidthDigestTests
{
    [TearDown]
    public void Back_to_the_widest() => Kernel.UseLaneWidth(Kernel.WidestLanes());

    [Test]
    public void The_same_messages_give_one_digest_and_the_same_decisions_with_1_2_4_and_8_lanes_under_every_model_at_once()
    {
        int decisions = 0;
        for (int seed = 1; seed <= 12; seed++)
        {
            RandomBook book = BookMaker.Make(seed, new BookStyle { Family = BookFamily.Linear, HasOrders = true, HasDoubt = true, HasFunding = true, HasOptionMarks = true });
            (ulong digest, List<byte[]> heard) = Run(book, 1);
            decisions += heard.Count;
            foreach (int width in new[] { 2, 4, 8 })
            {
                (ulong other, List<byte[]> others) = Run(book, width);
                Assert.That(other, Is.EqualTo(digest), $"{width} lanes: {book}");
                Assert.That(others, Has.Count.EqualTo(heard.Count));
                Assert.That(others.Zip(heard).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)), Is.True, $"{width} lanes decide otherwise: {book}");
            }
        }

        Assert.That(decisions, Is.GreaterThan(2_000), "much is decided");
    }

    private static (ulong Digest, List<byte[]> Heard) Run(RandomBook book, int width)
    {
        Kernel.UseLaneWidth(width);
        using Stage stage = new(book, isHalted: false);
        ulong[] accounts = [.. stage.Models.Select(model => stage.Hold(model))];
        Random random = new(book.Seed);
        for (int tick = 0; tick < 5; tick++)
        {
            stage.Desk.Now += 400_000_000;
            foreach (BookExpiry expiry in book.Expiries.Where(expiry => book.Instruments.Any(contract => contract.UnderlyingId == expiry.UnderlyingId && contract.Expiry == expiry.Time)))
            {
                MarketMessages.Forward(stage.Desk, expiry with { Forward = decimal.Round(expiry.Forward * (decimal)(0.97 + (0.06 * random.NextDouble())), 8) });
            }

            BookUnderlying moved = book.Underlyings[random.Next(book.Underlyings.Count)];
            stage.Desk.Index(decimal.Round(moved.Index * (decimal)(0.97 + (0.06 * random.NextDouble())), 8), moved.Id);
        }

        Assert.That(accounts.Select(account => stage.Desk.Report(account).Margin.Maintenance).Max(), Is.GreaterThan(0L));
        return (stage.Desk.Machine.StateDigest(), stage.Desk.Heard);
    }
}
