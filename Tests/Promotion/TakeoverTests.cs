// A standby that becomes the primary in its own process: nothing decided is missing, nothing is said that was not decided.
using System.Diagnostics;
using MarginEngine.Codecs;
using MarginEngine.Pipeline;
using MarginEngine.Tests.PipelineTests;
using NUnit.Framework;

namespace MarginEngine.Tests.PromotionTests;

[Parallelizable(ParallelScope.Self)]
public sealed class TakeoverTests
{
    [Test]
    public void A_standby_takes_over_without_its_journal_being_read_again_and_misses_no_decision(
        [Values(Placement.Merged, Placement.Paired, Placement.Dedicated)] Placement placement)
    {
        List<byte[]> script = Script.Messages(ticks: 600);
        using var directory = new TestDirectory();
        (NodeOptions primaryOptions, NodeOptions standbyOptions) = TestNode.Pair(directory, Gate.Journal, placement);
        NodeOptions second = Successor.Of(standbyOptions);
        using World world = TestNode.WorldOf(primaryOptions);
        using World later = TestNode.WorldOf(second);
        using TestNode.Running standby = TestNode.Start(standbyOptions);
        using (TestNode.Running first = TestNode.Start(primaryOptions))
        {
            NodeTests.SendAll(world, first, script.Take(700));
            StandbyTests.WaitForEqualDigests(world, first, standby, heartbeats: 1);
            world.WorkUntil(() => standby.Node.Gauges.Applied.Value >= 700, () => $"{standby.Node.Status()}");
        }

        long begin = Stopwatch.GetTimestamp();
        using Handover handover = standby.Node.HandOver(Until.Patience);
        Assert.That(handover.IsComplete, Is.True);
        long last = handover.Recovered.LastSequence;
        using TestNode.Running promoted = TestNode.Run(new Node(second, handover));
        later.WorkUntil(() => later.Heard > 0, () => $"{promoted.Node.Status()}");
        TestContext.Out.WriteLine($"{placement}: decided to first decision {Stopwatch.GetElapsedTime(begin).TotalMilliseconds:F1} ms");
        NodeTests.SendAll(later, promoted, script.Skip(700));
        Assert.That(promoted.Node.Stop(Until.Patience), Is.True);
        for (int i = 0; i < 200; i++)
            later.Work();
        promoted.Dispose();

        Reference reference = Reference.Of(standbyOptions);
        Assert.That(reference.InputsOf(Script.Source), Is.EqualTo(script), "one history through both primaries");
        Assert.That(reference.Inputs.Select(input => (input.Sequence, input.Epoch)), Is.EqualTo(
            reference.Inputs.Select(input => (input.Sequence, input.Sequence <= last ? 1L : 2L))));
        Successor.AssertNothingMissing(reference, later.Margins.Heard, later.Replies.Heard);
    }

    [Test]
    public void Margins_decided_long_ago_are_told_by_the_new_primary_and_old_calls_are_not()
    {
        using var directory = new TestDirectory();
        (_, NodeOptions standbyOptions) = TestNode.Pair(directory);
        standbyOptions = standbyOptions with { RepublishMillis = 100_000, SubscriberGraceMillis = 20_000 };
        List<byte[]> script = Script.Messages(ticks: 200);
        RestartTests.WriteJournal(standbyOptions, script, gapBefore: script.Count / 2, gapNanos: 3_600_000_000_000);
        Reference reference = Reference.Of(standbyOptions);
        long halfway = reference.Inputs[script.Count / 2].Sequence;
        using TestNode.Running standby = TestNode.Start(standbyOptions);
        NodeOptions second = Successor.Of(standbyOptions) with { TimeTickMillis = 60_000 };
        using World world = TestNode.WorldOf(second);
        using Handover handover = standby.Node.HandOver(Until.Patience);
        using TestNode.Running promoted = TestNode.Run(new Node(second, handover));
        byte[][] recent = [.. reference.OrderedMargins().Where(message => BitConverter.ToInt64(message, 8) >= halfway)];
        Assert.That(recent, Is.Not.Empty);
        world.WorkUntil(
            () => world.Margins.Heard.Count(message => Reference.Template(message) != MarginUpdateDecoder.TemplateId) >= recent.Length
                && Reference.Newest(world.Margins.Heard).Count == reference.NewestUpdates().Count,
            () => $"heard {world.Margins.Heard.Count}, {promoted.Node.Status()}");
        Assert.That(world.Margins.Heard.Where(message => Reference.Template(message) != MarginUpdateDecoder.TemplateId), Is.EqualTo(recent));
        Assert.That(Reference.Newest(world.Margins.Heard), Is.EquivalentTo(reference.NewestUpdates()));
    }

    [Test]
    public void Where_decisions_were_too_many_to_keep_the_journal_is_replayed_and_nothing_is_missing_either()
    {
        using var directory = new TestDirectory();
        (_, NodeOptions standbyOptions) = TestNode.Pair(directory);
        standbyOptions = standbyOptions with { RepublishSlots = 128, RepublishMillis = 600_000, SubscriberGraceMillis = 60_000 };
        RestartTests.WriteJournal(standbyOptions, Script.Messages(ticks: 1_500, asksInTen: 5));
        Reference reference = Reference.Of(standbyOptions);
        using TestNode.Running standby = TestNode.Start(standbyOptions);
        NodeOptions second = Successor.Of(standbyOptions) with { TimeTickMillis = 60_000 };
        using World world = TestNode.WorldOf(second);
        using Handover handover = standby.Node.HandOver(Until.Patience);
        Assert.That(handover.IsComplete, Is.False);
        using TestNode.Running promoted = TestNode.Run(new Node(second, handover));
        world.WorkUntil(
            () => world.Replies.Heard.Count >= reference.Replies().Count() && Reference.Newest(world.Margins.Heard).Count == reference.NewestUpdates().Count
                && world.Margins.Heard.Count(message => Reference.Template(message) != MarginUpdateDecoder.TemplateId) >= reference.OrderedMargins().Count(),
            () => $"heard {world.Heard}, {promoted.Node.Status()}");
        Successor.AssertNothingMissing(reference, world.Margins.Heard, world.Replies.Heard);
    }

    [Test]
    public void A_takeover_needs_a_newer_epoch_and_leaves_the_journal_closed_where_it_is_refused()
    {
        using var directory = new TestDirectory();
        (_, NodeOptions standbyOptions) = TestNode.Pair(directory);
        RestartTests.WriteJournal(standbyOptions, Script.Messages(ticks: 5), epoch: 4);
        using TestNode.Running standby = TestNode.Start(standbyOptions);
        using Handover handover = standby.Node.HandOver(Until.Patience);
        Assert.That(
            () => new Node(Successor.Of(standbyOptions) with { Epoch = 4 }, handover),
            Throws.InstanceOf<NodeOptionsException>().With.Message.Contains("a newer epoch than 4"));
        using var again = new Node(standbyOptions);
        Assert.That(again.Recovered.IsSealed, Is.True, "the refused handover closed its journal in order");
    }

    [Test]
    public void Only_a_standby_can_hand_over()
    {
        using var directory = new TestDirectory();
        using TestNode.Running primary = TestNode.Start(TestNode.Primary(directory.Journal("primary")));
        Assert.That(() => primary.Node.HandOver(TimeSpan.Zero), Throws.InvalidOperationException);
        primary.Check();
    }

    [Test]
    public void A_standby_polled_by_one_thread_hands_over_as_well()
    {
        using var directory = new TestDirectory();
        (_, NodeOptions standbyOptions) = TestNode.Pair(directory, placement: Placement.Merged);
        RestartTests.WriteJournal(standbyOptions, Script.Messages(ticks: 50));
        using var standby = new Node(standbyOptions);
        standby.Step();
        using Handover handover = standby.HandOver(TimeSpan.Zero);
        using var promoted = new Node(Successor.Of(standbyOptions), handover);
        using World world = TestNode.WorldOf(promoted.Options);
        world.WorkUntil(
            () =>
            {
                promoted.Step();
                return world.Heard > 0;
            },
            () => $"{promoted.Status()} {promoted.Fault}");
    }
}
