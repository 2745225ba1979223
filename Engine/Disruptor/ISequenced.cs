// What a producer can do with a ring (claim, publish, ask for room) and what a sequencer adds for consumers.

namespace Disruptor;

public interface ICursored
{
    /// <summary>The last published sequence, -1 before the first.</summary>
    long Cursor { get; }
}

public interface ISequenced
{
    /// <summary>Slots in the ring, a power of two.</summary>
    int BufferSize { get; }

    /// <summary>True when <paramref name="requiredCapacity"/> slots can be claimed without waiting.</summary>
    bool HasAvailableCapacity(int requiredCapacity);

    /// <summary>Slots that can be claimed without waiting.</summary>
    long GetRemainingCapacity();

    /// <summary>Claims one slot, waiting while the ring is full.</summary>
    /// <exception cref="RingFaultedException">A consumer failed.</exception>
    /// <exception cref="RingClosedException">The ring was shut down.</exception>
    long Next();

    /// <summary>Claims <paramref name="n"/> consecutive slots and returns the highest; waits for room for all of them.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="n"/> is below 1 or above the size of the ring.</exception>
    /// <exception cref="RingFaultedException">A consumer failed.</exception>
    /// <exception cref="RingClosedException">The ring was shut down.</exception>
    long Next(int n);

    /// <summary>Claims one slot if there is room now.</summary>
    bool TryNext(out long sequence);

    /// <summary>Claims <paramref name="n"/> slots if all of them are free now; <paramref name="sequence"/> is the highest.</summary>
    bool TryNext(int n, out long sequence);

    /// <summary>Makes every claimed slot up to <paramref name="sequence"/> visible to consumers.</summary>
    /// <exception cref="RingFaultedException">A consumer failed before: the event will not be processed.</exception>
    /// <exception cref="RingClosedException">The ring was shut down before: the event will not be processed.</exception>
    void Publish(long sequence);

    /// <summary>Makes the claimed slots <paramref name="lo"/> to <paramref name="hi"/> visible at once.</summary>
    void Publish(long lo, long hi);
}

public interface IPublishedSequenceReader
{
    /// <summary>The highest sequence up to <paramref name="availableSequence"/> below which nothing is unpublished.</summary>
    long GetHighestPublishedSequence(long nextSequence, long availableSequence);
}

public interface ISequencer : ISequenced, ICursored, IPublishedSequenceReader
{
    /// <summary>Moves the producer to <paramref name="sequence"/>; for initialisation only.</summary>
    void Claim(long sequence);

    /// <summary>True when <paramref name="sequence"/> is published and not yet overwritten.</summary>
    bool IsAvailable(long sequence);

    /// <summary>Adds consumers the producer must not overtake; each is first set to the cursor.</summary>
    void AddGatingSequences(params Sequence[] gatingSequences);

    bool RemoveGatingSequence(Sequence sequence);

    /// <summary>The slowest gating sequence, or the cursor when there is none.</summary>
    long GetMinimumSequence();

    /// <summary>A barrier behind <paramref name="sequencesToTrack"/>, or behind the cursor when there are none.</summary>
    SequenceBarrier NewBarrier(SequenceWaiterOwner owner, params Sequence[] sequencesToTrack);

    /// <summary>A poller behind <paramref name="gatingSequences"/>, or behind the cursor when there are none.</summary>
    ValueEventPoller<T> NewPoller<T>(IValueDataProvider<T> provider, params Sequence[] gatingSequences) where T : struct;
}
