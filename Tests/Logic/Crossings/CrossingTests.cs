using System.Globalization;
using MarginEngine.Logic;
using MarginEngine.Tests.LogicTests.Snapshots;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests.Crossings;

/// <summary>Which accounts are computed shows in no decision: a machine that computes all of them at every move decides the same bytes.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class CrossingTests
{
    // Each for every account: MARGIN_MOVES=2000 makes more than a million pairs of account and move of the four kinds of books.
    private static readonly int s_moves =
        int.TryParse(Environment.GetEnvironmentVariable("MARGIN_MOVES"), NumberStyles.None, CultureInfo.InvariantCulture, out int moves) && moves > 0 ? moves : 400;

    private static readonly string[] Bounded = [.. ModelDocument.ShippedNames.Where(name => name is "portfolio" or "okx-pm" or "hvar" or "brackets" or "cross" or "isolated" or "paradex-pm")];

    [TestCase(1)]
    public void Nothing_is_missed_under_any_model(int seed) => Compare(new CrossingMarket(seed, new CrossingStyle()), $"any model, seed {seed}");

    [TestCase(21)]
    [TestCase(22)]
    public void Nothing_is_missed_at_the_thresholds(int seed) =>
        Compare(new CrossingMarket(seed, new CrossingStyle { IsPinned = true, Accounts = 200, Step = 1e-4 }, Models()), $"pinned, seed {seed}");

    [TestCase(31)]
    public void Nothing_is_missed_in_large_books(int seed) =>
        Compare(new CrossingMarket(seed, new CrossingStyle { IsPinned = true, Accounts = 100, Legs = 60, Step = 5e-5 }, Models()), $"large, seed {seed}");

    [TestCase(51)]
    [TestCase(52)]
    public void Nothing_is_missed_while_prices_grow_stale_and_when_they_come_again(int seed)
    {
        using var market = new CrossingMarket(seed, new CrossingStyle { IsPinned = seed == 51, Accounts = 150 }, [ModelDocument.Shipped("portfolio")]);
        using Twin twin = new(market.Desk);
        Random random = new(seed);
        long before = market.Desk.Machine.Looks, events = 0;
        for (int silence = 0; silence < 12; silence++)
        {
            // Marks and forwards stay away for up to ten minutes, the index goes on.
            for (int step = random.Next(20, 80); step > 0; step--, events++)
            {
                market.Desk.Now += random.NextInt64(2_000_000_000, 10_000_000_000);
                market.Desk.Index(decimal.Round(64_000m * (1m + ((decimal)random.NextDouble() * 0.0002m)), 2), underlying: 1);
                twin.Follow();
            }

            for (int step = random.Next(5); step > 0; step--)
            {
                market.Move();
                twin.Follow();
            }

            market.MoveTogether(1m + ((decimal)(random.NextDouble() - 0.5) * 0.001m));
            twin.Follow();
        }

        twin.AssertSame($"silent feeds, seed {seed}");
        Assert.That(twin.Calls, Is.GreaterThan(20));
        Assert.That(market.Desk.Machine.Looks - before, Is.LessThan(events * market.Accounts / 2), "a silent feed is no reason to look at everybody with every event");
    }

    // Valuation time moves once a minute: until then no account is looked at for want of time. A second model that moves it every second changes that for all.
    [TestCase(61)]
    public void Time_is_a_reason_to_look_when_valuation_moves_and_not_before(int seed)
    {
        ModelDocument quick = ModelDocument.Shipped("cross").With("timing.repriceSeconds", "1");
        using var market = new CrossingMarket(seed, new CrossingStyle { IsPinned = true, Accounts = 200 }, [ModelDocument.Shipped("portfolio")]);
        using Twin twin = new(market.Desk);
        double[] looksAnEvent = new double[2];
        for (int part = 0; part < 2; part++)
        {
            long before = market.Desk.Machine.Looks;
            for (int step = 0; step < 200; step++)
            {
                market.Pass(900_000_000);
                twin.Follow();
            }

            looksAnEvent[part] = (market.Desk.Machine.Looks - before) / 200.0;
            if (part == 0)
            {
                foreach (byte[] message in quick.ToMessages(
                    7, market.Desk.NextOrigin(), (ulong)market.Desk.Now, market.Desk.Source, Codecs.OriginFlags.EndOfEvent, [(1, "BTC"), (2, "ETH"), (3, "USDC")],
                    [(Desk.Usd, "USD"), (Desk.Btc, "BTC"), (Desk.Eth, "ETH"), (4, "USDC")]))
                {
                    market.Desk.Apply(message);
                }

                market.Desk.SkipOrigin(market.Desk.Machine.LastSourceSequence(market.Desk.Source));
            }
        }

        twin.AssertSame($"valuation steps, seed {seed}");
        TestContext.Out.WriteLine($"looks an event: {looksAnEvent[0]:F1} with valuations a minute apart, {looksAnEvent[1]:F1} a second apart");
        Assert.That(looksAnEvent[0], Is.LessThan(looksAnEvent[1] / 2));
    }

    [TestCase(41)]
    public void Nothing_is_missed_among_every_kind_of_message(int seed)
    {
        using Desk scene = Scenes.Everything(seed, ticks: 240, byCrossings: true);
        using Desk desk = new(withMarket: false);
        foreach ((long time, byte[] message) in scene.Applied)
        {
            desk.Now = time;
            desk.Apply(message);
        }

        using Twin twin = new(desk, Limits.Small);
        twin.AssertSame($"every kind of message, seed {seed}");
    }

    private static IReadOnlyList<ModelDocument> Models() => [.. Bounded.Select(ModelDocument.Shipped)];

    private static void Compare(CrossingMarket market, string where)
    {
        using (market)
        {
            using Twin twin = new(market.Desk);
            for (int move = 0; move < s_moves; move++)
            {
                market.Move();
                twin.Follow();
            }

            twin.AssertSame(where);
            Assert.That(twin.Calls, Is.GreaterThan(20), "a market in which little happens shows little");
        }
    }
}
