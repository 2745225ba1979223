// After a demo has ended: recomputes the primary's journal, compares it with what the market maker received and what both nodes noted
// live, and compares the two journals.
using MarginEngine.Pipeline;
using MarginEngine.Tool.Audit;
using MarginEngine.Tool.Diff;
using MarginEngine.Tool.Running;
using MarginEngine.Tool.Shell;
using MarginEngine.Tool.Wire;

namespace MarginEngine.Tool.Demo;

internal static class DemoAudit
{
    public static DemoSummary Compare(Terminal terminal, DemoOptions options, DemoFolder folder, DemoProcesses processes)
    {
        using JournalInput input = new(processes.PrimaryJournal, EngineIdentity.Current);
        using Replayer replayer = new(new ReplayRequest
        {
            Published = PublishedLogFile.Read(folder.Published),
            Heartbeats = HeartbeatLog.Read(processes.PrimaryJournal) ?? [],
        });
        // The first Ctrl-C ended the market and is done with; this is what an orderly end comes to.
        replayer.Run(terminal, input, terminal.AtOnce);
        List<HeartbeatEntry> noted = HeartbeatLog.Read(processes.StandbyJournal) ?? [];
        return new DemoSummary
        {
            Options = options,
            Market = processes.MarketLine!,
            Primary = processes.PrimaryLine!,
            Listener = processes.ListenerLine!,
            MessagesIn = replayer.Records,
            JournalBytes = input.BytesRead,
            StateDigest = replayer.Machine.StateDigest(),
            PublishedEqual = replayer.PublishedMatched,
            HeartbeatsEqual = replayer.HeartbeatsMatched,
            StandbyHeartbeatsEqual = noted.Count(replayer.Heartbeats.Contains),
            ReplayDifference = replayer.FirstDifference,
            StandbyDifference = DifferenceOfStandby(processes, replayer, noted),
            HasFailedOver = processes.HasFailedOver,
            RecordsCut = processes.StandbyLine!.RecordsCut,
            WasInterrupted = terminal.Interrupted.IsCancellationRequested,
            Kept = options.Keep is null ? null : folder.Path,
        };
    }

    private static string? DifferenceOfStandby(DemoProcesses processes, Replayer replayer, List<HeartbeatEntry> noted)
    {
        if (processes.PrimaryLine!.Diverged || processes.StandbyLine!.Diverged) return "a digest differed while the nodes ran";
        foreach (HeartbeatEntry heartbeat in noted)
            if (!replayer.Heartbeats.Contains(heartbeat))
                return $"heartbeat {heartbeat.Sequence}: the standby noted {heartbeat.Digests}, the replay of the primary's journal has another";
        // A run of a second may have no heartbeat at all; the journals tell then.
        Difference journals = JournalDiff.Compare(processes.PrimaryJournal, processes.StandbyJournal);
        return journals.Outcome == DiffOutcome.Same ? null : journals.Words;
    }
}
