using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Disruptor;

namespace MarginEngine.Bench;

/// <summary>
/// The ring's bench: `ring` prints the table, `ring --scenario NAME --events N` one number for a script, `ring --against DLL`
/// runs this build and another one in turns. Called by the bench program and, with few events, by the tests.
/// </summary>
public static class RingBench
{
    /// <param name="Events">Events of one run; the warm-up is a tenth of them.</param>
    /// <param name="Repeats">Runs of each scenario; the table shows median and best.</param>
    public sealed record Settings(long Events = 5_000_000, int Repeats = 5)
    {
        /// <summary>Scenarios whose name contains this; all without it.</summary>
        public string? Scenario { get; init; }

        /// <summary>The other build's MarginEngine.Bench.dll, to run in turns with this one.</summary>
        public string? Against { get; init; }

        /// <summary>One line with nothing but the median nanoseconds of an event, for the other build's script.</summary>
        public bool Bare { get; init; }
    }

    public sealed record Line(string Name, double MedianNanos, double BestNanos, long AllocatedBytes, int Collections);

    /// <summary>Reads `--scenario NAME --events N --repeats N --against DLL --bare` and runs; 1 for a wrong option, else 0.</summary>
    public static int Command(ReadOnlySpan<string> options, TextWriter output, TextWriter errors)
    {
        var settings = new Settings();
        for (int i = 0; i < options.Length; i++)
        {
            string value = i + 1 < options.Length ? options[i + 1] : "";
            bool isNumber = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number > 0;
            switch (options[i])
            {
                case "--bare": settings = settings with { Bare = true }; continue;
                case "--scenario" when value.Length > 0: settings = settings with { Scenario = value }; break;
                case "--against" when File.Exists(value): settings = settings with { Against = value }; break;
                case "--events" when isNumber: settings = settings with { Events = number }; break;
                case "--repeats" when isNumber && number < 1000: settings = settings with { Repeats = (int)number }; break;
                default:
                    errors.WriteLine($"ring: cannot use {options[i]} {value}");
                    return 1;
            }

            i++;
        }

        if (settings.Against is not null)
            RingComparison.Run(settings, output);
        else
            Run(settings, output);
        return 0;
    }

    public static IReadOnlyList<Line> Run(Settings settings, TextWriter output)
    {
        RingScenario[] scenarios = [.. Chosen(settings)];
        if (!settings.Bare)
        {
            WriteMachine(output);
            output.WriteLine(Invariant(
                $"ring: {settings.Repeats} runs of {settings.Events:N0} events of {BenchEvent.Bytes} bytes, 8,192 slots"));
            output.WriteLine("scenario                             threads  ns/event median    best   M/s median    best   bytes  GCs");
        }

        var lines = new List<Line>();
        foreach (RingScenario scenario in scenarios)
        {
            Line line = Measure(scenario, settings);
            lines.Add(line);
            output.WriteLine(settings.Bare ? Invariant($"{line.MedianNanos:F3} {line.BestNanos:F3}") : Row(scenario, line));
        }

        if (settings is { Bare: false, Scenario: null })
            WriteWakeUps(output, Math.Max(3, (int)Math.Min(500, settings.Events / 10_000)));
        return lines;
    }

    internal static IEnumerable<RingScenario> Chosen(Settings settings) => RingScenarios.All.Where(scenario =>
        settings.Scenario is null || scenario.Name.Contains(settings.Scenario, StringComparison.Ordinal));

    internal static void WriteMachine(TextWriter output) => output.WriteLine(Invariant(
        $"{typeof(Sequence).Assembly.GetName().Name}: {Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, ")
        + Invariant($"{RuntimeInformation.FrameworkDescription}, server GC {System.Runtime.GCSettings.IsServerGC}"));

    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    internal static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    private static string Row(RingScenario scenario, Line line) =>
        Invariant($"{scenario.Name,-36} {scenario.Threads,7} {line.MedianNanos,17:F2} {line.BestNanos,7:F2} ")
        + Invariant($"{1e3 / line.MedianNanos,12:F1} {1e3 / line.BestNanos,7:F1} ")
        + Invariant($"{line.AllocatedBytes,7} {line.Collections,4}   {scenario.Picture}");

    private static Line Measure(RingScenario scenario, Settings settings)
    {
        var runs = new List<RingRun>();
        for (int i = 0; i <= settings.Repeats; i++)
            runs.Add(scenario.Run(settings.Events));
        runs.RemoveAt(0); // compiled while it ran
        return new Line(
            scenario.Name,
            Median(runs.Select(run => run.NanosPerEvent)),
            runs.Min(run => run.NanosPerEvent),
            runs.Min(run => run.AllocatedBytes),
            runs.Max(run => run.Collections));
    }

    private static void WriteWakeUps(TextWriter output, int events)
    {
        output.WriteLine("an idle consumer       cores used   wake-up us p50    p90   publish us p50");
        foreach (string strategy in new[] { "busy spin", "yielding", "sleeping", "parking", "blocking" })
        {
            RingWakeUp.Line line = RingWakeUp.Measure(strategy, events, TimeSpan.FromMilliseconds(2));
            output.WriteLine(
                Invariant($"{line.Strategy,-20} {line.IdleCores,12:F2} {line.WakeP50Nanos / 1e3,16:F1} ")
                + Invariant($"{line.WakeP90Nanos / 1e3,6:F1} {line.PublishP50Nanos / 1e3,16:F1}"));
        }
    }
}
