// A media driver and nothing else, on a thread of its own. Who wants to drive it himself, or to use it from within as well, makes an
// AeronAgent with AeronOptions.Driver and calls its DoWork: that is the same driver.

namespace MarginEngine.Aeron;

/// <summary>Serves an Aeron directory for the clients of this machine until it is disposed. Any thread may call it.</summary>
public sealed class MediaDriver : IDisposable
{
    private readonly AgentThread _thread;

    /// <param name="options">their <see cref="AeronOptions.Driver"/> names the directory</param>
    /// <param name="idleMicros">longest sleep when there is nothing to do, in microseconds; 0 spins and keeps a core busy</param>
    /// <param name="onFailure">told on the driver's thread when it ends by an error</param>
    /// <exception cref="IOException">the directory cannot be made, or a live driver serves it</exception>
    public MediaDriver(AeronOptions options, int idleMicros = 1_000, Action<Exception>? onFailure = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(idleMicros);
        Directory = options.Driver?.Directory ?? throw new ArgumentException("a media driver needs a directory: set AeronOptions.Driver", nameof(options));
        _thread = new AgentThread(options, "aeron-driver", idleMicros, onFailure);
    }

    public string Directory { get; }

    /// <summary>What the driver has done and refused.</summary>
    public AeronCounters Counters => _thread.Agent.Counters;

    /// <summary>A client asked for the end, and <see cref="DriverOptions.AllowsTermination"/> lets it: dispose the driver.</summary>
    public bool IsTerminationRequested => _thread.Agent.IsTerminationRequested;

    /// <summary>The clients are told; the directory goes.</summary>
    public void Dispose() => _thread.Dispose();
}
