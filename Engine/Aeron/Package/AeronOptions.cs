// The settings that a client of a media driver can have. What our embedded driver is told beyond them is the driver's own business there.
namespace MarginEngine.Aeron;

/// <summary>Settings of an <see cref="AeronAgent"/> over Aeron.NET; 0 leaves the driver's default.</summary>
public sealed class AeronOptions
{
    public AeronOptions(INanoClock clock) => Clock = clock;

    public INanoClock Clock { get; }

    /// <summary>The media driver's directory, where it is configured.</summary>
    public DriverOptions? Driver { get; init; }

    /// <summary>Directory of the media driver; null: what AERON_DIR names, else the client's default.</summary>
    public string? Directory => Driver?.Directory ?? Environment.GetEnvironmentVariable("AERON_DIR");

    /// <summary>A publication's term in bytes, where its channel does not say it.</summary>
    public int TermLength { get; init; }

    /// <summary>Not passed on: the driver is another process, which sends what it has. Ask before offering.</summary>
    public Func<bool>? MaySend { get; init; }

    /// <summary>Not passed on: clients of one driver share a socket and have to ask for the same, so it stays at the driver's setting.</summary>
    public int InitialWindowLength { get; init; }

    /// <summary>Not passed on, for the same reason.</summary>
    public int SocketReceiveBufferLength { get; init; }
}
