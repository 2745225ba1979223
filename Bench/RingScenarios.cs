using System.Diagnostics;
using System.Runtime.InteropServices;
using Disruptor;
using Disruptor.Dsl;

namespace MarginEngine.Bench;

/// <summary>One way to run events through a ring; what it measures is a rate or a time for one event.</summary>
/// <param name="Name">Scenario and wait strategy.</param>
/// <param name="Picture">Producer P, stages 1 2 3, threads in brackets.</param>
/// <param name="Threads">Threads that are busy while it runs.</param>
/// <param name="Run">Runs a number of events.</param>
public sealed record RingScenario(string Name, string Picture, int Threads, Func<long, RingRun> Run);

/// <summary>One measured run: time and bytes from the first event after the warm-up to the last one handled, over all threads.</summary>
public readonly record struct RingRun(long Events, long Nanos, long AllocatedBytes, int Collections)
{
    public double NanosPerEvent => (double)Nanos / Events;
}

/// <summary>
/// The scenarios of a ring: 8,192 slots of 64 bytes, one producer. Written on the names that Disruptor-net has too, so that a
/// build with -p:DisruptorPackage=true measures the package.
/// </summary>
public static class RingScenarios
{
    private const int RingSize = 8192;

    public static IReadOnlyList<RingScenario> All { get; } =
    [
        new("publish alone", "[P]", 1, PublishAlone),
        new("merged", "[P 1 2 3]", 1, Merged),
        new("polled", "[P] -> [1 2 3]", 2, Polled),
        .. Graphs("one to one", "[P] -> [1]", 2, OneStage, 1, "busy spin", "yielding", "parking", "blocking"),
        .. Graphs("one to one, batches of 10", "[P] -> [1]", 2, OneStage, 10, "yielding", "parking", "blocking"),
        .. Graphs("chain", "[P] -> [1] -> [2] -> [3]", 4, Chain, 1, "yielding", "parking", "blocking"),
        .. Graphs("diamond", "[P] -> [1] [2] -> [3]", 4, Diamond, 1, "yielding", "parking", "blocking"),
        .. new[] { "busy spin", "yielding", "parking", "blocking" }.Select(strategy =>
            new RingScenario($"round trip, {strategy}", "[P 2] <-> [1]", 2, events => RoundTrip(strategy, events))),
    ];

    internal static IWaitStrategy StrategyOf(string name) => name switch
    {
        "busy spin" => new BusySpinWaitStrategy(),
        "yielding" => new YieldingWaitStrategy(),
        "sleeping" => new SleepingWaitStrategy(),
        "parking" => new ParkingWaitStrategy(),
        "blocking" => new BlockingWaitStrategy(),
        _ => throw new ArgumentException($"no strategy is called {name}", nameof(name)),
    };

    internal static UnmanagedDisruptor<BenchEvent> NewDisruptor(UnmanagedRingBufferMemory memory, string strategy) => new(
        memory.PointerToFirstEvent,
        memory.EventSize,
        memory.EventCount,
        new HandlerThreadScheduler((body, name) => new Thread(() => body()) { Name = name, IsBackground = true }.Start()),
        ProducerType.Single,
        StrategyOf(strategy));

    private static CheckingStage[] OneStage(UnmanagedDisruptor<BenchEvent> disruptor)
    {
        var stage = new CheckingStage();
        disruptor.HandleEventsWith(stage);
        return [stage];
    }

    private static CheckingStage[] Chain(UnmanagedDisruptor<BenchEvent> disruptor)
    {
        CheckingStage first = new(), second = new(), third = new();
        disruptor.HandleEventsWith(first).Then(second).Then(third);
        return [first, second, third];
    }

    private static CheckingStage[] Diamond(UnmanagedDisruptor<BenchEvent> disruptor)
    {
        CheckingStage left = new(), right = new(), join = new();
        disruptor.HandleEventsWith(left, right).Then(join);
        return [left, right, join];
    }

    private static IEnumerable<RingScenario> Graphs(
        string name,
        string picture,
        int threads,
        Func<UnmanagedDisruptor<BenchEvent>, CheckingStage[]> wire,
        int batch,
        params string[] strategies) =>
        strategies.Select(strategy =>
            new RingScenario($"{name}, {strategy}", picture, threads, events => Graph(strategy, wire, batch, events)));

    private static RingRun Graph(
        string strategy, Func<UnmanagedDisruptor<BenchEvent>, CheckingStage[]> wire, int batch, long events)
    {
        using var memory = UnmanagedRingBufferMemory.Allocate(RingSize, BenchEvent.Bytes);
        using UnmanagedDisruptor<BenchEvent> disruptor = NewDisruptor(memory, strategy);
        CheckingStage[] stages = wire(disruptor);
        disruptor.Start().GetAwaiter().GetResult();
        UnmanagedRingBuffer<BenchEvent> ring = disruptor.RingBuffer;
        long warmUp = Math.Max(batch, events / 10 / batch * batch);
        events = Math.Max(batch, events / batch * batch);
        Publish(ring, warmUp, batch);
        stages[^1].AwaitSequence(warmUp - 1);
        RingRun run = Measure(events, () =>
        {
            Publish(ring, events, batch);
            stages[^1].AwaitSequence(warmUp + events - 1);
        });
        disruptor.Shutdown(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();
        foreach (CheckingStage stage in stages)
            stage.Check(warmUp + events);
        return run;
    }

    private static RingRun PublishAlone(long events)
    {
        using var memory = UnmanagedRingBufferMemory.Allocate(RingSize, BenchEvent.Bytes);
        var ring = new UnmanagedRingBuffer<BenchEvent>(memory, ProducerType.Single, new YieldingWaitStrategy());
        Publish(ring, events / 10 + 1, 1);
        return Measure(events, () => Publish(ring, events, 1));
    }

    private static RingRun Merged(long events)
    {
        using var memory = UnmanagedRingBufferMemory.Allocate(RingSize, BenchEvent.Bytes);
        var ring = new UnmanagedRingBuffer<BenchEvent>(memory, ProducerType.Single, new YieldingWaitStrategy());
        var stages = new PolledStages(ring);
        const int Burst = 64;
        events = Math.Max(Burst, events / Burst * Burst);
        void Turn(long count)
        {
            for (long sent = 0; sent < count; sent += Burst)
            {
                Publish(ring, Burst, 1);
                stages.Poll();
            }
        }

        Turn(events / 10);
        return Measure(events, () => Turn(events));
    }

    private static RingRun Polled(long events)
    {
        using var memory = UnmanagedRingBufferMemory.Allocate(RingSize, BenchEvent.Bytes);
        var ring = new UnmanagedRingBuffer<BenchEvent>(memory, ProducerType.Single, new YieldingWaitStrategy());
        var stages = new PolledStages(ring);
        long warmUp = events / 10 + 1;
        bool stop = false;
        var loop = new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                if (!stages.Poll())
                    Thread.Yield();
            }
        }) { IsBackground = true, Name = "polled stages" };
        loop.Start();
        Publish(ring, warmUp, 1);
        RingRun run = Measure(events, () =>
        {
            Publish(ring, events, 1);
            while (stages.Last.Value < warmUp + events - 1)
                Thread.Yield();
        });
        Volatile.Write(ref stop, true);
        loop.Join();
        return run;
    }

    private static RingRun RoundTrip(string strategy, long events)
    {
        using var thereMemory = UnmanagedRingBufferMemory.Allocate(RingSize, BenchEvent.Bytes);
        using var backMemory = UnmanagedRingBufferMemory.Allocate(RingSize, BenchEvent.Bytes);
        using UnmanagedDisruptor<BenchEvent> there = NewDisruptor(thereMemory, strategy);
        var back = new UnmanagedRingBuffer<BenchEvent>(backMemory, ProducerType.Single, StrategyOf(strategy));
        SequenceBarrier barrier = back.NewBarrier(SequenceWaiterOwner.Unknown);
        var own = new Sequence();
        back.AddGatingSequences(own);
        there.HandleEventsWith(new EchoStage(back));
        there.Start().GetAwaiter().GetResult();
        events = Math.Max(1, events / 50); // a round trip is two hops and no batch: some fifty times as long as an event
        void Trips(long count)
        {
            for (long trip = 0; trip < count; trip++)
            {
                Publish(there.RingBuffer, 1, 1);
                long expected = unchecked(own.Value + 1);
                barrier.WaitFor(expected);
                if (back[expected].Value != expected)
                    throw new InvalidOperationException($"round trip {expected} came back as {back[expected].Value}");
                own.SetValue(expected);
            }
        }

        Trips(events / 10 + 1);
        RingRun run = Measure(events, () => Trips(events));
        there.Shutdown(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();
        return run;
    }

    private static RingRun Measure(long events, Action body)
    {
        long bytes = GC.GetTotalAllocatedBytes(precise: true);
        int collections = GC.CollectionCount(0);
        long start = Stopwatch.GetTimestamp();
        body();
        long nanos = Stopwatch.GetElapsedTime(start).Ticks * TimeSpan.NanosecondsPerTick;
        bytes = GC.GetTotalAllocatedBytes(precise: true) - bytes;
        return new RingRun(events, Math.Max(1, nanos), bytes, GC.CollectionCount(0) - collections);
    }

    internal static void Publish(UnmanagedRingBuffer<BenchEvent> ring, long events, int batch)
    {
        unchecked
        {
            if (batch == 1)
            {
                for (long sent = 0; sent < events; sent++)
                {
                    long sequence = ring.Next();
                    ring[sequence].Value = sequence;
                    ring.Publish(sequence);
                }

                return;
            }

            for (long sent = 0; sent < events; sent += batch)
            {
                long hi = ring.Next(batch);
                long lo = hi - batch + 1;
                for (long sequence = lo; sequence <= hi; sequence++)
                    ring[sequence].Value = sequence;
                ring.Publish(lo, hi);
            }
        }
    }
}

/// <summary>An event of one cache line that carries its own sequence.</summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
public struct BenchEvent
{
    public const int Bytes = 64;

    public long Value;
}
