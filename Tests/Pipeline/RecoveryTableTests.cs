// Every row of the table in StartingPoint.cs against every column: what a node makes of a journal and the snapshots beside it.
using System.Reflection;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;
using static MarginEngine.Tests.PipelineTests.RecoveryHistory;

namespace MarginEngine.Tests.PipelineTests;

[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class RecoveryTableTests
{
    private static readonly Lazy<RecoveryHistory> Made = new(() => new RecoveryHistory());

    private static IEnumerable<TestCaseData> Table() =>
        from journal in Enum.GetValues<JournalCase>()
        from snapshot in Enum.GetValues<SnapshotCase>()
        from withGood in snapshot is SnapshotCase.None or SnapshotCase.Good ? new[] { false } : [false, true]
        select new TestCaseData(journal, snapshot, withGood).SetName($"{journal}, {snapshot}{(withGood ? " and an older good one" : "")}");

    [TestCaseSource(nameof(Table))]
    public void A_standby_begins_where_the_table_says(JournalCase journal, SnapshotCase snapshot, bool withGood)
    {
        RecoveryHistory world = Made.Value;
        FaultyStorage disk = world.Journal(journal);
        world.Put(disk, snapshot);
        if (withGood)
            Copy(world.GoodMiddle, disk, Middle);
        byte[][] before = [.. disk.Paths.Where(IsSegment).Select(disk.BytesOf)];
        bool isDamaged = journal is JournalCase.DamageBeforeValidData or JournalCase.Gap or JournalCase.StaleSegment;
        long end = journal switch
        {
            JournalCase.Empty => 0,
            JournalCase.TornTail => world.TornEnd,
            JournalCase.NewestNameLost => world.LostEnd,
            _ => End,
        };

        // The good one stands at Middle; of the others only one without a journal to compare with can be taken.
        bool hasGood = withGood || snapshot == SnapshotCase.Good;
        long from = journal == JournalCase.Empty && snapshot is SnapshotCase.Ahead or SnapshotCase.OtherHistory ? world.SequenceOf(snapshot)
            : journal != JournalCase.BeginningDeleted && snapshot == SnapshotCase.BehindAGap && !withGood ? Early
            : hasGood ? Middle
            : 0;
        if (isDamaged)
        {
            Assert.That(() => Open(disk), Throws.InstanceOf<JournalDamagedException>());
            Assert.That(disk.Paths.Where(IsSegment).Select(disk.BytesOf), Is.EqualTo(before), "and nothing is changed");
            return;
        }

        if (journal == JournalCase.BeginningDeleted && from == 0)
        {
            string reason = snapshot is SnapshotCase.None or SnapshotCase.UnfinishedName ? "there is none" : "is passed over: ";
            Assert.That(() => Open(disk), Throws.InstanceOf<JournalRefusedException>().With.Message.Contains(reason));
            return;
        }

        using Node node = Open(disk);
        Assert.That(node.StartedFrom, Is.EqualTo(from));
        long reached = Math.Max(end, from);
        Assert.That(node.Gauges.Received.Value, Is.EqualTo(reached), "where the primary is asked to go on");
        bool isPassedOver = snapshot is not (SnapshotCase.None or SnapshotCase.Good or SnapshotCase.UnfinishedName) && from != world.SequenceOf(snapshot);
        if (journal != JournalCase.Empty)
            Assert.That(node.SnapshotsPassedOver.Count, Is.EqualTo(isPassedOver && !(withGood && snapshot == SnapshotCase.BehindAGap) ? 1 : 0), string.Join("; ", node.SnapshotsPassedOver));
        if (snapshot != SnapshotCase.OtherHistory || from != Middle + 1)
            Assert.That(Bytes(MachineOf(node)), Is.EqualTo(world.StateAt(reached)), "the state of a replay from the first record, byte for byte");
    }

    [Test]
    public void A_primary_begins_before_what_it_has_to_say_again()
    {
        RecoveryHistory world = Made.Value;
        FaultyStorage disk = world.Journal(JournalCase.CleanEnd);
        Copy(world.GoodEarly, disk, Early);
        Copy(world.GoodMiddle, disk, Middle);
        NodeOptions options = Options() with { Role = NodeRole.Primary, RepublishMillis = 100, SubscriberGraceMillis = 25 };
        using (Node node = new(options, storage: disk.Copy()))
            Assert.That(node.StartedFrom, Is.EqualTo(Middle), "a hundred records are republished, and it is older than they are");
        using Node careful = new(options with { RepublishMillis = 400 }, storage: disk);
        Assert.That(careful.StartedFrom, Is.EqualTo(Early));
        Assert.That(careful.SnapshotsPassedOver.Single(), Does.Contain($"snapshot {Middle} is passed over").And.Contains("published again"));
    }

    [Test]
    public void A_primary_never_begins_behind_a_snapshot_unasked()
    {
        RecoveryHistory world = Made.Value;
        FaultyStorage disk = new();
        Copy(world.GoodMiddle, disk, Middle);
        NodeOptions options = Options() with { Role = NodeRole.Primary };
        Assert.That(() => new Node(options, storage: disk.Copy()), Throws.InstanceOf<NodeOptionsException>().With.Message.Contains("journal.firstSequence"));
        Assert.That(
            () => new Node(options with { Journal = options.Journal with { FirstSequence = 7 } }, storage: disk.Copy()),
            Throws.InstanceOf<NodeOptionsException>().With.Message.Contains("no usable snapshot of sequence 6"));
        using Node node = new(options with { Journal = options.Journal with { FirstSequence = Middle + 1 } }, storage: disk);
        Assert.That((node.StartedFrom, node.Recovered.LastSequence), Is.EqualTo((Middle, Middle)));
    }

    [Test]
    public void A_newer_epoch_is_refused_by_a_primary_and_taken_by_a_standby([Values] bool inSnapshot)
    {
        RecoveryHistory world = Made.Value;
        FaultyStorage disk = inSnapshot ? new FaultyStorage() : world.Journal(JournalCase.CleanEnd);
        if (inSnapshot)
            Copy(world.GoodMiddle, disk, Middle);
        NodeOptions options = Options() with { Epoch = Epoch - 1 };
        options = options with { Journal = options.Journal with { FirstSequence = inSnapshot ? Middle + 1 : 1 } };
        Assert.That(
            () => new Node(options with { Role = NodeRole.Primary }, storage: disk.Copy()),
            Throws.InstanceOf<NodeOptionsException>().With.Message.Contains($"ends in epoch {Epoch}"));
        using Node node = new(options, storage: disk);
        Assert.That(node.Gauges.Epoch.Value, Is.EqualTo(Epoch));
    }

    private static Node Open(FaultyStorage disk) => new(Options(), storage: disk);

    private static NodeOptions Options()
    {
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Pair(directory).Standby;
        return options with { Epoch = Epoch, Journal = SmallJournal };
    }

    private static MarginMachine MachineOf(Node node) =>
        (MarginMachine)typeof(Node).GetField("_machine", BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(node)!;
}
