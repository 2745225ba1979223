// What a demo came to: in words, or as one JSON document.
using System.Text.Json;
using MarginEngine.Tool.Running;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Demo;

internal sealed record DemoSummary
{
    public required DemoOptions Options { get; init; }

    public required MarketLine Market { get; init; }

    public required NodeLine Primary { get; init; }

    public required ListenerLine Listener { get; init; }

    /// <summary>Records of the primary's journal, its own time ticks included.</summary>
    public required long MessagesIn { get; init; }

    public required long JournalBytes { get; init; }

    public required ulong StateDigest { get; init; }

    /// <summary>Messages that the market maker received and the replay decided again, byte for byte.</summary>
    public required long PublishedEqual { get; init; }

    public required long HeartbeatsEqual { get; init; }

    public required long StandbyHeartbeatsEqual { get; init; }

    /// <summary>Null: none.</summary>
    public required string? ReplayDifference { get; init; }

    /// <summary>Null: none.</summary>
    public required string? StandbyDifference { get; init; }

    /// <summary>The primary was killed and its standby took its place.</summary>
    public required bool HasFailedOver { get; init; }

    /// <summary>Records that the killed primary had journalled and let nobody know of.</summary>
    public required long RecordsCut { get; init; }

    public required bool WasInterrupted { get; init; }

    /// <summary>Where the journals are left; null: nowhere.</summary>
    public required string? Kept { get; init; }

    public bool IsIdentical => ReplayDifference is null && StandbyDifference is null && IsFailoverSound;

    // A market that was stopped early has not waited for its last confirmations.
    private bool IsFailoverSound => !Options.Failover || WasInterrupted || HasFailedOver && InputsLost == 0;

    /// <summary>Messages that the market sent and no journal holds.</summary>
    private long InputsLost => Market.Messages - (long)Market.Confirmed;

    private long Updates => Listener.Received.GetValueOrDefault("MarginUpdate");

    private long Calls => Listener.States.GetValueOrDefault("marginCall");

    private long Liquidations => Listener.Received.GetValueOrDefault("LiquidationInstruction");

    public void WriteText(Terminal terminal)
    {
        void Line(string name, string value) => terminal.Out.WriteLine($"{name,-16}{value}");
        Percentiles latency = Listener.TickToMargin;
        terminal.Out.WriteLine();
        Line("market", $"{Market.Source}{(WasInterrupted ? " (stopped early)" : "")}");
        Line("model", Market.Model);
        Line("messages in", $"{DemoText.Count(MessagesIn)} for {DemoText.Count(Listener.Accounts)} accounts");
        Line("updates out", DemoText.Count(Updates));
        Line("margin calls", $"{DemoText.Count(Calls)} ({DemoText.Count(Listener.States.Values.Sum())} changes of state)");
        Line("liquidations", $"{DemoText.Count(Liquidations)} instructions, {DemoText.Count(Market.Liquidations)} carried out in {DemoText.Count(Market.LiquidatedAccounts)} accounts");
        Line("tick-to-margin", $"p50 {DemoText.Duration(latency.P50)}, p99 {DemoText.Duration(latency.P99)}, max {DemoText.Duration(latency.Max)} ({DemoText.Count(latency.Count)} updates)");
        Line("journal", $"{DemoText.Count(JournalBytes)} bytes; one write and sync p50 {DemoText.Duration(Primary.Sync.P50)}, p99 {DemoText.Duration(Primary.Sync.P99)}");
        Line("state", $"0x{StateDigest:x16}");
        Line("replay:", ReplayDifference is null
            ? $"identical ({DemoText.Count(PublishedEqual)} published messages, {DemoText.Count(HeartbeatsEqual)} heartbeats)" : $"DIFFERENT: {ReplayDifference}");
        Line("standby:", StandbyDifference is null
            ? $"identical ({DemoText.Count(MessagesIn)} records, {DemoText.Count(StandbyHeartbeatsEqual)} heartbeats)" : $"DIFFERENT: {StandbyDifference}");
        if (HasFailedOver)
        {
            Line("failover", $"{DemoText.Duration(Listener.SilenceNanos)} without decisions, from the last of the killed primary to the first of its successor");
            Line("lost", InputsLost == 0 ? "nothing" : $"{DemoText.Count(InputsLost)} MESSAGES");
            Line("missing", ReplayDifference is null ? "0 decisions" : "see replay");
            Line("dropped", $"{DemoText.Count(Listener.Duplicates)} decisions heard twice; {DemoText.Count(RecordsCut)} records cut that the killed primary alone had, sent again by the market");
        }

        if (Kept is not null) Line("kept", Kept);
    }

    public void WriteJson(Terminal terminal)
    {
        Utf8JsonWriter writer = JsonOutput.Begin(terminal);
        writer.WriteStartObject();
        writer.WriteString("build", BuildVersion.Id);
        writer.WriteString("source", Market.Source);
        writer.WriteString("model", Market.Model);
        writer.WriteNumber("seed", Options.Seed);
        writer.WriteNumber("seconds", Options.Seconds);
        writer.WriteNumber("eventsPerSecond", Options.Rate);
        writer.WriteNumber("accounts", Listener.Accounts);
        writer.WriteBoolean("interrupted", WasInterrupted);
        writer.WriteNumber("messagesIn", MessagesIn);
        writer.WriteNumber("updatesOut", Updates);
        writer.WriteNumber("marginCalls", Calls);
        writer.WriteNumber("stateChanges", Listener.States.Values.Sum());
        writer.WriteNumber("liquidationInstructions", Liquidations);
        writer.WriteNumber("liquidationsDone", Market.Liquidations);
        WriteLatency(writer, "tickToMarginNanos", Listener.TickToMargin);
        WriteLatency(writer, "journalSyncNanos", Primary.Sync);
        writer.WriteNumber("journalBytes", JournalBytes);
        writer.WriteString("stateDigest", $"0x{StateDigest:x16}");
        writer.WriteNumber("publishedEqual", PublishedEqual);
        writer.WriteNumber("heartbeatsEqual", HeartbeatsEqual);
        writer.WriteNumber("standbyHeartbeatsEqual", StandbyHeartbeatsEqual);
        writer.WriteString("replay", ReplayDifference ?? "identical");
        writer.WriteString("standby", StandbyDifference ?? "identical");
        writer.WriteBoolean("failover", HasFailedOver);
        if (HasFailedOver)
        {
            writer.WriteNumber("failoverSilenceNanos", Listener.SilenceNanos);
            writer.WriteNumber("inputsLost", InputsLost);
            writer.WriteNumber("duplicatesDropped", Listener.Duplicates);
            writer.WriteNumber("recordsCut", RecordsCut);
        }

        if (Kept is not null) writer.WriteString("kept", Kept);
        writer.WriteEndObject();
        JsonOutput.End(terminal, writer);
    }

    private static void WriteLatency(Utf8JsonWriter writer, string name, Percentiles latency)
    {
        writer.WriteStartObject(name);
        writer.WriteNumber("count", latency.Count);
        writer.WriteNumber("p50", latency.P50);
        writer.WriteNumber("p99", latency.P99);
        writer.WriteNumber("p999", latency.P999);
        writer.WriteNumber("max", latency.Max);
        writer.WriteEndObject();
    }
}
