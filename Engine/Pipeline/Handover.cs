// What a standby leaves to the primary that takes its place in the same process. Made by Node.HandOver, consumed by a Node.
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Standby;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <summary>A standby did not get to where it could hand over.</summary>
public sealed class HandoverException(string message, Exception? cause = null) : IOException(message, cause);

/// <summary>
/// The open journal and the machine exactly as far as it, with the decisions that may never have left the old primary. Belongs to
/// whoever holds it until a node is made of it; disposed, it closes the journal in order.
/// </summary>
public sealed class Handover : IDisposable
{
    private readonly JournalWriter _writer;
    private readonly MarginMachine _machine;
    private bool _isOver;

    internal Handover(JournalWriter writer, MarginMachine machine, RecentDecisions recent, HeartbeatTable heartbeats, IStorage storage)
    {
        _writer = writer;
        _machine = machine;
        Recent = recent;
        Heartbeats = heartbeats;
        Storage = storage;
        Recovered = writer.Recovered with
        {
            LastSequence = writer.LastSequence,
            LastEpoch = writer.LastEpoch,
            LastTimestampNanos = machine.LastTime,
            LastChecksum = writer.LastChecksum,
        };
    }

    /// <summary>Where journal and machine stand.</summary>
    public RecoveryReport Recovered { get; }

    /// <summary>False: decisions came so thick that some that may have to be said again were not kept. Taking over then replays the journal.</summary>
    public bool IsComplete => Recent.IsComplete;

    /// <summary>True: the primary that was there before is gone, so the new one publishes without a standby until another has caught up.</summary>
    public bool GoesAlone { get; set; } = true;

    internal RecentDecisions Recent { get; }

    internal HeartbeatTable Heartbeats { get; }

    internal IStorage Storage { get; }

    /// <summary>Gives journal and machine away; from here on they are the caller's.</summary>
    internal (JournalWriter Writer, MarginMachine Machine) Take()
    {
        Check.That(!_isOver);
        _isOver = true;
        return (_writer, _machine);
    }

    public void Dispose()
    {
        if (_isOver)
            return;
        _isOver = true;
        _writer.Dispose();
        _machine.Dispose();
        Recent.Dispose();
    }
}
