// From standby to primary in one process: the standby stops and gives away what it has, the primary starts with it.
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Snapshots;
using MarginEngine.Standby;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <content>Taking over without reopening the journal or replaying it.</content>
public sealed partial class Node
{
    private RecentDecisions? _recent;

    /// <summary>
    /// Ends a standby for a primary to take its place: nothing more is taken from the old primary, what was taken is journalled and
    /// applied, the threads end, the network closes. Afterwards this node does nothing more.
    /// </summary>
    /// <param name="patience">How long journal and decider may need for what was taken.</param>
    /// <exception cref="HandoverException">The node has failed or did not get there in time; it has stopped all the same.</exception>
    /// <exception cref="InvalidOperationException">The node is no standby.</exception>
    public Handover HandOver(TimeSpan patience)
    {
        if (_options.Role != NodeRole.Standby)
            throw new InvalidOperationException("only a standby can hand over");
        Gauges.Closing.Set(1);
        long deadline = _clock.MonotonicNanos + patience.Ticks * 100;
        while (!IsHandedOn() && Fault is null && _clock.MonotonicNanos < deadline)
        {
            if (_threads.Count > 0)
                Thread.Sleep(1);
            else if (Step() == 0)
                break;
        }

        Volatile.Write(ref _stopping, 1);
        StopThreads();
        if (Fault is { } fault)
            throw new HandoverException($"the standby cannot hand over: {fault}", fault.Cause);
        if (!IsHandedOn() || Volatile.Read(ref _hasStuckThread))
            throw new HandoverException(
                $"the standby did not get through what it had received within {patience.TotalSeconds:F0} s: received {Gauges.Received.Value}, "
                + $"journalled {Gauges.Journalled.Value}, applied {Gauges.Applied.Value}");
        _owned.Remove(_writer);
        _owned.Remove(_machine);
        _owned.Remove(_recent!);
        _disposed = 1;
        DisposeOwned();
        return new Handover(_writer, _machine, _recent!, Gauges.Heartbeats, _storage);
    }

    // The output ring is empty too: what it holds belongs to the decisions that are handed over.
    private bool IsHandedOn() => IsDrained() && _outputRing.Cursor == _outputRing.GetMinimumGatingSequence();

    /// <summary>What a handover left to be said again goes out before anything new.</summary>
    private void ContinueTakeover(RecoveryReport recovered, Decider decider, Outlet margins)
    {
        if (_recent is null)
            return;
        decider.SayAgain(_recent);
        margins.MeasureAfter(recovered.LastSequence);
        Gauges.Published.Set(recovered.LastSequence);
    }

    /// <summary>Where the history stands that this node continues: from a handover, or from the disk.</summary>
    private RecoveryReport Begin(Handover? handover, IStorage storage, out JournalWriter writer, out StartingPoint start)
    {
        if (handover is { IsComplete: true })
        {
            (writer, MarginMachine machine) = handover.Take();
            Own(writer);
            start = StartingPoint.Continuing(machine);
            _recent = Own(handover.Recent);
            for (long number = handover.Heartbeats.First; number < handover.Heartbeats.Count; number++)
            {
                if (handover.Heartbeats.TryGet(number, out HeartbeatDigest heartbeat))
                    Gauges.Heartbeats.Add(heartbeat);
            }

            return handover.Recovered;
        }

        // What is missing can only be decided again, so the journal is read as after a restart.
        handover?.Dispose();
        var snapshots = new SnapshotSource(storage, _options.Journal.Directory, _options.Journal.Directory, _options.Limits);
        writer = Own(JournalWriter.Open(_options.Journal, EngineIdentity.Of(_options.Limits), storage, () => BeginEmpty(snapshots)));
        start = Begin(snapshots, writer.Recovered);
        return writer.Recovered;
    }
}
