// The journals and snapshots of RecoveryTableTests.
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Snapshots;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

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

/// <summary>Journals and snapshots of one history, and of another one, made once on the simulated disk.</summary>
internal sealed class RecoveryHistory
{
    public const uint Epoch = 3;

    public const string Folder = "/journal";
    public const long Early = 40, Middle = 300, Beyond = 560, End = 520;
    private const int CommitRecords = 10;

    public static readonly JournalOptions SmallJournal = new() { Directory = Folder, SegmentBytes = 32 << 10, BatchBytes = 8 << 10, ReserveBytes = 0 };

    private readonly List<byte[]> _script = Script.Messages(ticks: 400);
    private readonly FaultyStorage _sealed;
    private readonly FaultyStorage _open;
    private readonly FaultyStorage _other;
    private readonly FaultyStorage _longer;
    private readonly FaultyStorage _wide;
    private readonly Dictionary<long, byte[]> _states = [];
    private readonly long[] _firstOfSegment;

    public RecoveryHistory()
    {
        (_sealed, _open) = Write(_script, End, Limits.Small);
        (_longer, _) = Write(_script, Beyond, Limits.Small);
        List<byte[]> others = Script.Messages(ticks: 400, seed: 2);
        (_other, _) = Write(others, End, Limits.Small);
        (_wide, _) = Write(_script, End, Limits.Small with { Orders = 5_000 });
        _firstOfSegment = [.. Segments(_open).Select(FirstOf)];
        GoodEarly = Snapshot(_sealed, Early);
        GoodMiddle = Snapshot(_sealed, Middle);
        TornEnd = End - CommitRecords;
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

    /// <summary>Snapshots of the history at <see cref="Early"/> and <see cref="Middle"/>.</summary>
    public byte[] GoodEarly { get; }

    public byte[] GoodMiddle { get; }

    public long TornEnd { get; }

    public long LostEnd { get; }

    public static bool IsSegment(string path) => path.EndsWith(".segment", StringComparison.Ordinal);

    public static byte[] Bytes(MarginMachine machine)
    {
        StateBlocks blocks = new();
        machine.Save(blocks);
        return [.. Enumerable.Range(0, blocks.Count).SelectMany(block => blocks[block].ToArray())];
    }

    /// <summary>The state after a replay from the first record.</summary>
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

    private static (FaultyStorage Sealed, FaultyStorage Open) Write(List<byte[]> script, long count, Limits limits)
    {
        FaultyStorage disk = new();
        FaultyStorage open;
        using (JournalWriter writer = JournalWriter.Open(SmallJournal, EngineIdentity.Of(limits), disk))
        {
            for (long sequence = 1; sequence <= count; sequence++)
            {
                Assert.That(writer.TryAppend(Journaller.InputKind, Epoch, sequence, StampOf(sequence), script[(int)sequence - 1]), Is.True);
                if (sequence % CommitRecords == 0)
                    writer.Commit();
            }

            open = disk.Copy();
        }

        return (disk, open);
    }
}

file sealed class Silent : IDecisionSink
{
    public void OnDecision(ReadOnlySpan<byte> message)
    {
    }
}
