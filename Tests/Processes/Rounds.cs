// How often the tests of real processes repeat their faults: few for CI, many for a night.
namespace MarginEngine.Tests.ProcessTests;

internal static class Rounds
{
    /// <summary>MARGIN_PROCESS_ROUNDS, or what is enough to see each fault once.</summary>
    public static int Count { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("MARGIN_PROCESS_ROUNDS"), out int rounds) && rounds > 0 ? rounds : 1;
}
