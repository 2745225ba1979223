namespace MarginEngine.Aeron;

/// <summary>A counter of this process in the directory of its agent. Used by the agent's thread, until the agent is disposed.</summary>
public sealed class OwnCounter
{
    private readonly CounterTable _counters;
    private readonly int _id;

    internal OwnCounter(CounterTable counters, int id)
    {
        _counters = counters;
        _id = id;
    }

    public void Set(long value) => _counters.Store(_id, value);
}
