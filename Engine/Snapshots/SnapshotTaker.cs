// Takes snapshots on a standby: the picture on the decider's thread, where nobody waits for it; the file on the cold thread.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Watch;

namespace MarginEngine.Snapshots;

/// <summary>
/// While the decider takes a picture, the stages before it go on: records are received, journalled and acknowledged, so that a primary is not held. The file is
/// written when this node's own journal has the input on disk: a snapshot is never ahead of the journal beside it. While one is being written, the
/// next is not taken.
/// </summary>
internal sealed class SnapshotTaker : IDecisionKeeper
{
    private const long NanosPerSecond = 1_000_000_000;
    private readonly IStorage _storage;
    private readonly string _directory;
    private readonly JournalIdentity _identity;
    private readonly SnapshotPlan _plan;
    private readonly IClock _clock;
    private readonly NodeGauges _gauges;
    private readonly Conflater _margins;
    private readonly SnapshotImage _image = new();
    private SnapshotHeader _header;
    private long _lastSequence;
    private long _lastTimestampNanos;
    private bool _isAsked;
    private bool _isTaken; // from the decider to the cold thread and back

    /// <param name="storage">The disk.</param>
    /// <param name="directory">The journal's.</param>
    /// <param name="limits">Capacities of the machine.</param>
    /// <param name="plan">When, and how many are kept.</param>
    /// <param name="clock">Measures how long the decider stood.</param>
    /// <param name="gauges">Positions and counts.</param>
    public SnapshotTaker(IStorage storage, string directory, Limits limits, SnapshotPlan plan, IClock clock, NodeGauges gauges)
    {
        _storage = storage;
        _directory = directory;
        _identity = EngineIdentity.Of(limits);
        _plan = plan;
        _clock = clock;
        _gauges = gauges;
        _margins = new Conflater(limits.Accounts);
    }

    /// <summary>Counts from here to the next snapshot.</summary>
    public void StartAt(MarginMachine machine) => (_lastSequence, _lastTimestampNanos) = (machine.LastSequence, machine.LastTime);

    /// <summary>Keeps a margin update as the newest of its account; decider's thread, or before it starts.</summary>
    public void Keep(long sequence, long timestampNanos, ReadOnlySpan<byte> decision)
    {
        if (MarginUpdateDecoder.TryWrap(decision, out MarginUpdateDecoder update))
            _margins.Put(update.AccountId, sequence, timestampNanos, decision);
    }

    /// <summary>Decider's thread, after each input: takes a picture where one is due.</summary>
    public void AfterInput(MarginMachine machine, ReadOnlySpan<byte> message)
    {
        _isAsked |= Asks(message);
        if (_lastTimestampNanos == 0)
            _lastTimestampNanos = machine.LastTime; // the first input of all
        bool isDue = _isAsked
            || (_plan.EveryRecords > 0 && machine.LastSequence - _lastSequence >= _plan.EveryRecords)
            || (_plan.EverySeconds > 0 && machine.LastTime - _lastTimestampNanos >= _plan.EverySeconds * NanosPerSecond);
        if (!isDue || Volatile.Read(ref _isTaken))
            return;
        _isAsked = false;
        _lastSequence = machine.LastSequence;
        _lastTimestampNanos = machine.LastTime;
        long before = _clock.MonotonicNanos;
        _header = _image.Take(machine, _margins) with { Identity = _identity };
        _gauges.SnapshotPauseNanos.Set(_clock.MonotonicNanos - before);
        Volatile.Write(ref _isTaken, true);
    }

    /// <summary>The cold thread, now and then: writes the picture when the journal has come as far. A disk that refuses costs this snapshot and nothing else.</summary>
    public void WriteWhenDurable()
    {
        if (!Volatile.Read(ref _isTaken) || _gauges.Journalled.Value < _header.Sequence)
            return;
        try
        {
            using JournalReader reader = JournalReader.Open(_storage, _directory, follow: true);
            uint chain = reader.ChainAfter(_header.Sequence)
                ?? throw new SnapshotUnusableException($"the journal does not hold sequence {_header.Sequence} any more");
            SnapshotHeader written = SnapshotFolder.Write(_storage, _directory, _header with { Chain = chain }, _image, _plan.Keep);
            _gauges.SnapshotBytes.Set(written.FileBytes);
            _gauges.SnapshotSequence.Set(written.Sequence);
        }
        catch (Exception refusal) when (refusal is StorageException or SnapshotUnusableException or JournalLockedException)
        {
            _gauges.SnapshotFailures.Set(_gauges.SnapshotFailures.Value + 1);
        }
        finally
        {
            Volatile.Write(ref _isTaken, false);
        }
    }

    private static bool Asks(ReadOnlySpan<byte> message) =>
        OperatorCommandDecoder.TryWrap(message, out OperatorCommandDecoder command) && command.Command == Command.Snapshot;
}

/// <summary>When a standby takes a snapshot and how many stay.</summary>
/// <param name="EveryRecords">Inputs from one to the next; 0: not by count.</param>
/// <param name="EverySeconds">Seconds of stamped time from one to the next; 0: not by time.</param>
/// <param name="Keep">Newest snapshots that stay; 0: all.</param>
internal sealed record SnapshotPlan(long EveryRecords, int EverySeconds, int Keep);
