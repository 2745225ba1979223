using Disruptor;

namespace MarginEngine.Bench;

/// <summary>A handler that checks every event and says how far it is.</summary>
internal sealed class CheckingStage : IValueEventHandler<BenchEvent>
{
    private readonly ParkingSpot _reached = new();
    private long _bad;
    private long _handled;
    private long _last = -1;
    private long _awaited = long.MaxValue;

    public void OnEvent(ref BenchEvent data, long sequence, bool endOfBatch)
    {
        if (data.Value != sequence)
            _bad++;
        _handled++;
        Volatile.Write(ref _last, sequence);
        if (sequence >= Volatile.Read(ref _awaited))
            _reached.Release();
    }

    /// <summary>Sleeps until <paramref name="sequence"/> was handled: a waiting producer must not take a core from the stages.</summary>
    internal void AwaitSequence(long sequence)
    {
        Volatile.Write(ref _awaited, sequence);
        _reached.Arm();
        Interlocked.MemoryBarrierProcessWide();
        if (Volatile.Read(ref _last) < sequence)
            _reached.Wait(Timeout.InfiniteTimeSpan);
        _reached.Disarm();
        Volatile.Write(ref _awaited, long.MaxValue);
    }

    internal void Check(long events)
    {
        if (_bad != 0 || _handled != events)
            throw new InvalidOperationException($"{_handled} of {events} events, {_bad} of them wrong");
    }
}

/// <summary>Sends every event back on another ring.</summary>
internal sealed class EchoStage(UnmanagedRingBuffer<BenchEvent> back) : IValueEventHandler<BenchEvent>
{
    public void OnEvent(ref BenchEvent data, long sequence, bool endOfBatch)
    {
        long claimed = back.Next();
        back[claimed].Value = data.Value;
        back.Publish(claimed);
    }
}

/// <summary>Three stages in a row for one thread to poll.</summary>
internal sealed class PolledStages
{
    private readonly SlotPoller<BenchEvent> _first;
    private readonly SlotPoller<BenchEvent> _second;
    private readonly SlotPoller<BenchEvent> _third;
    private Stage _one;
    private Stage _two;
    private Stage _three;

    internal PolledStages(UnmanagedRingBuffer<BenchEvent> ring)
    {
        _first = ring.NewPoller();
        _second = ring.NewPoller(_first.Sequence);
        _third = ring.NewPoller(_second.Sequence);
        ring.AddGatingSequences(_third.Sequence);
    }

    internal Sequence Last => _third.Sequence;

    /// <summary>Polls the stages in their order; true when the last one had something.</summary>
    internal bool Poll()
    {
        _first.Poll(ref _one);
        _second.Poll(ref _two);
        return _third.Poll(ref _three) == EventPoller.PollState.Processing;
    }

    private struct Stage : IValueEventHandler<BenchEvent>
    {
        public void OnEvent(ref BenchEvent data, long sequence, bool endOfBatch)
        {
            if (data.Value != sequence)
                throw new InvalidOperationException($"slot of {sequence} holds {data.Value}");
        }
    }
}
