// What the part of the driver that serves an Aeron directory is built from. Put into AeronOptions.Driver.

namespace MarginEngine.Aeron;

/// <summary>An Aeron directory to serve. Lengths are bytes, times nanoseconds; defaults mostly as in Aeron 1.52.</summary>
public sealed class DriverOptions
{
    /// <param name="directory">such as <c>/dev/shm/aeron-margin</c>; made with mode 0700, removed at the end</param>
    /// <param name="clock">the time of day</param>
    public DriverOptions(string directory, IEpochClock clock)
    {
        Directory = Path.GetFullPath(directory);
        Clock = clock;
    }

    /// <summary>False: an agent serves its directory alone, others of the process are its clients or none.</summary>
    public static bool TakesManyAgents => false;

    public string Directory { get; }

    public IEpochClock Clock { get; }

    /// <summary>Terms of `aeron:ipc` publications that name no term-length; UDP keeps <see cref="AeronOptions.TermLength"/>.</summary>
    public int IpcTermLength { get; init; } = 64 * 1024 * 1024;

    /// <summary>A client that gave no sign for this long is cleaned up.</summary>
    public long ClientLivenessNanos { get; init; } = 10_000_000_000;

    /// <summary>A claim in a concurrent publication that is not committed for this long is stepped over.</summary>
    public long PublicationUnblockNanos { get; init; } = 15_000_000_000;

    /// <summary>The ring of commands; a power of two. No command is longer than an eighth of it.</summary>
    public int ToDriverLength { get; init; } = 1024 * 1024;

    /// <summary>The buffer of answers and news; a power of two.</summary>
    public int ToClientsLength { get; init; } = 1024 * 1024;

    public int MaxCounters { get; init; } = 8_192;

    public int ErrorLogLength { get; init; } = 1024 * 1024;

    /// <summary>Clients at once; the next is refused.</summary>
    public int MaxClients { get; init; } = 256;

    /// <summary>Publications and subscriptions at once, of all clients together.</summary>
    public int MaxResources { get; init; } = 4_096;

    /// <summary>Whether a client may end the driver (<see cref="AeronAgent.IsTerminationRequested"/>); by default it is refused.</summary>
    public bool AllowsTermination { get; init; }

    internal void Validate()
    {
        Require(int.IsPow2(IpcTermLength) && IpcTermLength is >= Limits.MinTermLength and <= Limits.MaxTermLength, nameof(IpcTermLength));
        Require(ClientLivenessNanos is > 0 and < long.MaxValue / 4, nameof(ClientLivenessNanos));
        Require(PublicationUnblockNanos > 0, nameof(PublicationUnblockNanos));
        Require(int.IsPow2(ToDriverLength) && ToDriverLength is >= 64 * 1024 and <= 1 << 28, nameof(ToDriverLength));
        Require(int.IsPow2(ToClientsLength) && ToClientsLength is >= 64 * 1024 and <= 1 << 28, nameof(ToClientsLength));
        Require(MaxCounters is >= 256 and <= 1 << 20, nameof(MaxCounters));
        Require(ErrorLogLength is >= 4096 and <= 1 << 28 && ErrorLogLength % 8 == 0, nameof(ErrorLogLength));
        Require(MaxClients > 0, nameof(MaxClients));
        Require(MaxResources > 0, nameof(MaxResources));
    }

    private static void Require(bool condition, string name)
    {
        if (!condition)
            throw new ArgumentOutOfRangeException(name, $"the option {name} is out of range");
    }
}
