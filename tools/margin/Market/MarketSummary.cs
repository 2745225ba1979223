// What a market run comes to: counts for people and programs, made by MatchingCore, printed by MarketCommand.

using System.Globalization;
using System.Text.Json;

namespace MarginEngine.Tool.Market;

/// <summary>Where a run stands.</summary>
public enum MarketPhase
{
    /// <summary>Definitions and accounts are sent as fast as the engine takes them; their event time is 0.</summary>
    Setup = 1,

    /// <summary>All is sent, the engine has not confirmed it yet.</summary>
    Opening = 2,
    Trading = 3,

    /// <summary>The script is over; confirmations and liquidations are outstanding.</summary>
    Draining = 4,
    Done = 5,
}

/// <summary>Counts of one run, so far or in the end.</summary>
public sealed record MarketSummary
{
    public required MarketPhase Phase { get; init; }
    public required string Description { get; init; }

    /// <summary>Name and version of the margin model that the accounts are opened with.</summary>
    public required string Model { get; init; }

    public required ulong Seed { get; init; }
    public required int Accounts { get; init; }

    /// <summary>Market events so far, and of the whole run.</summary>
    public required int Events { get; init; }

    public required int EventsOfAll { get; init; }

    /// <summary>Market time of the newest event, nanoseconds since 1970.</summary>
    public required long MarketNanos { get; init; }

    public required long Messages { get; init; }
    public required long Bytes { get; init; }
    public required IReadOnlyDictionary<string, long> MessagesByKind { get; init; }

    /// <summary>The engine's newest confirmed sequence of this source.</summary>
    public required ulong Confirmed { get; init; }

    public required long Resent { get; init; }
    public required int Rewinds { get; init; }
    public required IReadOnlyDictionary<string, long> Rejects { get; init; }
    public required long HeldBack { get; init; }
    public required int Instructions { get; init; }
    public required int Liquidations { get; init; }
    public required int LiquidationLegs { get; init; }
    public required int LiquidatedAccounts { get; init; }
    public required int VoidInstructions { get; init; }

    /// <summary>How late events were handed to the transport, against the moment they were due.</summary>
    public required long LatenessP50Nanos { get; init; }

    public required long LatenessP99Nanos { get; init; }
    public required long LatenessMaxNanos { get; init; }

    public bool IsConfirmed => Confirmed >= (ulong)Messages;

    public void WriteJson(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("phase", Phase.ToString().ToLowerInvariant());
        json.WriteString("source", Description);
        json.WriteString("model", Model);
        json.WriteNumber("seed", Seed);
        json.WriteNumber("accounts", Accounts);
        json.WriteNumber("events", Events);
        json.WriteNumber("eventsOfAll", EventsOfAll);
        json.WriteString("marketTime", Import.UnixTime.Show(MarketNanos));
        json.WriteNumber("messages", Messages);
        json.WriteNumber("bytes", Bytes);
        WriteCounts(json, "messagesByKind", MessagesByKind);
        json.WriteNumber("confirmed", Confirmed);
        json.WriteNumber("resent", Resent);
        json.WriteNumber("rewinds", Rewinds);
        WriteCounts(json, "rejects", Rejects);
        json.WriteNumber("heldBack", HeldBack);
        json.WriteNumber("instructions", Instructions);
        json.WriteNumber("liquidations", Liquidations);
        json.WriteNumber("liquidationLegs", LiquidationLegs);
        json.WriteNumber("liquidatedAccounts", LiquidatedAccounts);
        json.WriteNumber("voidInstructions", VoidInstructions);
        json.WriteStartObject("latenessNanos");
        json.WriteNumber("p50", LatenessP50Nanos);
        json.WriteNumber("p99", LatenessP99Nanos);
        json.WriteNumber("max", LatenessMaxNanos);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public void WriteText(TextWriter text)
    {
        CultureInfo plain = CultureInfo.InvariantCulture;
        text.WriteLine(Description);
        text.WriteLine($"model         {Model}");
        text.WriteLine(string.Create(plain,
            $"market time   {Import.UnixTime.Show(MarketNanos)}, {Events:N0} of {EventsOfAll:N0} events, seed {Seed}"));
        text.WriteLine(string.Create(plain,
            $"messages      {Messages:N0} ({Bytes:N0} bytes), confirmed {Confirmed:N0}, sent again {Resent:N0} in {Rewinds} rewinds"));
        foreach ((string kind, long count) in MessagesByKind.OrderByDescending(entry => entry.Value)
                     .ThenBy(entry => entry.Key, StringComparer.Ordinal))
            text.WriteLine(string.Create(plain, $"              {count,12:N0} {kind}"));
        text.WriteLine(string.Create(plain,
            $"liquidations  {Liquidations} of {Instructions} instructions in {LiquidatedAccounts} accounts, "
            + $"{LiquidationLegs} legs, {VoidInstructions} void"));
        text.WriteLine(string.Create(plain, $"held back     {HeldBack:N0} messages of accounts that may not trade"));
        foreach ((string reject, long count) in Rejects)
            text.WriteLine(string.Create(plain, $"rejected      {count,12:N0} {reject}"));
        text.WriteLine(string.Create(plain,
            $"lateness      p50 {Micros(LatenessP50Nanos):N0} us, p99 {Micros(LatenessP99Nanos):N0} us, max {Micros(LatenessMaxNanos):N0} us"));
    }

    private static double Micros(long nanos) => nanos / 1e3;

    private static void WriteCounts(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, long> counts)
    {
        json.WriteStartObject(name);
        foreach ((string key, long count) in counts.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            json.WriteNumber(key, count);
        json.WriteEndObject();
    }
}
