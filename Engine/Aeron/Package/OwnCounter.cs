namespace MarginEngine.Aeron;

/// <summary>A counter of this client with its driver.</summary>
public sealed class OwnCounter
{
    private readonly Adaptive.Aeron.Counter _counter;

    internal OwnCounter(Adaptive.Aeron.Counter counter) => _counter = counter;

    public void Set(long value) => _counter.SetRelease(value);
}
