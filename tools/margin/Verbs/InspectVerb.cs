// `margin inspect`: the records of a journal, decoded, a line each.
using System.CommandLine;
using System.Text.Json;
using MarginEngine.Journal;
using MarginEngine.Tool.Audit;
using MarginEngine.Tool.Shell;
using MarginEngine.Tool.Wire;

namespace MarginEngine.Tool.Verbs;

internal static class InspectVerb
{
    private sealed record Arguments(string Journal, long From, long To, ulong? Account, bool Operators, bool Json);

    public static Verb Create(Terminal terminal)
    {
        Argument<string> journal = new("JOURNAL") { Description = "Directory of the journal." };
        Option<long?> from = new("--from") { Description = "First sequence to show.", HelpName = "N" };
        Option<long?> to = new("--to") { Description = "Last sequence to show.", HelpName = "N" };
        Option<ulong?> account = new("--account") { Description = "Only messages about this account.", HelpName = "A" };
        Option<bool> operators = new("--operators") { Description = "What operators did instead: time, sequence, who, what, why, and whether it was taken. Recomputes the journal." };
        Option<bool> json = Options.Json();
        from.Validators.Add(result => Options.Bound(result, 1, long.MaxValue));
        to.Validators.Add(result => Options.Bound(result, 1, long.MaxValue));
        Verb verb = new("inspect", "Shows the records of a journal, decoded, one a line.",
            "margin inspect ./journal --from 1000 --to 1020", "margin inspect ./journal --account 17 --json",
            "margin inspect ./journal --operators")
        {
            journal, from, to, account, operators, json,
        };
        return verb.Does(line => Run(terminal, new Arguments(line.GetValue(journal)!, line.GetValue(from) ?? 1,
            line.GetValue(to) ?? long.MaxValue, line.GetValue(account), line.GetValue(operators), line.GetValue(json))));
    }

    private static int Run(Terminal terminal, Arguments arguments)
    {
        if (arguments.From > arguments.To) throw CommandFailure.Usage($"--from {arguments.From} is behind --to {arguments.To}");
        if (arguments.Operators) return ShowOperators(terminal, arguments);
        using JournalInput input = new(arguments.Journal, identity: null);
        using MessageLines lines = new(terminal, arguments.Json);
        if (arguments.From > 1 && !input.SeekTo(arguments.From)) throw CommandFailure.Unreachable($"the journal does not hold sequence {arguments.From}");
        using Progress progress = new(terminal, "reading");
        // Lines on the same terminal would run into a progress bar.
        bool quiet = Terminal.OutIsTerminal;
        while (input.TryRead(out JournalRecord record) && record.Sequence <= arguments.To)
        {
            if (arguments.Account is null || MessageAccount.Of(record.Message) == arguments.Account) Show(lines, record);
            if (!quiet) progress.Report(input.Part);
            terminal.Interrupted.ThrowIfCancellationRequested();
        }

        return ExitCode.Done;
    }

    private static int ShowOperators(Terminal terminal, Arguments arguments)
    {
        foreach (OperatorLine line in OperatorLog.Read(terminal, arguments.Journal, arguments.To))
        {
            if (line.Entry.Sequence < arguments.From) continue;
            if (arguments.Json)
            {
                Utf8JsonWriter writer = JsonOutput.Begin(terminal, oneLine: true);
                line.Write(writer);
                JsonOutput.End(terminal, writer);
            }
            else
            {
                terminal.Out.WriteLine($"{Times.Text(line.Entry.TimeNanos)}  {line.Entry.Sequence,10}  {Shown(line.Entry.Who),-16}  {line.Entry.What}  ({line.Outcome})  {line.Entry.Why}");
            }
        }

        return ExitCode.Done;
    }

    private static string Shown(string who) => who.Length > 0 ? who : "-";

    private static void Show(MessageLines lines, in JournalRecord record)
    {
        long sequence = record.Sequence, epoch = record.Epoch, time = record.TimestampNanos;
        int kind = record.Kind;
        lines.Write(record.Message, writer => Place(writer, sequence, epoch, kind, time));
    }

    private static void Place(Utf8JsonWriter writer, long sequence, long epoch, int kind, long time)
    {
        writer.WriteNumber("sequence", sequence);
        writer.WriteNumber("epoch", epoch);
        // 1 is an input message; nothing else is written today.
        if (kind != 1) writer.WriteNumber("kind", kind);
        writer.WriteString("time", Times.Text(time));
    }
}
