// Brings a machine to where the journal ends, at start: everything old at once, the last part by the decider itself.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Snapshots;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <summary>One input as the journal holds it; the message is valid until the next read.</summary>
internal readonly ref struct ReplayedInput
{
    public ReplayedInput(JournalRecord record)
    {
        Sequence = record.Sequence;
        TimestampNanos = record.TimestampNanos;
        Epoch = checked((uint)record.Epoch);
        Message = record.Message;
    }

    public long Sequence { get; }

    public long TimestampNanos { get; }

    public uint Epoch { get; }

    public ReadOnlySpan<byte> Message { get; }
}

/// <summary>Takes decisions that are not published now, for later.</summary>
internal interface IDecisionKeeper
{
    /// <summary>Copies what it wants of a decision.</summary>
    void Keep(long sequence, long timestampNanos, ReadOnlySpan<byte> decision);
}

/// <summary>
/// Reads a recovered journal from its start, or from behind a snapshot, to where recovery ended. Decisions of the old part are not published
/// again, only digested by the machine; its keepers take what is worth keeping of them.
/// </summary>
internal sealed class Replay : IDisposable
{
    private readonly JournalReader _reader;
    private readonly long _last;
    private long _read;
    private bool _hasPending;

    /// <param name="storage">The disk.</param>
    /// <param name="directory">The journal's.</param>
    /// <param name="identity">Of this program.</param>
    /// <param name="recovered">Where the journal ends.</param>
    /// <param name="after">Last input of the snapshot it begins behind; 0: it begins with the first record.</param>
    /// <exception cref="JournalIncompleteException">The journal does not hold what comes next.</exception>
    public Replay(IStorage storage, string directory, in JournalIdentity identity, RecoveryReport recovered, long after)
    {
        _reader = JournalReader.Open(storage, directory, identity);
        _last = recovered.LastSequence;
        _reader.Limit = _last;
        _read = after;
        if (after < _last && !_reader.SeekTo(after + 1))
            throw new JournalIncompleteException(after, _last);
    }

    /// <summary>Applies everything stamped before a time; the rest is left for <see cref="TryRead"/>.</summary>
    /// <param name="machine">A new machine, or that of the snapshot.</param>
    /// <param name="untilNanos">Stamp of the first input that is left; <see cref="long.MaxValue"/> leaves none.</param>
    /// <param name="gauges">Gets the heartbeats.</param>
    /// <param name="keepers">Get what it decides, heartbeats included.</param>
    /// <exception cref="JournalIncompleteException">The journal does not begin at its first input, or ends early.</exception>
    public void ApplyBefore(MarginMachine machine, long untilNanos, NodeGauges gauges, params IDecisionKeeper[] keepers)
    {
        var sink = new OldDecisions(keepers, gauges);
        while (TryRead(out ReplayedInput input))
        {
            if (input.TimestampNanos >= untilNanos)
            {
                _hasPending = true;
                return;
            }

            sink.Sequence = input.Sequence;
            sink.TimestampNanos = input.TimestampNanos;
            machine.Epoch = input.Epoch;
            machine.Apply(input.Sequence, input.TimestampNanos, input.Message, sink);
        }
    }

    /// <summary>The next input; false at the recovered end.</summary>
    public bool TryRead(out ReplayedInput input)
    {
        input = default;
        if (_hasPending)
        {
            // The one that ApplyBefore looked at and left: read it again.
            _hasPending = false;
            if (!_reader.SeekTo(_read))
                throw new JournalIncompleteException(_read, _last);
            _read--;
        }

        if (_read == _last)
            return false;
        if (!_reader.TryRead(out JournalRecord record))
            throw new JournalIncompleteException(_read, _last);
        _read = record.Sequence;
        if (record.Kind != Journaller.InputKind)
            throw new NotSupportedException($"record {record.Sequence} of the journal has kind {record.Kind}, which this program does not know");
        input = new ReplayedInput(record);
        return true;
    }

    public void Dispose() => _reader.Dispose();

    private sealed class OldDecisions(IDecisionKeeper[] keepers, NodeGauges gauges) : IDecisionSink
    {
        public long Sequence { get; set; }

        public long TimestampNanos { get; set; }

        public void OnDecision(ReadOnlySpan<byte> message)
        {
            if (Frame.TemplateId(message) == HeartbeatDecoder.TemplateId)
                gauges.Heartbeats.Add(Digests.Of(message));
            foreach (IDecisionKeeper keeper in keepers)
                keeper.Keep(Sequence, TimestampNanos, message);
        }
    }
}

/// <summary>Recovery and replay disagree about where the journal ends.</summary>
public sealed class JournalIncompleteException(long read, long last)
    : Exception($"the journal was recovered up to sequence {last}, but can be read only up to {read}");
