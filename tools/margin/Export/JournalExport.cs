// Recomputes a journal and writes what went in, what was decided, how every account stood after each change, what operators did, and why
// accounts were liquidated. Two passes: the second explains the accounts that the first has found.
using System.Text.Json;
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using MarginEngine.Tool.Audit;
using MarginEngine.Tool.Explain;
using MarginEngine.Tool.Reports;
using MarginEngine.Tool.Shell;
using MarginEngine.Tool.Wire;

namespace MarginEngine.Tool.Export;

/// <summary>Rows written.</summary>
internal sealed record ExportCounts(long Inputs, long Decisions, long States, long Explanations, int Tables);

internal sealed class JournalExport
{
    private const int ExplanationLength = 50;

    private static readonly Table JournalTable = new("journal", [Column.Text("name"), Column.Text("value")], ["name"], []);
    private static readonly Table InputTable = new("inputs",
        [Column.Integer("sequence"), Column.Integer("time"), Column.Integer("epoch"), Column.Integer("source"), Column.Integer("source_sequence"), Column.Text("template"), Column.Integer("account_id"),
            Column.Text("refused")],
        ["sequence"], ["account_id", "template"]);
    private static readonly Table DecisionTable = new("decisions",
        [Column.Integer("ordinal"), Column.Integer("sequence"), Column.Text("template"), Column.Integer("account_id")], ["ordinal"], ["account_id", "sequence"]);
    private static readonly Table StateTable = new("account_states",
        [Column.Integer("account_id"), Column.Integer("sequence"), Column.Integer("time"), Column.Text("state"), Column.Scaled("equity", 6), Column.Scaled("gross_equity", 6),
            Column.Scaled("initial_margin", 6), Column.Scaled("maintenance_margin", 6), Column.Scaled("ratio", 8), Column.Integer("model_id"), Column.Integer("model_version"), Column.Text("flags")],
        ["account_id", "sequence"], ["sequence"]);
    private static readonly Table OperatorTable = new("operators",
        [Column.Integer("sequence"), Column.Integer("time"), Column.Integer("source"), Column.Text("who"), Column.Text("what"), Column.Text("why"), Column.Text("outcome")], ["sequence"], []);
    private static readonly Table ExplanationTable = new("liquidation_explanations",
        [Column.Integer("sequence"), Column.Integer("account_id"), Column.Integer("attempt"), Column.Text("answer"), Column.Text("explanation")], ["sequence", "account_id"], ["account_id"]);

    private readonly ITableSink _sink;
    private readonly IReadOnlyDictionary<ushort, MessageTable> _tables = SchemaTables.Read();
    private readonly HashSet<ushort> _created = [];
    private readonly OperatorLog _operators = new();
    private readonly List<AccountStanding> _standings = [];
    private readonly HashSet<ulong> _liquidated = [];
    private object?[]? _input;
    private string _inputJson = "";
    private long _time, _ordinal, _inputs, _states, _explanations, _evaluations;

    private JournalExport(ITableSink sink) => _sink = sink;

    /// <param name="to">Last sequence to apply.</param>
    public static ExportCounts Write(Terminal terminal, string journal, ITableSink sink, long to)
    {
        JournalExport export = new(sink);
        foreach (Table table in (Table[])[JournalTable, InputTable, DecisionTable, StateTable, OperatorTable, ExplanationTable]) sink.Create(table);
        export.WriteHistory(terminal, journal, to);
        export.WriteExplanations(terminal, journal, to);
        sink.Complete();
        return new ExportCounts(export._inputs, export._ordinal, export._states, export._explanations, export._created.Count + 6);
    }

    private void WriteHistory(Terminal terminal, string journal, long to)
    {
        using JournalInput input = new(journal, EngineIdentity.Current);
        Replayer? replay = null;
        using Replayer replayer = new(new ReplayRequest
        {
            To = to,
            Inputs = OnInput,
            Observer = OnDecision,
            Applied = sequence => OnApplied(replay!.Machine, sequence),
        });
        replay = replayer;
        replayer.Run(terminal, input, terminal.Interrupted);
        foreach (OperatorLine line in _operators.Lines)
            _sink.Insert(OperatorTable, [line.Entry.Sequence, line.Entry.TimeNanos, (long)line.Entry.Source, line.Entry.Who, line.Entry.What, line.Entry.Why, line.Outcome]);
        Describe(journal, replayer, input.Identity);
    }

    private void Describe(string journal, Replayer replayer, JournalIdentity? writer)
    {
        void Say(string name, string value) => _sink.Insert(JournalTable, [name, value]);
        Say("directory", Path.GetFullPath(journal));
        Say("lastSequence", $"{replayer.Machine.LastSequence}");
        Say("stateDigest", $"0x{replayer.Machine.StateDigest():x16}");
        Say("decisionDigest", $"0x{replayer.Machine.DecisionDigest:x16}");
        Say("exportedBy", BuildVersion.Id);
        if (writer is not JournalIdentity identity) return;
        Say("writtenBy", identity.BuildId);
        Say("runtime", identity.Runtime);
        Say("processor", identity.Processor);
        Say("arithmeticDigest", $"0x{identity.ArithmeticDigest:x16}");
        Say("schemaVersion", $"{identity.SchemaVersion}");
        Say("capacities", identity.Configuration);
    }

    private void OnInput(long sequence, long timeNanos, ReadOnlySpan<byte> message)
    {
        _time = timeNanos;
        _inputs++;
        _operators.OnInput(sequence, timeNanos, message);
        bool isKnown = Schema.TryTemplateOf(message, out ushort template);
        _inputJson = Explainer.ToJson(message);
        _input = [sequence, timeNanos, null, null, null, isKnown ? Schema.NameOf(template) : "undecodable", Signed(MessageAccount.Of(message)), null];
        if (!isKnown || _inputJson == "null" || !_tables.TryGetValue(template, out MessageTable? table)) return;
        Insert(template, table, sequence, out JsonElement root);
        JsonElement origin = root.GetProperty("origin");
        _input[3] = origin.GetProperty("source").GetInt64();
        _input[4] = origin.GetProperty("sequence").GetInt64();
    }

    private void Insert(ushort template, MessageTable table, long key, out JsonElement root)
    {
        if (_created.Add(template))
        {
            _sink.Create(table.Table);
            foreach (MessageTable group in table.Groups) _sink.Create(group.Table);
        }

        using JsonDocument document = JsonDocument.Parse(_inputJson);
        root = document.RootElement.Clone();
        MessageRows.Insert(_sink, table, key, root);
    }

    private void OnDecision(ReadOnlySpan<byte> decision)
    {
        _operators.OnDecision(decision);
        Schema.TryTemplateOf(decision, out ushort template);
        if (RejectDecoder.TryWrap(decision, out RejectDecoder reject) && _input is not null && Equals(_input[3], (long)reject.Source) && Equals(_input[4], (long)reject.SourceSequence))
            _input[7] = Names.Of(reject.Code);
        if (LiquidationInstructionDecoder.TryWrap(decision, out LiquidationInstructionDecoder instruction)) _liquidated.Add(instruction.AccountId);
        _ordinal++;
        _inputJson = Explainer.ToJson(decision);
        Insert(template, _tables[template], _ordinal, out JsonElement root);
        _sink.Insert(DecisionTable, [_ordinal, root.GetProperty("sequence").GetInt64(), Schema.NameOf(template), Signed(MessageAccount.Of(decision))]);
    }

    private void OnApplied(MarginMachine machine, long sequence)
    {
        _input![2] = (long)machine.Epoch;
        _sink.Insert(InputTable, _input);
        // Figures change in evaluations only.
        if (machine.Evaluations == _evaluations) return;
        _evaluations = machine.Evaluations;
        for (int index = 0; index < machine.AccountCount; index++)
        {
            AccountStanding now = machine.StandingAt(index);
            if (index < _standings.Count && IsSame(_standings[index], now)) continue;
            if (index == _standings.Count) _standings.Add(now);
            else _standings[index] = now;
            _states++;
            AccountMargin margin = now.Margin;
            _sink.Insert(StateTable,
                [Signed(now.AccountId), sequence, _time, Names.Of(now.State), margin.Equity, margin.GrossEquity, margin.Initial, margin.Maintenance, margin.RatioE8,
                    (long)now.ModelId, (long)now.ModelVersion, string.Join(',', Names.Of(margin.Flags))]);
        }
    }

    private static bool IsSame(in AccountStanding left, in AccountStanding right) =>
        left.State == right.State && left.Margin.Equity == right.Margin.Equity && left.Margin.GrossEquity == right.Margin.GrossEquity && left.Margin.Initial == right.Margin.Initial
        && left.Margin.Maintenance == right.Margin.Maintenance && left.Margin.RatioE8 == right.Margin.RatioE8 && left.Margin.Flags == right.Margin.Flags
        && left.ModelId == right.ModelId && left.ModelVersion == right.ModelVersion;

    private void WriteExplanations(Terminal terminal, string journal, long to)
    {
        if (_liquidated.Count == 0) return;
        using JournalInput input = new(journal, EngineIdentity.Current);
        Replayer? replay = null;
        PriceSources prices = new();
        Dictionary<ulong, Explainer> explainers = _liquidated.ToDictionary(account => account, account => new Explainer(account, () => replay!.Machine, prices, ExplanationLength));
        List<(ulong Account, ushort Attempt)> due = [];
        using Replayer replayer = new(new ReplayRequest
        {
            To = to,
            Inputs = (sequence, time, message) =>
            {
                prices.OnInput(sequence, time, message);
                foreach (Explainer explainer in explainers.Values) explainer.OnInput(sequence, time, message);
            },
            Observer = decision =>
            {
                prices.OnDecision(decision);
                foreach (Explainer explainer in explainers.Values) explainer.OnDecision(decision);
                if (LiquidationInstructionDecoder.TryWrap(decision, out LiquidationInstructionDecoder instruction)) due.Add((instruction.AccountId, instruction.Attempt));
            },
            Applied = sequence =>
            {
                foreach (Explainer explainer in explainers.Values) explainer.OnApplied(sequence);
                foreach ((ulong account, ushort attempt) in due) InsertExplanation(explainers[account].Explain()!, account, attempt);
                due.Clear();
            },
        });
        replay = replayer;
        replayer.Run(terminal, input, terminal.Interrupted);
    }

    private void InsertExplanation(Explanation explanation, ulong account, ushort attempt)
    {
        using MemoryStream json = new();
        using (Utf8JsonWriter writer = new(json)) ExplanationJson.Write(writer, explanation);
        _explanations++;
        _sink.Insert(ExplanationTable, [explanation.Sequence, Signed(account), (long)attempt, explanation.Answer, System.Text.Encoding.UTF8.GetString(json.ToArray())]);
    }

    // SQLite's integers are signed: a number beyond them is kept as text.
    private static object? Signed(ulong? number) => number is not ulong value ? null : value <= long.MaxValue ? (long)value : value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
