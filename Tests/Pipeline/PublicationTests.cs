// Nothing leaves before it is safe; a slow subscriber gets the newest margins and every other decision; nothing is lost.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using MarginEngine.Watch;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
public sealed class PublicationTests
{
    private const string SmallTerm = "|term-length=65536";

    [Test]
    public void Nothing_decided_on_an_input_leaves_before_the_disk_has_it()
    {
        List<byte[]> script = Script.Messages(ticks: 200);
        using var directory = new TestDirectory();
        using var disk = new DiskUnderTest();
        NodeOptions options = Synced(TestNode.Primary(directory.Journal("primary"), Placement.Dedicated));
        using TestNode.Running running = TestNode.Start(options, disk);
        using World world = TestNode.WorldOf(options);
        NodeTests.SendAll(world, running, script.Take(150));

        disk.HoldSyncs();
        NodeGauges gauges = running.Node.Gauges;
        long before = gauges.Received.Value;
        foreach (byte[] message in script.Skip(150))
            world.Send(message);
        world.Send(script[^1]); // a duplicate: the gateway's reject depends on an input that is not safe yet
        world.WorkUntil(
            () => gauges.Applied.Value >= before + script.Count - 150 && gauges.GatewayRejects.Total() == 1,
            () => $"the decider did not run ahead of the disk: {running.Node.Status()}");
        long safe = gauges.Journalled.Value;
        for (int i = 0; i < 2_000; i++)
            world.Work();
        Assert.That(gauges.Journalled.Value, Is.EqualTo(safe), "the disk is held");
        Assert.That(HighestSequence(world), Is.LessThanOrEqualTo(safe), "something left too early");
        Assert.That(world.Replies.Rejects(), Is.Empty);

        disk.ReleaseSyncs();
        world.WorkUntil(() => gauges.Published.Value >= before + script.Count - 150, () => $"{running.Node.Status()}");
        world.WorkUntil(() => world.Replies.Rejects().Any(), () => "the reject never came");
        Assert.That(world.Replies.Rejects().Single().Code, Is.EqualTo(RejectCode.Duplicate));
    }

    [Test]
    public void A_decider_that_waits_for_the_journal_applies_nothing_that_is_not_on_disk()
    {
        List<byte[]> script = Script.Messages(ticks: 100);
        using var directory = new TestDirectory();
        using var disk = new DiskUnderTest();
        NodeOptions options = Synced(TestNode.Primary(directory.Journal("primary"), Placement.Dedicated)) with { DeciderWaitsForJournal = true };
        using TestNode.Running running = TestNode.Start(options, disk);
        using World world = TestNode.WorldOf(options);
        NodeTests.SendAll(world, running, script.Take(50));
        disk.HoldSyncs();
        NodeGauges gauges = running.Node.Gauges;
        long before = gauges.Received.Value;
        foreach (byte[] message in script.Skip(50))
            world.Send(message);
        world.WorkUntil(() => gauges.Received.Value >= before + script.Count - 50, () => $"{running.Node.Status()}");
        for (int i = 0; i < 1_000; i++)
        {
            world.Work();
            Assert.That(gauges.Applied.Value, Is.LessThanOrEqualTo(gauges.Journalled.Value));
        }

        disk.ReleaseSyncs();
        world.WorkUntil(() => gauges.Published.Value >= before + script.Count - 50, () => $"{running.Node.Status()}");
    }

    [Test]
    public void A_slow_subscriber_gets_the_newest_margin_of_every_account_and_everything_else_in_order(
        [Values(Placement.Merged, Placement.Paired)] Placement placement)
    {
        List<byte[]> script = Script.Messages(ticks: 1_500);
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary"), placement) with { TimeTickMillis = 60_000 };
        options = options with { Output = options.Output! with { Channel = options.Output.Channel + SmallTerm } };
        using TestNode.Running running = TestNode.Start(options);
        using World world = TestNode.WorldOf(options);
        world.WorkUntil(() => world.IsConnected, () => $"no connection: {running.Node.Fault}");
        world.Margins.IsDeaf = true;
        foreach (byte[] message in script)
            world.Send(message);
        NodeGauges gauges = running.Node.Gauges;
        world.WorkUntil(
            () => gauges.Applied.Value >= script.Count && gauges.Events(NodeEvent.Conflated) > 0,
            () => $"a deaf subscriber slowed the decider, or nothing was conflated: {running.Node.Status()}");

        world.Margins.IsDeaf = false;
        world.WorkUntil(() => gauges.Published.Value >= gauges.Received.Value, () => $"{running.Node.Status()}");
        Reference reference = Reference.Of(options);
        Dictionary<ulong, byte[]> wanted = reference.NewestUpdates();
        world.WorkUntil(
            () => Reference.Newest(world.Margins.Heard) is var heard && wanted.All(
                update => heard.TryGetValue(update.Key, out byte[]? newest) && newest.AsSpan().SequenceEqual(update.Value)),
            () => "the newest margins did not arrive");
        Assert.That(world.Margins.Heard.Where(message => Reference.Template(message) != MarginUpdateDecoder.TemplateId), Is.EqualTo(reference.OrderedMargins()));
        Assert.That(world.Replies.Heard, Is.EqualTo(reference.Replies()));
        Assert.That(world.Margins.Heard.Select(Reference.Key), Is.SubsetOf(reference.Decisions.Select(Reference.Key).ToHashSet()));
        Assert.That(world.Margins.Heard, Has.Count.LessThan(reference.Decisions.Count));
    }

    [Test]
    public void Full_rings_press_back_on_the_sender_and_lose_nothing([Values(Placement.Merged, Placement.Paired, Placement.Dedicated)] Placement placement)
    {
        List<byte[]> script = Script.Messages(ticks: 6_000, accounts: 2, asksInTen: 8);
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary"), placement);
        options = options with
        {
            Output = options.Output! with { Channel = options.Output.Channel + SmallTerm },
            InputRingSlots = 128,
            OutputRingSlots = 128,
            TimeTickMillis = 60_000,
        };
        using TestNode.Running running = TestNode.Start(options);
        using World world = new(
            options.Input!.Channel + SmallTerm, options.Input.Stream, options.Output!.Channel, options.Output.MarginStream, options.Output.ReplyStream);
        world.WorkUntil(() => world.IsConnected, () => $"no connection: {running.Node.Fault}");
        world.Replies.IsDeaf = true;
        int sent = 0;
        int refusedInARow = 0;
        NodeGauges gauges = running.Node.Gauges;
        world.WorkUntil(
            () =>
            {
                refusedInARow++;
                for (; sent < script.Count && world.TrySend(script[sent]); sent++)
                    refusedInARow = 0;
                // On one thread the gateway is not polled while the decider waits for room: its ring then holds what was there by chance.
                return sent == script.Count || refusedInARow > 1_000 && running.Node.Status() is { OutputSlotsUsed: > 64, InputSlotsUsed: > 0 };
            },
            () => $"sent {sent}: {running.Node.Status()}");
        Assert.That(sent, Is.LessThan(script.Count), "the node took everything although nobody read its answers");

        world.Replies.IsDeaf = false;
        while (sent < script.Count)
            world.Send(script[sent++]);
        world.WorkUntil(
            () => gauges.Received.Value >= script.Count && gauges.Published.Value >= gauges.Received.Value, () => $"{running.Node.Status()}");
        Reference reference = Reference.Of(options);
        List<byte[]> wanted = [.. reference.Replies()];
        world.WorkUntil(() => world.Replies.Heard.Count >= wanted.Count, () => $"heard {world.Replies.Heard.Count} of {wanted.Count} answers");
        Assert.That(reference.InputsOf(Script.Source), Is.EqualTo(script));
        Assert.That(world.Replies.Heard, Is.EqualTo(wanted));
    }

    private static NodeOptions Synced(NodeOptions options) =>
        options with { Journal = options.Journal with { SyncMode = SyncMode.FileSync }, TimeTickMillis = 60_000 };

    private static long HighestSequence(World world) =>
        world.Margins.Heard.Concat(world.Replies.Heard).Max(message => BitConverter.ToInt64(message, 8));
}
