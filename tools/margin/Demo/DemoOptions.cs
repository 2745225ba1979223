// What `margin demo` is told.
namespace MarginEngine.Tool.Demo;

internal sealed record DemoOptions
{
    public string? Data { get; init; }

    public string? Source { get; init; }

    public int Accounts { get; init; } = 1_000;

    public int Seconds { get; init; } = 30;

    /// <summary>Market events a second.</summary>
    public int Rate { get; init; } = 100;

    public ulong Seed { get; init; } = 1;

    /// <summary>Where the journals are left; null: in a temporary folder that goes at the end.</summary>
    public string? Keep { get; init; }

    public bool Json { get; init; }
}
