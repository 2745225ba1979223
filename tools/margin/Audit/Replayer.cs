// Recomputes a journal with a fresh machine and compares with what was seen live: heartbeats that the node noted, and messages that a
// subscriber noted. Used by `margin replay` and by the end of the demo.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Snapshots;
using MarginEngine.Tool.Shell;
using MarginEngine.Tool.Wire;

namespace MarginEngine.Tool.Audit;

/// <summary>What to recompute and what to compare with.</summary>
internal sealed record ReplayRequest
{
    /// <summary>Last sequence to apply.</summary>
    public long To { get; init; } = long.MaxValue;

    /// <summary>Computes every account with every move of the market.</summary>
    public bool IsExhaustive { get; init; }

    /// <summary>Directory whose newest usable snapshot it begins with; null: it begins at the first record.</summary>
    public string? Snapshots { get; init; }

    /// <summary>Sorted by sequence; null: nothing to compare.</summary>
    public PublishedEntry[]? Published { get; init; }

    /// <summary>In the order of sequences; null: nothing to compare.</summary>
    public IReadOnlyList<HeartbeatEntry>? Heartbeats { get; init; }

    /// <summary>Called with every decision.</summary>
    public DecisionObserver? Observer { get; init; }

    /// <summary>Called with every input before it is applied.</summary>
    public InputObserver? Inputs { get; init; }

    /// <summary>Called with the sequence of every input after all of its decisions.</summary>
    public Action<long>? Applied { get; init; }
}

internal delegate void DecisionObserver(ReadOnlySpan<byte> decision);

internal delegate void InputObserver(long sequence, long timeNanos, ReadOnlySpan<byte> message);

/// <summary>One pass over a journal.</summary>
internal sealed class Replayer : IDecisionSink, IDisposable
{
    private const int Templates = 256;

    // Conflation may drop a margin update or a risk array; these are always sent.
    private static readonly ushort[] NeverDropped =
        [MarginCallDecoder.TemplateId, LiquidationInstructionDecoder.TemplateId, LiquidationPricesDecoder.TemplateId, FundEventDecoder.TemplateId, DeleveragingDecoder.TemplateId, HeartbeatDecoder.TemplateId,
            FundingSettledDecoder.TemplateId, AccountSettledDecoder.TemplateId];

    private readonly ReplayRequest _request;
    private readonly List<(ulong Fingerprint, ushort Template)> _step = [];
    private readonly PublishedEntry[] _published;
    private readonly IReadOnlyList<HeartbeatEntry> _heartbeats;
    private int _nextPublished;
    private int _nextHeartbeat;
    private MarginMachine? _machine;
    private long _sequence;

    public Replayer(ReplayRequest request)
    {
        _request = request;
        _published = request.Published ?? [];
        _heartbeats = request.Heartbeats ?? [];
    }

    /// <summary>The machine, with the capacities that the journal tells; there is none before <see cref="Run"/>.</summary>
    public MarginMachine Machine => _machine ?? throw new InvalidOperationException("nothing was replayed");

    /// <summary>Every heartbeat of the replay.</summary>
    public HashSet<HeartbeatEntry> Heartbeats { get; } = [];

    /// <summary>Decisions by template.</summary>
    public long[] Decided { get; } = new long[Templates];

    /// <summary>Inputs by template.</summary>
    public long[] Applied { get; } = new long[Templates];

    public long Records { get; private set; }

    public long PublishedMatched { get; private set; }

    public long HeartbeatsMatched { get; private set; }

    public long Differences { get; private set; }

    /// <summary>The first difference in words; null: none.</summary>
    public string? FirstDifference { get; private set; }

    /// <summary>Sequence of the snapshot it began with; 0: the first record.</summary>
    public long StartedFrom { get; private set; }

    /// <summary>Applies the journal's records from the first on, or from behind a snapshot.</summary>
    /// <exception cref="CommandFailure">
    /// Refused: the journal does not begin at sequence 1, so there is no state to begin from, or does not tell the capacities of its node.
    /// </exception>
    public void Run(Terminal terminal, JournalInput input, CancellationToken stop)
    {
        if (_request.Snapshots is string snapshots) BeginAtSnapshot(terminal, snapshots, input);
        using Progress progress = new(terminal, "replaying");
        while (_sequence < _request.To && input.TryRead(out JournalRecord record))
        {
            if (_machine is null) Begin(input, record);
            Apply(record);
            progress.Report(input.Part);
            stop.ThrowIfCancellationRequested();
        }

        _machine ??= new MarginMachine(new Limits());
        Finish();
    }

    public void OnDecision(ReadOnlySpan<byte> message)
    {
        ushort template = TemplateOf(message);
        Decided[template]++;
        if (_published.Length > 0) _step.Add((Fingerprints.Of(message), template));
        if (template == HeartbeatDecoder.TemplateId) CompareHeartbeat(message);
        _request.Observer?.Invoke(message);
    }

    public void Dispose() => _machine?.Dispose();

    private static ushort TemplateOf(ReadOnlySpan<byte> message) =>
        MessageHeaderDecoder.TryWrap(message, out MessageHeaderDecoder header) && header.TemplateId < Templates ? header.TemplateId : (ushort)0;

    private void Begin(JournalInput input, in JournalRecord first)
    {
        if (first.Sequence != 1)
            throw CommandFailure.Refused($"the journal begins at sequence {first.Sequence}: what was before it is not kept here");
        _machine = new MarginMachine(LimitsOf(input)) { IsExhaustive = _request.IsExhaustive };
    }

    private void BeginAtSnapshot(Terminal terminal, string directory, JournalInput input)
    {
        if (!input.TryRead(out _)) throw CommandFailure.Unreachable("the journal holds no records");
        SnapshotBeginning beginning = OfflineSnapshot.Newest(new Storage(), directory, LimitsOf(input), _request.To);
        foreach (string reason in beginning.PassedOver) terminal.Say($"margin: {reason}");
        _machine = beginning.Machine;
        if (_machine is not null) _machine.IsExhaustive = _request.IsExhaustive;
        _sequence = StartedFrom = beginning.Sequence;
        input.SeekTo(StartedFrom + 1);

        // What was noted of the part that is left out has nothing to be compared with.
        while (_nextHeartbeat < _heartbeats.Count && _heartbeats[_nextHeartbeat].Sequence <= StartedFrom) _nextHeartbeat++;
        while (_nextPublished < _published.Length && _published[_nextPublished].Sequence <= StartedFrom) _nextPublished++;
    }

    private static Limits LimitsOf(JournalInput input) => EngineIdentity.LimitsOf(input.Identity)
        ?? throw CommandFailure.Refused("the journal does not tell the capacities of the node that wrote it, so its refusals cannot be recomputed");

    private void Apply(in JournalRecord record)
    {
        _step.Clear();
        _sequence = record.Sequence;
        Records++;
        Applied[TemplateOf(record.Message)]++;
        Machine.Epoch = (uint)record.Epoch;
        _request.Inputs?.Invoke(record.Sequence, record.TimestampNanos, record.Message);
        Machine.Apply(record.Sequence, record.TimestampNanos, record.Message, this);
        _request.Applied?.Invoke(record.Sequence);
        ComparePublished();
    }

    private void ComparePublished()
    {
        if (_published.Length == 0) return;
        while (_nextPublished < _published.Length && _published[_nextPublished].Sequence < _sequence) Unexplained();
        int first = _nextPublished;
        for (; _nextPublished < _published.Length && _published[_nextPublished].Sequence == _sequence; _nextPublished++)
        {
            ulong fingerprint = _published[_nextPublished].Fingerprint;
            if (_step.Exists(decision => decision.Fingerprint == fingerprint)) PublishedMatched++;
            else Differ($"sequence {_sequence}: a published message is not what the replay decides");
        }

        // Before its first and after its last message the subscriber was not there.
        if (_sequence <= _published[0].Sequence || _sequence >= _published[^1].Sequence) return;
        foreach ((ulong fingerprint, ushort template) in _step)
            if (NeverDropped.Contains(template) && !Received(first, fingerprint))
                Differ($"sequence {_sequence}: the replay decides a {Schema.NameOf(template)} that was never published");
    }

    private bool Received(int first, ulong fingerprint)
    {
        for (int index = first; index < _nextPublished; index++)
            if (_published[index].Fingerprint == fingerprint)
                return true;
        return false;
    }

    private void CompareHeartbeat(ReadOnlySpan<byte> message)
    {
        if (!HeartbeatDecoder.TryWrap(message, out HeartbeatDecoder heartbeat)) return;
        HeartbeatEntry computed = new(_sequence, heartbeat.StateDigest, heartbeat.DecisionDigest);
        Heartbeats.Add(computed);
        while (_nextHeartbeat < _heartbeats.Count && _heartbeats[_nextHeartbeat].Sequence < _sequence) UnknownHeartbeat();
        if (_nextHeartbeat == _heartbeats.Count || _heartbeats[_nextHeartbeat].Sequence != _sequence) return;
        HeartbeatEntry noted = _heartbeats[_nextHeartbeat++];
        if (noted == computed) HeartbeatsMatched++;
        else Differ($"heartbeat {_sequence}: live {noted.Digests}, replay {computed.Digests}");
    }

    // What the node or the subscriber noted beyond the last record (or between records) has no cause in this journal.
    private void Finish()
    {
        if (_request.To != long.MaxValue) return;
        while (_nextPublished < _published.Length) Unexplained();
        while (_nextHeartbeat < _heartbeats.Count) UnknownHeartbeat();
    }

    private void Unexplained() => Differ($"sequence {_published[_nextPublished++].Sequence}: published, but not in the journal");

    private void UnknownHeartbeat() => Differ($"heartbeat {_heartbeats[_nextHeartbeat++].Sequence}: noted live, but the replay has none");

    private void Differ(string difference)
    {
        Differences++;
        FirstDifference ??= difference;
    }
}
