// Loops that park must never miss each other's work, and a fault ends a loop with the stage named.
using Disruptor;
using MarginEngine.Pipeline;
using NUnit.Framework;

namespace MarginEngine.Tests.PipelineTests;

public sealed class StageLoopTests
{
    private static readonly long Forever = 3_600L * 1_000_000_000;

    [Test]
    public void A_token_thrown_between_two_loops_is_never_lost_though_both_park_at_once()
    {
        const long Throws = 20_000;
        (SlotWriter toRight, SlotReader right) = NewRing();
        (SlotWriter toLeft, SlotReader left) = NewRing();
        var one = new Thrower("left", left, toRight, Throws);
        var two = new Thrower("right", right, toLeft, Throws);
        using var parkingOne = new EventParking();
        using var parkingTwo = new EventParking();
        var clock = new Watch.Clock();
        StageLoop[] loops = [NewLoop(one, parkingOne), NewLoop(two, parkingTwo)];
        foreach (StageLoop loop in loops)
            loop.Connect(loops);
        Assert.That(toRight.TryWrite(1, 0, [1]), Is.True);
        Thread[] threads = [.. loops.Select(loop => new Thread(loop.Run) { IsBackground = true })];
        foreach (Thread thread in threads)
            thread.Start();
        try
        {
            Until.True(() => Math.Max(one.Last, two.Last) >= Throws, () => { }, () => $"stuck at {one.Last} and {two.Last}: a wake-up was lost");
        }
        finally
        {
            foreach (StageLoop loop in loops)
                loop.Stop();
            foreach (Thread thread in threads)
                thread.Join();
        }

        // No spinning, and sleeps of an hour: only wake-ups can have carried the token.
        StageLoop NewLoop(IStage stage, IParking parking) =>
            new([stage], parking, clock, 0, Forever, (_, _, error) => throw new InvalidOperationException("a thrower failed", error));
    }

    [Test]
    public void A_stage_that_throws_ends_its_loop_and_is_named()
    {
        using var parking = new EventParking();
        var fine = new Thrower("fine", NewRing().Reader, NewRing().Writer, 1);
        var broken = new Broken();
        (IStage? Stage, Exception? Error) fault = default;
        var loop = new StageLoop([fine, broken, fine], parking, new Watch.Clock(), 0, Forever, (_, stage, error) => fault = (stage, error));
        loop.Run();
        Assert.That(fault.Stage, Is.SameAs(broken));
        Assert.That(fault.Error!.Message, Is.EqualTo("broken on purpose"));
    }

    private static (SlotWriter Writer, SlotReader Reader) NewRing()
    {
        UnmanagedRingBuffer<MessageSlot> ring = Rings.Create(16);
        var reader = new SlotReader(ring);
        ring.AddGatingSequences(reader.Released);
        return (new SlotWriter(ring, 8), reader);
    }

    /// <summary>Passes a token on, one higher.</summary>
    private sealed class Thrower(string name, SlotReader from, SlotWriter to, long limit) : IStage
    {
        private long _last;

        public string Name => name;

        public long Sequence => Last;

        public bool HasWork => false;

        public long Last => Volatile.Read(ref _last);

        public int Poll()
        {
            if (!from.TryPeek(out SlotMessage token))
                return 0;
            Volatile.Write(ref _last, token.Sequence);
            from.Advance();
            from.Release();
            return token.Sequence < limit && to.TryWrite(token.Sequence + 1, 0, [1]) ? 1 : 0;
        }
    }

    private sealed class Broken : IStage
    {
        public string Name => "broken";

        public long Sequence => 5;

        public bool HasWork => false;

        public int Poll() => throw new InvalidOperationException("broken on purpose");
    }
}
