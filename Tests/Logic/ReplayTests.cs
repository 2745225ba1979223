using MarginEngine.Codecs;
using MarginEngine.Logic;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>The same messages give the same bytes; a decider in steady state allocates nothing.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class ReplayTests
{
    [Test]
    public void The_same_messages_give_the_same_decisions_and_the_same_state()
    {
        using Desk desk = Desk.Lively(seed: 11, ticks: 2_000);
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
        using Desk desk = Desk.Lively(seed: 11, ticks: 50);
        using Desk other = Desk.Lively(seed: 11, ticks: 50);
        Assert.That(other.Machine.StateDigest(), Is.EqualTo(desk.Machine.StateDigest()));
        desk.Transfer(3, Desk.Usd, 1.000000m);
        other.Transfer(3, Desk.Usd, 1.000001m);
        Assert.That(other.Machine.StateDigest(), Is.Not.EqualTo(desk.Machine.StateDigest()));
    }

    [Test]
    public void A_heartbeat_comes_every_second_with_both_digests_and_every_source()
    {
        using Desk desk = Desk.Lively(seed: 3, ticks: 10);
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
    public void A_quarter_of_a_million_messages_allocate_nothing()
    {
        using Desk desk = Desk.Lively(seed: 5, ticks: 200);
        Silence sink = new();
        byte[][] loop = [.. desk.Applied.TakeLast(400).Select(applied => applied.Message)];
        Loop(desk, loop, sink, 20_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Loop(desk, loop, sink, 250_000);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Assert.Multiple(() =>
        {
            Assert.That(allocated, Is.Zero);
            Assert.That(sink.Decisions, Is.GreaterThan(25_000), "the loop really decided");
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

    private sealed class Silence : IDecisionSink
    {
        public long Decisions { get; private set; }

        public void OnDecision(ReadOnlySpan<byte> message) => Decisions++;
    }
}
