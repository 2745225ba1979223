// A node without threads: polled pass by pass by whoever holds it. The simulation runs whole systems so, on one thread and a clock of its own.
namespace MarginEngine.Pipeline;

/// <content>Use either <see cref="Start"/> or <see cref="Step"/>.</content>
public sealed partial class Node
{
    /// <summary>Called while the decider waits for room in the middle of a step: without threads, nobody else moves the world meanwhile.</summary>
    internal Action? WhileWaiting { get; set; }

    /// <summary>The state; only between two steps.</summary>
    internal Logic.MarginMachine Machine => _machine;

    /// <summary>Polls every stage once; returns an amount of work, 0 when there was none. A fault is handed on as by a thread.</summary>
    internal int Step()
    {
        int work = 0;
        foreach (StageLoop loop in _loops)
        {
            if (Fault is null)
                work |= loop.Step();
        }

        return work;
    }

    /// <summary>What the housekeeping thread does now and then: the next journal segment, the disk's reserve.</summary>
    internal void KeepHouse()
    {
        try
        {
            PrepareDisk();
        }
        catch (Exception error)
        {
            Fail("housekeeping", Gauges.Journalled.Value, error);
        }
    }
}
