// `margin replay`: recomputes a journal from its first record with the code of this program; with --verify compares with what was live.
using System.CommandLine;
using System.Text.Json;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Tool.Audit;
using MarginEngine.Tool.Explain;
using MarginEngine.Tool.Reports;
using MarginEngine.Tool.Running;
using MarginEngine.Tool.Shell;
using MarginEngine.Tool.Wire;

namespace MarginEngine.Tool.Verbs;

internal static class ReplayVerb
{
    private sealed record Arguments(string Journal, bool Verify, string? Published, long To, ulong? Account, bool Snapshot, bool Json)
    {
        /// <summary>Explain the account at the end; how many points, inputs and decisions to show.</summary>
        public int? Explain { get; init; }

        public bool IsExhaustive { get; init; }
    }

    private const int DefaultLast = 20;

    public static Verb Create(Terminal terminal)
    {
        Argument<string> journal = new("JOURNAL") { Description = "Directory of the journal." };
        Option<bool> verify = new("--verify") { Description = $"Compare with the heartbeats that the node noted beside the journal ({HeartbeatLog.FileName})." };
        Option<string?> published = new("--published") { Description = "Compare with what a subscriber recorded (watch --record).", HelpName = "FILE" };
        Option<long?> to = new("--to") { Description = "Stop after this sequence.", HelpName = "N" };
        Option<long?> at = new("--at") { Description = "With --explain: as of this sequence.", HelpName = "N" };
        Option<ulong?> account = new("--account") { Description = "Show every decision on this account and how it stands at the end.", HelpName = "A" };
        Option<bool> snapshot = new("--snapshot") { Description = "Begin with the newest usable snapshot beside the journal instead of the first record." };
        Option<bool> exhaustive = new("--exhaustive") { Description = "Compute every account with every move of the market, not only those whose state can have changed: the same decisions, slowly." };
        Option<bool> explain = new("--explain") { Description = "Instead: why the account stands where it stands at the end: path of the ratio, inputs, decisions, prices and their ages, worst row." };
        Option<int> last = Options.Count("--last", "How many points of the path, inputs and decisions --explain shows.", DefaultLast, 1, 1_000_000);
        Option<bool> json = Options.Json();
        to.Validators.Add(result => Options.Bound(result, 1, long.MaxValue));
        at.Validators.Add(result => Options.Bound(result, 1, long.MaxValue));
        Verb verb = new("replay", "Recomputes a journal; the same records give the same decisions on any machine.",
            "margin replay ./journal --verify", "margin replay ./journal --to 120000 --account 17 --json",
            "margin replay ./journal --published received.log", "margin replay ./journal --at 120000 --account 17 --explain")
        {
            journal, verify, published, to, account, explain, at, last, snapshot, exhaustive, json,
        };
        verb.Validators.Add(result =>
        {
            if (result.GetValue(explain) && result.GetValue(account) is null) result.AddError("--explain needs --account.");
            if (result.GetValue(at) is not null && !result.GetValue(explain)) result.AddError("--at needs --explain.");
            if (result.GetValue(explain) && result.GetValue(to) is not null) result.AddError("--explain goes with --at, not with --to.");
            if (result.GetValue(explain) && result.GetValue(snapshot)) result.AddError("--explain tells the whole way, so it cannot begin at a --snapshot.");
        });
        return verb.Does(line => Run(terminal, new Arguments(line.GetValue(journal)!, line.GetValue(verify), line.GetValue(published),
            line.GetValue(at) ?? line.GetValue(to) ?? long.MaxValue, line.GetValue(account), line.GetValue(snapshot), line.GetValue(json))
        {
            Explain = line.GetValue(explain) ? line.GetValue(last) : null,
            IsExhaustive = line.GetValue(exhaustive),
        }));
    }

    private static int Run(Terminal terminal, Arguments arguments)
    {
        if (arguments.Explain is int last) return Explain(terminal, arguments, last);
        using JournalInput input = new(arguments.Journal, EngineIdentity.Current);
        using MessageLines lines = new(terminal, arguments.Json);
        ReplayRequest request = new()
        {
            To = arguments.To,
            IsExhaustive = arguments.IsExhaustive,
            Snapshots = arguments.Snapshot ? arguments.Journal : null,
            Heartbeats = arguments.Verify ? Noted(arguments) : null,
            Published = arguments.Published is null ? null : PublishedLogFile.Read(arguments.Published),
            Observer = arguments.Account is ulong account ? decision => Show(lines, decision, account) : null,
        };
        using Replayer replayer = new(request);
        replayer.Run(terminal, input, terminal.Interrupted);
        if (arguments.Account is ulong shown) Standing(terminal, replayer.Machine, shown, arguments.Json);
        Summary(terminal, arguments, replayer);
        return replayer.Differences == 0 ? ExitCode.Done : ExitCode.Difference;
    }

    private static int Explain(Terminal terminal, Arguments arguments, int last)
    {
        using JournalInput input = new(arguments.Journal, EngineIdentity.Current);
        Replayer? replay = null;
        PriceSources prices = new();
        Explainer explainer = new(arguments.Account!.Value, () => replay!.Machine, prices, last);
        using Replayer replayer = new(new ReplayRequest
        {
            To = arguments.To,
            Inputs = (sequence, time, message) =>
            {
                prices.OnInput(sequence, time, message);
                explainer.OnInput(sequence, time, message);
            },
            Observer = decision =>
            {
                prices.OnDecision(decision);
                explainer.OnDecision(decision);
            },
            Applied = explainer.OnApplied,
        });
        replay = replayer;
        replayer.Run(terminal, input, terminal.Interrupted);
        if (arguments.To != long.MaxValue && replayer.Machine.LastSequence < arguments.To)
            throw CommandFailure.Unreachable($"the journal ends at sequence {replayer.Machine.LastSequence}");
        Explanation explanation = explainer.Explain() ?? throw CommandFailure.Unreachable($"the journal knows no account {arguments.Account} at sequence {replayer.Machine.LastSequence}");
        if (!arguments.Json)
        {
            ExplanationText.Write(terminal, explanation);
            return ExitCode.Done;
        }

        Utf8JsonWriter writer = JsonOutput.Begin(terminal);
        ExplanationJson.Write(writer, explanation);
        JsonOutput.End(terminal, writer);
        return ExitCode.Done;
    }

    private static List<HeartbeatEntry> Noted(Arguments arguments)
    {
        List<HeartbeatEntry>? noted = HeartbeatLog.Read(arguments.Journal);
        if (noted is null && arguments.Published is null)
            throw CommandFailure.Unreachable($"nothing to compare with: {HeartbeatLog.PathIn(arguments.Journal)} is missing");
        return noted ?? [];
    }

    private static void Show(MessageLines lines, ReadOnlySpan<byte> decision, ulong account)
    {
        if (MessageAccount.Of(decision) == account) lines.Write(decision);
    }

    private static void Standing(Terminal terminal, MarginMachine machine, ulong account, bool json)
    {
        MarginReport report = machine.Report(account) ?? throw CommandFailure.Unreachable($"the journal knows no account {account}");
        if (!json)
        {
            ReportText.Write(terminal, report);
            terminal.Out.WriteLine();
            return;
        }

        Utf8JsonWriter writer = JsonOutput.Begin(terminal, oneLine: true);
        writer.WriteStartObject();
        writer.WriteStartObject("report");
        ReportJson.WriteMembers(writer, report);
        writer.WriteEndObject();
        writer.WriteEndObject();
        JsonOutput.End(terminal, writer);
    }

    private static void Summary(Terminal terminal, Arguments arguments, Replayer replayer)
    {
        if (arguments.Json) SummaryJson(terminal, replayer);
        else SummaryText(terminal, arguments, replayer);
        if (replayer.FirstDifference is not null) terminal.Say($"margin: {replayer.Differences} differences; the first: {replayer.FirstDifference}");
    }

    private static void SummaryText(Terminal terminal, Arguments arguments, Replayer replayer)
    {
        void Line(string name, string value) => terminal.Out.WriteLine($"{name,-12}{value}");
        if (replayer.StartedFrom > 0) Line("snapshot", $"of sequence {replayer.StartedFrom}");
        Line("records", $"{replayer.Records}, last sequence {replayer.Machine.LastSequence}");
        Line("decisions", string.Join(", ", Counted(replayer.Decided).Select(entry => $"{entry.Count} {entry.Name}")));
        Line("state", $"0x{replayer.Machine.StateDigest():x16}");
        Line("digest", $"0x{replayer.Machine.DecisionDigest:x16}");
        if (arguments.Verify) Line("heartbeats", $"{replayer.HeartbeatsMatched} equal");
        if (arguments.Published is not null) Line("published", $"{replayer.PublishedMatched} equal");
        if (arguments.Verify || arguments.Published is not null) Line("replay:", replayer.Differences == 0 ? "identical" : "DIFFERENT");
    }

    private static void SummaryJson(Terminal terminal, Replayer replayer)
    {
        Utf8JsonWriter writer = JsonOutput.Begin(terminal, oneLine: true);
        writer.WriteStartObject();
        writer.WriteNumber("startedFrom", replayer.StartedFrom);
        writer.WriteNumber("records", replayer.Records);
        writer.WriteNumber("lastSequence", replayer.Machine.LastSequence);
        writer.WriteString("stateDigest", $"0x{replayer.Machine.StateDigest():x16}");
        writer.WriteString("decisionDigest", $"0x{replayer.Machine.DecisionDigest:x16}");
        writer.WriteStartObject("decisions");
        foreach ((string name, long count) in Counted(replayer.Decided)) writer.WriteNumber(name, count);
        writer.WriteEndObject();
        writer.WriteNumber("heartbeatsEqual", replayer.HeartbeatsMatched);
        writer.WriteNumber("publishedEqual", replayer.PublishedMatched);
        writer.WriteNumber("differences", replayer.Differences);
        if (replayer.FirstDifference is not null) writer.WriteString("firstDifference", replayer.FirstDifference);
        writer.WriteEndObject();
        JsonOutput.End(terminal, writer);
    }

    private static IEnumerable<(string Name, long Count)> Counted(long[] byTemplate)
    {
        for (int template = 0; template < byTemplate.Length; template++)
            if (byTemplate[template] > 0)
                yield return (Schema.NameOf((ushort)template), byTemplate[template]);
    }
}
