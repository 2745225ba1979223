using MarginEngine.Bench;
using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Pipeline;
using NUnit.Framework;

namespace MarginEngine.Tests.BenchSuiteTests;

/// <summary>The path bench times liquidations that really happen: its pinned accounts fall where they were pinned, once a cycle, and nobody else does.</summary>
public sealed class PathBenchTests
{
    private const long Start = 1_770_292_800_000_000_000; // 2026-02-05 12:00 UTC

    [Test]
    public void Every_pinned_account_and_nobody_else_is_liquidated_once_a_cycle()
    {
        var script = new PathScript(new PathMarket(null, Start), accounts: 200, positions: 4);
        using var machine = new MarginMachine(script.Capacities);
        var sink = new Listener();
        long now = Start;
        void Apply(ReadOnlySpan<byte> message) => machine.Apply(machine.LastSequence + 1, now += 10_000, message, sink);
        foreach (ReadOnlyMemory<byte> message in script.Opening())
            Apply(message.Span);
        Assert.That((sink.Rejects, sink.Liquidated.Count), Is.EqualTo((0, 0)));
        for (int cycle = 0; cycle < 3; cycle++)
        {
            sink.Liquidated.Clear();
            for (int tick = 0; tick < PathScript.Cycle; tick++)
            {
                script.NextTick(dueTime: 17);
                for (int part = 0; part < PathMarket.Parts; part++)
                    Apply(script.Part(part));
            }

            Assert.That(sink.Liquidated.Order(), Is.EqualTo(Enumerable.Range(1, PathScript.Pins).Select(account => (ulong)account)), $"cycle {cycle}");
        }

        Apply(script.NextCheck(dueTime: 18));
        Assert.That((sink.Rejects, sink.Answers, sink.LastCause), Is.EqualTo((0, 1, 18UL)));
    }

    [Test]
    public void A_small_run_hears_liquidations_and_leaves_nothing_behind()
    {
        string parent = Directory.CreateTempSubdirectory("margin-path-test-").FullName;
        try
        {
            var settings = new PathSettings([400], Seconds: 1, FloodTicks: 40) { Accounts = [50], Placement = Placement.Merged, Syncs = false, Directory = parent };
            StringWriter output = new();
            PathLine line = PathBench.Run(settings, output).Single();
            TestContext.Out.WriteLine(output);
            Assert.That(line.Runs, Has.Count.EqualTo(1));
            Assert.That(line.Runs[0].Liquidations.Count, Is.Positive);
            Assert.That(line.Runs[0].Liquidations.P50, Is.Positive.And.LessThanOrEqualTo(line.Runs[0].Liquidations.Max));
            Assert.That(Directory.EnumerateFileSystemEntries(parent), Is.Empty);
        }
        finally
        {
            Directory.Delete(parent, recursive: true);
        }
    }

    private sealed class Listener : IDecisionSink
    {
        public List<ulong> Liquidated { get; } = [];

        public int Rejects { get; private set; }

        public int Answers { get; private set; }

        public ulong LastCause { get; private set; }

        public void OnDecision(ReadOnlySpan<byte> message)
        {
            if (RejectDecoder.TryWrap(message, out _))
            {
                Rejects++;
            }
            else if (LiquidationInstructionDecoder.TryWrap(message, out LiquidationInstructionDecoder liquidation))
            {
                Liquidated.Add(liquidation.AccountId);
            }
            else if (PreTradeAnswerDecoder.TryWrap(message, out PreTradeAnswerDecoder answer))
            {
                Answers++;
                LastCause = answer.CauseTime;
            }
        }
    }
}
