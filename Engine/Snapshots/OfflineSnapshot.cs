// A snapshot made from a journal by replay, beside a running node or without one. Used by `margin snapshot`; it writes nothing but the snapshot.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Watch;

namespace MarginEngine.Snapshots;

/// <summary>What to make.</summary>
/// <param name="Journal">Directory of the journal.</param>
/// <param name="To">Directory that gets the snapshot.</param>
/// <param name="At">After which sequence; <see cref="long.MaxValue"/>: as far as the journal goes.</param>
/// <param name="Keep">Newest snapshots that stay there; 0: all.</param>
public sealed record OfflineSnapshotRequest(string Journal, string To, long At = long.MaxValue, int Keep = 0);

/// <param name="Header">What was written.</param>
/// <param name="Path">Where.</param>
/// <param name="StartedFrom">Sequence of the snapshot it began with; 0: the first record.</param>
/// <param name="PassedOver">Snapshots that could not be used, with the reason.</param>
public sealed record OfflineSnapshotResult(SnapshotHeader Header, string Path, long StartedFrom, IReadOnlyList<string> PassedOver);

/// <param name="Machine">The caller's to dispose.</param>
/// <param name="Sequence">The next input is one more.</param>
/// <param name="PassedOver">Newer snapshots that could not be used, with the reason.</param>
public sealed record SnapshotBeginning(MarginMachine Machine, long Sequence, IReadOnlyList<string> PassedOver);

public static class OfflineSnapshot
{
    /// <summary>
    /// Begins with the newest usable snapshot and replays what the journal has behind it. Beside a running node it sees whole groups, of which the last may not
    /// be durable yet: then a power cut leaves a snapshot ahead of its journal, which every start passes over.
    /// </summary>
    /// <param name="limits">Capacities of the node that wrote the journal.</param>
    /// <param name="report">Called after each record with its sequence.</param>
    /// <param name="onHeartbeat">Called with the digests of each heartbeat that the replay decides.</param>
    /// <exception cref="JournalRefusedException">Neither the journal's beginning nor a snapshot is there, or it ends before the sequence that was asked for.</exception>
    /// <exception cref="JournalDamagedException">The journal is damaged.</exception>
    public static OfflineSnapshotResult Take(
        IStorage storage, OfflineSnapshotRequest request, Limits limits, Action<long>? report = null, Action<HeartbeatDigest>? onHeartbeat = null)
    {
        using JournalReader reader = JournalReader.Open(storage, request.Journal, EngineIdentity.Of(limits), follow: true);
        JournalExtent extent = ExtentOf(reader);
        var source = new SnapshotSource(storage, request.Journal, request.Journal, limits);
        StartingPoint start = StartingPoint.Find(source, extent, upTo: request.At);
        using MarginMachine machine = start.Machine;
        var margins = new NewestMargins(limits.Accounts, onHeartbeat);
        start.GiveMargins(margins);
        uint chain = start.Sequence == 0 ? 0 : reader.ChainAfter(start.Sequence) ?? 0;
        if (start.Sequence == 0 || reader.SeekTo(start.Sequence + 1))
            Replay(reader, machine, margins, request.At, ref chain, report);
        if (machine.LastSequence == 0)
            throw new JournalRefusedException($"The journal in {request.Journal} holds no records.");
        if (request.At != long.MaxValue && machine.LastSequence != request.At)
            throw new JournalRefusedException($"The journal ends at sequence {machine.LastSequence}, before {request.At}.");
        var image = new SnapshotImage();
        SnapshotHeader header = image.Take(machine, margins.Kept) with { Identity = EngineIdentity.Of(limits), Chain = chain };
        SnapshotHeader written = SnapshotFolder.Write(storage, request.To, header, image, request.Keep);
        return new OfflineSnapshotResult(written, SnapshotFolder.PathOf(request.To, written.Sequence), start.Sequence, start.PassedOver);
    }

    /// <summary>The newest usable snapshot beside a journal as a machine, for a replay that does not begin at the first record.</summary>
    /// <exception cref="JournalRefusedException">There is none; the message has every reason.</exception>
    public static SnapshotBeginning Newest(IStorage storage, string journal, Limits limits, long upTo = long.MaxValue)
    {
        using JournalReader reader = JournalReader.Open(storage, journal, EngineIdentity.Of(limits), follow: true);
        StartingPoint start = StartingPoint.Find(new SnapshotSource(storage, journal, journal, limits), ExtentOf(reader), upTo: upTo);
        if (start.Sequence > 0)
            return new SnapshotBeginning(start.Machine, start.Sequence, start.PassedOver);
        start.Machine.Dispose();
        throw new JournalRefusedException($"No snapshot in {journal} can be used: {(start.PassedOver.Count == 0 ? "there is none" : string.Join("; ", start.PassedOver))}.");
    }

    private static void Replay(JournalReader reader, MarginMachine machine, NewestMargins margins, long at, ref uint chain, Action<long>? report)
    {
        while (machine.LastSequence < at && reader.TryRead(out JournalRecord record))
        {
            margins.Begin(record.Sequence, record.TimestampNanos);
            machine.Epoch = checked((uint)record.Epoch);
            machine.Apply(record.Sequence, record.TimestampNanos, record.Message, margins);
            chain = record.Checksum;
            report?.Invoke(record.Sequence);
        }
    }

    // A live writer's end is wherever it is when we get there, so only the beginning is looked at.
    private static JournalExtent ExtentOf(JournalReader reader)
    {
        long first = reader.TryRead(out JournalRecord record) ? record.Sequence : 0;
        if (first > 0)
            reader.SeekTo(first);
        return new JournalExtent(first, long.MaxValue);
    }

    private sealed class NewestMargins(int accounts, Action<HeartbeatDigest>? onHeartbeat) : IDecisionSink, IDecisionKeeper
    {
        private long _sequence;
        private long _timestampNanos;

        public Conflater Kept { get; } = new(accounts);

        public void Begin(long sequence, long timestampNanos) => (_sequence, _timestampNanos) = (sequence, timestampNanos);

        public void OnDecision(ReadOnlySpan<byte> message)
        {
            if (onHeartbeat is not null && Frame.TemplateId(message) == HeartbeatDecoder.TemplateId)
                onHeartbeat(Digests.Of(message));
            Keep(_sequence, _timestampNanos, message);
        }

        public void Keep(long sequence, long timestampNanos, ReadOnlySpan<byte> decision)
        {
            if (MarginUpdateDecoder.TryWrap(decision, out MarginUpdateDecoder update))
                Kept.Put(update.AccountId, sequence, timestampNanos, decision);
        }
    }
}
