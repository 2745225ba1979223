// What the demo's market maker tells the demo, a JSON line four times a second.
using System.Text.Json;
using System.Text.Json.Serialization;
using MarginEngine.Tool.Running;

namespace MarginEngine.Tool.Demo;

/// <summary>Counts are totals; latencies are nanoseconds from the due time of the cause at its source to the arrival here.</summary>
internal sealed record ListenerLine
{
    public required long Messages { get; init; }

    /// <summary>By name of the message.</summary>
    public required Dictionary<string, long> Received { get; init; }

    /// <summary>By the state an account came to.</summary>
    public required Dictionary<string, long> States { get; init; }

    public required Percentiles TickToMargin { get; init; }

    /// <summary>Messages heard again, byte for byte, and dropped: what a new primary repeats.</summary>
    public required long Duplicates { get; init; }

    /// <summary>From the last message of one primary to the first of the next; 0: there was one.</summary>
    public required long SilenceNanos { get; init; }

    public required int Accounts { get; init; }

    /// <summary>Accounts with the highest ratios, highest first.</summary>
    public required IReadOnlyList<AccountLine> Nearest { get; init; }

    /// <summary>What happened since the line before, newest last; at most a screen.</summary>
    public required IReadOnlyList<string> Events { get; init; }

    public required long HeartbeatSequence { get; init; }

    /// <summary>The last sequence that the engine took from each source, by its newest heartbeat.</summary>
    public required Dictionary<ushort, ulong> Sources { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, DemoJson.Default.ListenerLine);
}

/// <summary>Amounts in micro-USD, the ratio with exponent -8.</summary>
internal sealed record AccountLine(ulong Account, string State, long Ratio, long Equity, long Maintenance, long BuyingPower, string Flags);

/// <summary>The part of the market's status that the demo shows.</summary>
internal sealed record MarketLine
{
    public required string Phase { get; init; }

    public required string Source { get; init; }

    /// <summary>Name and version of the margin model.</summary>
    public required string Model { get; init; }

    public required string MarketTime { get; init; }

    public required int Events { get; init; }

    public required int EventsOfAll { get; init; }

    public required long Messages { get; init; }

    public required ulong Confirmed { get; init; }

    public required int Liquidations { get; init; }

    public required int LiquidatedAccounts { get; init; }

    public required Dictionary<string, long> Rejects { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ListenerLine))]
[JsonSerializable(typeof(MarketLine))]
[JsonSerializable(typeof(NodeLine))]
internal sealed partial class DemoJson : JsonSerializerContext;
