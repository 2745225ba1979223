// What a market run is told. Made by the verbs `market` and `demo`, by tests and by benches.

using MarginEngine.Logic;

namespace MarginEngine.Tool.Market;

/// <summary>All settings of a market; everything has a default that works on one machine.</summary>
public sealed record MarketOptions
{
    /// <summary>
    /// "builtin", "deribit" (chain snapshots out of <see cref="DataDirectory"/>) or "&lt;asset&gt;-&lt;year&gt;-&lt;month&gt;" such as
    /// "btc-2025-10" (candles out of it). Null: deribit where a data directory is named, else builtin.
    /// </summary>
    public string? Source { get; init; }

    public string? DataDirectory { get; init; }

    /// <summary>Clients; the insurance fund and the liquidity providers come on top.</summary>
    public int Accounts { get; init; } = 1_000;

    /// <summary>At least this many positions a client; 0: as the books have it.</summary>
    public int PositionsPerAccount { get; init; }

    /// <summary>Wall time into which the whole market time is pressed.</summary>
    public int Seconds { get; init; } = 30;

    /// <summary>Events a second, open loop: event k is due at start + k / rate, whatever became of the one before.</summary>
    public int EventsPerSecond { get; init; } = 100;

    public ulong Seed { get; init; } = 1;

    /// <summary>
    /// The margin model all accounts are opened with, which also takes every further coin of the data as collateral; null: the shipped
    /// portfolio model. Its staleness limits are widened where the compressed time is coarser than they are.
    /// </summary>
    public ModelDocument? Model { get; init; }

    public ushort ModelId { get; init; } = 1;

    /// <summary>
    /// Besides what every venue sends: grids in place of slices, accounts in classes, fees of settlement, open interest, and marks of options where the model
    /// measures from them.
    /// </summary>
    public bool AllMessages { get; init; }

    /// <summary>Number of this sender in every message's origin.</summary>
    public ushort SourceId { get; init; } = 1;

    /// <summary>Where the engine listens.</summary>
    public string InputChannel { get; init; } = "aeron:udp?endpoint=127.0.0.1:40100";

    public int InputStream { get; init; } = 1000;

    /// <summary>Where the engine publishes: calls and liquidations on the one stream, rejects on the other, heartbeats on both.</summary>
    public string OutputChannel { get; init; } = "aeron:udp?endpoint=224.20.30.41:40456|interface=localhost";

    public int MarginStream { get; init; } = 1001;

    public int ReplyStream { get; init; } = 1002;

    /// <summary>How long to wait for the engine to appear before giving up.</summary>
    public int ConnectSeconds { get; init; } = 60;

    /// <summary>How long to wait at the end while the engine confirms nothing more.</summary>
    public int DrainSeconds { get; init; } = 15;

    /// <summary>Market events of the whole run.</summary>
    public int EventCount => checked(Seconds * EventsPerSecond);

    /// <exception cref="ArgumentOutOfRangeException">A number that makes no market; the message names it.</exception>
    public void Validate()
    {
        Require(Accounts is >= 2 and <= 1_000_000, nameof(Accounts), "from 2 to 1,000,000");
        Require(PositionsPerAccount is >= 0 and <= 200, nameof(PositionsPerAccount), "from 0 to 200");
        Require(Seconds is >= 1 and <= 86_400, nameof(Seconds), "from 1 to 86,400");
        Require(EventsPerSecond is >= 1 and <= 1_000_000, nameof(EventsPerSecond), "from 1 to 1,000,000");
        Require((long)Seconds * EventsPerSecond <= 1_000_000_000, nameof(EventsPerSecond), "at most a billion events in all");
        Require(SourceId is not 0 and not ushort.MaxValue, nameof(SourceId), "neither 0 nor 65535");
    }

    private static void Require(bool holds, string name, string range)
    {
        if (!holds)
            throw new ArgumentOutOfRangeException(name, $"{name} must be {range}");
    }
}
