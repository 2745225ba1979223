// `margin simulate`: the whole system in one thread on a simulated clock, network and disk, seed after seed.
using System.CommandLine;
using System.Diagnostics;
using MarginEngine.Journal;
using MarginEngine.Tool.Shell;
using MarginEngine.Tool.Simulate;

namespace MarginEngine.Tool.Verbs;

internal static class SimulateVerb
{
    private sealed record Arguments(int First, int Seeds, double Hours, int Threads, Defect Planted, bool Log);

    public static Verb Create(Terminal terminal)
    {
        Option<int> seed = Options.Count("--seed", "First seed.", 1, 1, int.MaxValue / 2);
        Option<int> seeds = Options.Count("--seeds", "How many seeds.", 100, 1, int.MaxValue / 2);
        Option<double> hours = new("--hours") { Description = "Go on with further seeds for so long.", HelpName = "H" };
        Option<int> threads = Options.Count("--threads", "Seeds that run at the same time.", Environment.ProcessorCount, 1, 1_024);
        Option<Defect> plant = new("--plant") { Description = "Run with a deliberate defect, which the simulation should find.", HelpName = "DEFECT" };
        Option<bool> log = new("--log") { Description = "Print what happened in the runs that passed, too." };
        hours.Validators.Add(result =>
        {
            if (!result.Errors.Any() && result.GetValueOrDefault<double>() is not (>= 0 and <= 10_000)) result.AddError("--hours must be 0 to 10000.");
        });
        Verb verb = new("simulate", "Runs whole systems on simulated disks, networks and clocks, with faults, and checks every promise.",
            "margin simulate --seeds 1000", "margin simulate --hours 8", "margin simulate --seed 4711 --seeds 1 --log", "margin simulate --plant SkipSync")
        {
            seed, seeds, hours, threads, plant, log,
        };
        return verb.Does(line => Run(terminal, new Arguments(line.GetValue(seed), line.GetValue(seeds), line.GetValue(hours), line.GetValue(threads),
            line.GetValue(plant), line.GetValue(log))));
    }

    private static int Run(Terminal terminal, Arguments arguments)
    {
        var total = new SimulationCounts();
        var printing = new Lock();
        long started = Stopwatch.GetTimestamp();
        int next = arguments.First - 1, failures = 0;
        bool IsEnough(int seed) => terminal.Interrupted.IsCancellationRequested
            || (seed >= arguments.First + arguments.Seeds && Stopwatch.GetElapsedTime(started).TotalHours >= arguments.Hours);
        void Work()
        {
            var counts = new SimulationCounts();
            for (int seed = Interlocked.Increment(ref next); !IsEnough(seed); seed = Interlocked.Increment(ref next))
            {
                List<string>? log = arguments.Log ? [] : null;
                FailedSeed? failed = SimulationRun.Of(seed, counts, arguments.Planted, log);
                lock (printing)
                {
                    log?.ForEach(terminal.Out.WriteLine);
                    if (failed is null) continue;
                    failures++;
                    terminal.Out.WriteLine(failed);
                }
            }

            lock (printing) total.Add(counts);
        }

        Thread[] workers = [.. Enumerable.Range(0, Math.Min(arguments.Threads, Math.Max(arguments.Seeds, 1))).Select(_ => new Thread(Work))];
        foreach (Thread worker in workers) worker.Start();
        foreach (Thread worker in workers) worker.Join();
        Report(terminal, total, failures, Stopwatch.GetElapsedTime(started).TotalSeconds);
        return failures == 0 ? ExitCode.Done : ExitCode.Difference;
    }

    private static void Report(Terminal terminal, SimulationCounts counts, int failures, double seconds)
    {
        void Line(string name, FormattableString value) => terminal.Out.WriteLine($"{name,-14}{FormattableString.Invariant(value)}");
        var network = counts.Network;
        Line("seeds", $"{counts.Seeds} in {seconds:F1} s, {failures} failed");
        Line("simulated", $"{counts.SimulatedNanos / 1e9:F0} s, {counts.Messages} messages sent and heard, {counts.Restarts} starts of a node after a fault");
        Line("allowed", $"{counts.RecordsCut} records of replaced primaries cut, {counts.SentIntoTheVoid} decisions sent to a hearer cut off for over 10 s");
        Line("network", $"{network.Sent} datagrams: {network.Dropped} lost, {network.Doubled} doubled, {network.Delayed} late, {network.Overtaken} overtaken, {network.Cut} cut, {network.Damaged} damaged, {network.Severed} swallowed by a partition");
        Line("faults", $"{string.Join(", ", Enum.GetValues<Fault>().Select(fault => $"{counts.Faults[(int)fault]} {Words(fault)}"))}");
    }

    private static string Words(Fault fault) => string.Concat(fault.ToString().Select((letter, at) => char.IsUpper(letter) ? (at > 0 ? " " : "") + char.ToLowerInvariant(letter) : letter.ToString()));
}
