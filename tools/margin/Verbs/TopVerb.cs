// `margin top`: the counters of an Aeron directory, of a node that serves one, or of a stock driver.
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using MarginEngine.Aeron;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Verbs;

internal static class TopVerb
{
    private const long SilentMillis = 10_000;

    private sealed record Arguments(string Directory, bool Once, int IntervalMillis, bool All, bool Json);

    public static Verb Create(Terminal terminal)
    {
        Argument<string> directory = new("DIRECTORY") { Description = "Aeron directory of a node (aeronDirectory in its configuration) or of any driver." };
        Option<bool> once = new("--once") { Description = "Show the counters once and end." };
        Option<int> interval = new("--interval") { Description = "Milliseconds between two looks.", HelpName = "MS", DefaultValueFactory = _ => 1_000 };
        Option<bool> all = new("--all") { Description = "Counters that are zero as well." };
        Option<bool> json = Options.Json();
        interval.Validators.Add(result => Options.Bound(result, 10, 3_600_000));
        Verb verb = new("top", "Shows the live counters of a node and of its transport.", "margin top /dev/shm/aeron-margin", "margin top /dev/shm/aeron-margin --once --json")
        {
            directory, once, interval, all, json,
        };
        return verb.Does(line => Run(terminal, new Arguments(line.GetValue(directory)!, line.GetValue(once), line.GetValue(interval), line.GetValue(all), line.GetValue(json))));
    }

    private static int Run(Terminal terminal, Arguments arguments)
    {
        using DirectoryView view = Open(arguments.Directory);
        Dictionary<int, long> before = [];
        while (true)
        {
            List<CounterLine> counters = view.Counters();
            long silent = view.HeartbeatMillis < 0 ? -1 : DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - view.HeartbeatMillis;
            if (arguments.Json)
                WriteJson(terminal, view, counters, silent);
            else
                WriteTable(terminal, arguments, view, counters, before, silent);
            terminal.Out.Flush();
            if (silent < 0)
                throw CommandFailure.Unreachable($"the driver of {arguments.Directory} has ended");
            if (arguments.Once || terminal.Interrupted.WaitHandle.WaitOne(arguments.IntervalMillis))
                return ExitCode.Done;
            before = counters.ToDictionary(counter => counter.Id, counter => counter.Value);
        }
    }

    private static DirectoryView Open(string directory)
    {
        try
        {
            return new DirectoryView(directory);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw CommandFailure.Unreachable(failure.Message);
        }
    }

    private static void WriteTable(
        Terminal terminal, Arguments arguments, DirectoryView view, List<CounterLine> counters, Dictionary<int, long> before, long silent)
    {
        string heart = silent < 0 ? "ended" : silent > SilentMillis ? $"silent for {silent / 1000} s" : "lives";
        terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{arguments.Directory}: process {view.ProcessId}, {heart}, {counters.Count} counters"));
        terminal.Out.WriteLine($"{"id",5} {"type",5} {"value",22} {"per second",14}  label");
        foreach (CounterLine counter in counters)
        {
            if (counter.Value == 0 && !arguments.All)
                continue;
            string rate = before.TryGetValue(counter.Id, out long last) && counter.Value != last
                ? ((counter.Value - last) * 1000.0 / arguments.IntervalMillis).ToString("N0", CultureInfo.InvariantCulture)
                : "";
            terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{counter.Id,5} {counter.Type,5} {counter.Value,22:N0} {rate,14}  {counter.Label}"));
        }

        if (!arguments.Once)
            terminal.Out.WriteLine();
    }

    private static void WriteJson(Terminal terminal, DirectoryView view, List<CounterLine> counters, long silent)
    {
        Utf8JsonWriter writer = JsonOutput.Begin(terminal, oneLine: true);
        writer.WriteStartObject();
        writer.WriteNumber("process", view.ProcessId);
        writer.WriteNumber("heartbeatAgeMillis", silent);
        writer.WriteStartArray("counters");
        foreach (CounterLine counter in counters)
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", counter.Id);
            writer.WriteNumber("type", counter.Type);
            writer.WriteNumber("value", counter.Value);
            writer.WriteString("label", counter.Label);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        JsonOutput.End(terminal, writer);
    }
}
