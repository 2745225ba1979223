// A poller that takes a handler instead of a delegate, bounds its batches, and can stand in a disruptor's graph.
// Written on Disruptor-net's own names alone: it compiles over our ring and over the package.

using Disruptor.Processing;

namespace Disruptor;

/// <summary>
/// A consumer without a thread: the owner of the thread polls it. Added to a disruptor with HandleEventsWith it holds the
/// producer back, counts for the drain at shutdown, and handlers can be hung behind it. Single producer only.
/// </summary>
public sealed class SlotPoller<T> : ValueEventPoller<T>, IEventProcessor
    where T : unmanaged
{
    private readonly UnmanagedRingBuffer<T> _ring;
    private readonly DependentSequenceGroup _upstream;
    private int _halted;

    /// <param name="ring">The ring to read.</param>
    /// <param name="upstream">What this poller runs behind.</param>
    public SlotPoller(UnmanagedRingBuffer<T> ring, DependentSequenceGroup upstream)
        : base(ring, new SingleProducerSequencer(ring.BufferSize), new Sequence(), upstream)
    {
        _ring = ring;
        _upstream = upstream;
    }

    /// <summary>The event that was being handled when a poll threw; -1 before that.</summary>
    public long FailedSequence { get; private set; } = Sequence.InitialCursorValue;

    /// <summary>True until <see cref="Halt"/>: the owner of the thread ends its loop on false.</summary>
    public bool IsRunning => Volatile.Read(ref _halted) == 0;

    /// <summary>
    /// Hands at most <paramref name="maxBatchSize"/> available events to <paramref name="handler"/> and releases them together;
    /// the handler may release earlier by the sequence it was given. Nothing more is released when it throws.
    /// </summary>
    public EventPoller.PollState Poll<THandler>(ref THandler handler, int maxBatchSize = int.MaxValue)
        where THandler : IValueEventHandler<T>
    {
        unchecked
        {
            long next = Sequence.Value + 1;
            long available = _upstream.Value;
            if (next > available)
                return _upstream.CursorValue >= next ? EventPoller.PollState.Gating : EventPoller.PollState.Idle;
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBatchSize);
            if (available - next >= maxBatchSize)
                available = next + maxBatchSize - 1;
            try
            {
                if (BatchStart<T, THandler>.IsImplemented)
                    handler.OnBatchStart(available - next + 1);
                for (; next <= available; next++)
                    handler.OnEvent(ref _ring[next], next, next == available);
            }
            catch
            {
                FailedSequence = next;
                throw;
            }

            Sequence.SetValue(available);
            return EventPoller.PollState.Processing;
        }
    }

    /// <summary>Nothing to start: the owner polls.</summary>
    public Task Start(TaskScheduler taskScheduler) => Task.CompletedTask;

    public Task Halt()
    {
        Volatile.Write(ref _halted, 1);
        return Task.CompletedTask;
    }

    public void Dispose() => Halt();
}
