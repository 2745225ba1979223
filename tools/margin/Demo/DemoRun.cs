// The demo from start to end: start everything, show it, stop it in order, recompute it, say what came out.
using System.Diagnostics;
using MarginEngine.Tool.Doctor;
using MarginEngine.Tool.Running;
using MarginEngine.Tool.Shell;
using MarginEngine.Watch;

namespace MarginEngine.Tool.Demo;

/// <summary>One demo. Every way out of <see cref="Run"/> ends all processes and removes the temporary folder.</summary>
internal sealed class DemoRun(Terminal terminal, DemoOptions options)
{
    private const int LookMillis = 100;
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(30);

    /// <summary>Source number of the market in the heartbeats.</summary>
    private const ushort MarketSource = 1;

    public int Run()
    {
        if (!NetworkChecks.CanMulticast()) throw CommandFailure.Unreachable("multicast over loopback does not work here, and the demo publishes on it; see margin doctor");
        using DemoFolder folder = new(options.Keep);
        using DemoProcesses processes = new(options, folder);
        processes.StartEngine();
        WaitUntil(() => processes is { PrimaryLine.TakesInput: true, StandbyLine: not null, ListenerLine: not null }, StartPatience, "start", processes, null);
        processes.StartMarket();
        using (DemoScreen screen = DemoScreen.Open(terminal, options))
        {
            Play(processes, screen);
            Stop(processes, screen);
        }

        DemoSummary summary = DemoAudit.Compare(terminal, options, folder, processes);
        if (options.Json) summary.WriteJson(terminal);
        else summary.WriteText(terminal);
        return summary.IsIdentical ? ExitCode.Done : ExitCode.Difference;
    }

    // Ctrl-C ends the market early; everything after it takes its usual course. A second one ends the demo at once.
    private void Play(DemoProcesses processes, DemoScreen screen)
    {
        ChildProcess market = processes.Market!;
        while (!market.HasExited)
        {
            DemoProcesses.CheckAlive(processes.Primary, processes.Standby, processes.Listener);
            screen.Show(processes);
            if (options.Failover && !processes.HasFailedOver && processes.MarketLine is { } line && line.Events * 2 > line.EventsOfAll)
                FailOver(processes, screen);
            if (terminal.Interrupted.IsCancellationRequested) market.Stop();
            terminal.AtOnce.ThrowIfCancellationRequested();
            Thread.Sleep(LookMillis);
        }

        DemoProcesses.WaitForEnd(market, StopPatience);
    }

    // Once the standby could take over: before that the demo would only show that it does not.
    private void FailOver(DemoProcesses processes, DemoScreen screen)
    {
        if (processes.PrimaryLine is not { StandbyConnected: true } || processes.StandbyLine?.Events.ContainsKey(nameof(NodeEvent.DigestEqual)) != true) return;
        processes.KillPrimary();
        WaitUntil(() => processes.PrimaryLine is { Role: "primary", TakesInput: true }, StartPatience, "come back after its primary was killed", processes, screen);
    }

    // In the order of the data, so that nobody waits for a peer that has gone.
    private void Stop(DemoProcesses processes, DemoScreen screen)
    {
        ulong sent = (ulong)(processes.MarketLine?.Messages ?? 0);
        WaitUntil(() => processes.ListenerLine?.Sources.GetValueOrDefault(MarketSource) >= sent
            && processes.PrimaryLine is { } primary && primary.Published >= primary.Received, DrainPatience, "drain", processes, screen);
        // It would take the lease that the primary gives back.
        if (options.Failover)
        {
            processes.Standby!.Tell(NodeRun.StayStandby);
            WaitUntil(() => processes.StandbyLine is { StaysStandby: true } && processes.PrimaryLine is { Alone: false, StandbyConnected: true }, DrainPatience, "find its standby", processes, screen);
        }

        processes.Primary!.Stop();
        DemoProcesses.WaitForEnd(processes.Primary, StopPatience);
        long last = processes.PrimaryLine!.Received;
        WaitUntil(() => processes.StandbyLine?.Applied >= last && processes.StandbyLine.Journalled >= last, DrainPatience, "catch up", processes, screen);
        processes.Standby!.Stop();
        // The market maker ends by itself when it has read the stream to its end.
        if (!processes.Listener!.WaitForEnd(StopPatience)) processes.Listener.Stop();
        DemoProcesses.WaitForEnd(processes.Listener, StopPatience);
        DemoProcesses.WaitForEnd(processes.Standby, StopPatience);
        screen.Show(processes);
    }

    private void WaitUntil(Func<bool> condition, TimeSpan patience, string what, DemoProcesses processes, DemoScreen? screen)
    {
        long begin = Stopwatch.GetTimestamp();
        while (!condition())
        {
            // Those that were told to stop are expected to end; their code was checked.
            if (processes.Market is null || processes.Primary is { HasExited: false }) DemoProcesses.CheckAlive(processes.Primary, processes.Standby, processes.Listener);
            terminal.AtOnce.ThrowIfCancellationRequested();
            if (Stopwatch.GetElapsedTime(begin) > patience)
                throw CommandFailure.Unreachable($"the engine did not {what} within {patience.TotalSeconds:F0} s\n{processes.Primary?.Messages}");
            screen?.Show(processes);
            Thread.Sleep(LookMillis);
        }
    }
}
