// The door itself: decides of each frame whether it becomes an input, stamps it and copies it into the input ring.
// Called by the gateway for what arrives and for its own time ticks. Time enters the engine here and nowhere else.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <summary>
/// A frame passes these checks in order: length, schema and template, structure and ranges (Schema.Validate), direction, the
/// reserved source, the source's own sequence (exactly last + 1), room on the disk and for a new source. What fails gets a coded reject that names the
/// field, is counted, and changes nothing. A full ring, or a publication that lags too far, is no reject: the frame stays with
/// the transport, whose flow control then holds the sender.
/// </summary>
internal sealed class Intake
{
    /// <summary>Source of the time ticks that the gateway injects itself: the highest number that is not SBE's null.</summary>
    public const ushort OwnSource = ushort.MaxValue - 1;

    private const int ScratchBytes = 256;

    // Header and padding of a journal record, at the most.
    private const int RecordBytes = 64;
    private readonly SlotWriter _input;
    private readonly SlotWriter _rejects;
    private readonly PublicationLag _lag;
    private readonly IClock _clock;
    private readonly NodeGauges _gauges;
    private readonly long[] _lastOfSource = new long[ushort.MaxValue + 1];
    private readonly byte[] _scratch = new byte[ScratchBytes];
    private readonly int _maximumSources;
    private int _sources;
    private readonly long _aheadBytes;
    private long _sequence;
    private long _takenBytes;
    private long _journalledBytes;
    private long _markedSequence;
    private long _markedBytes;

    /// <param name="input">The input ring; its longest message is the longest that is taken.</param>
    /// <param name="rejects">The ring of the gateway's rejects.</param>
    /// <param name="maximumSources">Sources that the machine has room for.</param>
    /// <param name="limitNanos">Age at which an input that is not published stops the intake.</param>
    /// <param name="clock">Stamps.</param>
    /// <param name="gauges">Reads how far publication is; counts.</param>
    /// <param name="aheadBytes">What may be taken ahead of the journal: a part of the reserve, which has to hold it when the disk is full.</param>
    public Intake(SlotWriter input, SlotWriter rejects, int maximumSources, long limitNanos, IClock clock, NodeGauges gauges, long aheadBytes = long.MaxValue)
    {
        _aheadBytes = aheadBytes;
        _input = input;
        _rejects = rejects;
        _maximumSources = maximumSources;
        _lag = new PublicationLag(limitNanos);
        _clock = clock;
        _gauges = gauges;
    }

    /// <summary>Stamp of the last input.</summary>
    public long LastTimestampNanos { get; private set; }

    public long Sequence => _sequence;

    /// <summary>Continues a recovered history: its end, and the last sequence of each source in it.</summary>
    public void Resume(long sequence, long timestampNanos, Func<ushort, ulong> lastSequenceOfSource)
    {
        _sequence = sequence;
        LastTimestampNanos = timestampNanos;
        _sources = 0;
        for (int source = 0; source < _lastOfSource.Length; source++)
        {
            _lastOfSource[source] = checked((long)lastSequenceOfSource((ushort)source));
            if (_lastOfSource[source] > 0 && source != OwnSource)
                _sources++;
        }

        _gauges.Received.Set(sequence);
        _markedSequence = sequence;
    }

    /// <summary>Takes or rejects a frame; false when there is no room for either, then nothing happened and it must come again.</summary>
    public bool TryTake(ReadOnlySpan<byte> frame)
    {
        if (frame.Length > _input.MaximumMessageBytes)
            return TryReject(frame, RejectCode.TooLarge, 0, 0);
        SbeError error = Schema.Validate(frame, out ushort fieldId);
        if (error != SbeError.None)
            return TryReject(frame, MarginMachine.CodeOf(error), fieldId, 0);
        if (Frame.TemplateId(frame) > Frame.LastInputTemplate)
            return TryReject(frame, RejectCode.UnknownTemplate, 0, 0);

        // Every valid input begins with an origin.
        Check.That(Frame.TryReadOrigin(frame, out MessageOrigin origin));
        if (origin.Source == OwnSource)
            return TryReject(frame, RejectCode.Unauthorised, Frame.OriginField, 0);
        long expected = _lastOfSource[origin.Source] + 1;
        if (origin.Sequence != (ulong)expected && !(Planted.Is(Defect.TakeTwice) && origin.Sequence + 1 == (ulong)expected))
            return TryReject(frame, SequenceCode(origin.Sequence, expected), Frame.OriginField, (ulong)expected);
        if (_gauges.DiskNearlyFull.Value != 0)
            return TryReject(frame, RejectCode.Capacity, 0, (ulong)expected);
        // One place is kept for our own time ticks.
        if (expected == 1 && _sources >= _maximumSources - 1)
            return TryReject(frame, RejectCode.Capacity, Frame.OriginField, 0);
        return TryStamp(frame, origin.Source);
    }

    /// <summary>Puts a time tick of our own into the ring; false when there is no room. On a nearly full disk ticks are what the reserve's first half is for.</summary>
    public bool TryTick()
    {
        if (_gauges.TimeStands.Value != 0)
            return false;
        TimeTickEncoder tick = TimeTickEncoder.Wrap(_scratch);
        tick.SetOrigin((ulong)(_lastOfSource[OwnSource] + 1), (ulong)NextTimestamp(), OwnSource, OriginFlags.EndOfEvent);
        if (!TryStamp(_scratch.AsSpan(0, tick.EncodedLength), OwnSource))
            return false;
        _gauges.InputEvents.Count((int)NodeEvent.TimeTick);
        return true;
    }

    private bool TryStamp(ReadOnlySpan<byte> frame, ushort source)
    {
        long timestamp = NextTimestamp();
        if (!HasReserveFor(frame.Length))
            return Held(NodeEvent.InputHeld);
        if (_lag.Holds(timestamp, _sequence, _gauges.Published.Value))
            return Held(NodeEvent.InputHeldForPublication);
        if (!_input.TryWrite(_sequence + 1, timestamp, frame))
            return Held(NodeEvent.InputHeld);
        _sequence++;
        LastTimestampNanos = timestamp;
        _takenBytes += frame.Length + RecordBytes;
        if (_lastOfSource[source]++ == 0 && source != OwnSource)
            _sources++;
        _gauges.In.Count(Frame.TemplateId(frame));
        _gauges.Received.Set(_sequence);
        return true;
    }

    // Bytes ahead of the journal, told from a mark that it has passed: never fewer than there are. One message is always let in.
    private bool HasReserveFor(int bytes)
    {
        long journalled = _gauges.Journalled.Value;
        if (journalled >= _markedSequence)
        {
            _journalledBytes = _markedBytes;
            (_markedSequence, _markedBytes) = (_sequence, _takenBytes);
        }

        return journalled >= _sequence || _takenBytes + bytes + RecordBytes - _journalledBytes <= _aheadBytes;
    }

    private long NextTimestamp() => Math.Max(LastTimestampNanos + 1, _clock.WallNanos);

    private bool Held(NodeEvent reason)
    {
        _gauges.InputEvents.Count((int)reason);
        return false;
    }

    /// <summary>A reject carries the last input's sequence and leaves when that is confirmed: it may depend on everything before it.</summary>
    private bool TryReject(ReadOnlySpan<byte> frame, RejectCode code, ushort fieldId, ulong expected)
    {
        long now = NextTimestamp();
        Frame.TryReadOrigin(frame, out MessageOrigin origin);
        RejectEncoder reject = RejectEncoder.Wrap(_scratch);
        reject.Sequence = (ulong)_sequence;
        reject.Time = (ulong)now;
        reject.Source = origin.Source;
        reject.SourceSequence = origin.Sequence;
        reject.RefusedTemplateId = Frame.TemplateId(frame);
        reject.Code = code;
        reject.FieldId = fieldId;
        reject.Expected = expected;
        if (!_rejects.TryWrite(_sequence, now, _scratch.AsSpan(0, reject.EncodedLength)))
            return Held(NodeEvent.InputHeld);
        _gauges.GatewayRejects.Count((int)code);
        return true;
    }

    /// <summary>The last one again is a duplicate, an older one came out of order, a later one left a gap.</summary>
    private static RejectCode SequenceCode(ulong sequence, long expected)
    {
        if (sequence > (ulong)expected)
            return RejectCode.SequenceGap;
        return sequence + 1 == (ulong)expected ? RejectCode.Duplicate : RejectCode.OutOfOrder;
    }
}
