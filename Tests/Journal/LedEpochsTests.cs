// The epochs a machine has led, on a disk that crashes, turns bits and forgets names.
using MarginEngine.Journal;
using MarginEngine.Tool.Simulate;
using NUnit.Framework;

namespace MarginEngine.Tests.JournalTests;

[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class LedEpochsTests
{
    private const string Directory = "journal";

    private static bool[] Known(FaultyStorage disk, params uint[] epochs)
    {
        LedEpochs led = LedEpochs.Read(disk, Directory);
        return [.. epochs.Select(epoch => led.Contains(epoch))];
    }

    [Test]
    public void Nothing_was_led_where_nothing_was_noted() => Assert.That(Known(new FaultyStorage(), 0, 1, 2), Has.All.False);

    [Test]
    public void What_was_led_survives_a_power_cut_and_the_newest_are_kept()
    {
        var disk = new FaultyStorage();
        for (uint epoch = 1; epoch <= LedEpochs.Capacity + 5; epoch += 2)
            LedEpochs.Add(disk, Directory, epoch);
        for (uint epoch = 100_000; epoch < 100_000 + LedEpochs.Capacity; epoch++)
            LedEpochs.Add(disk, Directory, epoch);
        Assert.That(Known(disk.AfterPowerCut(new Random(1)), 1, 2, 100_000, 100_000 + (uint)LedEpochs.Capacity - 1), Is.EqualTo(new[] { false, false, true, true }));
    }

    [Test]
    public void A_crash_at_any_step_keeps_what_was_noted_before()
    {
        var before = new FaultyStorage();
        LedEpochs.Add(before, Directory, 7);
        int steps = 0;
        for (bool crashed = true; crashed; steps++)
        {
            foreach (bool after in (ReadOnlySpan<bool>)[false, true])
            {
                FaultyStorage disk = before.Copy();
                disk.CrashAt = disk.Steps + steps + 1;
                disk.CrashAfter = after;
                try
                {
                    LedEpochs.Add(disk, Directory, 8);
                    crashed = false;
                }
                catch (SimulatedCrashException)
                {
                    crashed = true;
                }

                FaultyStorage found = disk.AfterPowerCut(new Random(steps));
                Assert.That(Known(found, 7, 9), Is.EqualTo(new[] { true, false }), $"crash at step {steps + 1}");
                Assert.That(LedEpochs.Add(found, Directory, 8).Contains(8) && Known(found, 7, 8).All(known => known), Is.True, $"again after a crash at step {steps + 1}");
            }
        }

        Assert.That(steps, Is.GreaterThan(4), "creating, writing, syncing, renaming, syncing the directory");
    }

    [Test]
    public void A_block_that_cannot_be_read_stands_for_every_epoch_so_that_nothing_is_cut_on_its_word()
    {
        var disk = new FaultyStorage();
        LedEpochs.Add(disk, Directory, 7);
        string path = disk.Paths.Single();
        for (int bit = 0; bit < Format.BlockBytes * 8; bit += 61)
        {
            FaultyStorage damaged = disk.Copy();
            damaged.Damage(path, bytes =>
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                return bytes;
            });
            Assert.That(Known(damaged, 1, 7, 8), Has.All.True, $"bit {bit}");
        }
    }
}
