using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>The same messages give the same bytes; a decider in steady state allocates nothing.</summary>
[TestFixture]
internal sealed class ReplayTests
{
    [Test]
    public void The_same_messages_give_the_same_decisions_and_the_same_state()
    {
        using Desk desk = Lively(seed: 11, ticks: 2_000);
        using Desk replay = new(withMarket: false);
        foreach ((long time, byte[] message) in desk.Applied)
        {
            replay.Now = time;
            replay.Apply(message);
        }

        Assert.Multiple(() =>
        {
            Assert.That(replay.Machine.DecisionCount, Is.EqualTo(desk.Machine.DecisionCount));
            Assert.That(replay.Machine.DecisionDigest, Is.EqualTo(desk.Machine.DecisionDigest));
            Assert.That(replay.Machine.StateDigest(), Is.EqualTo(desk.Machine.StateDigest()));
        });
    }

    [Test]
    public void One_changed_unit_changes_the_digest()
    {
        using Desk desk = Lively(seed: 11, ticks: 50);
        using Desk other = Lively(seed: 11, ticks: 50);
        Assert.That(other.Machine.StateDigest(), Is.EqualTo(desk.Machine.StateDigest()));
        desk.Transfer(3, Desk.Usd, 1.000000m);
        other.Transfer(3, Desk.Usd, 1.000001m);
        Assert.That(other.Machine.StateDigest(), Is.Not.EqualTo(desk.Machine.StateDigest()));
    }

    [Test]
    public void A_heartbeat_comes_every_second_with_both_digests_and_every_source()
    {
        using Desk desk = Lively(seed: 3, ticks: 10);
        desk.Clear();
        desk.Now += Desk.Second;
        desk.Time();
        byte[] message = desk.Of(HeartbeatDecoder.TemplateId).Single();
        HeartbeatDecoder.TryWrap(message, out HeartbeatDecoder heartbeat);
        Assert.That(heartbeat.Sources.Count, Is.EqualTo(1));
        Assert.That(heartbeat.Sources[0].LastSequence, Is.EqualTo(desk.Machine.LastSourceSequence(desk.Source)));
        Assert.That(heartbeat.Decisions, Is.EqualTo(desk.Machine.DecisionCount - 1), "all before the heartbeat itself");
    }

    [Test]
    public void A_million_messages_allocate_nothing_and_collect_nothing()
    {
        using Desk desk = Lively(seed: 5, ticks: 200);
        Silence sink = new();
        byte[][] loop = [.. desk.Applied.TakeLast(400).Select(applied => applied.Message)];
        Loop(desk, loop, sink, 20_000);
        GC.Collect();
        int collections = GC.CollectionCount(0);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Loop(desk, loop, sink, 1_000_000);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Assert.Multiple(() =>
        {
            Assert.That(allocated, Is.Zero);
            Assert.That(GC.CollectionCount(0) - collections, Is.Zero);
            Assert.That(sink.Decisions, Is.GreaterThan(100_000), "the loop really decided");
        });
    }

    // The same ticks again and again, with the source sequence moved on so that each is taken.
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

    /// <summary>A small exchange under a random walk: 20 accounts, options, perpetuals, orders, fills, checks.</summary>
    internal static Desk Lively(int seed, int ticks)
    {
        Random random = new(seed);
        Desk desk = new();
        uint perpetual = desk.Perpetual();
        uint linear = desk.Perpetual(Desk.Usd, 0.001m);
        List<uint> options = [];
        for (int strike = 44_000; strike <= 84_000; strike += 4_000)
        {
            options.Add(desk.Option(OptionRight.Call, strike));
            options.Add(desk.Option(OptionRight.Put, strike));
        }

        desk.Forward(64_500m);
        desk.Mark(perpetual, 64_000m);
        desk.Mark(linear, 64_000m);
        foreach (uint option in options)
        {
            desk.Volatility(option, 0.5m);
        }

        desk.Open(Limits.FundAccount);
        desk.Transfer(Limits.FundAccount, Desk.Usd, 1_000_000);
        for (ulong account = 1; account <= 20; account++)
        {
            desk.Open(account);
            desk.Transfer(account, Desk.Usd, random.Next(20_000, 200_000));
            desk.Transfer(account, Desk.Btc, random.Next(0, 3));
            for (int leg = 0; leg < 6; leg++)
            {
                desk.Fill(account, options[random.Next(options.Count)], random.Next(1, 40) * (random.Next(3) == 0 ? 1 : -1), 0.02m);
            }

            desk.Fill(account, random.Next(2) == 0 ? perpetual : linear, random.Next(1, 2_000) * (random.Next(2) == 0 ? 1 : -1), 64_000m);
        }

        decimal price = 64_000m;
        for (int tick = 0; tick < ticks; tick++)
        {
            desk.Now += 10_000_000;
            price = decimal.Round(price * (1 + ((decimal)(random.NextDouble() - 0.503) * 0.004m)), 2);
            desk.Time((ulong)desk.Now);
            desk.Index(price, flags: OriginFlags.None);
            desk.Forward(price + 500, flags: OriginFlags.None);
            desk.Mark(linear, price + 1, flags: OriginFlags.None);
            desk.Mark(perpetual, price, flags: OriginFlags.EndOfEvent);
            desk.Volatility(options[random.Next(options.Count)], 0.4m + (decimal)Math.Round(random.NextDouble() * 0.3, 4));
        }

        return desk;
    }

    private sealed class Silence : IDecisionSink
    {
        public long Decisions { get; private set; }

        public void OnDecision(ReadOnlySpan<byte> message) => Decisions++;
    }
}
