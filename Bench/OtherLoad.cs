using System.Diagnostics;
using System.Globalization;

namespace MarginEngine.Bench;

/// <summary>
/// How many processors everybody else kept busy since it was made, by Linux's own counts; a latency measured beside a busy neighbour is the neighbour's too.
/// </summary>
internal sealed class OtherLoad
{
    private const string Counts = "/proc/stat";
    private const double TicksPerSecond = 100.0; // what Linux shows to programs, whatever it counts in itself
    private readonly double _others = Others();
    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>Processors; null where nobody counts them.</summary>
    public double? Processors => File.Exists(Counts) ? Math.Max(0.0, Others() - _others) / Stopwatch.GetElapsedTime(_start).TotalSeconds : null;

    // Seconds of user, nice, system, interrupts and steal of all processors, less this process's own.
    private static double Others()
    {
        if (!File.Exists(Counts))
            return 0.0;
        string[] words = File.ReadLines(Counts).First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        double busy = new[] { 1, 2, 3, 6, 7, 8 }.Sum(field => double.Parse(words[field], CultureInfo.InvariantCulture));
        using Process self = Process.GetCurrentProcess();
        return (busy / TicksPerSecond) - self.TotalProcessorTime.TotalSeconds;
    }
}
