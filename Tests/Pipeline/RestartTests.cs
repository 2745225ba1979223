// A node that comes back: the history continues, sources go on where they were, and what may not have been heard is said again.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Pipeline;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
public sealed class RestartTests
{
    [Test]
    public void A_restarted_node_continues_its_history_and_takes_the_next_message_of_each_source([Values] bool inOrder)
    {
        List<byte[]> script = Script.Messages(ticks: 400);
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary"));
        using World world = TestNode.WorldOf(options);
        using (TestNode.Running first = TestNode.Start(options))
        {
            NodeTests.SendAll(world, first, script.Take(400));
            if (inOrder)
                Assert.That(first.Node.Stop(Until.Patience), Is.True);
        }

        world.WorkUntil(() => !world.IsConnected, () => "the first node did not say goodbye");
        using TestNode.Running second = TestNode.Start(options);
        Assert.That(second.Node.Recovered.IsSealed, Is.True);
        NodeTests.SendAll(world, second, script.Skip(400));
        world.Send(script[^1]);
        world.WorkUntil(() => world.Replies.Rejects().Any(), () => "a message that was taken before is not refused");
        Assert.That(world.Replies.Rejects().Single(), Is.EqualTo((RejectCode.Duplicate, Frame.OriginField, (ulong)script.Count + 1, (ulong)script.Count)));
        Assert.That(Reference.Of(options).InputsOf(Script.Source), Is.EqualTo(script));
    }

    [Test]
    public void After_a_restart_every_account_hears_its_margin_and_recent_decisions_come_again()
    {
        List<byte[]> script = Script.Messages(ticks: 300);
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary")) with { RepublishMillis = 3_600_000, SubscriberGraceMillis = 60_000 };
        using (World world = TestNode.WorldOf(options))
        using (TestNode.Running first = TestNode.Start(options))
        {
            NodeTests.SendAll(world, first, script);
        }

        Reference reference = Reference.Of(options);
        using TestNode.Running second = TestNode.Start(options with { TimeTickMillis = 60_000 });
        using World later = TestNode.WorldOf(options);
        int wanted = reference.OrderedMargins().Count();
        later.WorkUntil(
            () => later.Margins.Heard.Count(message => Reference.Template(message) != MarginUpdateDecoder.TemplateId) >= wanted
                && Reference.Newest(later.Margins.Heard).Count == reference.NewestUpdates().Count
                && later.Replies.Heard.Count >= reference.Replies().Count(),
            () => $"heard {later.Margins.Heard.Count}, {second.Node.Status()}");
        Assert.That(later.Margins.Heard.Where(message => Reference.Template(message) != MarginUpdateDecoder.TemplateId), Is.EqualTo(reference.OrderedMargins()));
        Assert.That(later.Replies.Heard, Is.EqualTo(reference.Replies()));
        Assert.That(Reference.Newest(later.Margins.Heard), Is.EquivalentTo(reference.NewestUpdates()));
    }

    [Test]
    public void Decisions_older_than_the_republished_time_are_not_said_again_but_the_margins_are()
    {
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary")) with { TimeTickMillis = 60_000, SubscriberGraceMillis = 20_000, RepublishMillis = 100_000 };
        List<byte[]> script = Script.Messages(ticks: 200);
        WriteJournal(options, script, gapBefore: script.Count / 2, gapNanos: 3_600_000_000_000);
        Reference reference = Reference.Of(options);
        long halfway = reference.Inputs[script.Count / 2].Sequence;

        using TestNode.Running running = TestNode.Start(options);
        using World world = TestNode.WorldOf(options);
        byte[][] recent = [.. reference.OrderedMargins().Where(message => BitConverter.ToInt64(message, 8) >= halfway)];
        Assert.That(recent, Is.Not.Empty);
        world.WorkUntil(
            () => world.Margins.Heard.Count(message => Reference.Template(message) != MarginUpdateDecoder.TemplateId) >= recent.Length
                && Reference.Newest(world.Margins.Heard).Count == reference.NewestUpdates().Count,
            () => $"heard {world.Margins.Heard.Count}, {running.Node.Status()}");
        Assert.That(world.Margins.Heard.Where(message => Reference.Template(message) != MarginUpdateDecoder.TemplateId), Is.EqualTo(recent));
    }

    [Test]
    public void A_primary_refuses_a_journal_that_ends_in_a_later_epoch()
    {
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary"));
        WriteJournal(options, Script.Messages(ticks: 5), epoch: 4);
        Assert.That(
            () => new Node(options with { Epoch = 3 }),
            Throws.InstanceOf<NodeOptionsException>().With.Message.Contains("epoch is 3, but the journal ends in epoch 4"));
        using var node = new Node(options with { Epoch = 4 });
        Assert.That(node.Gauges.Epoch.Value, Is.EqualTo(4));
    }

    [Test]
    public void Two_nodes_cannot_share_a_journal()
    {
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary"));
        using var node = new Node(options);
        Assert.That(() => new Node(TestNode.Primary(directory.Journal("primary"))), Throws.InstanceOf<JournalLockedException>());
    }

    /// <summary>A journal as a node would have written it, stamped a millisecond apart, with one gap in time.</summary>
    internal static void WriteJournal(NodeOptions options, IEnumerable<byte[]> messages, int gapBefore = -1, long gapNanos = 0, long epoch = 1)
    {
        using JournalWriter writer = JournalWriter.Open(options.Journal, EngineIdentity.Of(options.Limits), new Storage());
        long stamp = 1_770_000_000_000_000_000;
        long sequence = 0;
        foreach (byte[] message in messages)
        {
            stamp += 1_000_000 + (sequence == gapBefore ? gapNanos : 0);
            sequence++;
            while (!writer.TryAppend(Journaller.InputKind, epoch, sequence, stamp, message))
                writer.Commit();
        }

        writer.Commit();
    }
}
