// A node from start to end: status lines, the heartbeat log beside the journal, promotion and rejoining, an orderly stop, and words
// for a fault.
using System.Globalization;
using MarginEngine.Pipeline;
using MarginEngine.Promotion;
using MarginEngine.Tool.Audit;
using MarginEngine.Tool.Shell;
using MarginEngine.Watch;

namespace MarginEngine.Tool.Running;

/// <summary>Runs until interrupted or until a stage fails.</summary>
internal sealed class NodeRun(Terminal terminal, NodeOptions options, bool json, int statusMillis)
{
    private const int LookMillis = 20;
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(20);

    /// <summary>A line by which a parent says that the end is near and nobody is to take over.</summary>
    public const string StayStandby = "stay standby";

    private HeartbeatLogWriter? _heartbeats;
    private volatile bool _staysStandby;
    private string _told = "";
    private string? _signingTold;
    private string _diskTold = "";
    private string _divergenceTold = "";

    /// <summary>A word of the parent; any thread.</summary>
    public void Hear(string line) => _staysStandby |= line == StayStandby;

    /// <summary>An exit code: done, difference (the standby and the primary diverged) or unreachable (anything else that fails a stage).</summary>
    public int Run()
    {
        using LeaseKeeper? lease = options.Lease is { } settings ? new LeaseKeeper(settings.Open(), new Clock()) : null;
        lease?.Start();
        using PairMember member = new(options, lease);
        using ControlSocket? control = OpenControl();
        try
        {
            return Live(member, control);
        }
        finally
        {
            _heartbeats?.Dispose();
        }
    }

    private int Live(PairMember member, ControlSocket? control)
    {
        for (int millis = 0; ; millis += LookMillis)
        {
            member.MayTakeOver = !_staysStandby;
            switch (member.Poll(ForgetHeartbeats))
            {
                case MemberChange.Started:
                    File.WriteAllText(SettingsFile.PathIn(options.Journal.Directory), options.ToJson() + "\n");
                    _heartbeats ??= new HeartbeatLogWriter(options.Journal.Directory);
                    SayBeginning(member);
                    Say(member, $"{RoleOf(member)} runs {ModeOf(member.Node!.Options) ?? "with a standby that is not waited for"}");
                    break;
                case MemberChange.Promoted:
                    SayPromoted(member);
                    break;
                case MemberChange.Cut:
                    SayCut(member);
                    break;
                case MemberChange.Ended:
                    return Explain(member);
            }

            control?.Answer(request => Promote(member, request));
            Note(member);
            if (statusMillis > 0 && millis % statusMillis < LookMillis) Show(member);
            SayObjection(member);
            SaySigning(member);
            SayDisk(member);
            SayDivergence(member);
            if (terminal.Interrupted.WaitHandle.WaitOne(LookMillis)) return Stop(member);
        }
    }

    private int Stop(PairMember member)
    {
        if (member.Node is null) return ExitCode.Done;
        string role = RoleOf(member);
        bool isDrained = member.Stop(StopPatience);
        Note(member);
        Show(member);
        if (member.Node.Fault is not null) return Explain(member);
        terminal.Say(isDrained ? $"{role} stopped in order" : $"{role} stopped; what was not published will be after the next start");
        return ExitCode.Done;
    }

    private ControlAnswer Promote(PairMember member, ControlRequest request)
    {
        string? objection;
        try
        {
            objection = member.Promote(request.Because);
        }
        catch (Exception failure) when (failure is NodeOptionsException or IOException)
        {
            terminal.Say($"margin: the promotion failed: {failure.Message}");
            throw;
        }

        if (request.Because is not null && objection is null) terminal.Say($"promotion was forced: {request.Because}");
        bool isPrimary = member.Node?.Options.Role == NodeRole.Primary;
        if (isPrimary && objection is null) SayPromoted(member);
        return new ControlAnswer(objection, isPrimary && objection is null ? member.Node!.Options.Epoch : 0);
    }

    private ControlSocket? OpenControl()
    {
        ControlSocket? control = ControlSocket.Open(options.Journal.Directory, out string reason);
        if (control is null) terminal.Say($"no `margin promote` for this node: {reason}");
        return control;
    }

    private static string RoleOf(PairMember member) => member.Node?.Options.Role.ToString().ToLowerInvariant() ?? "waiting";

    private static string? ModeOf(NodeOptions options) => options.ModeInForce?.ToString().ToLowerInvariant();

    private void Say(PairMember member, string what) => terminal.Say(string.Create(CultureInfo.InvariantCulture,
        $"{what}; journal {options.Journal.Directory} at sequence {member.Node!.Recovered.LastSequence}, epoch {member.Node.Gauges.Epoch.Value}{Witness(member)}"));

    private static string Witness(PairMember member) => member.Lease is { } view ? $"; lease {view}" : "";

    private void SayBeginning(PairMember member)
    {
        foreach (string reason in member.Node!.SnapshotsPassedOver) terminal.Say($"margin: {reason}");
        if (member.Node.StartedFrom > 0) terminal.Say($"{RoleOf(member)} begins with the snapshot of sequence {member.Node.StartedFrom}");
    }

    private void SayPromoted(PairMember member) => Say(member, string.Create(CultureInfo.InvariantCulture,
        $"standby is the primary now, after {member.TakeoverNanos / 1_000_000} ms{(member.WasTakeoverComplete ? "" : ", having replayed its journal")}"));

    private void SayCut(PairMember member)
    {
        if (member.Tail is not { Records: > 0 } tail) return;
        terminal.Say(string.Create(CultureInfo.InvariantCulture,
            $"margin: CUT {tail.Records} records, sequences {tail.First} to {tail.Last} of epoch {tail.Epoch}: this node had journalled them as the primary, its successor never had them.")
            + $" They are kept in {tail.Directory}; margin inspect shows them.");
    }

    // Why nothing happens is told when it changes, and only where something is asked for: nobody holds the lease.
    private void SayObjection(PairMember member)
    {
        string now = member.Lease is { State: LeaseState.Free or LeaseState.Unreachable } && member.Node is { Options.Role: NodeRole.Standby } ? member.Objection : "";
        if (now.Length > 0 && now != _told) terminal.Say($"this standby does not take over: {now}");
        _told = now;
    }

    // Why nothing is signed is told when it changes.
    private void SaySigning(PairMember member)
    {
        string? now = member.Node?.SigningProblem;
        if (now is not null && now != _signingTold) terminal.Say($"margin: the journal is not signed at the moment: {now}");
        _signingTold = now;
    }

    private void SayDivergence(PairMember member)
    {
        string now = member.Node?.DivergenceTold ?? "";
        if (now.Length > 0 && now != _divergenceTold) terminal.Say($"margin: the standby has diverged: {now}");
        _divergenceTold = now;
    }

    // A disk that fills up, and room again, are told when they come.
    private void SayDisk(PairMember member)
    {
        string now = member.Node is not { Gauges.DiskNearlyFull.Value: not 0 } node ? ""
            : node.Options.Role == NodeRole.Standby ? "the disk is nearly full: this standby goes on in its journal's reserve and ends when that is used up"
            : node.Gauges.TimeStands.Value != 0 ? "the disk is full: input is refused, and there is no room even for time ticks, so no heartbeats"
            : "the disk is nearly full: input is refused, heartbeats go on in the journal's reserve";
        if (now != _diskTold) terminal.Say(now.Length > 0 ? $"margin: {now}" : "the disk has room again");
        _diskTold = now;
    }

    private void ForgetHeartbeats(long from)
    {
        _heartbeats?.Dispose();
        _heartbeats = null;
        HeartbeatLog.CutFrom(options.Journal.Directory, from);
    }

    private void Note(PairMember member)
    {
        if (member.Node is { } node)
            _heartbeats?.Note(node.Gauges.Heartbeats.TryNewest(out HeartbeatDigest newest) ? newest : null, node.Gauges.Journalled.Value);
    }

    private void Show(PairMember member)
    {
        if (member.Node is not { } node) return;
        NodeLine line = NodeLine.Of(RoleOf(member), node.Status()) with { Mode = ModeOf(node.Options), Lease = member.Lease?.ToString(), RecordsCut = member.RecordsCut, StaysStandby = _staysStandby };
        terminal.Out.WriteLine(json ? line.ToJson() : Words(line));
        terminal.Out.Flush();
    }

    private static string Words(NodeLine line) => string.Create(CultureInfo.InvariantCulture,
        $"{line.Role} epoch {line.Epoch} received {line.Received} journalled {line.Journalled} applied {line.Applied} published {line.Published}")
        + string.Create(CultureInfo.InvariantCulture, $" standby {Standby(line)} p99 {line.StampToPublish.P99 / 1000} us, margins up to {line.OldestMarginNanos / 1_000_000} ms old")
        + (line.TimeStands ? " DISK FULL, NO HEARTBEATS" : line.DiskNearlyFull ? " DISK FULL" : "")
        + (line.Lease is null ? "" : $" lease {line.Lease}")
        + (line.RecordsCut == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" CUT {line.RecordsCut}"));

    private static string Standby(NodeLine line) =>
        line.Diverged ? "DIVERGED" : line.StandbyConnected ? line.ReplicaApplied.ToString(CultureInfo.InvariantCulture) : line.Alone ? "none, alone" : "none";

    private int Explain(PairMember member)
    {
        NodeFault fault = member.Node!.Fault!;
        terminal.Say($"margin: {RoleOf(member)}: {fault}");
        if (fault.FlightRecord.Length > 0) terminal.Say($"the last messages before it:\n{fault.FlightRecord}");
        return fault.Cause is DivergenceException or MarginEngine.Journal.HistoryDivergedException ? ExitCode.Difference : ExitCode.Unreachable;
    }
}

/// <summary>The effective settings of the last start, beside the journal, for those who ask later how it was set. No program reads it.</summary>
internal static class SettingsFile
{
    public static string PathIn(string journal) => Path.Combine(journal, "settings.json");
}
