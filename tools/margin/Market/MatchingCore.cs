// The matching engine's stand-in without its transport: what to send when, what to do with the engine's decisions, how to go on after a
// gap. Driven by MatchingEngine over Aeron, and by tests directly. Reads no clock.

using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Shell;
using MarginEngine.Watch;

namespace MarginEngine.Tool.Market;

/// <summary>
/// Exactly once from here to the engine's journal: messages are numbered without a hole, kept until the engine confirms them in a
/// heartbeat, and sent again from the first one it lacks. The script opens only after the engine has confirmed the set-up.
/// </summary>
public sealed class MatchingCore
{
    private const int WindowMessages = 1 << 18;
    private const int WindowBytes = 64 << 20;
    private const long RepeatedRewindNanos = 2_000_000_000;
    private const long SilenceNanos = 1_500_000_000;
    private const long Second = 1_000_000_000;

    private readonly MarketOptions _options;
    private readonly MarketScript _script;
    private readonly OriginStamp _stamp;
    private readonly ResendWindow _window = new(WindowMessages, WindowBytes);
    private readonly Venue _venue = new();
    private readonly LiquidationDesk _desk;
    private readonly MessageBatch _admitted = new();
    private readonly MessageBatch _executions = new();
    private readonly MessageWriter _executionWriter;
    private readonly LatencyHistogram _lateness = new();
    private readonly Dictionary<ushort, long> _sent = [];
    private readonly Dictionary<string, long> _rejects = [];
    private MessageBatch? _ready;
    private long _readyDue;
    private long _openedAt;
    private long _wallAtOpening;
    private long _drainingSince;
    private long _lastSentAt;
    private long _progressAt;
    private ulong _lastRewind;
    private ulong _lastRefused;
    private long _lastRewindAt = long.MinValue / 2;
    private ulong _confirmed;
    private ulong _newestReply;
    private long _bytes;
    private long _resent;
    private long _heldBack;
    private int _rewinds;
    private int _events;

    public MatchingCore(MarketOptions options, MarketScript script)
    {
        _options = options;
        _script = script;
        _stamp = new OriginStamp(options.SourceId);
        _desk = new LiquidationDesk(script.Board, script.Population, _venue, options.Seed);
        _executionWriter = new MessageWriter(_executions);
    }

    public MarketPhase Phase { get; private set; } = MarketPhase.Setup;

    /// <summary>When there is something to do next, monotonic nanoseconds; 0: at once.</summary>
    public long NextDue
    {
        get
        {
            if (!_window.IsAllSent)
                return 0;
            long script = Phase switch
            {
                // An event that waits for room in the window waits for the engine's confirmation.
                _ when _ready is not null => long.MaxValue,
                MarketPhase.Setup => 0,
                MarketPhase.Trading => _openedAt + DueOf(_events),
                _ => long.MaxValue,
            };
            return Math.Min(script, _desk.NextDue);
        }
    }

    /// <summary>Positions as sent, for checks.</summary>
    public PositionBook Positions => _venue.Positions;

    /// <summary>The next message to hand to the transport; empty when there is none.</summary>
    public ReadOnlySpan<byte> Peek() => _window.IsAllSent ? default : _window.Peek();

    /// <summary>The transport took the message of <see cref="Peek"/>.</summary>
    public void MarkSent(long nowNanos)
    {
        _window.MarkSent();
        _lastSentAt = nowNanos;
    }

    /// <summary>Makes every event that is due, as far as the window has room.</summary>
    public void Produce(long nowNanos, long wallNanos)
    {
        bool made = Phase != MarketPhase.Done;
        while (made)
            made = TryFlush(nowNanos) && (TryLiquidate(nowNanos, wallNanos) || TryScript(nowNanos, wallNanos));
        if (Phase == MarketPhase.Opening && _window.IsAllConfirmed)
        {
            Phase = MarketPhase.Trading;
            _openedAt = nowNanos;
            _wallAtOpening = wallNanos;
        }
        if (Phase == MarketPhase.Draining)
        {
            bool isDone = _window.IsAllConfirmed && _desk.IsIdle && nowNanos - _drainingSince > Second;
            if (isDone || nowNanos - Math.Max(_drainingSince, _progressAt) > _options.DrainSeconds * Second)
                Phase = MarketPhase.Done;
        }
        else
        {
            _drainingSince = nowNanos;
        }
    }

    /// <summary>Makes no more events of the script: what is sent is confirmed, then the run is over.</summary>
    public void Stop(long nowNanos)
    {
        if (Phase is MarketPhase.Draining or MarketPhase.Done)
            return;
        Phase = MarketPhase.Draining;
        _drainingSince = nowNanos;
    }

    /// <summary>Takes a decision of the engine. Those that concern nobody here are ignored; repeated ones have no effect.</summary>
    /// <exception cref="CommandFailure">The engine knows this source already from an earlier run.</exception>
    public void OnDecision(ReadOnlySpan<byte> message, long nowNanos)
    {
        if (message.Length < 8)
            return;
        switch (OriginStamp.TemplateOf(message))
        {
            case HeartbeatDecoder.TemplateId when HeartbeatDecoder.TryWrap(message, out HeartbeatDecoder heartbeat):
                OnHeartbeat(in heartbeat, nowNanos);
                break;
            case RejectDecoder.TemplateId when RejectDecoder.TryWrap(message, out RejectDecoder reject):
                OnReject(in reject, nowNanos);
                break;
            case MarginCallDecoder.TemplateId when MarginCallDecoder.TryWrap(message, out MarginCallDecoder call):
                _venue.OnState(call.AccountId, call.State);
                break;
            case LiquidationInstructionDecoder.TemplateId
                when LiquidationInstructionDecoder.TryWrap(message, out LiquidationInstructionDecoder instruction):
                _desk.OnInstruction(in instruction, nowNanos);
                break;
            default:
                break;
        }
    }

    public MarketSummary Summary() => new()
    {
        Phase = Phase,
        Description = _script.Description,
        Model = _script.Model.ToString(),
        Seed = _options.Seed,
        Accounts = _script.Population.Clients.Count,
        Events = _events,
        EventsOfAll = _options.EventCount,
        MarketNanos = _script.Board.Now,
        Messages = (long)_window.Last,
        Bytes = _bytes,
        MessagesByKind = _sent.ToDictionary(entry => Schema.NameOf(entry.Key) ?? "?", entry => entry.Value),
        Confirmed = _confirmed,
        Resent = _resent,
        Rewinds = _rewinds,
        Rejects = new Dictionary<string, long>(_rejects),
        HeldBack = _heldBack,
        Instructions = _desk.Instructions,
        Liquidations = _desk.Executed,
        LiquidationLegs = _desk.Legs,
        LiquidatedAccounts = _desk.Accounts,
        VoidInstructions = _desk.Void,
        LatenessP50Nanos = _lateness.ValueAtPercentile(50),
        LatenessP99Nanos = _lateness.ValueAtPercentile(99),
        LatenessMaxNanos = _lateness.MaxNanos,
    };

    // k / rate without drift: a rate that does not divide a second must not shorten the run.
    private long DueOf(int number) => (long)((Int128)number * Second / _options.EventsPerSecond);

    private bool TryLiquidate(long nowNanos, long wallNanos)
    {
        _executions.Clear();
        if (!_desk.TryExecute(nowNanos, _executionWriter, out long due))
            return false;
        return Submit(_executions, due, wallNanos - (nowNanos - due), nowNanos);
    }

    private bool TryScript(long nowNanos, long wallNanos)
    {
        if (Phase == MarketPhase.Setup)
        {
            if (_script.TryNextSetup())
                return Submit(_script.Batch, nowNanos, 0, nowNanos);
            Phase = MarketPhase.Opening;
            return false;
        }
        if (Phase != MarketPhase.Trading || _openedAt + DueOf(_events) > nowNanos)
            return false;
        long due = DueOf(_events);
        if (!_script.TryNext())
        {
            Phase = MarketPhase.Draining;
            return false;
        }
        _events++;
        _admitted.Clear();
        _heldBack += _venue.Admit(_script.Batch, _admitted);
        return Submit(_admitted, _openedAt + due, _wallAtOpening + due, nowNanos);
    }

    // Stamps an event and puts it into the window, or keeps it until there is room: then nothing else is made.
    private bool Submit(MessageBatch batch, long due, long eventTime, long nowNanos)
    {
        _stamp.Stamp(batch, (ulong)eventTime);
        _ready = batch;
        _readyDue = eventTime == 0 ? nowNanos : due;
        return TryFlush(nowNanos);
    }

    private bool TryFlush(long nowNanos)
    {
        if (_ready is null)
            return true;
        int bytes = 0, longest = 0;
        for (int i = 0; i < _ready.Count; i++)
        {
            bytes += _ready[i].Length;
            longest = Math.Max(longest, _ready[i].Length);
        }
        if (!_window.HasRoom(_ready.Count, bytes, longest))
            return false;
        for (int i = 0; i < _ready.Count; i++)
        {
            ReadOnlySpan<byte> message = _ready[i];
            _window.Append(message);
            _venue.OnSent(message);
            ushort template = OriginStamp.TemplateOf(message);
            _sent[template] = _sent.GetValueOrDefault(template) + 1;
            _bytes += message.Length;
        }
        if (Phase == MarketPhase.Trading && _ready.Count > 0)
            _lateness.Record(Math.Max(0, nowNanos - _readyDue));
        _ready = null;
        return true;
    }

    private void OnHeartbeat(in HeartbeatDecoder heartbeat, long nowNanos)
    {
        foreach (HeartbeatDecoder.SourcesDecoder.Entry entry in heartbeat.Sources)
        {
            if (entry.Source != _options.SourceId)
                continue;
            Confirm(entry.LastSequence, nowNanos);
        }
        // The end of what was sent may be lost without anything behind it that would show the gap.
        long quietSince = Math.Max(Math.Max(_lastSentAt, _progressAt), _lastRewindAt);
        if (_window.IsAllSent && !_window.IsAllConfirmed && nowNanos - quietSince > SilenceNanos)
            RewindTo(_confirmed + 1, nowNanos);
    }

    private void OnReject(in RejectDecoder reject, long nowNanos)
    {
        if (reject.Source != _options.SourceId || (reject.Sequence != 0 && reject.Sequence < _newestReply))
            return;
        _newestReply = Math.Max(_newestReply, reject.Sequence);
        string key = $"{Schema.NameOf(reject.RefusedTemplateId) ?? "?"} {reject.Code} field {reject.FieldId}";
        if (reject.Code is not (RejectCode.Duplicate or RejectCode.OutOfOrder or RejectCode.SequenceGap))
        {
            _rejects[key] = _rejects.GetValueOrDefault(key) + 1;
            return;
        }
        if (reject.Expected > _window.Last + 1)
            throw CommandFailure.Refused($"the engine has already taken {reject.Expected - 1} messages of source {_options.SourceId}:"
                + " start it on an empty journal, or give the market another source number");
        Confirm(reject.Expected - 1, nowNanos);
        if (reject.Code == RejectCode.SequenceGap)
            OnGap(reject.Expected, reject.SourceSequence, nowNanos);
    }

    // Everything that was under way behind a gap is refused too and names the same sequence: as long as the refused numbers rise, it is the
    // same pass. When they start anew the repetition was lost as well; and after a while it is repeated in any case.
    private void OnGap(ulong expected, ulong refused, long nowNanos)
    {
        bool isSamePass = expected == _lastRewind && refused > _lastRefused && nowNanos - _lastRewindAt < RepeatedRewindNanos;
        _lastRefused = refused;
        if (!isSamePass)
            RewindTo(expected, nowNanos);
    }

    private void Confirm(ulong sequence, long nowNanos)
    {
        if (sequence <= _confirmed)
            return;
        _progressAt = nowNanos;
        _confirmed = sequence;
        _window.Release(sequence);
    }

    private void RewindTo(ulong sequence, long nowNanos)
    {
        ulong repeated = _window.Rewind(sequence);
        if (repeated == 0)
            return;
        _lastRewind = sequence;
        _lastRewindAt = nowNanos;
        _rewinds++;
        _resent += (long)repeated;
    }
}
