using MarginEngine.Bench;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

/// <summary>The benchmark runs, with few commits, and its table is whole.</summary>
public sealed class BenchTests
{
    [Test]
    public void The_journal_bench_measures_device_and_log_in_every_mode()
    {
        var output = new StringWriter();
        var settings = new JournalBench.Settings(TestContext.CurrentContext.WorkDirectory, Commits: 20, SegmentBytes: 2 << 20) { MessagesPerCommit = [1, 50] };
        IReadOnlyList<JournalBench.Line> lines = JournalBench.Run(settings, output);
        TestContext.Out.WriteLine(output);
        Assert.That(lines, Has.Count.EqualTo(4));
        Assert.That(lines.Select(line => line.MessagesPerSecond), Has.All.Positive);
        Assert.That(lines.Select(line => line.Device.P50), Has.All.Positive);
        Assert.That(lines.Select(line => line.GroupBytes), Is.EqualTo([4096, 12288, 4096, 12288]));
        Assert.That(Directory.GetDirectories(settings.Directory, "journal-bench*"), Is.Empty);
    }
}
