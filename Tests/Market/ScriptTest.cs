using MarginEngine.Codecs;
using MarginEngine.Logic;
using MarginEngine.Tool.Market;
using NUnit.Framework;

namespace MarginEngine.Tests.MarketTests;

public class ScriptTest
{
    private static IEnumerable<string> Sources => ["builtin", "deribit", "btc-2025-10"];

    [TestCaseSource(nameof(Sources))]
    public void The_engine_takes_every_message_and_the_crash_brings_calls_but_not_at_the_start(string source)
    {
        using var run = new ScriptRun(Options(source), withMachine: true);
        run.RunSetup();
        Assert.That(run.Called, Is.Empty);
        Report("set-up", run);
        int events = run.RunMarket();
        Report("end", run);
        Assert.That(events, Is.EqualTo(6_000));
        Assert.That(run.Rejected, Is.Empty);
    }

    private static void Report(string when, ScriptRun run)
    {
        TestContext.Out.WriteLine($"{when}: {run.Script.Description}");
        TestContext.Out.WriteLine("  sent " + string.Join(", ", run.Sent.Select(entry => $"{entry.Key} {entry.Value}")) + $", bytes {run.Bytes}");
        TestContext.Out.WriteLine("  rejected " + string.Join(", ", run.Rejected.Select(entry => $"{entry.Key} {entry.Value}")));
        TestContext.Out.WriteLine($"  called {run.Called.Count} liquidated {run.Liquidated.Count} accounts {run.Machine.AccountCount} positions {run.Machine.PositionCount} evaluations {run.Machine.Evaluations}");
        foreach (var group in run.Script.Population.Clients.GroupBy(book => book.Style).OrderBy(group => group.Key))
            TestContext.Out.WriteLine($"    {group.Key} {group.Count()} called {group.Count(book => run.Called.Contains(book.AccountId))} liquidated {group.Count(book => run.Liquidated.Contains(book.AccountId))}");
    }

    private static MarketOptions Options(string source, ulong seed = 1) => new()
    {
        Source = source,
        DataDirectory = source == "builtin" ? null : DataFolder.Require(),
        Accounts = 300,
        Seconds = 6,
        EventsPerSecond = 1_000,
        Seed = seed,
    };
}
