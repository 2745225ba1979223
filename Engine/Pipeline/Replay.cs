// Brings a machine to where the journal ends, at start: everything old at once, the last part by the decider itself.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;
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

/// <summary>
/// Reads a recovered journal from its start to where recovery ended. Decisions of the old part are not published again, only
/// digested by the machine; of their margin updates the newest of each account is kept, because it is the account's current margin.
/// </summary>
internal sealed class Replay : IDisposable
{
    private readonly JournalReader _reader;
    private readonly long _last;
    private bool _hasPending;

    public Replay(IStorage storage, string directory, in JournalIdentity identity, RecoveryReport recovered)
    {
        _reader = JournalReader.Open(storage, directory, identity);
        _last = recovered.LastSequence;
        _reader.Limit = _last;
    }

    /// <summary>Applies everything stamped before a time; the rest is left for <see cref="TryRead"/>.</summary>
    /// <param name="machine">A new machine.</param>
    /// <param name="untilNanos">Stamp of the first input that is left; <see cref="long.MaxValue"/> leaves none.</param>
    /// <param name="margins">Keeps the newest update of each account; null on a standby.</param>
    /// <param name="gauges">Gets the heartbeats.</param>
    /// <exception cref="JournalIncompleteException">The journal does not begin at its first input, or ends early.</exception>
    public void ApplyBefore(MarginMachine machine, long untilNanos, Outlet? margins, NodeGauges gauges)
    {
        var sink = new OldDecisions(margins, gauges);
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
            if (!_reader.SeekTo(_reader.LastReadSequence))
                throw new JournalIncompleteException(_reader.LastReadSequence, _last);
        }

        if (_reader.LastReadSequence == _last)
            return false;
        if (!_reader.TryRead(out JournalRecord record))
            throw new JournalIncompleteException(_reader.LastReadSequence, _last);
        if (record.Kind != Journaller.InputKind)
            throw new NotSupportedException($"record {record.Sequence} of the journal has kind {record.Kind}, which this program does not know");
        input = new ReplayedInput(record);
        return true;
    }

    public void Dispose() => _reader.Dispose();

    private sealed class OldDecisions(Outlet? margins, NodeGauges gauges) : IDecisionSink
    {
        public long Sequence { get; set; }

        public long TimestampNanos { get; set; }

        public void OnDecision(ReadOnlySpan<byte> message)
        {
            switch (Frame.TemplateId(message))
            {
                case HeartbeatDecoder.TemplateId:
                    gauges.Heartbeats.Add(Digests.Of(message));
                    break;
                case MarginUpdateDecoder.TemplateId:
                    margins?.Keep(Sequence, TimestampNanos, message);
                    break;
            }
        }
    }
}

/// <summary>Recovery and replay disagree about where the journal ends.</summary>
public sealed class JournalIncompleteException(long read, long last)
    : Exception($"the journal was recovered up to sequence {last}, but can be read only up to {read}");
