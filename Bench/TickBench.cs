// What a tick costs the decider: time from the tick to the last decision it causes, and how many accounts were looked at, over books of many accounts with
// options on one underlying. `ticks [--accounts N] [--positions N] [--ticks N] [--model NAME] [--exhaustive N] [--refreshes N]`.
using System.Diagnostics;
using System.Globalization;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Watch;

namespace MarginEngine.Bench;

public static class TickBench
{
    /// <summary>What is measured.</summary>
    /// <param name="Accounts">Accounts, each with <paramref name="Positions"/> random positions and a ratio of equity to maintenance margin with the median 2.5.</param>
    /// <param name="Ticks">Moves of one basis point that are measured, after a tenth as many to warm up.</param>
    /// <param name="Refreshes">Full refreshes that are measured, in a machine of their own.</param>
    /// <param name="Exhaustive">Of them, how many are computed over the whole book besides, in a second machine, and compared decision by decision.</param>
    public sealed record Settings(int Accounts = 10_000, int Positions = 20, int Ticks = 10_000, string Model = "portfolio", int Exhaustive = 50, int Refreshes = 20);

    public sealed record Result(LatencyHistogram Nanos, double LooksATick, long Calls, double ExhaustiveNanos, bool IsSame);

    public static int Command(ReadOnlySpan<string> options, TextWriter output, TextWriter errors)
    {
        Settings settings = new();
        for (int index = 0; index + 1 < options.Length; index += 2)
        {
            bool isNumber = int.TryParse(options[index + 1], NumberStyles.None, CultureInfo.InvariantCulture, out int number);
            switch (options[index])
            {
                case "--accounts" when isNumber: settings = settings with { Accounts = number }; break;
                case "--positions" when isNumber: settings = settings with { Positions = number }; break;
                case "--ticks" when isNumber: settings = settings with { Ticks = number }; break;
                case "--exhaustive" when isNumber: settings = settings with { Exhaustive = number }; break;
                case "--refreshes" when isNumber: settings = settings with { Refreshes = number }; break;
                case "--model" when ModelDocument.ShippedNames.Contains(options[index + 1]): settings = settings with { Model = options[index + 1] }; break;
                default:
                    errors.WriteLine($"ticks: cannot use {options[index]} {options[index + 1]}");
                    return 1;
            }
        }

        Result result = Run(settings, output);
        return result.IsSame ? 0 : 3;
    }

    public static Result Run(Settings settings, TextWriter output)
    {
        var script = new TickScript(settings.Accounts, settings.Positions, settings.Model);
        using MarginMachine machine = new(script.Capacities);
        Player player = new(machine);
        long start = Stopwatch.GetTimestamp();
        player.Open(script.Opening(machine));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{settings.Accounts} accounts x {settings.Positions} positions, {script.Options} options, model {settings.Model}; loaded in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s; "
            + $"{Process.GetCurrentProcess().WorkingSet64 >> 20} MiB resident"));

        MarginMachine? whole = settings.Exhaustive > 0 ? new MarginMachine(script.Capacities) { IsExhaustive = true } : null;
        Player? wholePlayer = whole is null ? null : new Player(whole);
        if (wholePlayer is not null)
        {
            var again = new TickScript(settings.Accounts, settings.Positions, settings.Model);
            wholePlayer.Open(again.Opening(whole!));
        }

        LatencyHistogram nanos = new();
        long looks = 0, exhaustive = 0, calls = 0, evaluated = 0;
        int compared = 0;
        bool isSame = true;
        int warm = settings.Ticks / 10;
        for (int tick = 0; tick < settings.Ticks + warm; tick++)
        {
            script.NextTick();
            long before = machine.Looks, evaluatedBefore = machine.Evaluations, from = Stopwatch.GetTimestamp();
            for (int part = 0; part < script.Parts; part++)
                player.Apply(script.Part(part));
            long taken = (long)Stopwatch.GetElapsedTime(from).TotalNanoseconds;
            if (tick >= warm)
            {
                nanos.Record(taken);
                looks += machine.Looks - before;
                evaluated += machine.Evaluations - evaluatedBefore;
                calls = player.Calls;
            }

            bool isCompared = wholePlayer is not null && compared < settings.Exhaustive;
            if (isCompared)
            {
                from = Stopwatch.GetTimestamp();
                for (int part = 0; part < script.Parts; part++)
                    wholePlayer!.Apply(script.Part(part));
                exhaustive += (long)Stopwatch.GetElapsedTime(from).TotalNanoseconds;
                compared++;
                isSame &= machine.DecisionDigest == whole!.DecisionDigest && machine.StateDigest() == whole.StateDigest();
            }

            // What is liquidated is sold, as a matching engine would, between two ticks: nobody stays in liquidation for the rest of the run.
            foreach (byte[] instruction in player.TakeInstructions())
            {
                foreach (ReadOnlyMemory<byte> fill in script.CarryOut(instruction))
                {
                    player.Apply(fill.Span);
                    if (isCompared)
                        wholePlayer!.Apply(fill.Span);
                }
            }
        }

        MeasureRefresh(settings, output);
        double mean = compared == 0 ? 0.0 : exhaustive / (double)compared;
        double share = 100.0 * looks / settings.Ticks / settings.Accounts;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"tick to decisions: p50 {nanos.ValueAtPercentile(50) / 1e3:F2} us, p99 {nanos.ValueAtPercentile(99) / 1e3:F2}, p99.9 {nanos.ValueAtPercentile(99.9) / 1e3:F1}, max {nanos.MaxNanos / 1e3:F0}; "
            + $"looked at {share:F4} % of accounts a tick; {evaluated / (double)settings.Ticks:F1} refreshed or changed a tick; {calls} calls; {machine.RejectCount} rejects"));
        if (compared > 0)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"the whole book: {mean / 1e6:F2} ms a tick, {mean / nanos.ValueAtPercentile(50):F0} times the median; {compared} ticks compared: {(isSame ? "identical" : "DIFFERENT")}"));
        whole?.Dispose();
        return new Result(nanos, looks / (double)settings.Ticks, calls, mean, isSame);
    }

    // Every account computed and published in one event: with prices as they were, and after a move of all of them.
    private static void MeasureRefresh(Settings settings, TextWriter output)
    {
        if (settings.Refreshes == 0)
            return;
        var script = new TickScript(settings.Accounts, settings.Positions, settings.Model, settings.Accounts + 1);
        using MarginMachine machine = new(script.Capacities);
        Player player = new(machine);
        player.Open(script.Opening(machine));
        List<double> still = [], moved = [];
        long evaluated = 0;
        for (int round = 0; round < settings.Refreshes; round++)
        {
            foreach (List<double> into in (List<double>[])[moved, still])
            {
                if (into == moved)
                    script.NextTick();
                for (int part = 0; part < script.Parts - 1; part++)
                    player.Apply(script.Part(part));
                player.Wait(2_000_000_000);
                long from = Stopwatch.GetTimestamp(), before = machine.Evaluations;
                player.Apply(script.Part(script.Parts - 1));
                into.Add(Stopwatch.GetElapsedTime(from).TotalMilliseconds);

                // One event refreshes a million positions at the most.
                evaluated = machine.Evaluations - before;
            }
        }

        still.Sort();
        moved.Sort();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"refresh of {evaluated} accounts in one event: {still[0]:F2} ms at unchanged prices ({still[0] * 1e6 / Math.Max(1, evaluated):F0} ns an account), {moved[0]:F2} ms after a tick; "
            + $"medians {still[still.Count / 2]:F2} and {moved[moved.Count / 2]:F2}"));
    }

    private sealed class Player(MarginMachine machine) : IDecisionSink
    {
        private readonly List<byte[]> _instructions = [];
        private long _now = TickScript.Start;

        public long Calls { get; private set; }

        public void Wait(long nanos) => _now += nanos;

        // Hardly any time passes: else the first accounts were in liquidation, by decay and of want of prices, before the last are there.
        public void Open(IEnumerable<ReadOnlyMemory<byte>> messages)
        {
            const long OpeningNanos = 1_000;
            foreach (ReadOnlyMemory<byte> message in messages)
                Apply(message.Span, OpeningNanos);
        }

        public void Apply(ReadOnlySpan<byte> message, long nanos = 100_000)
        {
            _now += nanos;
            machine.Apply(machine.LastSequence + 1, _now, message, this);
        }

        public void OnDecision(ReadOnlySpan<byte> message)
        {
            ushort template = System.Buffers.Binary.BinaryPrimitives.ReadUInt16LittleEndian(message[2..]);
            Calls += template == MarginCallDecoder.TemplateId ? 1 : 0;
            if (template == LiquidationInstructionDecoder.TemplateId)
                _instructions.Add(message.ToArray());
        }

        public byte[][] TakeInstructions()
        {
            byte[][] taken = [.. _instructions];
            _instructions.Clear();
            return taken;
        }
    }
}
