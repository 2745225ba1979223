// The directory of the media driver that runs beside the process; with the embedded transport the same key makes the process serve it.
namespace MarginEngine.Aeron;

/// <summary>Where the driver is. It is served by somebody else, so there is nothing more to say about it here.</summary>
public sealed class DriverOptions
{
    /// <param name="directory">as the driver was told</param>
    /// <param name="clock">the driver has its own</param>
    public DriverOptions(string directory, IEpochClock clock) => Directory = directory;

    /// <summary>Every agent of the process is a client of the driver.</summary>
    public static bool TakesManyAgents => true;

    public string Directory { get; }

    /// <summary>The driver's business.</summary>
    public int IpcTermLength { get; init; }
}
