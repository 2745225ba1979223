using MarginEngine.Logic;
using MarginEngine.Tests.LogicTests.Snapshots;
using NUnit.Framework;

namespace MarginEngine.Tests.LogicTests;

/// <summary>Digests of accounts are kept until the account changes: what is kept is what there is.</summary>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
internal sealed class AccountDigestsTests
{
    [TestCase(3, false)]
    [TestCase(4, true)]
    public void After_every_message_the_kept_digest_is_that_of_the_whole_book(int seed, bool byCrossings)
    {
        using Desk scene = Scenes.Everything(seed, ticks: 160, byCrossings: byCrossings);
        using Desk kept = new(withMarket: false), anew = new(withMarket: false);
        for (int index = 0; index < scene.Applied.Count; index++)
        {
            (long time, byte[] message) = scene.Applied[index];
            kept.Now = anew.Now = time;
            kept.Apply(message);
            anew.Apply(message);
            Assert.That(anew.Machine.StateDigestAnew(), Is.EqualTo(kept.Machine.StateDigest()), $"after message {index}, template {BitConverter.ToUInt16(message, 2)}");
        }

        Assert.That(kept.Machine.DecisionDigest, Is.EqualTo(anew.Machine.DecisionDigest));
    }

    [Test]
    public void Neither_the_order_of_accounts_nor_of_changes_counts_and_every_account_does()
    {
        AccountDigests one = new(100), other = new(100);
        for (int account = 0; account < 100; account++)
        {
            one.Set(account, Word(account));
            other.Set(99 - account, 7);
            other.Set(99 - account, Word(99 - account));
        }

        Assert.That(other.Sum, Is.EqualTo(one.Sum));
        other.Set(50, 1);
        Assert.That(other.Sum, Is.Not.EqualTo(one.Sum));
    }

    private static ulong Word(int account) => unchecked((ulong)account * 0x9E3779B97F4A7C15);

    [Test]
    public void What_changed_is_taken_once()
    {
        AccountDigests digests = new(100);
        digests.Changed(5);
        digests.PositionsChanged(5);
        digests.Changed(70);
        Assert.That((digests.TryTake(out int first), first), Is.EqualTo((true, 70)));
        Assert.That((digests.TryTake(out int second), second, digests.TryPositions(5, out _)), Is.EqualTo((true, 5, false)));
        digests.SetPositions(5, 11);
        Assert.That((digests.TryTake(out _), digests.TryPositions(5, out ulong sum), sum), Is.EqualTo((false, true, 11UL)));
    }

    // As by a fault of the machine's memory: no call told of it.
    [Test]
    public void A_bit_that_flips_in_an_account_that_nobody_touches_is_found_with_the_next_heartbeat()
    {
        using Desk desk = Scenes.Everything(seed: 5, ticks: 40);
        Book book = (Book)typeof(MarginMachine).GetField("_book", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!.GetValue(desk.Machine)!;
        using Desk twin = new(withMarket: false);
        foreach ((long time, byte[] message) in desk.Applied)
        {
            twin.Now = time;
            twin.Apply(message);
        }

        int quiet = Enumerable.Range(0, book.AccountCount).First(index => book.AccountAt(index).FirstUnit < 0);
        System.Runtime.InteropServices.MemoryMarshal.GetReference(book.BalancesOf(quiet)) ^= 1 << 7;
        Assert.That(desk.Machine.StateDigest(), Is.EqualTo(twin.Machine.StateDigest()), "not yet");
        desk.Now = twin.Now = desk.Now + (2 * Limits.HeartbeatNanos);
        desk.Time();
        twin.Now = desk.Applied[^1].Time;
        twin.Apply(desk.Applied[^1].Message);
        Assert.That(desk.Machine.StateDigest(), Is.Not.EqualTo(twin.Machine.StateDigest()));
    }
}
