// `margin diff`: the first record and field in which two journals, two records of a published stream, or two states differ. Ends with 3 where they do.
using System.CommandLine;
using System.Text.Json;
using MarginEngine.Tool.Diff;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Verbs;

internal static class DiffVerb
{
    public static Verb Create(Terminal terminal)
    {
        Argument<string> left = new("A") { Description = "A journal's directory, a file of watch --json or watch --record, or a snapshot." };
        Argument<string> right = new("B") { Description = "Another of the same kind." };
        Option<bool> json = Options.Json();
        Verb verb = new("diff", "Compares two journals, two records of a published stream, or two states: the first record and field that differ, or where the longer one goes on."
            + " After a divergence, the states that both nodes wrote down beside equal records.",
            "margin diff ./primary ./standby", "margin diff heard-here.jsonl heard-there.jsonl --json")
        {
            left, right, json,
        };
        return verb.Does(line => Run(terminal, line.GetValue(left)!, line.GetValue(right)!, line.GetValue(json)));
    }

    private static int Run(Terminal terminal, string left, string right, bool json)
    {
        bool isJournal = Directory.Exists(left);
        if (isJournal != Directory.Exists(right)) throw CommandFailure.Unreachable($"{(isJournal ? right : left)} is no directory, {(isJournal ? left : right)} is one");
        Difference difference = isJournal ? OfJournals(left, right) : StateDiff.IsState(left) && StateDiff.IsState(right) ? StateDiff.Compare(left, right) : StreamDiff.Compare(left, right);
        if (!json)
        {
            terminal.Out.WriteLine(difference.Words);
        }
        else
        {
            Utf8JsonWriter writer = JsonOutput.Begin(terminal);
            difference.Write(writer);
            JsonOutput.End(terminal, writer);
        }

        return difference.Outcome == DiffOutcome.Same ? ExitCode.Done : ExitCode.Difference;
    }

    // Nodes that have diverged over the same records differ in what they made of them.
    private static Difference OfJournals(string left, string right)
    {
        Difference records = JournalDiff.Compare(left, right);
        return records.Outcome != DiffOutcome.Different && StateDiff.OfDumps(left, right) is { Outcome: DiffOutcome.Different } states ? states : records;
    }
}
