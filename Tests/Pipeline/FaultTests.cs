// A fault in any stage stops the node and says which stage, at which sequence, after which messages.
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
public sealed class FaultTests
{
    [Test]
    public void A_failed_sync_stops_the_node_with_the_sequence_named_and_nothing_published_for_it(
        [Values(Placement.Merged, Placement.Paired, Placement.Dedicated)] Placement placement)
    {
        List<byte[]> script = Script.Messages(ticks: 100);
        using var directory = new TestDirectory();
        using var disk = new DiskUnderTest();
        NodeOptions options = Synced(TestNode.Primary(directory.Journal("primary"), placement));
        using TestNode.Running running = TestNode.Start(options, disk);
        var faults = new List<NodeFault>();
        running.Node.OnFault = faults.Add;
        using World world = TestNode.WorldOf(options);
        NodeTests.SendAll(world, running, script.Take(50));
        long safe = running.Node.Gauges.Journalled.Value;

        disk.FailSyncs();
        world.Send(script[50]);
        world.WorkUntil(() => running.Node.Fault is not null, () => "the node went on");
        NodeFault fault = running.Node.Fault!;
        Assert.That(fault.Stage, Is.EqualTo("journaller"));
        Assert.That(fault.Sequence, Is.EqualTo(safe + 1));
        Assert.That(fault.Cause, Is.InstanceOf<JournalFailedException>());
        Assert.That(fault.ToString(), Does.Contain($"the journaller failed at sequence {safe + 1}"));
        string[] lines = fault.FlightRecord.Split('\n');
        Assert.That(lines, Has.Length.EqualTo(51));
        Assert.That(lines[^1], Does.StartWith($"{safe + 1} at ").And.Contains($"source {Script.Source}/51"));
        world.WorkUntil(() => faults.Count > 0, () => "nobody was told");
        for (int i = 0; i < 200; i++)
            world.Work();
        Assert.That(faults, Is.EqualTo(new[] { fault }));
        Assert.That(world.Margins.Heard.Concat(world.Replies.Heard).Select(message => BitConverter.ToInt64(message, 8)), Has.All.LessThanOrEqualTo(safe));
        Assert.That(running.Node.Stop(TimeSpan.Zero), Is.False);
    }

    [Test]
    public void A_broken_invariant_in_the_machine_stops_the_decider()
    {
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary"));
        List<byte[]> script = Script.Messages(ticks: 5);
        RestartTests.WriteJournal(options, script, gapBefore: 7, gapNanos: -3_000_000);
        using TestNode.Running running = TestNode.Start(options);
        Until.True(() => running.Node.Fault is not null, () => { }, () => "time that goes back was applied");
        Assert.That((running.Node.Fault!.Stage, running.Node.Fault.Sequence), Is.EqualTo(("decider", 8L)));
        Assert.That(running.Node.Fault.Cause, Is.InstanceOf<InvariantException>());
    }

    [Test]
    public void A_disk_that_never_answers_is_a_stall_of_the_journaller([Values(Placement.Paired, Placement.Dedicated)] Placement placement)
    {
        List<byte[]> script = Script.Messages(ticks: 20);
        using var directory = new TestDirectory();
        using var disk = new DiskUnderTest();
        NodeOptions options = Synced(TestNode.Primary(directory.Journal("primary"), placement)) with { StallMillis = 1_000 };
        using TestNode.Running running = TestNode.Start(options, disk);
        using World world = TestNode.WorldOf(options);
        NodeTests.SendAll(world, running, script.Take(10));
        disk.HoldSyncs();
        world.Send(script[10]);
        world.WorkUntil(() => running.Node.Fault is not null, () => "nobody noticed");
        disk.ReleaseSyncs();
        Assert.That(running.Node.Fault!.Stage, Is.EqualTo("journaller"));
        Assert.That(running.Node.Fault.Cause, Is.InstanceOf<StageStalledException>());
    }

    [Test]
    public void A_node_that_only_waits_is_not_stalled()
    {
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary")) with { StallMillis = 100, TimeTickMillis = 60_000 };
        using TestNode.Running running = TestNode.Start(options);
        using World world = TestNode.WorldOf(options);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        world.WorkUntil(() => watch.ElapsedMilliseconds > 1_000, () => "");
        running.Check();
    }

    private static NodeOptions Synced(NodeOptions options) =>
        options with { Journal = options.Journal with { SyncMode = SyncMode.FileSync }, TimeTickMillis = 60_000 };
}
