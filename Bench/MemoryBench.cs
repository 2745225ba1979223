// What a full book takes: a machine with room for so many accounts, positions and instruments, filled by messages to the last position, and its
// memory as stated and as the system sees it. `memory [ACCOUNTS POSITIONS INSTRUMENTS]`.
using System.Diagnostics;
using System.Globalization;
using MarginEngine.Logic;

namespace MarginEngine.Bench;

public static class MemoryBench
{
    /// <summary>Bytes stated, bytes resident, and whether every account and position found its place.</summary>
    public sealed record Result(long Stated, long Resident, bool IsFull);

    public static int Command(ReadOnlySpan<string> sizes, TextWriter output, TextWriter errors)
    {
        int[] numbers = [1_000_000, 10, 5_000];
        for (int index = 0; index < sizes.Length; index++)
        {
            if (index >= numbers.Length || !int.TryParse(sizes[index], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[index]) || numbers[index] == 0)
            {
                errors.WriteLine($"memory: cannot use {sizes[index]}");
                return 1;
            }
        }

        return Run(numbers[0], numbers[1], numbers[2], output).IsFull ? 0 : 3;
    }

    public static Result Run(int accounts, int positions, int instruments, TextWriter output)
    {
        var script = new TickScript(accounts, positions, "portfolio", strikes: (instruments + 19) / 20);
        long begin = Stopwatch.GetTimestamp();
        using MarginMachine machine = new(script.Capacities);
        double made = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        begin = Stopwatch.GetTimestamp();
        var deaf = new Deaf();
        foreach (ReadOnlyMemory<byte> message in script.Opening(machine: null))
            machine.Apply(machine.LastSequence + 1, TickScript.Start + machine.LastSequence, message.Span, deaf);
        double filled = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        foreach (MemoryPart part in MemoryNeed.Of(script.Capacities))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{part.Of,-12}{part.BytesEach,8} bytes x {part.Count,10}{part.Bytes >> 20,8} MiB"));
        using var process = Process.GetCurrentProcess();
        var result = new Result(MemoryNeed.TotalOf(script.Capacities), process.PeakWorkingSet64, machine.RejectCount == 0 && machine.AccountCount == accounts);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{machine.AccountCount} accounts, {machine.PositionCount} positions, {script.Options + 1} instruments, {machine.RejectCount} refused; stated {result.Stated >> 20} MiB,"
            + $" resident at most {result.Resident >> 20} MiB; made in {made:F2} s, filled by {machine.LastSequence} messages in {filled:F0} s"));
        return result;
    }

    private sealed class Deaf : IDecisionSink
    {
        public void OnDecision(ReadOnlySpan<byte> message)
        {
        }
    }
}
