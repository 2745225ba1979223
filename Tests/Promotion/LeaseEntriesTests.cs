// The row of files behind a lease: one writer an entry, however many try and however long one of them sleeps.
using System.Diagnostics;
using MarginEngine.Promotion;
using MarginEngine.Tests.PipelineTests;
using NUnit.Framework;

namespace MarginEngine.Tests.PromotionTests;

[Parallelizable(ParallelScope.Self)]
public sealed class LeaseEntriesTests
{
    [Test]
    public void Of_many_that_add_the_same_entry_one_at_the_most_has()
    {
        const int Nodes = 4, Entries = 300;
        using TestDirectory directory = new();
        string path = Path.Combine(directory.Path, "lease");
        var winners = new int[Entries + 1];
        long until = Stopwatch.GetTimestamp() + 60 * Stopwatch.Frequency;
        Parallel.For(0, Nodes, new ParallelOptions { MaxDegreeOfParallelism = Nodes }, node =>
        {
            var entries = new LeaseEntries(path, $"node-{node}");
            LeaseEntry seen = entries.Read();
            while (seen.Count < Entries && Stopwatch.GetTimestamp() < until)
            {
                if (entries.TryAdd(new LeaseEntry((uint)node, seen.Count + 1, 1, true, "holder")))
                    Interlocked.Increment(ref winners[seen.Count + 1]);
                LeaseEntry next = entries.Read();
                Assert.That(next.Count, Is.GreaterThan(seen.Count), "nobody added what this one could not add");
                seen = next;
            }
        });
        // None where another went on from it before its writer looked again: to that one it has not been added either.
        Assert.That(winners, Is.All.LessThanOrEqualTo(1));
        Assert.That((winners.Sum() > 0, new LeaseEntries(path, "reader").Read().Count), Is.EqualTo((true, (long)Entries)));
        Assert.That(Directory.GetFiles(directory.Path), Has.Length.LessThanOrEqualTo(LeaseEntries.Kept + Nodes), "old ones are removed");
    }

    [Test]
    public void Whoever_slept_until_the_name_of_its_entry_was_free_again_has_not_added_it()
    {
        using TestDirectory directory = new();
        string path = Path.Combine(directory.Path, "lease");
        LeaseEntries sleeper = new(path, "sleeper"), other = new(path, "other");
        for (long count = 1; count <= 3 + LeaseEntries.Kept; count++)
            Assert.That(other.TryAdd(new LeaseEntry(1, count, 1, true, "other")), Is.True);
        Assert.That(File.Exists(path + ".2"), Is.False);
        Assert.That(sleeper.TryAdd(new LeaseEntry(2, 2, 1, true, "sleeper")), Is.False);
        Assert.That((sleeper.Read(), File.Exists(path + ".2")), Is.EqualTo((new LeaseEntry(1, 3 + LeaseEntries.Kept, 1, true, "other"), false)));
    }

    [Test]
    public void What_a_killed_process_was_preparing_neither_counts_nor_is_written_over()
    {
        using TestDirectory directory = new();
        string path = Path.Combine(directory.Path, "lease");
        LeaseEntries entries = new(path, "left");
        Assert.That(entries.TryAdd(new LeaseEntry(1, 1, 1, true, "left")), Is.True);
        // Killed before the link: half a line. Killed behind it: a second name of the entry, which the next preparing must not empty.
        File.WriteAllText($"{path}.right.1.new", "2 2");
        File.Copy(path + ".1", path + ".2");
        File.Delete(path + ".1");
        Process.Start("ln", [path + ".2", $"{path}.left.{Environment.ProcessId}.new"]).WaitForExit();
        Assert.That(entries.Read().Epoch, Is.EqualTo(1));
        Assert.That(entries.TryAdd(new LeaseEntry(3, 3, 1, true, "left")), Is.True);
        Assert.That(File.ReadAllText(path + ".2"), Is.EqualTo("1 1 1 held left\n"));
    }

    [Test]
    public void A_file_that_is_no_entry_is_told_with_its_name()
    {
        using TestDirectory directory = new();
        string path = Path.Combine(directory.Path, "lease");
        File.WriteAllText(path + ".4", "rubbish\n");
        Assert.That(() => new LeaseEntries(path, "left").Read(), Throws.InstanceOf<FormatException>().With.Message.Contains("lease.4"));
    }
}
