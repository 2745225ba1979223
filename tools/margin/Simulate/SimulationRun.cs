// Runs seeds and keeps the books: what failed and how to see it again. Used by `margin simulate` and by the tests.
using MarginEngine.Journal;
using MarginEngine.Logic;

namespace MarginEngine.Tool.Simulate;

/// <param name="Seed">The seed that failed.</param>
/// <param name="Promise">What did not hold.</param>
/// <param name="Log">What happened before, oldest first.</param>
internal sealed record FailedSeed(int Seed, string Promise, string[] Log)
{
    /// <summary>The command that runs it again.</summary>
    public string Command => $"margin simulate --seed {Seed} --seeds 1";

    public override string ToString() => $"{string.Join('\n', Log)}\nseed {Seed} FAILED: {Promise}\nreproduce: {Command}";
}

internal static class SimulationRun
{
    /// <summary>Runs one seed, with a defect planted on this thread meanwhile; null where every promise held.</summary>
    public static FailedSeed? Of(int seed, SimulationCounts counts, Defect planted = Defect.None, List<string>? log = null)
    {
        Planted.Set(planted);
        MarginMachine.LeavesMoneyOut = planted == Defect.DigestWithoutMoney;
        try
        {
            using var simulation = new Simulation(seed);
            try
            {
                simulation.Run();
                return null;
            }
            catch (SimulationFailure failure)
            {
                return new FailedSeed(seed, failure.Message, [.. simulation.Log]);
            }
            finally
            {
                counts.Add(simulation.Counts);
                counts.Seeds++;
                log?.AddRange(simulation.Log);
            }
        }
        finally
        {
            Planted.Set(Defect.None);
            MarginMachine.LeavesMoneyOut = false;
        }
    }
}
