// `margin simulate`: the whole system in one thread on a simulated clock, network and disk, seed after seed.
using System.CommandLine;
using System.Diagnostics;
using MarginEngine.Tool.Shell;
using MarginEngine.Tool.Simulate;

namespace MarginEngine.Tool.Verbs;

internal static class SimulateVerb
{
    public static Verb Create(Terminal terminal)
    {
        Option<int> seed = Options.Count("--seed", "First seed.", 1, 1, int.MaxValue);
        Option<int> seeds = Options.Count("--seeds", "How many seeds.", 100, 1, int.MaxValue);
        Option<bool> log = new("--log") { Description = "Print what happened in the last run." };
        Verb verb = new("simulate", "Runs whole systems on simulated disks, networks and clocks, with faults, and checks every promise.",
            "margin simulate --seeds 1000", "margin simulate --seed 4711 --seeds 1 --log")
        {
            seed, seeds, log,
        };
        return verb.Does(line => Run(terminal, line.GetValue(seed), line.GetValue(seeds), line.GetValue(log)));
    }

    private static int Run(Terminal terminal, int first, int seeds, bool log)
    {
        var counts = new SimulationCounts();
        long started = Stopwatch.GetTimestamp();
        int failures = 0;
        for (int seed = first; seed < first + seeds; seed++)
        {
            using var simulation = new Simulation(seed);
            try
            {
                simulation.Run();
                if (log) foreach (string entry in simulation.Log) terminal.Out.WriteLine(entry);
            }
            catch (SimulationFailure failure)
            {
                failures++;
                foreach (string entry in simulation.Log) terminal.Out.WriteLine(entry);
                terminal.Out.WriteLine($"seed {seed} FAILED: {failure.Message}");
                terminal.Out.WriteLine($"reproduce: margin simulate --seed {seed} --seeds 1");
            }

            counts.Add(simulation.Counts);
            counts.Seeds++;
        }

        terminal.Out.WriteLine($"{counts.Seeds} seeds, {failures} failed, {counts.Messages} messages, {counts.SimulatedNanos / 1e9:F0} simulated seconds in {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s");
        foreach (Fault fault in Enum.GetValues<Fault>()) terminal.Out.WriteLine($"{fault,-18}{counts.Faults[(int)fault]}");
        return failures == 0 ? ExitCode.Done : ExitCode.Difference;
    }
}
