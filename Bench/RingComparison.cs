using System.Diagnostics;
using System.Globalization;

namespace MarginEngine.Bench;

/// <summary>
/// Two builds in turns, because this kind of machine changes its mind every few seconds about what a cache miss costs: each pair of
/// runs gives one ratio, and the median of the ratios is the answer. For a change against its parent, or ours against the package.
/// </summary>
internal static class RingComparison
{
    internal static void Run(RingBench.Settings settings, TextWriter output)
    {
        string own = typeof(RingBench).Assembly.Location;
        RingBench.WriteMachine(output);
        output.WriteLine($"A {own}");
        output.WriteLine($"B {settings.Against}");
        output.WriteLine("scenario                              A ns/event   B ns/event   B/A median   (quartiles): A is faster above 1");
        foreach (RingScenario scenario in RingBench.Chosen(settings))
        {
            List<double> ours = [], theirs = [];
            for (int round = 0; round < settings.Repeats; round++)
            {
                // Alternate who goes first, so that a drift does not favour one of them.
                if (round % 2 == 0)
                    ours.Add(RunOnce(own, scenario, settings));
                theirs.Add(RunOnce(settings.Against!, scenario, settings));
                if (round % 2 != 0)
                    ours.Add(RunOnce(own, scenario, settings));
            }

            double[] ratios = [.. ours.Zip(theirs, (a, b) => b / a).Order()];
            output.WriteLine(
                RingBench.Invariant($"{scenario.Name,-36} {RingBench.Median(ours),11:F2} {RingBench.Median(theirs),12:F2} ")
                + RingBench.Invariant($"{RingBench.Median(ratios),12:F2}   ")
                + RingBench.Invariant($"({ratios[ratios.Length / 4]:F2} - {ratios[ratios.Length * 3 / 4]:F2})"));
        }
    }

    private static double RunOnce(string dll, RingScenario scenario, RingBench.Settings settings)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        string[] arguments = [dll, "ring", "--bare", "--repeats", "3", "--scenario", scenario.Name, "--events", $"{settings.Events}"];
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        string answer = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        string[] words = answer.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (process.ExitCode != 0 || words.Length < 2)
            throw new InvalidOperationException($"{dll} answered {answer} to {scenario.Name}");
        return double.Parse(words[0], CultureInfo.InvariantCulture);
    }
}
