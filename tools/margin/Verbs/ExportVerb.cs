// `margin export`: a journal, recomputed, as a SQLite file or a folder of CSV files for auditors.
using System.CommandLine;
using System.Globalization;
using MarginEngine.Tool.Export;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Verbs;

internal static class ExportVerb
{
    public static Verb Create(Terminal terminal)
    {
        Argument<string> journal = new("JOURNAL") { Description = "Directory of the journal." };
        Option<string?> sqlite = new("--sqlite") { Description = "Write one SQLite file, which must not exist.", HelpName = "FILE" };
        Option<string?> csv = new("--csv") { Description = "Write a CSV file a table into this folder, which must be new or empty.", HelpName = "DIR" };
        Option<long?> to = new("--to") { Description = "Stop after this sequence.", HelpName = "N" };
        to.Validators.Add(result => Options.Bound(result, 1, long.MaxValue));
        Verb verb = new("export", "Recomputes a journal and writes inputs, decisions, account states, operators' acts and explanations of liquidations as tables.",
            "margin export ./journal --sqlite audit.db", "margin export ./journal --csv ./tables --to 120000")
        {
            journal, sqlite, csv, to,
        };
        verb.Validators.Add(result =>
        {
            if (result.GetValue(sqlite) is null == result.GetValue(csv) is null) result.AddError("one of --sqlite and --csv is needed.");
        });
        return verb.Does(line => Run(terminal, line.GetValue(journal)!, line.GetValue(sqlite), line.GetValue(csv), line.GetValue(to) ?? long.MaxValue));
    }

    private static int Run(Terminal terminal, string journal, string? sqlite, string? csv, long to)
    {
        using ITableSink sink = sqlite is not null ? new SqliteSink(sqlite) : new CsvSink(csv!);
        ExportCounts counts = JournalExport.Write(terminal, journal, sink, to);
        terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{sqlite ?? csv}: {counts.Inputs} inputs, {counts.Decisions} decisions, {counts.States} account states, {counts.Explanations} explained liquidations, {counts.Tables} tables of messages and summaries"));
        return ExitCode.Done;
    }
}
