namespace MarginEngine.Aeron;

/// <summary>The time of day, injected: clients and driver compare their heartbeats by it.</summary>
public interface IEpochClock
{
    /// <summary>Milliseconds since 1970-01-01 UTC.</summary>
    long EpochMillis { get; }
}
