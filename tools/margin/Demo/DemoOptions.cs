// What `margin demo` is told.
using MarginEngine.Tool.Calc;

namespace MarginEngine.Tool.Demo;

internal sealed record DemoOptions
{
    public string? Data { get; init; }

    public string? Source { get; init; }

    /// <summary>A shipped margin model or a JSON file.</summary>
    public string Model { get; init; } = ModelChoice.Default;

    /// <summary>What the market sends: common or all.</summary>
    public string Messages { get; init; } = Shell.Options.CommonMessages;

    public int Accounts { get; init; } = 1_000;

    public int Seconds { get; init; } = 30;

    /// <summary>Market events a second.</summary>
    public int Rate { get; init; } = 100;

    public ulong Seed { get; init; } = 1;

    /// <summary>Where the journals are left; null: in a temporary folder that goes at the end.</summary>
    public string? Keep { get; init; }

    /// <summary>Kill the primary in the middle, and let the standby take over.</summary>
    public bool Failover { get; init; }

    public bool Json { get; init; }
}
