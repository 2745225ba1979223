using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>How old a published margin can be, and how much of an event goes into refreshes.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class RefreshTests
{
    private const long Step = 50_000_000;
    private static readonly long s_refresh = 1_000_000_000;

    [TestCase("everyMove")]
    [TestCase("crossings")]
    public void No_margin_is_older_than_the_refresh_and_one_round_of_slices(string evaluation)
    {
        using Desk desk = Quiet(evaluation, RefreshPositionsOfOneAccount);
        Dictionary<ulong, long> published = [];
        long oldest = 0, gauge = 0;
        for (int tick = 0; tick < 200; tick++)
        {
            // The first time what was published while the accounts were opened.
            if (tick > 0)
            {
                desk.Clear();
                desk.Now += Step;
                desk.Time((ulong)desk.Now);
            }

            gauge = Math.Max(gauge, desk.Machine.OldestMarginNanos);
            foreach (byte[] message in desk.Of(MarginUpdateDecoder.TemplateId))
            {
                MarginUpdateDecoder.TryWrap(message, out MarginUpdateDecoder update);
                oldest = Math.Max(oldest, published.TryGetValue(update.AccountId, out long before) ? (long)update.Time - before : 0);
                published[update.AccountId] = (long)update.Time;
            }

            if (tick > 60)
            {
                Assert.That(published.Values.Min(), Is.GreaterThanOrEqualTo(desk.Now - s_refresh - (desk.Machine.AccountCount * Step)), "the oldest");
            }
        }

        Assert.Multiple(() =>
        {
            Assert.That(published, Has.Count.EqualTo(desk.Machine.AccountCount));
            Assert.That(oldest, Is.GreaterThan(s_refresh), "one account an event does not keep up, or this test shows nothing");
            Assert.That(gauge, Is.EqualTo(oldest), "what the gauge says");
        });
    }

    [TestCase(1)]
    [TestCase(20)]
    [TestCase(64)]
    [TestCase(Limits.MostRefreshPositions)]
    public void A_slice_ends_with_the_account_that_uses_up_its_positions(int positions)
    {
        using Desk desk = Quiet("crossings", positions);
        desk.Now += 10 * s_refresh;
        int slices = 0, refreshed = 0;
        for (; refreshed < desk.Machine.AccountCount; slices++)
        {
            desk.Clear();
            desk.Time((ulong)desk.Now);
            int[] costs = [.. desk.Of(MarginUpdateDecoder.TemplateId).Select(Cost)];
            Assert.That(costs, Is.Not.Empty);
            Assert.That(costs.SkipLast(1).Sum(), Is.LessThan(positions), "before the last one there was room");
            Assert.That(costs.Sum() >= positions || refreshed + costs.Length == desk.Machine.AccountCount || costs.Length == desk.Machine.AccountCount, "it goes on while there is");
            refreshed += costs.Length;
        }

        Assert.That(slices, positions == Limits.MostRefreshPositions ? Is.EqualTo(1) : Is.GreaterThan(1));

        int Cost(byte[] message)
        {
            MarginUpdateDecoder.TryWrap(message, out MarginUpdateDecoder update);
            return Limits.RefreshOverhead + desk.Report(update.AccountId).Units.Sum(unit => unit.Positions.Count);
        }
    }

    private const int RefreshPositionsOfOneAccount = 1;

    private static Desk Quiet(string evaluation, int positions)
    {
        Desk desk = new(Limits.Small with { RefreshPositions = positions }, model: document => document.With("timing.evaluation", evaluation));
        uint perpetual = desk.Perpetual(Desk.Usd, size: 0.001m);
        uint put = desk.Option(OptionRight.Put, 60_000m, Desk.Usd, size: 0.001m);
        desk.Forward(64_000m);
        desk.Mark(perpetual, 64_000m);
        desk.Volatility(put, 0.5m);
        for (ulong account = 1; account <= 30; account++)
        {
            desk.Open(account);
            desk.Transfer(account, Desk.Usd, 100_000);
            desk.Fill(account, perpetual, 10, 64_000m);
            if (account % 3 == 0)
                desk.Fill(account, put, -10, 1_000m);
        }

        return desk;
    }
}
