// Where a node begins after its journal was recovered: at the newest snapshot that can be used, or at the first record. Called by Node and by the
// offline snapshot; the journal's own end is decided before, in Journal/Recovery.cs.
using System.Globalization;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;

namespace MarginEngine.Snapshots;

/// <summary>
/// The decision. Snapshots are tried from the newest to the oldest; the first that can be used is taken, and those before it are named with the reason.
/// <code>
///   the journal, after recovery                 no usable snapshot                a usable snapshot
///   ------------------------------------------  --------------------------------  -----------------------------------------------
///   clean end, torn tail (cut), newest name     replay from the first record      snapshot, then replay of the rest
///     lost (ends earlier)
///   its beginning was deleted by retention      refused, with every reason        snapshot, then replay of the rest
///   empty                                       a new history                     standby: continues behind the snapshot
///                                                                                 primary: refused, unless journal.firstSequence says so
///   damaged, gap, stale segment                 refused (JournalDamagedException), whatever snapshots there are
///   ends in a newer epoch than configured       refused for a primary; so is a snapshot of a newer epoch that would begin its journal
///
///   a snapshot                                  what becomes of it
///   ------------------------------------------  ---------------------------------------------------------------------------------
///   unfinished name                             is none; the next one that is written removes it
///   half-written, cut, a bit turned             passed over: checksums of header, blocks and all, length of the file
///   other format, layout, schema, arithmetic,   passed over: it cannot be read, or would go on otherwise
///     capacities
///   ahead of the journal                        passed over: the journal is what was promised, and it does not know these inputs
///   of another history                          passed over: the journal's chain at its sequence is another
///   behind a gap (its rest was deleted)         passed over: records between it and the journal's beginning are gone
///   too new for a primary                       passed over: what was decided in the last republishMillis has to be decided again
///   content of another state than its digest    passed over
/// </code>
/// A journal is never changed here.
/// </summary>
internal sealed class StartingPoint
{
    private readonly SnapshotImage? _image;

    private readonly SnapshotHeader _header;

    private StartingPoint(MarginMachine machine, SnapshotHeader header, SnapshotImage? image, IReadOnlyList<string> passedOver)
    {
        Machine = machine;
        _header = header;
        _image = image;
        PassedOver = passedOver;
        Sequence = machine.LastSequence;
    }

    /// <summary>The machine as it was at <see cref="Sequence"/>; the caller's to dispose.</summary>
    public MarginMachine Machine { get; }

    /// <summary>Sequence of the snapshot; 0: it begins with the first record.</summary>
    public long Sequence { get; private init; }

    /// <summary>Stamp of the input at <see cref="Sequence"/>; 0: none.</summary>
    public long TimestampNanos => _header.TimestampNanos;

    /// <summary>Where a journal begins that continues behind it.</summary>
    public JournalStart AsJournalStart() => new(Sequence + 1, _header.Chain, _header.Epoch, _header.TimestampNanos);

    /// <summary>Snapshots that could not be used, newest first, each with the reason.</summary>
    public IReadOnlyList<string> PassedOver { get; }

    /// <summary>Hands on what was the newest margin of each account at <see cref="Sequence"/>.</summary>
    public void GiveMargins(IDecisionKeeper to) => _image?.GiveMargins(to);

    /// <summary>A machine that is handed over as it stands: no snapshot and no replay.</summary>
    public static StartingPoint Continuing(MarginMachine machine) => new(machine, default, null, []) { Sequence = 0 };

    /// <summary>Chooses where to begin in a journal that holds records.</summary>
    /// <param name="beforeNanos">Only snapshots of inputs that were stamped before: <see cref="long.MaxValue"/>: all.</param>
    /// <param name="upTo">Only snapshots up to this sequence.</param>
    /// <exception cref="JournalRefusedException">The journal's beginning is gone and no snapshot stands in for it.</exception>
    public static StartingPoint Find(
        SnapshotSource source, in JournalExtent journal, long beforeNanos = long.MaxValue, long upTo = long.MaxValue)
    {
        List<string> passedOver = [];
        foreach (long sequence in source.NewestFirst())
        {
            if (sequence > upTo)
                continue;
            JournalExtent extent = journal;
            if (source.TryLoad(sequence, header => ReasonAgainst(source, header, extent, beforeNanos), passedOver, out StartingPoint? found))
                return found;
        }

        if (journal.FirstSequence > 1)
            throw new JournalRefusedException(
                $"The journal begins at sequence {journal.FirstSequence.ToString(CultureInfo.InvariantCulture)}, and no snapshot can be used in place of what was before it: "
                + (passedOver.Count == 0 ? "there is none." : string.Join("; ", passedOver) + "."));
        return new StartingPoint(new MarginMachine(source.Limits), default, null, passedOver);
    }

    /// <summary>The newest snapshot that is whole, for a journal that holds nothing yet; null: there is none, a new history begins.</summary>
    /// <param name="accepts">What the role says against a snapshot; null: nothing. It may throw.</param>
    public static StartingPoint? FindWithoutJournal(SnapshotSource source, Func<SnapshotHeader, string?> accepts, List<string> passedOver)
    {
        foreach (long sequence in source.NewestFirst())
        {
            if (source.TryLoad(sequence, accepts, passedOver, out StartingPoint? found))
                return found;
        }

        return null;
    }

    internal static StartingPoint At(MarginMachine machine, in SnapshotHeader header, SnapshotImage image, IReadOnlyList<string> passedOver) =>
        new(machine, header, image, passedOver);

    private static string? ReasonAgainst(SnapshotSource source, in SnapshotHeader header, in JournalExtent journal, long beforeNanos)
    {
        if (header.Sequence > journal.LastSequence)
            return $"it is ahead of the journal, which ends at sequence {journal.LastSequence}";
        if (header.Sequence < journal.FirstSequence - 1)
            return $"the journal begins at sequence {journal.FirstSequence}: what lies between is gone";
        if (header.TimestampNanos >= beforeNanos)
            return "what was decided after it and before the end is less than has to be published again";
        uint? chain = source.ChainAt(header.Sequence);
        return chain == header.Chain ? null
            : chain is null ? "the journal does not hold its sequence"
            : $"it is of another history: its chain is 0x{header.Chain:x8}, the journal's 0x{chain:x8}";
    }
}

/// <summary>What a recovered journal holds.</summary>
internal readonly record struct JournalExtent(long FirstSequence, long LastSequence);
