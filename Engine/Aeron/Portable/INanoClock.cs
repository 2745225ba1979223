namespace MarginEngine.Aeron;

/// <summary>A monotonic clock, injected: the transport never reads time itself.</summary>
public interface INanoClock
{
    /// <summary>Nanoseconds since an arbitrary fixed point; never goes back.</summary>
    long NanoTime();
}
