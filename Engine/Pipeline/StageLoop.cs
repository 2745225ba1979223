// A thread's work: polls its stages in turn, wakes the other loops after each stage that did something, spins a little when
// there is nothing to do, then parks. The only place in the pipeline that catches what a stage throws.
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <summary>
/// Parking without a lost wake-up: a loop announces that it will park, fences, polls everything once more and only then
/// sleeps; a peer publishes, fences and then looks for the announcement. One of the two always sees the other.
/// </summary>
internal sealed class StageLoop
{
    private readonly IStage[] _stages;
    private readonly IParking _parking;
    private readonly IClock _clock;
    private readonly long _spinNanos;
    private readonly long _parkNanos;
    private readonly Action<StageLoop, IStage, Exception> _onFault;
    private readonly Gauge _passes = new();
    private StageLoop[] _peers = [];
    private IStage _current;
    private int _parked;
    private int _stop;

    /// <param name="stages">In the order of the data; the first names the loop.</param>
    /// <param name="parking">Where the loop sleeps.</param>
    /// <param name="clock">Measures how long the loop has been idle.</param>
    /// <param name="spinNanos">Idle time before parking; <see cref="long.MaxValue"/> never parks.</param>
    /// <param name="parkNanos">Longest sleep.</param>
    /// <param name="onFault">Called on the loop's thread with the stage that threw; the loop then ends.</param>
    public StageLoop(
        IStage[] stages, IParking parking, IClock clock, long spinNanos, long parkNanos, Action<StageLoop, IStage, Exception> onFault)
    {
        _stages = stages;
        _current = stages[0];
        _parking = parking;
        _clock = clock;
        _spinNanos = spinNanos;
        _parkNanos = parkNanos;
        _onFault = onFault;
        Name = string.Join('+', stages.Select(stage => stage.Name));
    }

    public string Name { get; }

    public IReadOnlyList<IStage> Stages => _stages;

    /// <summary>Grows with every pass over the stages: a watcher sees whether the loop is stuck in one.</summary>
    public long Passes => _passes.Value;

    public bool IsParked => Volatile.Read(ref _parked) != 0;

    public bool IsStopping => Volatile.Read(ref _stop) != 0;

    /// <summary>The stage being polled, for whoever reports a stuck loop.</summary>
    public IStage Current => Volatile.Read(ref _current);

    /// <summary>The loops to wake after work. Set before any loop runs.</summary>
    public void Connect(IEnumerable<StageLoop> all) => _peers = all.Where(loop => loop != this).ToArray();

    public void Stop()
    {
        Volatile.Write(ref _stop, 1);
        _parking.Wake();
    }

    /// <summary>The body of the thread: returns after <see cref="Stop"/> or after a fault.</summary>
    public void Run()
    {
        try
        {
            Cycle();
        }
        catch (NodeStoppingException)
        {
            // A stage was waiting for room when the node stopped.
        }
        catch (Exception error)
        {
            _onFault(this, _current, error);
        }
    }

    /// <summary>One pass on the caller's thread, for a loop that no thread runs; 0 when there was nothing to do, or after a fault.</summary>
    public int Step()
    {
        try
        {
            return Pass();
        }
        catch (Exception error)
        {
            _onFault(this, _current, error);
            return 0;
        }
    }

    /// <summary>A stage that waits for room in the middle of its poll is slow, not stuck.</summary>
    public void NoteWaiting() => _passes.Add(1);

    /// <summary>Wakes every parked peer. Also called by a stage that waits for another in the middle of its poll.</summary>
    public void WakePeers()
    {
        Interlocked.MemoryBarrier();
        foreach (StageLoop peer in _peers)
        {
            if (Volatile.Read(ref peer._parked) != 0)
                peer._parking.Wake();
        }
    }

    private void Cycle()
    {
        long lastWorkNanos = _clock.MonotonicNanos;
        while (!IsStopping)
        {
            if (Pass() > 0)
            {
                lastWorkNanos = _clock.MonotonicNanos;
                continue;
            }

            if (_clock.MonotonicNanos - lastWorkNanos < _spinNanos)
                Thread.SpinWait(1);
            else if (Park() > 0)
                lastWorkNanos = _clock.MonotonicNanos;
        }
    }

    private int Pass()
    {
        int total = 0;
        foreach (IStage stage in _stages)
        {
            Volatile.Write(ref _current, stage);
            int work = stage.Poll();
            if (work == 0)
                continue;
            total = unchecked(total | work);
            WakePeers();
        }

        _passes.Add(1);
        return total;
    }

    private int Park()
    {
        Interlocked.Exchange(ref _parked, 1);
        int work = Pass();
        if (work == 0 && !IsStopping)
            _parking.Sleep(_parkNanos);
        Volatile.Write(ref _parked, 0);
        return work;
    }
}
