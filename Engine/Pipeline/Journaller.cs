// Makes input durable: copies what waits in the ring into the journal's open group, then one write and one sync for all of it.
// Polled by its loop; the publisher and the acknowledger read how far it is from NodeGauges.Journalled.
using Disruptor;
using MarginEngine.Journal;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <summary>
/// Slots go back to the producer as soon as their bytes are in the journal's buffer (early release), so a slow disk holds
/// nothing but the group it is writing. A failed write or sync throws and is never retried: the node stops.
/// </summary>
internal sealed class Journaller : IStage
{
    /// <summary>Journal record kind of an input message, the SBE bytes exactly as received.</summary>
    public const byte InputKind = 1;

    private readonly SlotReader _input;
    private readonly JournalWriter _writer;
    private readonly IClock _clock;
    private readonly NodeGauges _gauges;

    public Journaller(SlotReader input, JournalWriter writer, IClock clock, NodeGauges gauges)
    {
        _input = input;
        _writer = writer;
        _clock = clock;
        _gauges = gauges;
        Durable = new Sequence(input.Position);
        _gauges.Journalled.Set(writer.DurableSequence);
    }

    public string Name => "journaller";

    public long Sequence { get; private set; }

    public bool HasWork => _input.Backlog > 0;

    /// <summary>Ring position up to which everything is on disk: for a decider that waits.</summary>
    public Sequence Durable { get; }

    public int Poll()
    {
        int appended = 0;
        while (_input.TryPeek(out SlotMessage message))
        {
            Sequence = message.Sequence;
            if (!_writer.TryAppend(InputKind, _gauges.Epoch.Value, message.Sequence, message.TimestampNanos, message.Bytes))
                break;
            _input.Advance();
            appended = unchecked(appended + 1);
        }

        if (appended > 0)
            Commit();
        return appended;
    }

    private void Commit()
    {
        _input.Release();
        long before = _clock.MonotonicNanos;
        _writer.Commit();
        _gauges.Sync.Record(unchecked(_clock.MonotonicNanos - before));
        _gauges.JournalBytes.Set(_writer.BytesWritten);
        if (_writer.IsNearlyFull)
            _gauges.DiskNearlyFull.Set(1); // housekeeping looks ten times a second, and takes it back
        Durable.SetValue(_input.Position);
        _gauges.Journalled.Set(_writer.DurableSequence);
    }
}
