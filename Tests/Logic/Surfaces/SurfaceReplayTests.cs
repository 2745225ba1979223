using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>With grids as without: the same messages give the same bytes, everything counts in the digest, nothing is allocated.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class SurfaceReplayTests
{
    private const int Seed = 77;
    private static readonly ulong[] Expiries = [Desk.Expiry, Desk.At("2026-04-24T08:00:00Z"), Desk.At("2026-06-26T08:00:00Z"), Desk.At("2026-09-25T08:00:00Z")];

    /// <summary>Accounts with options in four expiries, of which three get slices and grids under a random walk and one never does.</summary>
    private static Desk Lively(int events)
    {
        PricingRandom random = new(Seed);
        Desk desk = new();
        foreach (ulong expiry in Expiries)
            desk.Forward(64_000m, Listed(desk, expiry));
        for (ulong account = 1; account <= 8; account++)
        {
            desk.Open(account);
            desk.Transfer(account, Desk.Usd, 50_000m);
            for (uint option = 1; option <= 8; option++)
                desk.Fill(account, option, (long)random.Between(-9, -1), 0.03m);
        }

        for (int turn = 0; turn < events; turn++)
            Turn(desk, random);
        return desk;
    }

    private static ulong Listed(Desk desk, ulong expiry)
    {
        desk.Option(OptionRight.Call, 70_000m, expiry: expiry);
        desk.Option(OptionRight.Put, 58_000m, expiry: expiry);
        return expiry;
    }

    private static void Turn(Desk desk, PricingRandom random)
    {
        desk.Now += 20_000_000;
        Ssvi surface = new(random);
        double level = random.LogBetween(0.3, 1.2);
        foreach (ulong expiry in new[] { Expiries[0], Expiries[2], Expiries[3] })
        {
            double years = ((long)expiry - desk.Now) / MarketState.NanosPerYear;
            SviSlice slice = surface.Slice(level * level * years);
            double part = random.Between(0.0, 1.0);
            if (part < 0.5)
                desk.Grid(GridNodes.Of(slice, years, Enumerable.Range(-16, 33).Select(node => node * 0.05)), expiry, OriginFlags.None);
            else if (part < 0.8)
                desk.Slice(slice, expiry, OriginFlags.None);
        }

        desk.Index(decimal.Round(64_000m + (decimal)random.Between(-800, 800), 2));
    }

    [Test]
    public void The_same_messages_give_the_same_decisions_and_the_same_state()
    {
        using Desk desk = Lively(500);
        using Desk replay = new(withMarket: false);
        foreach ((long time, byte[] message) in desk.Applied)
        {
            replay.Now = time;
            replay.Apply(message);
        }

        Assert.Multiple(() =>
        {
            Assert.That(replay.Machine.DecisionDigest, Is.EqualTo(desk.Machine.DecisionDigest));
            Assert.That(replay.Machine.StateDigest(), Is.EqualTo(desk.Machine.StateDigest()));
            Assert.That(desk.Machine.DecisionCount, Is.GreaterThan(500));
            Assert.That(desk.Machine.RejectCount, Is.GreaterThan(0), "some surfaces cross what stands");
        });
    }

    [TestCase(2.50000001, 0.1, TestName = "One unit of a volatility changes the digest")]
    [TestCase(2.5, 0.100000000001, TestName = "One unit of a log-moneyness changes the digest")]
    public void One_unit_changes_the_digest(double volatility, double k)
    {
        ulong Digest(double level, double at)
        {
            using Desk desk = Lively(3);
            desk.Grid(GridNodes.Of((-0.1, 2.5), (at, level)), Expiries[^1]);
            Assert.That(desk.Of(RejectDecoder.TemplateId), Is.Empty);
            return desk.Machine.StateDigest();
        }

        ulong first = Digest(volatility, k), again = Digest(volatility, k), other = Digest(2.5, 0.1);
        Assert.That(again, Is.EqualTo(first));
        Assert.That(other, Is.Not.EqualTo(first));
    }

    [Test]
    public void What_an_event_may_still_take_back_is_in_the_digest()
    {
        // The same grid stands in both, but behind it another one would come back.
        ulong Digest(double before)
        {
            using Desk desk = new();
            Listed(desk, Expiries[0]);
            desk.Grid(GridNodes.Of((0.0, before), (0.1, before)), Expiries[0]);
            desk.Grid(GridNodes.Of((0.0, 0.7), (0.1, 0.7)), Expiries[0], OriginFlags.None);
            return desk.Machine.StateDigest();
        }

        ulong first = Digest(0.5), again = Digest(0.5), other = Digest(0.6);
        Assert.That(again, Is.EqualTo(first));
        Assert.That(other, Is.Not.EqualTo(first));
    }

    [Test]
    public void A_hundred_thousand_messages_with_grids_allocate_nothing()
    {
        using Desk desk = Lively(400);
        Silence sink = new();
        byte[][] loop = [.. desk.Applied.TakeLast(1_000).Select(applied => applied.Message)];
        int grids = loop.Count(message => BitConverter.ToUInt16(message, 2) == VolatilityGridDecoder.TemplateId);
        Loop(desk, loop, sink, 5_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Loop(desk, loop, sink, 100_000);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Assert.Multiple(() =>
        {
            Assert.That(allocated, Is.Zero);
            Assert.That(grids, Is.GreaterThan(200));
            Assert.That(sink.Updates, Is.GreaterThan(10_000), "the loop really decided");
        });
    }

    private static void Loop(Desk desk, byte[][] messages, Silence sink, int count)
    {
        for (int index = 0; index < count; index++)
        {
            byte[] message = messages[index % messages.Length];
            BitConverter.TryWriteBytes(message.AsSpan(8), desk.Machine.LastSourceSequence(desk.Source) + 1);
            desk.Now += 50_000;
            desk.Machine.Apply(desk.Machine.LastSequence + 1, desk.Now, message, sink);
        }
    }

    private sealed class Silence : IDecisionSink
    {
        public long Updates { get; private set; }

        public void OnDecision(ReadOnlySpan<byte> message) => Updates += BitConverter.ToUInt16(message[2..]) == MarginUpdateDecoder.TemplateId ? 1 : 0;
    }
}
