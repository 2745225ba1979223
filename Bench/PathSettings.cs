// The settings of the path bench and what it measured.
using System.Globalization;
using MarginEngine.Pipeline;
using MarginEngine.Watch;

namespace MarginEngine.Bench;

/// <param name="Rates">Ticks a second of the open-loop runs, ascending.</param>
/// <param name="Seconds">Length of each.</param>
/// <param name="FloodTicks">Ticks of the throughput run.</param>
public sealed record PathSettings(IReadOnlyList<long> Rates, double Seconds = 10, long FloodTicks = 50_000)
{
    public const string Usage =
        "path [--rate N,N] [--accounts N,N] [--positions N] [--seconds S] [--flood TICKS] [--placement merged|paired|dedicated] [--sync on|off] [--decider ahead|waits]"
        + " [--spin MICROS] [--refresh MILLIS] [--standby] [--directory DIR] [--hgrm DIR] [--results REPORT.json]";

    public IReadOnlyList<int> Accounts { get; init; } = [1_000];

    public int Positions { get; init; } = 4;

    /// <summary>Null: merged and paired.</summary>
    public Placement? Placement { get; init; }

    /// <summary>Null: with and without the journal's sync.</summary>
    public bool? Syncs { get; init; }

    /// <summary>Null: both for the paired placement with sync, else ahead.</summary>
    public bool? DeciderWaits { get; init; }

    /// <summary>How long an idle thread of the node spins before it parks; null: the node's default.</summary>
    public int? SpinMicros { get; init; }

    /// <summary>How old a published margin gets under the model; null: as the model ships.</summary>
    public int? RefreshMilliseconds { get; init; }

    public bool Standby { get; init; }

    /// <summary>Where to put the journals, in a folder that is removed; null: the system's folder for temporary files.</summary>
    public string? Directory { get; init; }

    /// <summary>Folder for one .hgrm file a run; null: none.</summary>
    public string? Histograms { get; init; }

    /// <summary>The store of a report, whose section on the path is replaced; null: none.</summary>
    public string? Results { get; init; }

    /// <returns>Whether name and value are an option of the bench; if so it is in the settings.</returns>
    public static bool TryApply(string name, string value, ref PathSettings settings)
    {
        bool isNumber = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number > 0;
        switch (name)
        {
            case "--rate":
                long[] rates = Numbers(value);
                settings = settings with { Rates = rates };
                return rates.All(rate => rate > 0);
            case "--accounts":
                long[] accounts = Numbers(value);
                settings = settings with { Accounts = [.. accounts.Select(count => (int)Math.Min(count, int.MaxValue))] };
                return accounts.All(count => count is > PathScript.Pins and <= 1_000_000);
            case "--positions" when isNumber && number is >= 1 and <= 50: settings = settings with { Positions = (int)number }; return true;
            case "--seconds" when isNumber: settings = settings with { Seconds = number }; return true;
            case "--flood" when isNumber: settings = settings with { FloodTicks = (long)number }; return true;
            case "--placement" when Enum.TryParse(value, ignoreCase: true, out Placement placement): settings = settings with { Placement = placement }; return true;
            case "--sync" when value is "on" or "off": settings = settings with { Syncs = value == "on" }; return true;
            case "--decider" when value is "ahead" or "waits": settings = settings with { DeciderWaits = value == "waits" }; return true;
            case "--spin" when isNumber: settings = settings with { SpinMicros = (int)number }; return true;
            case "--refresh" when isNumber: settings = settings with { RefreshMilliseconds = (int)number }; return true;
            case "--directory" when System.IO.Directory.Exists(value): settings = settings with { Directory = value }; return true;
            case "--hgrm" when System.IO.Directory.Exists(value): settings = settings with { Histograms = value }; return true;
            case "--results" when value.Length > 0: settings = settings with { Results = value }; return true;
            default: return false;
        }
    }

    private static long[] Numbers(string value) =>
        [.. value.Split(',').Select(word => long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0)];
}

/// <summary>One node: how it was set up, what it took at most, and its open-loop runs.</summary>
/// <param name="TicksPerSecond">As fast as it took them.</param>
/// <param name="LoadSeconds">Until all accounts were open.</param>
public sealed record PathLine(Placement Placement, bool Syncs, bool DeciderWaits, int Accounts, double LoadSeconds, double TicksPerSecond, IReadOnlyList<PathRun> Runs);

/// <summary>One open-loop run. Latencies in nanoseconds from the time a tick was due.</summary>
/// <param name="Rate">Ticks a second that were due.</param>
/// <param name="TicksPerSecond">That were sent and published.</param>
/// <param name="IsKept">Whether the node kept up; if not, latencies are those of a queue that grows.</param>
/// <param name="AllocatedBytes">By the whole process, driver and subscriber too.</param>
/// <param name="ResidentBytes">Of the whole process.</param>
/// <param name="OtherProcessors">That others kept busy meanwhile; null: unknown.</param>
public sealed record PathRun(
    long Rate, double TicksPerSecond, bool IsKept, LatencyFigures Liquidations, LatencyFigures Calls, LatencyFigures Answers, LatencyFigures Margins,
    long AllocatedBytes, int Collections, long ResidentBytes, double? OtherProcessors);
