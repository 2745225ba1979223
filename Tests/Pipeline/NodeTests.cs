// A whole node in this process: real sockets on loopback, a real journal on disk, every placement.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

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
