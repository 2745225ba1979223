// Where a node begins, and who takes snapshots.
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Snapshots;

namespace MarginEngine.Pipeline;

/// <content>The beginning: the newest usable snapshot, or the first record.</content>
public sealed partial class Node
{
    private readonly StartingPoint _start;
    private StartingPoint? _withoutJournal;
    private SnapshotTaker? _snapshots;
    private DivergedPrimary? _diverged;

    /// <summary>Sequence of the snapshot this node began with; 0: with the first record.</summary>
    public long StartedFrom => _start.Sequence;

    /// <summary>On a primary whose standby has diverged: where the state is that its own records lead to, and what differs. Empty before that. Any thread.</summary>
    public string DivergenceTold => _diverged?.Told ?? "";

    /// <summary>Snapshots that could not be used at the start, newest first, each with the reason.</summary>
    public IReadOnlyList<string> SnapshotsPassedOver => _start.PassedOver;

    private SnapshotPlan SnapshotPlan => new(_options.SnapshotEveryRecords, _options.SnapshotEverySeconds, _options.SnapshotsKept);

    /// <summary>Where a journal that holds nothing yet begins: behind a snapshot that was put beside it, or not at all behind anything.</summary>
    private JournalStart? BeginEmpty(SnapshotSource snapshots)
    {
        long first = _options.Journal.FirstSequence;
        bool mustBeTold = _options.Role == NodeRole.Primary;
        if (mustBeTold && first == 1 && snapshots.NewestFirst().Any())
            throw new NodeOptionsException(
                $"the journal in {_options.Journal.Directory} is empty, but there are snapshots up to sequence {snapshots.NewestFirst().First()}: a primary begins behind one "
                + "only where journal.firstSequence is one more than its sequence; to begin a new history, move them away");
        List<string> passedOver = [];
        _withoutJournal = StartingPoint.FindWithoutJournal(
            snapshots, header => first == 1 || header.Sequence == first - 1 ? null : $"journal.firstSequence is {first}", passedOver);
        if (_withoutJournal is { } found)
            return found.AsJournalStart();
        if (first > 1)
            throw new NodeOptionsException(
                $"journal.firstSequence is {first}, but there is no usable snapshot of sequence {first - 1}{(passedOver.Count > 0 ? ": " : "")}{string.Join("; ", passedOver)}");
        return null;
    }

    private StartingPoint Begin(SnapshotSource snapshots, RecoveryReport recovered)
    {
        if (_withoutJournal is { } found)
            return found;
        // A primary decides the last part again, so it needs a state from before that part.
        long before = _options.Role == NodeRole.Primary ? recovered.LastTimestampNanos - _options.RepublishMillis * NanosPerMilli : long.MaxValue;
        return StartingPoint.Find(snapshots, new JournalExtent(recovered.FirstSequence, recovered.LastSequence), before);
    }
}
