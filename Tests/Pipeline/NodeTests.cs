// A whole node in this process: real sockets on loopback, a real journal on disk, every placement.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
public sealed class NodeTests
{
    [Test]
    public void Input_is_journalled_decided_and_published_in_every_placement(
        [Values(Placement.Merged, Placement.Paired, Placement.Dedicated)] Placement placement)
    {
        List<byte[]> script = Script.Messages(ticks: 300);
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary"), placement);
        using TestNode.Running running = TestNode.Start(options);
        using World world = TestNode.WorldOf(options);
        SendAll(world, running, script);

        Assert.That(running.Node.Stop(TimeSpan.FromSeconds(30)), Is.True, "drained");
        Assert.That(world.Replies.Rejects(), Is.Empty);
        Assert.That(world.Margins.Of(MarginUpdateDecoder.TemplateId), Is.Not.Empty);
        Assert.That(world.Replies.Of(PreTradeAnswerDecoder.TemplateId), Is.Not.Empty);
        running.Dispose();
        Assert.That(JournalledMessages(options).Where(message => BitConverter.ToUInt16(message, 24) == Script.Source), Is.EqualTo(script));
    }

    [Test]
    public void Whatever_a_source_sends_gets_its_coded_answer_and_the_good_messages_pass()
    {
        List<byte[]> script = Script.Messages(ticks: 30);
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary"));
        using TestNode.Running running = TestNode.Start(options);
        using World world = TestNode.WorldOf(options);
        byte[] stranger = IntakeTests.Fill(script.Count + 1, account: 999);
        SendAll(world, running, [
            .. script, [], [1, 2, 3], script[0][..20], new byte[options.MaximumMessageBytes + 1], IntakeTests.Index(1), stranger,
            IntakeTests.Index(script.Count + 2)]);
        world.WorkUntil(() => world.Replies.Rejects().Count() >= 6, () => $"{world.Replies.Rejects().Count()} rejects");
        Assert.That(world.Replies.Rejects().Select(reject => reject.Code), Is.EqualTo(new[]
        {
            RejectCode.Malformed, RejectCode.Malformed, RejectCode.Malformed, RejectCode.TooLarge, RejectCode.OutOfOrder,
            RejectCode.UnknownAccount, // from the machine: it was well formed and took its place in the source's sequence
        }));
        running.Check();
        Assert.That(Reference.Of(options).InputsOf(Script.Source).Count(), Is.EqualTo(script.Count + 2));
    }

    [Test]
    public void A_disk_below_its_reserve_refuses_input_loudly_and_keeps_time_where_a_segment_is_ready([Values] bool hasSegmentReady)
    {
        List<byte[]> script = Script.Messages(ticks: 5);
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary"));
        options = options with { Journal = options.Journal with { ReserveBytes = 1 << 20 } };
        using var disk = new DiskUnderTest();
        using TestNode.Running running = TestNode.Start(options, disk, before: node =>
        {
            if (!hasSegmentReady)
                disk.FillUp();
        });
        using World world = TestNode.WorldOf(options);
        if (hasSegmentReady)
        {
            world.WorkUntil(() => SegmentNames.List(disk, options.Journal.Directory).Count == 2, () => $"{running.Node.Fault}");
            disk.FillUp();
        }

        world.WorkUntil(() => world.IsConnected && running.Node.Gauges.DiskNearlyFull.Value == 1, () => $"{running.Node.Status()}");
        Assert.That(running.Node.Status().TimeStands, Is.EqualTo(!hasSegmentReady));
        world.Send(script[0]);
        world.WorkUntil(() => world.Replies.Rejects().Any(), () => $"{running.Node.Status()}");
        Assert.That(world.Replies.Rejects().Single().Code, Is.EqualTo(RejectCode.Capacity));
        int heard = world.Margins.Of(HeartbeatDecoder.TemplateId).Count();
        if (hasSegmentReady)
            world.WorkUntil(() => world.Margins.Of(HeartbeatDecoder.TemplateId).Count() > heard + 1, () => $"{running.Node.Status()}");

        disk.MakeRoom();
        world.WorkUntil(() => running.Node.Gauges.DiskNearlyFull.Value == 0, () => $"{running.Node.Status()}");
        Assert.That(running.Node.Status().TimeStands, Is.False);
        SendAll(world, running, script);
        Assert.That(running.Node.Stop(TimeSpan.FromSeconds(30)), Is.True, "drained");
        running.Dispose();
        Assert.That(Reference.Of(options).InputsOf(Script.Source), Is.EqualTo(script));
    }

    [Test]
    public void A_status_never_shows_a_stage_ahead_of_the_one_before_it()
    {
        List<byte[]> script = Script.Messages(ticks: 2_000);
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary"));
        using TestNode.Running running = TestNode.Start(options);
        using World world = TestNode.WorldOf(options);
        world.WorkUntil(() => world.IsConnected, () => $"{running.Node.Fault}");
        foreach (byte[] message in script)
        {
            world.Send(message);
            Watch.NodeStatus status = running.Node.Status();
            Assert.That(
                status.Published <= status.Applied && status.Published <= status.Journalled && status.Applied <= status.Received
                && status.Journalled <= status.Received, Is.True, $"{status}");
        }
    }

    /// <summary>Sends everything and works until all of it is published.</summary>
    internal static void SendAll(World world, TestNode.Running running, IEnumerable<byte[]> messages)
    {
        world.WorkUntil(() => world.IsConnected, () => $"no connection: {running.Node.Fault}");
        int sent = 0;
        foreach (byte[] message in messages)
        {
            world.Send(message);
            if (++sent % 16 == 0)
                world.Work();
        }

        world.WorkUntil(
            () => TakenFrom(running.Node) >= sent && running.Node.Gauges.Published.Value >= running.Node.Gauges.Received.Value || running.Node.Fault is not null,
            () => $"sent {sent}, taken {TakenFrom(running.Node)}, {running.Node.Status()}");
        running.Check();
        for (int i = 0; i < 100; i++)
            world.Work();
    }

    internal static List<byte[]> JournalledMessages(NodeOptions options)
    {
        var messages = new List<byte[]>();
        using JournalReader reader = JournalReader.Open(new Storage(), options.Journal.Directory);
        while (reader.TryRead(out JournalRecord record))
            messages.Add(record.Message.ToArray());
        return messages;
    }

    private static long TakenFrom(Node node) =>
        node.Gauges.In.Total() - node.Gauges.InputEvents[(int)Watch.NodeEvent.TimeTick] + node.Gauges.GatewayRejects.Total();
}
