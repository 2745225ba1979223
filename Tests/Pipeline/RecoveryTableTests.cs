// Every row of the table in StartingPoint.cs against every column: what a node makes of a journal and the snapshots beside it.
using System.Reflection;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Snapshots;
using MarginEngine.Tests.JournalTests;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

[TestFixture]
internal sealed class RecoveryTableTests
{
    private const string Folder = "/journal";
    private const long Early = 40, Middle = 300, Beyond = 560, End = 520;

    /// <summary>What became of the journal.</summary>
    internal enum JournalCase
    {
        CleanEnd,
        TornTail,
        NewestNameLost,
        BeginningDeleted,
        Empty,
        DamageBeforeValidData,
        Gap,
        StaleSegment,
    }

    /// <summary>What lies beside it. All but the first two come alone and with an older one that is good.</summary>
    internal enum SnapshotCase
    {
        None,
        Good,
        UnfinishedName,
        HalfWritten,
        Damaged,
        OtherCapacities,
        OtherLayout,
        OtherState,
        Ahead,
        OtherHistory,
        BehindAGap,
    }

    private static readonly Lazy<History> Made = new(() => new History());

    private static IEnumerable<TestCaseData> Table() =>
        from journal in Enum.GetValues<JournalCase>()
        from snapshot in Enum.GetValues<SnapshotCase>()
        from withGood in snapshot is SnapshotCase.None or SnapshotCase.Good ? new[] { false } : [false, true]
        select new TestCaseData(journal, snapshot, withGood).SetName($"{journal}, {snapshot}{(withGood ? " and an older good one" : "")}");

    [TestCaseSource(nameof(Table))]
    public void A_standby_begins_where_the_table_says(JournalCase journal, SnapshotCase snapshot, bool withGood)
    {
        History world = Made.Value;
        FaultyStorage disk = world.Journal(journal);
        world.Put(disk, snapshot);
        if (withGood)
            History.Copy(world.GoodMiddle, disk, Middle);
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
        History world = Made.Value;
        FaultyStorage disk = world.Journal(JournalCase.CleanEnd);
        History.Copy(world.GoodEarly, disk, Early);
        History.Copy(world.GoodMiddle, disk, Middle);
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
        History world = Made.Value;
        FaultyStorage disk = new();
        History.Copy(world.GoodMiddle, disk, Middle);
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
        History world = Made.Value;
        FaultyStorage disk = inSnapshot ? new FaultyStorage() : world.Journal(JournalCase.CleanEnd);
        if (inSnapshot)
            History.Copy(world.GoodMiddle, disk, Middle);
        NodeOptions options = Options() with { Epoch = History.Epoch - 1 };
        options = options with { Journal = options.Journal with { FirstSequence = inSnapshot ? Middle + 1 : 1 } };
        Assert.That(
            () => new Node(options with { Role = NodeRole.Primary }, storage: disk.Copy()),
            Throws.InstanceOf<NodeOptionsException>().With.Message.Contains($"ends in epoch {History.Epoch}"));
        using Node node = new(options, storage: disk);
        Assert.That(node.Gauges.Epoch.Value, Is.EqualTo(History.Epoch));
    }

    private static bool IsSegment(string path) => path.EndsWith(".segment", StringComparison.Ordinal);

    private static Node Open(FaultyStorage disk) => new(Options(), storage: disk);

    private static NodeOptions Options()
    {
        using var directory = new TestDirectory();
        NodeOptions options = TestNode.Pair(directory).Standby;
        return options with { Epoch = History.Epoch, Journal = History.JournalOptions };
    }

    private static MarginMachine MachineOf(Node node) =>
        (MarginMachine)typeof(Node).GetField("_machine", BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(node)!;

    private static byte[] Bytes(MarginMachine machine)
    {
        StateBlocks blocks = new();
        machine.Save(blocks);
        return [.. Enumerable.Range(0, blocks.Count).SelectMany(block => blocks[block].ToArray())];
    }

    /// <summary>Journals and snapshots of one history, and of another one, made once on the simulated disk.</summary>
    private sealed class History
    {
        public const uint Epoch = 3;

        public static readonly JournalOptions JournalOptions = new() { Directory = Folder, SegmentBytes = 32 << 10, BatchBytes = 8 << 10, ReserveBytes = 0 };

        private readonly List<byte[]> _script = Script.Messages(ticks: 400);
        private readonly FaultyStorage _sealed;
        private readonly FaultyStorage _open;
        private readonly FaultyStorage _other;
        private readonly FaultyStorage _longer;
        private readonly FaultyStorage _wide;
        private readonly Dictionary<long, byte[]> _states = [];
        private readonly long[] _firstOfSegment;

        public History()
        {
            (_sealed, _open) = Write(_script, End, Limits.Small);
            (_longer, _) = Write(_script, Beyond, Limits.Small);
            List<byte[]> others = Script.Messages(ticks: 400, seed: 2);
            (_other, _) = Write(others, End, Limits.Small);
            (_wide, _) = Write(_script, End, Limits.Small with { Orders = 5_000 });
            _firstOfSegment = [.. Segments(_open).Select(FirstOf)];
            GoodEarly = Snapshot(_sealed, Early);
            GoodMiddle = Snapshot(_sealed, Middle);
            TornEnd = LastCommit();
            LostEnd = _firstOfSegment[^1] - 1;
            using MarginMachine machine = new(Limits.Small);
            machine.Epoch = Epoch;
            Silent sink = new();
            for (long sequence = 1; sequence <= Beyond; sequence++)
            {
                machine.Apply(sequence, StampOf(sequence), _script[(int)sequence - 1], sink);
                _states[sequence] = Bytes(machine);
            }

            _states[0] = Bytes(new MarginMachine(Limits.Small));
            Assert.That(_firstOfSegment, Has.Length.GreaterThan(4));
            Assert.That(_firstOfSegment[2], Is.GreaterThan(Early + 1).And.LessThan(Middle));
            Assert.That(LostEnd, Is.GreaterThan(Middle));
        }

        public byte[] GoodEarly { get; }

        public byte[] GoodMiddle { get; }

        public long TornEnd { get; }

        public long LostEnd { get; }

        public byte[] StateAt(long sequence) => _states[sequence];

        public long SequenceOf(SnapshotCase snapshot) => snapshot switch
        {
            SnapshotCase.Ahead => Beyond,
            SnapshotCase.BehindAGap => Early,
            SnapshotCase.OtherHistory => Middle + 1,
            SnapshotCase.Good => Middle,
            _ => Middle + 20,
        };

        public FaultyStorage Journal(JournalCase journal)
        {
            FaultyStorage disk = (journal is JournalCase.TornTail or JournalCase.NewestNameLost ? _open : _sealed).Copy();
            string[] segments = Segments(disk);
            switch (journal)
            {
                case JournalCase.TornTail:
                    disk.Damage(segments[^1], bytes =>
                    {
                        int last = bytes.AsSpan().LastIndexOfAnyExcept((byte)0) / Format.SectorBytes * Format.SectorBytes;
                        bytes.AsSpan(last, Format.SectorBytes).Clear();
                        return bytes;
                    });
                    break;
                case JournalCase.NewestNameLost:
                    disk.Delete(segments[^1]);
                    break;
                case JournalCase.BeginningDeleted:
                    disk.Delete(segments[0]);
                    disk.Delete(segments[1]);
                    break;
                case JournalCase.Empty:
                    return new FaultyStorage();
                case JournalCase.DamageBeforeValidData:
                    disk.Damage(segments[1], bytes =>
                    {
                        bytes[9_000] ^= 1;
                        return bytes;
                    });
                    break;
                case JournalCase.Gap:
                    disk.Delete(segments[2]);
                    break;
                case JournalCase.StaleSegment:
                    byte[] stale = _other.BytesOf(segments[^1]);
                    disk.Damage(segments[^1], _ => stale);
                    break;
            }

            return disk;
        }

        public void Put(FaultyStorage disk, SnapshotCase snapshot)
        {
            long sequence = SequenceOf(snapshot);
            switch (snapshot)
            {
                case SnapshotCase.None:
                    break;
                case SnapshotCase.Good:
                    Copy(GoodMiddle, disk, Middle);
                    break;
                case SnapshotCase.UnfinishedName:
                    Copy(Snapshot(_sealed, sequence), disk, sequence);
                    disk.Rename(SnapshotFolder.PathOf(Folder, sequence), SnapshotFolder.PathOf(Folder, sequence) + "-writing");
                    break;
                case SnapshotCase.HalfWritten:
                    byte[] half = Snapshot(_sealed, sequence);
                    Copy(half[..(half.Length / 2 / 4096 * 4096)], disk, sequence);
                    break;
                case SnapshotCase.Damaged:
                    byte[] damaged = Snapshot(_sealed, sequence);
                    damaged[5_000] ^= 4;
                    Copy(damaged, disk, sequence);
                    break;
                case SnapshotCase.OtherCapacities:
                    Copy(Snapshot(_wide, sequence, Limits.Small with { Orders = 5_000 }), disk, sequence);
                    break;
                case SnapshotCase.OtherLayout:
                    Forge(disk, sequence, header => header with { Layout = MarginMachine.StateVersion + 1 });
                    break;
                case SnapshotCase.OtherState:
                    Forge(disk, sequence, header => header with { StateDigest = header.StateDigest + 1 });
                    break;
                case SnapshotCase.Ahead:
                    Copy(Snapshot(_longer, sequence), disk, sequence);
                    break;
                case SnapshotCase.OtherHistory:
                    Copy(Snapshot(_other, sequence), disk, sequence);
                    break;
                case SnapshotCase.BehindAGap:
                    Copy(GoodEarly, disk, Early);
                    break;
            }
        }

        /// <summary>Puts the bytes of a snapshot into the folder.</summary>
        public static void Copy(byte[] snapshot, FaultyStorage disk, long sequence)
        {
            string path = SnapshotFolder.PathOf(Folder, sequence);
            disk.Create(path, snapshot.Length).Dispose();
            disk.Damage(path, _ => snapshot);
            disk.SyncDirectory(Folder);
        }

        // A whole file that says something else of its content.
        private void Forge(FaultyStorage disk, long sequence, Func<SnapshotHeader, SnapshotHeader> change)
        {
            FaultyStorage made = new();
            Copy(Snapshot(_sealed, sequence), made, sequence);
            var image = new SnapshotImage();
            SnapshotHeader header = SnapshotFile.Read(made, SnapshotFolder.PathOf(Folder, sequence), image);
            SnapshotFolder.Write(disk, Folder, change(header), image, keep: 0);
        }

        private static byte[] Snapshot(FaultyStorage journal, long at, Limits? limits = null)
        {
            FaultyStorage disk = journal.Copy();
            OfflineSnapshotResult made = OfflineSnapshot.Take(disk, new OfflineSnapshotRequest(Folder, Folder, at), limits ?? Limits.Small);
            return disk.BytesOf(made.Path);
        }

        private static string[] Segments(FaultyStorage disk) => [.. disk.Paths.Where(IsSegment).Where(path => disk.BytesOf(path)[..512].AsSpan().IndexOfAnyExcept((byte)0) >= 0)];

        private long FirstOf(string path) => BitConverter.ToInt64(_open.BytesOf(path), 24);

        private static long StampOf(long sequence) => 1_770_000_000_000_000_000 + (sequence * 1_000_000);

        // Ten records a commit.
        private static (FaultyStorage Sealed, FaultyStorage Open) Write(List<byte[]> script, long count, Limits limits)
        {
            FaultyStorage disk = new();
            FaultyStorage open;
            using (JournalWriter writer = JournalWriter.Open(JournalOptions, EngineIdentity.Of(limits), disk))
            {
                for (long sequence = 1; sequence <= count; sequence++)
                {
                    Assert.That(writer.TryAppend(Journaller.InputKind, Epoch, sequence, StampOf(sequence), script[(int)sequence - 1]), Is.True);
                    if (sequence % 10 == 0)
                        writer.Commit();
                }

                open = disk.Copy();
            }

            return (disk, open);
        }

        private static long LastCommit() => End - 10;
    }

    private sealed class Silent : IDecisionSink
    {
        public void OnDecision(ReadOnlySpan<byte> message)
        {
        }
    }
}
