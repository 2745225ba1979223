// Watching, stopping and failing of a node.
namespace MarginEngine.Pipeline;

/// <content>Threads and their end.</content>
public sealed partial class Node
{
    private const int HousekeepingMillis = 100;
    private const int FaultJoinMillis = 2_000;
    private readonly ManualResetEventSlim _ended = new();
    private NodeFault? _fault;
    private int _stopping;
    private int _disposed;
    private bool _hasStuckThread;

    /// <summary>
    /// Stops in order: no more input, then everything taken is journalled, applied, published and confirmed, then the threads end.
    /// False where that took longer than allowed; what was not published will be after the next start.
    /// </summary>
    public bool Stop(TimeSpan patience)
    {
        Volatile.Write(ref _stopping, 1);
        Gauges.Closing.Set(1);
        long deadline = _clock.MonotonicNanos + patience.Ticks * 100;
        while (!IsDrained() && Fault is null && _clock.MonotonicNanos < deadline)
            Thread.Sleep(1);
        bool drained = IsDrained();
        StopThreads();
        if (!Volatile.Read(ref _hasStuckThread))
            Flush(deadline);
        return drained && Fault is null;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        Volatile.Write(ref _stopping, 1);
        StopThreads();
        if (!Volatile.Read(ref _hasStuckThread))
            DisposeOwned();
    }

    private bool IsDrained()
    {
        long received = Gauges.Received.Value;
        bool here = Gauges.Journalled.Value == received && Gauges.Applied.Value == received;
        if (_options.Role == NodeRole.Standby)
            return here;
        bool confirmed = Gauges.StandbyConnected.Value == 0 || Gauges.Diverged.Value != 0 || Gauges.ReplicaReceived.Value >= received;
        return here && confirmed && Gauges.Published.Value >= received;
    }

    private void StopThreads()
    {
        foreach (StageLoop loop in _loops)
            loop.Stop();
        _ended.Set();
        foreach (Thread thread in _threads)
        {
            // After a fault a thread may be stuck in a system call for good: then its resources stay, the process is to end anyway.
            if (thread != Thread.CurrentThread && !thread.Join(Fault is null ? Timeout.Infinite : FaultJoinMillis))
                Volatile.Write(ref _hasStuckThread, true);
        }
    }

    /// <summary>
    /// Hands what was offered to the network, and to whoever lost a part of it, so that the last messages are not lost with the sockets. Longer than a receiver
    /// takes to say where it stands nobody is waited for: it may be gone.
    /// </summary>
    private void Flush(long deadline)
    {
        const long FarewellNanos = 500_000_000;
        long until = Math.Min(deadline, _clock.MonotonicNanos + FarewellNanos);
        foreach (NetworkStage network in _networks)
        {
            for (int work = 1; (work > 0 || !network.Agent.IsConsumed) && _clock.MonotonicNanos < until;)
            {
                work = network.Agent.DoWork();
                if (work == 0)
                    Thread.Sleep(1);
            }
        }
    }

    // Journal first: its seal needs nothing of the others, and a crash while sockets close must not cost it.
    private void DisposeOwned()
    {
        foreach (IDisposable part in _owned)
            part.Dispose();
        _owned.Clear();
        // Last: a stage's reader may look into its ring until then.
        foreach (IDisposable ring in _rings)
            ring.Dispose();
        _rings.Clear();
    }

    /// <summary>Cold work off the stages' threads: the next journal segment, the disk's reserve, the wall clock, stalled stages.</summary>
    private void Housekeep()
    {
        var stalls = new StallWatch(_loops, _options.StallMillis * NanosPerMilli, _clock);
        try
        {
            while (!_ended.Wait(HousekeepingMillis))
            {
                PrepareDisk();
                (_clock as Watch.Clock)?.Discipline();
                if (stalls.Look() is { } stuck)
                    Fail(stuck.Name, stuck.Sequence, new StageStalledException(stuck.Name, _options.StallMillis));
            }
        }
        catch (Exception error)
        {
            Fail("housekeeping", Gauges.Journalled.Value, error);
        }
    }

    private void PrepareDisk()
    {
        bool hasRoomAhead = _writer.PrepareNext();
        bool isNearlyFull = _writer.IsNearlyFull;
        Gauges.TimeStands.Set(isNearlyFull && !hasRoomAhead ? 1 : 0);
        Gauges.DiskNearlyFull.Set(isNearlyFull ? 1 : 0);
        _snapshots?.WriteWhenDurable();
        TellCommands();
    }

    private void OnStageFault(StageLoop loop, IStage stage, Exception error) => Fail(stage.Name, stage.Sequence, error);

    private void Fail(string stage, long sequence, Exception error)
    {
        var fault = new NodeFault(stage, sequence, error, FlightRecord.Take(_inputRing, _options.FlightRecordMessages));
        if (Interlocked.CompareExchange(ref _fault, fault, null) is not null)
            return;
        foreach (StageLoop loop in _loops)
            loop.Stop();
        _ended.Set();
        OnFault?.Invoke(fault);
    }
}
