using MarginEngine.Bench;
using NUnit.Framework;

namespace MarginEngine.Tests.BenchSuiteTests;

/// <summary>The replay and the snapshot bench run, with small input, and what they load is what they wrote.</summary>
public sealed class ReplayBenchTests
{
    [Test]
    public void The_replay_bench_replays_every_record_of_the_journal_it_made()
    {
        string journal = Directory.CreateTempSubdirectory("margin-replay-test-").FullName;
        try
        {
            StringWriter output = new();
            ReplayBench.Make(journal, messages: 2_000);
            Assert.That(ReplayBench.Replay(journal, output), Is.Positive);
            TestContext.Out.WriteLine(output);
            int[] records = [.. output.ToString().Split('\n').Where(line => line.Contains(" records in ", StringComparison.Ordinal)).Select(line => int.Parse(line[..line.IndexOf(' ')], null))];
            Assert.That(records, Has.Length.EqualTo(2).And.All.GreaterThan(2_000));
        }
        finally
        {
            Directory.Delete(journal, recursive: true);
        }
    }

    [Test]
    public void The_snapshot_bench_loads_the_state_that_it_wrote()
    {
        StringWriter output = new();
        Assert.That(ReplayBench.Snapshot(accounts: 50, output), Is.Zero, output.ToString());
        Assert.That(output.ToString(), Does.StartWith("50 accounts, 100 positions"));
    }
}
