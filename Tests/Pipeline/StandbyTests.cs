// A primary and its standby, both real, over real sockets: the same journals, the same digests, whoever comes late or comes back.
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Standby;
using MarginEngine.Watch;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
public sealed class StandbyTests
{
    [Test]
    public void A_standby_keeps_the_same_journal_and_computes_the_same_digests(
        [Values(Gate.Journal, Gate.Replica, Gate.Both)] Gate gate, [Values(Placement.Merged, Placement.Paired, Placement.Dedicated)] Placement placement)
    {
        List<byte[]> script = Script.Messages(ticks: 300);
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory, gate, placement);
        using TestNode.Running standby = TestNode.Start(standbyOptions);
        using TestNode.Running primary = TestNode.Start(primaryOptions);
        using World world = TestNode.WorldOf(primaryOptions);
        NodeTests.SendAll(world, primary, script);
        WaitForEqualDigests(world, primary, standby, heartbeats: 2);
        Assert.That(primary.Node.Gauges.Events(NodeEvent.DigestDifferent), Is.Zero);
        AssertSameHistory(primaryOptions, standbyOptions, script);
    }

    [Test]
    public void A_standby_that_comes_late_gets_everything_from_the_journal_and_then_follows()
    {
        List<byte[]> script = Script.Messages(ticks: 1_000);
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory);
        using TestNode.Running primary = TestNode.Start(primaryOptions);
        using World world = TestNode.WorldOf(primaryOptions);
        NodeTests.SendAll(world, primary, script.Take(1_000));
        using TestNode.Running standby = TestNode.Start(standbyOptions);
        NodeTests.SendAll(world, primary, script.Skip(1_000));
        WaitForEqualDigests(world, primary, standby, heartbeats: 1);
        Assert.That(primary.Node.Gauges.Events(NodeEvent.CatchUp), Is.GreaterThan(0));
        AssertSameHistory(primaryOptions, standbyOptions, script);
    }

    [Test]
    public void A_standby_that_goes_and_comes_back_misses_nothing()
    {
        List<byte[]> script = Script.Messages(ticks: 600);
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory);
        using TestNode.Running primary = TestNode.Start(primaryOptions);
        using World world = TestNode.WorldOf(primaryOptions);
        using (TestNode.Running first = TestNode.Start(standbyOptions))
        {
            NodeTests.SendAll(world, primary, script.Take(300));
            world.WorkUntil(() => first.Node.Gauges.Applied.Value >= 300, () => $"{first.Node.Status()}");
        }

        NodeTests.SendAll(world, primary, script.Skip(300).Take(300));
        using TestNode.Running second = TestNode.Start(standbyOptions);
        Assert.That(second.Node.Recovered.LastSequence, Is.GreaterThanOrEqualTo(300));
        NodeTests.SendAll(world, primary, script.Skip(600));
        WaitForEqualDigests(world, primary, second, heartbeats: 1);
        AssertSameHistory(primaryOptions, standbyOptions, script);
    }

    [Test]
    public void A_primary_that_comes_back_goes_on_with_the_standby_that_stayed()
    {
        List<byte[]> script = Script.Messages(ticks: 600);
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory);
        using TestNode.Running standby = TestNode.Start(standbyOptions);
        using World world = TestNode.WorldOf(primaryOptions);
        using (TestNode.Running first = TestNode.Start(primaryOptions))
            NodeTests.SendAll(world, first, script.Take(500));
        world.WorkUntil(() => !world.IsConnected, () => "the first primary did not say goodbye");
        using TestNode.Running second = TestNode.Start(primaryOptions);
        NodeTests.SendAll(world, second, script.Skip(500));
        WaitForEqualDigests(world, second, standby, heartbeats: 1);
        AssertSameHistory(primaryOptions, standbyOptions, script);
    }

    [Test]
    public void With_the_gate_at_both_nothing_leaves_while_the_standby_is_away([Values(Gate.Replica, Gate.Both)] Gate gate)
    {
        List<byte[]> script = Script.Messages(ticks: 200);
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory, gate, Placement.Dedicated);
        primaryOptions = primaryOptions with { TimeTickMillis = 60_000 };
        using TestNode.Running primary = TestNode.Start(primaryOptions);
        using World world = TestNode.WorldOf(primaryOptions);
        for (int i = 0; i < 500; i++)
            world.Work();
        Assert.That(primary.Node.Gauges.TakesInput.Value, Is.Zero, "a gate without its standby");

        NodeGauges gauges = primary.Node.Gauges;
        long confirmed;
        using (TestNode.Running first = TestNode.Start(standbyOptions))
        {
            NodeTests.SendAll(world, primary, script.Take(200));
            world.WorkUntil(() => gauges.ReplicaReceived.Value == gauges.Received.Value, () => $"{primary.Node.Status()}");
            confirmed = gauges.ReplicaReceived.Value;
        }

        foreach (byte[] message in script.Skip(200).Take(20))
            world.Send(message);
        world.WorkUntil(() => gauges.Journalled.Value >= confirmed + 20 && gauges.Applied.Value >= confirmed + 20, () => $"{primary.Node.Status()}");
        for (int i = 0; i < 2_000; i++)
            world.Work();
        Assert.That(
            world.Margins.Heard.Concat(world.Replies.Heard).Max(message => BitConverter.ToInt64(message, 8)), Is.LessThanOrEqualTo(confirmed));
        Assert.That(gauges.Published.Value, Is.LessThanOrEqualTo(confirmed));

        using TestNode.Running second = TestNode.Start(standbyOptions);
        world.WorkUntil(() => gauges.Published.Value >= confirmed + 20, () => $"{primary.Node.Status()}");
    }

    [Test]
    public void A_standby_with_another_history_stops_and_the_primary_raises_the_alarm()
    {
        List<byte[]> script = Script.Messages(ticks: 300);
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory);
        List<byte[]> forged = [.. script.Take(100).Select(message => message.ToArray())];
        byte[] deposit = forged.First(message => Reference.Template(message) == Codecs.CollateralTransferDecoder.TemplateId);
        deposit[Frame.OriginEnd + 10]++; // a little more money
        RestartTests.WriteJournal(primaryOptions, script.Take(100));
        RestartTests.WriteJournal(standbyOptions, forged);

        using TestNode.Running standby = TestNode.Start(standbyOptions);
        using TestNode.Running primary = TestNode.Start(primaryOptions);
        using World world = TestNode.WorldOf(primaryOptions);
        world.WorkUntil(
            () => standby.Node.Fault is not null && primary.Node.Gauges.Diverged.Value == 1,
            () => $"nobody noticed: {primary.Node.Status()} {standby.Node.Status()}");
        Assert.That(standby.Node.Fault!.Stage, Is.EqualTo("acknowledger"));
        Assert.That(standby.Node.Fault.Cause, Is.InstanceOf<DivergenceException>());
        Assert.That(standby.Node.Fault.Cause.Message, Does.Contain("the state digest differs at sequence"));
        Assert.That(primary.Node.Fault, Is.Null, "the primary goes on");
    }

    [Test]
    public void A_primary_that_lost_inputs_its_standby_has_refuses_to_go_on()
    {
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory);
        List<byte[]> script = Script.Messages(ticks: 20);
        RestartTests.WriteJournal(primaryOptions, script.Take(20));
        RestartTests.WriteJournal(standbyOptions, script.Take(25));
        using TestNode.Running standby = TestNode.Start(standbyOptions);
        using TestNode.Running primary = TestNode.Start(primaryOptions with { TimeTickMillis = 60_000 });
        Until.True(() => primary.Node.Fault is not null, () => { }, () => $"{primary.Node.Status()}");
        Assert.That(primary.Node.Fault!.Stage, Is.EqualTo("replicator"));
        Assert.That(primary.Node.Fault.Cause, Is.InstanceOf<StandbyAheadException>().With.Message.Contains("up to 25, this primary ends at 20"));
    }

    [Test]
    public void A_primary_of_an_older_epoch_than_its_standby_is_fenced()
    {
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory);
        using TestNode.Running standby = TestNode.Start(standbyOptions with { Epoch = 5 });
        using TestNode.Running primary = TestNode.Start(primaryOptions);
        Until.True(() => primary.Node.Fault is not null, () => { }, () => $"{primary.Node.Status()}");
        Assert.That(primary.Node.Fault!.Cause, Is.InstanceOf<FencedException>().With.Message.Contains("the standby is at epoch 5, this primary at 1"));
    }

    [Test]
    public void A_standby_behind_what_retention_has_deleted_is_not_fed_and_does_not_disturb_the_primary()
    {
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory);
        JournalOptions small = primaryOptions.Journal with { SegmentBytes = 128 << 10, BatchBytes = 64 << 10, RetainSegments = 1 };
        primaryOptions = primaryOptions with { Journal = small };
        List<byte[]> script = Script.Messages(ticks: 3_000);
        using TestNode.Running primary = TestNode.Start(primaryOptions);
        using World world = TestNode.WorldOf(primaryOptions);
        NodeTests.SendAll(world, primary, script);
        string oldest = Path.Combine(small.Directory, SegmentNames.Segment(1));
        world.WorkUntil(() => !File.Exists(oldest), () => $"the first segment was never deleted: {primary.Node.Status()}");
        using TestNode.Running standby = TestNode.Start(standbyOptions);
        world.WorkUntil(() => primary.Node.Gauges.Events(NodeEvent.RecordsGone) > 0, () => $"{primary.Node.Status()}");
        Assert.That(standby.Node.Gauges.Received.Value, Is.Zero);
        primary.Check();
    }

    internal static void WaitForEqualDigests(World world, TestNode.Running primary, TestNode.Running standby, long heartbeats)
    {
        NodeGauges ours = primary.Node.Gauges;
        NodeGauges theirs = standby.Node.Gauges;
        world.WorkUntil(
            () =>
            {
                primary.Check();
                standby.Check();
                return ours.Events(NodeEvent.DigestEqual) >= heartbeats && theirs.Events(NodeEvent.DigestEqual) >= heartbeats
                    && theirs.Applied.Value >= ours.ReplicaApplied.Value && ours.ReplicaApplied.Value >= ours.Received.Value - 1;
            },
            () => $"{primary.Node.Status()} {standby.Node.Status()}");
    }

    /// <summary>The journals agree as far as the standby's reaches, and it reaches over the whole script.</summary>
    private static void AssertSameHistory(NodeOptions primary, NodeOptions standby, List<byte[]> script)
    {
        Reference ours = Reference.Of(primary);
        Reference theirs = Reference.Of(standby);
        Assert.That(theirs.InputsOf(Script.Source), Is.EqualTo(script));
        int common = Math.Min(ours.Inputs.Count, theirs.Inputs.Count);
        Assert.That(Records(theirs, common), Is.EqualTo(Records(ours, common)));
    }

    private static IEnumerable<string> Records(Reference reference, int count) =>
        reference.Inputs.Take(count).Select(input => $"{input.Sequence} {input.TimestampNanos} {input.Epoch} {Reference.Key(input.Message)}");
}
