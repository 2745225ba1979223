// A margin model in parts longer than a slot of the rings, through a whole node: in, journalled, waiting, compared, counting, and back from the journal.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Tests.LogicTests;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[Parallelizable(ParallelScope.Self)]
public sealed class ModelNodeTests
{
    [Test]
    public void A_model_longer_than_many_slots_passes_is_compared_counts_and_replays()
    {
        List<byte[]> script = Script.Messages(ticks: 50);
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Primary(directory.Journal("primary"));
        using TestNode.Running running = TestNode.Start(options);
        using World world = TestNode.WorldOf(options);
        NodeTests.SendAll(world, running, script);

        // The node's own time ticks take sequences too: far enough away that each account is compared before.
        ulong activation = (ulong)running.Node.Gauges.Received.Value + 400;
        IReadOnlyList<byte[]> parts = ModelDocument.Shipped("hvar").WithVersion(2).ToMessages(
            1, (ulong)script.Count + 1, 0, Script.Source, OriginFlags.EndOfEvent, Desk.UnderlyingCodes, Desk.CurrencyCodes, activation, isCompared: true);
        Assert.That(parts, Has.Count.GreaterThan(1));
        Assert.That(parts.Max(part => part.Length), Is.GreaterThan(7_000), "thirty slots");
        foreach (byte[] part in parts)
            world.Send(part);
        int sent = script.Count + parts.Count;
        world.WorkUntil(() => Heard(world).Select(told => told.Account).Distinct().Count() >= 8, () => $"{Heard(world).Count} comparisons, {running.Node.Status()}");
        Assert.That(Heard(world), Has.All.Matches<(ulong Account, uint Version, uint Next)>(told => told is { Version: 1, Next: 2 }));
        while ((ulong)running.Node.Gauges.Applied.Value <= activation && running.Node.Fault is null)
        {
            world.Send(IntakeTests.Index(++sent));
            world.WorkUntil(() => running.Node.Gauges.Applied.Value >= running.Node.Gauges.Received.Value || running.Node.Fault is not null, () => $"{running.Node.Status()}");
        }

        running.Check();
        world.WorkUntil(() => world.Margins.Of(MarginUpdateDecoder.TemplateId).Any(IsNew), () => $"{running.Node.Status()}");
        Assert.That(world.Replies.Rejects(), Is.Empty);
        Assert.That(running.Node.Stop(TimeSpan.FromSeconds(30)), Is.True, "drained");
        running.Dispose();
        Assert.That(NodeTests.JournalledMessages(options).Where(message => parts.Any(part => part.AsSpan().SequenceEqual(message))).Count(), Is.EqualTo(parts.Count));

        using MarginMachine again = new(options.Limits);
        using JournalReader reader = JournalReader.Open(new Storage(), options.Journal.Directory);
        while (reader.TryRead(out JournalRecord record))
            again.Apply(record.Sequence, record.TimestampNanos, record.Message, new Nobody());
        Assert.That((again.Report(1)!.Model, again.Report(1)!.ModelVersion), Is.EqualTo(("hvar", 2u)));
    }

    private static bool IsNew(byte[] message) => MarginUpdateDecoder.TryWrap(message, out MarginUpdateDecoder update) && update.ModelVersion == 2;

    private static List<(ulong Account, uint Version, uint Next)> Heard(World world) =>
        [.. world.Margins.Of(ModelComparisonDecoder.TemplateId).Select(message =>
        {
            ModelComparisonDecoder.TryWrap(message, out ModelComparisonDecoder told);
            return (told.AccountId, told.ModelVersion, told.NextVersion);
        })];

    private sealed class Nobody : IDecisionSink
    {
        public void OnDecision(ReadOnlySpan<byte> message)
        {
        }
    }
}
