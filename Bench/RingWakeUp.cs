using System.Diagnostics;
using Disruptor;
using Disruptor.Dsl;

namespace MarginEngine.Bench;

/// <summary>What an idle consumer costs: processor time while nothing happens, and the way from a publication to its wake-up.</summary>
public static class RingWakeUp
{
    /// <param name="Strategy">How the consumer waits.</param>
    /// <param name="IdleCores">Processor time a second used by one idle consumer.</param>
    /// <param name="WakeP50Nanos">From before the publication to the handler.</param>
    /// <param name="WakeP90Nanos">The same, nine of ten.</param>
    /// <param name="PublishP50Nanos">What the publication that wakes costs the producer.</param>
    public sealed record Line(string Strategy, double IdleCores, long WakeP50Nanos, long WakeP90Nanos, long PublishP50Nanos);

    /// <param name="strategy">A name that <see cref="RingScenarios"/> knows.</param>
    /// <param name="events">Events, each after a pause.</param>
    /// <param name="pause">Between two events: long enough to park.</param>
    public static Line Measure(string strategy, int events, TimeSpan pause)
    {
        using var memory = UnmanagedRingBufferMemory.Allocate(64, BenchEvent.Bytes);
        using UnmanagedDisruptor<BenchEvent> disruptor = RingScenarios.NewDisruptor(memory, strategy);
        var stage = new StampingStage();
        disruptor.HandleEventsWith(stage);
        disruptor.Start().GetAwaiter().GetResult();
        var wake = new long[events];
        var publish = new long[events];
        TimeSpan processorBefore = Process.GetCurrentProcess().TotalProcessorTime;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < events; i++)
        {
            Thread.Sleep(pause); // the producer is idle too: what is used meanwhile is the consumer's
            long before = Stopwatch.GetTimestamp();
            RingScenarios.Publish(disruptor.RingBuffer, 1, 1);
            long after = Stopwatch.GetTimestamp();
            long handled;
            while ((handled = stage.HandledAt(i)) == 0)
                Thread.SpinWait(1);
            wake[i] = Stopwatch.GetElapsedTime(before, handled).Ticks * TimeSpan.NanosecondsPerTick;
            publish[i] = Stopwatch.GetElapsedTime(before, after).Ticks * TimeSpan.NanosecondsPerTick;
        }

        double idle = (Process.GetCurrentProcess().TotalProcessorTime - processorBefore) / Stopwatch.GetElapsedTime(start);
        disruptor.Shutdown(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();
        Array.Sort(wake);
        Array.Sort(publish);
        return new Line(strategy, idle, wake[events / 2], wake[events * 9 / 10], publish[events / 2]);
    }

    private sealed class StampingStage : IValueEventHandler<BenchEvent>
    {
        private long _sequence = -1;
        private long _time;

        public void OnEvent(ref BenchEvent data, long sequence, bool endOfBatch)
        {
            Volatile.Write(ref _time, Stopwatch.GetTimestamp());
            Volatile.Write(ref _sequence, sequence);
        }

        /// <summary>When the event was handled, 0 while it was not.</summary>
        internal long HandledAt(long sequence) => Volatile.Read(ref _sequence) == sequence ? Volatile.Read(ref _time) : 0;
    }
}
