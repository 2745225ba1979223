// The pull model: the caller's own loop asks for events, so that several consumers can share one thread.

namespace Disruptor;

public static class EventPoller
{
    public enum PollState
    {
        /// <summary>Events were handled.</summary>
        Processing,

        /// <summary>Events are published, but an upstream consumer has not finished with them.</summary>
        Gating,

        /// <summary>Nothing is published.</summary>
        Idle,
    }

    /// <summary>Handles one event; returns false to end the poll after it.</summary>
    public delegate bool ValueHandler<T>(ref T data, long sequence, bool endOfBatch) where T : struct;
}

/// <summary>A consumer without a thread. Not gating by itself: add its <see cref="Sequence"/> to the ring.</summary>
public class ValueEventPoller<T>
    where T : struct
{
    private readonly IValueDataProvider<T> _dataProvider;
    private readonly Sequence _sequence;
    private readonly DependentSequenceGroup _group;

    public ValueEventPoller(
        IValueDataProvider<T> dataProvider, ISequencer sequencer, Sequence sequence, DependentSequenceGroup dependentSequences)
    {
        ArgumentNullException.ThrowIfNull(dataProvider);
        ArgumentNullException.ThrowIfNull(sequencer);
        ArgumentNullException.ThrowIfNull(sequence);
        ArgumentNullException.ThrowIfNull(dependentSequences);
        _dataProvider = dataProvider;
        _sequence = sequence;
        _group = dependentSequences;
    }

    /// <summary>The last event this poller has finished with.</summary>
    public Sequence Sequence => _sequence;

    /// <summary>Hands the available events to <paramref name="eventHandler"/>. After an exception the failed event comes again.</summary>
    public EventPoller.PollState Poll(EventPoller.ValueHandler<T> eventHandler)
    {
        long handled = _sequence.Value;
        long next = unchecked(handled + 1);
        long available = _group.Value;
        if (next > available)
            return _group.CursorValue >= next ? EventPoller.PollState.Gating : EventPoller.PollState.Idle;
        try
        {
            bool goOn = true;
            while (goOn && next <= available)
            {
                goOn = eventHandler(ref _dataProvider[next], next, next == available);
                handled = next;
                next = unchecked(next + 1);
            }
        }
        finally
        {
            _sequence.SetValue(handled);
        }

        return EventPoller.PollState.Processing;
    }
}
