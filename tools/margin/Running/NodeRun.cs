// A node from start to end: status lines, the heartbeat log beside the journal, an orderly stop, and words for a fault.
using System.Globalization;
using MarginEngine.Pipeline;
using MarginEngine.Tool.Audit;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Running;

/// <summary>Runs until interrupted or until a stage fails.</summary>
internal sealed class NodeRun(Terminal terminal, NodeOptions options, bool json, int statusMillis)
{
    private const int LookMillis = 50;
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(20);

    private readonly string _role = options.Role.ToString().ToLowerInvariant();

    /// <summary>An exit code: done, difference (the standby and the primary diverged) or unreachable (anything else that fails a stage).</summary>
    public int Run()
    {
        using ManualResetEventSlim failed = new();
        using Node node = new(options);
        node.OnFault = _ => failed.Set();
        foreach (string reason in node.SnapshotsPassedOver) terminal.Say($"margin: {reason}");
        if (node.StartedFrom > 0) terminal.Say($"{_role} begins with the snapshot of sequence {node.StartedFrom}");
        File.WriteAllText(SettingsFile.PathIn(options.Journal.Directory), options.ToJson() + "\n");
        using HeartbeatLogWriter heartbeats = new(options.Journal.Directory);
        node.Start();
        terminal.Say(string.Create(CultureInfo.InvariantCulture,
            $"{_role} runs; journal {options.Journal.Directory} at sequence {node.Recovered.LastSequence}, epoch {options.Epoch}"));
        WaitHandle[] ends = [terminal.Interrupted.WaitHandle, failed.WaitHandle];
        for (int millis = 0; WaitHandle.WaitAny(ends, LookMillis) == WaitHandle.WaitTimeout; millis += LookMillis)
        {
            Note(node, heartbeats);
            if (statusMillis > 0 && millis % statusMillis < LookMillis) Show(node);
        }

        bool isDrained = node.Stop(StopPatience);
        Note(node, heartbeats);
        Show(node);
        if (node.Fault is NodeFault fault) return Explain(fault);
        terminal.Say(isDrained ? $"{_role} stopped in order" : $"{_role} stopped; what was not published will be after the next start");
        return ExitCode.Done;
    }

    private static void Note(Node node, HeartbeatLogWriter heartbeats) =>
        heartbeats.Note(node.Gauges.Heartbeats.TryNewest(out var newest) ? newest : null, node.Gauges.Journalled.Value);

    private void Show(Node node)
    {
        NodeLine line = NodeLine.Of(_role, node.Status());
        terminal.Out.WriteLine(json ? line.ToJson() : string.Create(CultureInfo.InvariantCulture,
            $"received {line.Received} journalled {line.Journalled} applied {line.Applied} published {line.Published} standby {Standby(line)} p99 {line.StampToPublish.P99 / 1000} us"));
        terminal.Out.Flush();
    }

    private static string Standby(NodeLine line) =>
        line.Diverged ? "DIVERGED" : line.StandbyConnected ? line.ReplicaApplied.ToString(CultureInfo.InvariantCulture) : "none";

    private int Explain(NodeFault fault)
    {
        terminal.Say($"margin: {_role}: {fault}");
        if (fault.FlightRecord.Length > 0) terminal.Say($"the last messages before it:\n{fault.FlightRecord}");
        return fault.Cause is DivergenceException ? ExitCode.Difference : ExitCode.Unreachable;
    }
}

/// <summary>The effective settings of the last start, beside the journal, for those who ask later how it was set. No program reads it.</summary>
internal static class SettingsFile
{
    public static string PathIn(string journal) => Path.Combine(journal, "settings.json");
}
