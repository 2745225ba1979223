// What a standby keeps of its own decisions, so that it can say them again in the primary's place. Filled by the acknowledger (and
// by the replay before it), read once by the decider of the node that takes over.
using MarginEngine.Codecs;
using MarginEngine.Pipeline;

namespace MarginEngine.Standby;

/// <summary>
/// The newest margin update of every account, and every other decision of the last part of stamped time, in order. All memory is
/// taken at start. Where decisions come so thick that the room holds less than that time, the oldest go and
/// <see cref="IsComplete"/> tells: the journal has to be read again then.
/// </summary>
internal sealed class RecentDecisions : IDecisionKeeper, IDisposable
{
    private readonly List<IDisposable> _memory = [];
    private readonly SlotWriter _writer;
    private readonly SlotReader _reader;
    private readonly Conflater _updates;
    private readonly long _keptNanos;
    private long _newestNanos = long.MinValue / 2;
    private long _lostNanos = long.MinValue;
    private MessageSlot[] _sorted = [];
    private int _nextSorted = -1;
    private bool _isUpdateNext;

    /// <param name="slots">Room for decisions other than margin updates, slots of 256 bytes; a power of two.</param>
    /// <param name="maximumMessageBytes">Longest decision.</param>
    /// <param name="accounts">Accounts that can have a margin.</param>
    /// <param name="keptNanos">How far back decisions are kept.</param>
    public RecentDecisions(int slots, int maximumMessageBytes, int accounts, long keptNanos)
    {
        var ring = Rings.Create(slots, _memory);
        _reader = new SlotReader(ring);
        ring.AddGatingSequences(_reader.Released);
        _writer = new SlotWriter(ring, maximumMessageBytes);
        _updates = new Conflater(accounts);
        _keptNanos = keptNanos;
    }

    /// <summary>Nothing that belongs to the kept time was given up for want of room.</summary>
    public bool IsComplete => _lostNanos < _newestNanos - _keptNanos;

    /// <summary>What was decided up to a time is not here: the state came out of a snapshot.</summary>
    public void BeginAfter(long timestampNanos) => _lostNanos = timestampNanos;

    /// <inheritdoc/>
    public void Keep(long sequence, long timestampNanos, ReadOnlySpan<byte> decision)
    {
        _newestNanos = timestampNanos;
        if (MarginUpdateDecoder.TryWrap(decision, out MarginUpdateDecoder update))
        {
            _updates.Put(update.AccountId, sequence, timestampNanos, decision);
            return;
        }

        while (!_writer.TryWrite(sequence, timestampNanos, decision))
            DropOldest();
    }

    /// <summary>
    /// Shows the next of what was kept, in the order of sequences; false at the end. From the first call on nothing more can be
    /// kept, and what is older than the kept time is passed over, margin updates excepted.
    /// </summary>
    public bool TryPeek(out SlotMessage decision)
    {
        if (_nextSorted < 0)
            SortUpdates();
        while (_reader.TryPeek(out decision) && decision.TimestampNanos < _newestNanos - _keptNanos)
            _reader.Advance();
        bool hasOther = _reader.TryPeek(out decision);
        _isUpdateNext = _nextSorted < _sorted.Length && (!hasOther || _sorted[_nextSorted].Sequence <= decision.Sequence);
        if (_isUpdateNext)
            decision = new SlotMessage(ref _sorted[_nextSorted]);
        return hasOther || _isUpdateNext;
    }

    /// <summary>Passes the decision that <see cref="TryPeek"/> showed.</summary>
    public void Advance()
    {
        if (_isUpdateNext)
            _nextSorted++;
        else
            _reader.Advance();
    }

    public void Dispose()
    {
        foreach (IDisposable part in _memory)
            part.Dispose();
        _memory.Clear();
    }

    private void DropOldest()
    {
        Check.That(_reader.TryPeek(out SlotMessage oldest));
        _lostNanos = oldest.TimestampNanos;
        _reader.Advance();
        _reader.Release();
    }

    private void SortUpdates()
    {
        var order = new (long Sequence, int Turn)[_updates.Count];
        var updates = new MessageSlot[_updates.Count];
        for (int turn = 0; turn < updates.Length; turn++)
        {
            updates[turn] = _updates.Take();
            order[turn] = (updates[turn].Sequence, turn);
        }

        Array.Sort(order); // the turn makes the keys different: the order is total
        _sorted = Array.ConvertAll(order, entry => updates[entry.Turn]);
        _nextSorted = 0;
    }
}
