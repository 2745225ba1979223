// Where a loop sleeps when it has nothing to do, and how the other loops wake it.
namespace MarginEngine.Pipeline;

/// <summary>Sleeps until woken or until the time is over. A wake before the sleep ends the sleep.</summary>
internal interface IParking
{
    void Sleep(long nanos);

    void Wake();
}

/// <summary>For loops without a socket.</summary>
internal sealed class EventParking : IParking, IDisposable
{
    private readonly AutoResetEvent _event = new(false);

    public void Sleep(long nanos) => _event.WaitOne((int)Math.Max(1, nanos / 1_000_000));

    public void Wake() => _event.Set();

    public void Dispose() => _event.Dispose();
}
