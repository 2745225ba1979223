// Snapshots of running nodes: who takes them, what a restart makes of them, and that nobody can tell afterwards.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Snapshots;
using MarginEngine.Tests.LogicTests;
using MarginEngine.Watch;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
public sealed class SnapshotNodeTests
{
    [Test]
    public void A_standby_takes_snapshots_while_a_primary_waits_for_nothing_but_its_receipts([Values(Placement.Paired, Placement.Dedicated)] Placement placement)
    {
        List<byte[]> script = Script.Messages(ticks: 400);
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory, Gate.Replica, placement);
        using TestNode.Running standby = TestNode.Start(standbyOptions with { SnapshotEveryRecords = 50, SnapshotsKept = 2 });
        using TestNode.Running primary = TestNode.Start(primaryOptions);
        using World world = TestNode.WorldOf(primaryOptions);
        NodeTests.SendAll(world, primary, script);
        StandbyTests.WaitForEqualDigests(world, primary, standby, heartbeats: 1);
        NodeGauges gauges = standby.Node.Gauges;
        world.WorkUntil(() => gauges.SnapshotSequence.Value > 0, () => $"{standby.Node.Status()}");
        Assert.That(gauges.SnapshotFailures.Value, Is.Zero);
        Assert.That(SnapshotFolder.List(new Storage(), standbyOptions.Journal.Directory), Has.Count.InRange(1, 2));
        TestContext.Out.WriteLine($"{gauges.SnapshotBytes.Value} bytes, the decider stood {gauges.SnapshotPauseNanos.Value / 1000} us");
    }

    [Test]
    public void An_operator_asks_for_one_and_the_command_is_in_the_journal()
    {
        List<byte[]> script = Script.Messages(ticks: 100);
        script.Add(SnapshotCommand(script));
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory);
        using TestNode.Running standby = TestNode.Start(standbyOptions);
        using TestNode.Running primary = TestNode.Start(primaryOptions);
        using World world = TestNode.WorldOf(primaryOptions);
        NodeTests.SendAll(world, primary, script);
        world.WorkUntil(() => standby.Node.Gauges.SnapshotSequence.Value > 0, () => $"{standby.Node.Status()}");
        Reference reference = Reference.Of(primaryOptions);
        long asked = reference.Inputs.Single(input => Reference.Template(input.Message) == OperatorCommandDecoder.TemplateId).Sequence;
        Assert.That(standby.Node.Gauges.SnapshotSequence.Value, Is.EqualTo(asked));
        Assert.That(world.Replies.Rejects(), Is.Empty);
    }

    [Test]
    public void A_standby_that_restarts_from_its_snapshot_goes_on_as_if_it_had_replayed_everything()
    {
        List<byte[]> script = Script.Messages(ticks: 600);
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory);
        standbyOptions = standbyOptions with { SnapshotEveryRecords = 120 };
        using TestNode.Running primary = TestNode.Start(primaryOptions);
        using World world = TestNode.WorldOf(primaryOptions);
        using (TestNode.Running first = TestNode.Start(standbyOptions))
        {
            NodeTests.SendAll(world, primary, script.Take(400));
            world.WorkUntil(() => first.Node.Gauges.SnapshotSequence.Value > 0 && first.Node.Gauges.Applied.Value >= 400, () => $"{first.Node.Status()}");
        }

        NodeTests.SendAll(world, primary, script.Skip(400).Take(100));
        using TestNode.Running second = TestNode.Start(standbyOptions);
        Assert.That(second.Node.StartedFrom, Is.GreaterThan(0));
        Assert.That(second.Node.SnapshotsPassedOver, Is.Empty);
        NodeTests.SendAll(world, primary, script.Skip(500));
        StandbyTests.WaitForEqualDigests(world, primary, second, heartbeats: 1);
        Assert.That(primary.Node.Gauges.Diverged.Value, Is.Zero);
        Assert.That(second.Node.Gauges.Events(NodeEvent.DigestDifferent), Is.Zero);
    }

    [Test]
    public void A_standby_starts_from_nothing_but_a_copied_snapshot_where_the_primary_has_deleted_the_beginning()
    {
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory);
        JournalOptions small = primaryOptions.Journal with { SegmentBytes = 128 << 10, BatchBytes = 64 << 10, RetainSegments = 1 };
        primaryOptions = primaryOptions with { Journal = small };
        List<byte[]> script = Script.Messages(ticks: 3_000);
        using TestNode.Running primary = TestNode.Start(primaryOptions);
        using World world = TestNode.WorldOf(primaryOptions);
        NodeTests.SendAll(world, primary, script.Take(600));

        // Beside the running node: the snapshot holds its beginning until it has been replaced by a newer one.
        Limits limits = primaryOptions.Limits;
        OfflineSnapshot.Take(new Storage(), new OfflineSnapshotRequest(small.Directory, small.Directory), limits);
        NodeTests.SendAll(world, primary, script.Skip(600).Take(2_800));
        OfflineSnapshotResult newer = OfflineSnapshot.Take(new Storage(), new OfflineSnapshotRequest(small.Directory, small.Directory, Keep: 1), limits);
        Assert.That(newer.StartedFrom, Is.GreaterThan(0));
        string oldest = Path.Combine(small.Directory, SegmentNames.Segment(1));
        world.WorkUntil(() => !File.Exists(oldest), () => $"the first segment was never deleted: {primary.Node.Status()}");
        OfflineSnapshotResult copied = OfflineSnapshot.Take(new Storage(), new OfflineSnapshotRequest(small.Directory, standbyOptions.Journal.Directory), limits);

        using TestNode.Running standby = TestNode.Start(standbyOptions);
        Assert.That(standby.Node.StartedFrom, Is.EqualTo(copied.Header.Sequence));
        NodeTests.SendAll(world, primary, script.Skip(3_400));
        StandbyTests.WaitForEqualDigests(world, primary, standby, heartbeats: 1);
        Assert.That(primary.Node.Gauges.Events(NodeEvent.RecordsGone), Is.Zero);
        standby.Dispose();
        AssertSameChain(small.Directory, standbyOptions.Journal.Directory);
    }

    [Test]
    public void A_primary_that_restarts_from_a_snapshot_says_again_what_it_says_without_one()
    {
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary")) with { TimeTickMillis = 60_000, SubscriberGraceMillis = 20_000, RepublishMillis = 100_000 };
        List<byte[]> script = Script.Messages(ticks: 200);
        RestartTests.WriteJournal(options, script, gapBefore: script.Count / 2, gapNanos: 3_600_000_000_000);
        Reference reference = Reference.Of(options);
        List<byte[]> without = Said(options, reference, out long from);
        Assert.That(from, Is.Zero);
        OfflineSnapshot.Take(new Storage(), new OfflineSnapshotRequest(options.Journal.Directory, options.Journal.Directory, At: script.Count / 3), options.Limits);
        OfflineSnapshot.Take(new Storage(), new OfflineSnapshotRequest(options.Journal.Directory, options.Journal.Directory, At: script.Count - 5), options.Limits);
        List<byte[]> with = Said(options, reference, out from);
        Assert.That(from, Is.EqualTo(script.Count / 3), "the newer one is younger than what is republished");
        Assert.That(with, Is.EquivalentTo(without));
    }

    [Test]
    public void A_diverged_standby_writes_its_state_down_and_the_first_field_that_differs_has_a_name()
    {
        List<byte[]> script = Script.Messages(ticks: 300);
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory);
        List<byte[]> forged = [.. script.Take(100).Select(message => message.ToArray())];
        byte[] deposit = forged.First(message => Reference.Template(message) == CollateralTransferDecoder.TemplateId);
        deposit[Frame.OriginEnd + 10]++; // a little more money
        RestartTests.WriteJournal(primaryOptions, script.Take(100));
        RestartTests.WriteJournal(standbyOptions, forged);
        using (TestNode.Running standby = TestNode.Start(standbyOptions))
        using (TestNode.Running primary = TestNode.Start(primaryOptions))
        {
            Until.True(() => standby.Node.Fault is not null, () => { }, () => $"nobody noticed: {primary.Node.Status()}");
            Assert.That(standby.Node.Fault!.Cause, Is.InstanceOf<DivergenceException>().With.Message.Contains("The state here after sequence"));
        }

        string dumps = Path.Combine(standbyOptions.Journal.Directory, StateDump.FolderName);
        long sequence = SnapshotFolder.List(new Storage(), dumps).Single();
        OfflineSnapshotResult theirs = OfflineSnapshot.Take(
            new Storage(), new OfflineSnapshotRequest(primaryOptions.Journal.Directory, directory.Journal("compared"), At: sequence), primaryOptions.Limits);
        StateDifference? difference = SnapshotComparison.Between(new Storage(), SnapshotFolder.PathOf(dumps, sequence), theirs.Path);
        TestContext.Out.WriteLine($"{difference}");
        Assert.That(difference!.One.Path, Is.EqualTo("account 1, equity").Or.EqualTo("account 1, balance USD, atoms"));
        Assert.That(difference.Other.Path, Is.EqualTo(difference.One.Path));
    }

    // What a restarted primary publishes, once it has said everything.
    private static List<byte[]> Said(NodeOptions options, Reference reference, out long from)
    {
        using TestNode.Running running = TestNode.Start(options);
        from = running.Node.StartedFrom;
        using World world = TestNode.WorldOf(options);
        long recent = reference.Inputs[reference.Inputs.Count / 2].Sequence;
        int wanted = reference.OrderedMargins().Count(message => BitConverter.ToInt64(message, 8) >= recent);
        world.WorkUntil(
            () => world.Margins.Heard.Count(message => Reference.Template(message) != MarginUpdateDecoder.TemplateId) >= wanted
                && Reference.Newest(world.Margins.Heard).Count == reference.NewestUpdates().Count,
            () => $"heard {world.Margins.Heard.Count}, {running.Node.Status()}");
        return [.. world.Margins.Heard.Where(message => Reference.Template(message) != MarginUpdateDecoder.TemplateId), .. Reference.Newest(world.Margins.Heard).Values];
    }

    private static void AssertSameChain(string first, string second)
    {
        using JournalReader ours = JournalReader.Open(new Storage(), first, follow: true);
        using JournalReader theirs = JournalReader.Open(new Storage(), second);
        int compared = 0;
        while (theirs.TryRead(out JournalRecord record))
        {
            Assert.That(ours.ChainAfter(record.Sequence), Is.EqualTo(record.Checksum), $"sequence {record.Sequence}");
            compared++;
        }

        Assert.That(compared, Is.GreaterThan(10));
    }

    private static byte[] SnapshotCommand(List<byte[]> script)
    {
        using Desk desk = new(withMarket: false);
        desk.SkipOrigin((ulong)script.Count);
        desk.Operator(Command.Snapshot);
        return desk.Applied.Single().Message;
    }
}
