// The one thread that changes state: applies each input to the machine and writes what it decides to the output ring.
using System.Runtime.CompilerServices;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Snapshots;
using MarginEngine.Standby;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <summary>Makes room downstream while the decider waits in the middle of a message.</summary>
internal interface IRelief
{
    /// <summary>Lets the stages behind the decider run. Throws <see cref="NodeStoppingException"/> when the node stops.</summary>
    void Relieve();
}

/// <summary>
/// Runs ahead of the disk unless its reader was placed behind the journaller: what it decides is held by the publisher, so
/// computing while the disk syncs costs nothing but the work of a crash. It never drops a decision: where the output ring is
/// full it waits, and the input ring fills behind it. After a restart it first replays the end of the journal, so that what it
/// decides there goes out again; after a takeover it repeats what the standby kept.
/// </summary>
internal sealed class Decider : IStage, IDecisionSink
{
    private const int BatchMessages = 256;
    private readonly SlotReader _input;
    private readonly SlotWriter _output;
    private readonly MarginMachine _machine;
    private readonly NodeGauges _gauges;
    private IRelief? _relief;
    private Replay? _replay;
    private RecentDecisions? _recent;
    private long _timestampNanos;
    private volatile bool _waits;

    /// <param name="input">The input ring.</param>
    /// <param name="output">The output ring.</param>
    /// <param name="machine">State; from the first poll on nobody else touches it.</param>
    /// <param name="replay">The rest of the journal, to be applied before any input; null: nothing.</param>
    /// <param name="gauges">Positions, counts, heartbeats.</param>
    public Decider(SlotReader input, SlotWriter output, MarginMachine machine, Replay? replay, NodeGauges gauges)
    {
        _input = input;
        _output = output;
        _machine = machine;
        _replay = replay;
        _gauges = gauges;
        Sequence = machine.LastSequence;
        gauges.Applied.Set(machine.LastSequence);
    }

    public string Name => "decider";

    public long Sequence { get; private set; }

    /// <summary>On a standby: takes snapshots.</summary>
    public SnapshotTaker? Snapshots { get; init; }

    /// <summary>On a standby: writes the state down once it has diverged. Nothing more is applied then.</summary>
    public StateDump? Dump { get; init; }

    /// <summary>Hears of operators' commands among the input; not of those of a replay.</summary>
    public required CommandWatch Commands { get; init; }

    /// <summary>Waiting for room downstream is no stall: the stages there are watched themselves.</summary>
    public bool HasWork => _input.Backlog > 0 && !_waits;

    /// <summary>Set once, before the first poll.</summary>
    public void RelieveWith(IRelief relief) => _relief = relief;

    /// <summary>Set once, before the first poll: what was decided before this node was the primary, to be said again before anything else.</summary>
    public void SayAgain(RecentDecisions recent) => _recent = recent;

    public int Poll()
    {
        if (Dump is { IsWanted: true } dump)
        {
            dump.Write(_machine);
            return 0;
        }

        return _recent is not null ? Repeat(_recent)
            : _replay is null ? ApplyInput()
            : ApplyReplay(_replay);
    }

    /// <summary>Writes a decision to the output ring; called by the machine.</summary>
    public void OnDecision(ReadOnlySpan<byte> message)
    {
        ushort template = Frame.TemplateId(message);
        _gauges.Decided.Count(template);
        if (template == HeartbeatDecoder.TemplateId)
            _gauges.Heartbeats.Add(Digests.Of(message));
        if (template == MarginUpdateDecoder.TemplateId)
            Snapshots?.Keep(Sequence, _timestampNanos, message);
        if (template == RejectDecoder.TemplateId)
            Commands.OnReject(message);
        if (!_output.TryWrite(Sequence, _timestampNanos, message))
            WriteWhenThereIsRoom(message);
    }

    private int Repeat(RecentDecisions recent)
    {
        int repeated = 0;
        bool isAtEnd = false;
        while (repeated < BatchMessages && !isAtEnd)
        {
            isAtEnd = !recent.TryPeek(out SlotMessage decision);
            if (isAtEnd)
                _recent = null;
            else if (_output.TryWrite(decision.Sequence, decision.TimestampNanos, decision.Bytes))
                recent.Advance();
            else
                break;
            repeated++;
        }

        _waits = _recent is not null;
        return repeated;
    }

    private int ApplyInput()
    {
        int applied = 0;
        while (applied < BatchMessages && _input.TryPeek(out SlotMessage message))
        {
            Commands.Before(message.Bytes);
            Apply(message.Sequence, message.TimestampNanos, (uint)_gauges.Epoch.Value, message.Bytes);
            Commands.After(message.Sequence, message.TimestampNanos, message.Bytes);
            _input.Advance();
            applied = unchecked(applied + 1);
        }

        if (applied > 0)
            _input.Release();
        return applied;
    }

    private int ApplyReplay(Replay replay)
    {
        int applied = 0;
        while (applied < BatchMessages && replay.TryRead(out ReplayedInput input))
        {
            Apply(input.Sequence, input.TimestampNanos, input.Epoch, input.Message);
            applied++;
        }

        if (applied == 0)
        {
            replay.Dispose();
            _replay = null;
        }

        return 1;
    }

    private void Apply(long sequence, long timestampNanos, uint epoch, ReadOnlySpan<byte> message)
    {
        Sequence = sequence;
        _timestampNanos = timestampNanos;
        _machine.Epoch = epoch;
        _machine.Apply(sequence, timestampNanos, message, this);
        _gauges.OldestMarginNanos.Set(_machine.OldestMarginNanos);
        _gauges.Applied.Set(sequence);
        Snapshots?.AfterInput(_machine, message);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WriteWhenThereIsRoom(ReadOnlySpan<byte> decision)
    {
        // What was applied before this message may go back to the producer now: the wait can be long.
        _input.Release();
        _waits = true;
        do
            _relief!.Relieve();
        while (!_output.TryWrite(Sequence, _timestampNanos, decision));
        _waits = false;
    }
}

/// <summary>The digests that a Heartbeat message carries.</summary>
internal static class Digests
{
    /// <exception cref="InvalidOperationException">The bytes are no Heartbeat.</exception>
    public static HeartbeatDigest Of(ReadOnlySpan<byte> heartbeat)
    {
        Check.That(HeartbeatDecoder.TryWrap(heartbeat, out HeartbeatDecoder decoder));
        return new HeartbeatDigest(checked((long)decoder.Sequence), decoder.StateDigest, decoder.DecisionDigest);
    }
}
