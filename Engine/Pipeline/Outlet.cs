// One output stream with its patience: what the transport does not take now waits here in order, margin updates conflated.
using Disruptor;
using MarginEngine.Aeron;
using MarginEngine.Codecs;
using MarginEngine.Snapshots;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <summary>
/// Offers a message; where the stream is back-pressured, keeps it. Only margin updates are ever replaced, by a newer one of the
/// same account; everything else keeps its order and is never dropped while anybody listens. Without a listener messages wait
/// for the grace time, then count as unheard.
/// </summary>
internal sealed class Outlet : IDecisionKeeper
{
    private readonly Publication _publication;
    private readonly Conflater? _conflater;
    private readonly SlotWriter _holding;
    private readonly SlotReader _held;
    private readonly IClock _clock;
    private readonly NodeGauges _gauges;
    private readonly long _graceNanos;
    private long _unconnectedSinceNanos;
    private long _measureAfter;

    /// <param name="publication">The stream.</param>
    /// <param name="waiting">Room for what waits in order; this outlet is its only reader and writer.</param>
    /// <param name="maximumMessageBytes">Longest message.</param>
    /// <param name="conflatedAccounts">Accounts whose update can wait; 0 on a stream that carries no margin updates.</param>
    /// <param name="graceNanos">How long messages wait for a first listener, or after the last one left.</param>
    /// <param name="clock">Measures grace and latency.</param>
    /// <param name="gauges">Counts.</param>
    public Outlet(
        Publication publication, UnmanagedRingBuffer<MessageSlot> waiting, int maximumMessageBytes, int conflatedAccounts, long graceNanos, IClock clock,
        NodeGauges gauges)
    {
        _publication = publication;
        _graceNanos = graceNanos;
        _clock = clock;
        _gauges = gauges;
        _conflater = conflatedAccounts > 0 ? new Conflater(conflatedAccounts) : null;
        _held = new SlotReader(waiting);
        waiting.AddGatingSequences(_held.Released);
        _holding = new SlotWriter(waiting, maximumMessageBytes);
        _unconnectedSinceNanos = clock.MonotonicNanos;
    }

    /// <summary>Inputs up to here were stamped by an earlier run: their age is no latency.</summary>
    public void MeasureAfter(long sequence) => _measureAfter = sequence;

    /// <summary>Nothing waits.</summary>
    public bool IsEmpty => _held.Backlog == 0 && (_conflater is null || _conflater.Count == 0);

    /// <summary>Nothing waits that must not be lost: an update that waits is replaced after a restart by the account's current margin.</summary>
    public bool HoldsNothingInOrder => _held.Backlog == 0;

    /// <summary>True where <see cref="Accept"/> would not need to refuse.</summary>
    public bool HasRoomFor(in SlotMessage message) =>
        IsUpdate(message.Bytes) ? _conflater!.HasRoomFor(AccountOf(message.Bytes)) : _holding.HasRoomFor(message.Bytes.Length);

    /// <summary>Sends the message or keeps it. Needs room.</summary>
    public void Accept(in SlotMessage message)
    {
        if (IsEmpty && TrySend(message))
            return;
        if (IsUpdate(message.Bytes))
            Conflate(message.Sequence, message.TimestampNanos, message.Bytes);
        else
            Check.That(_holding.TryWrite(message.Sequence, message.TimestampNanos, message.Bytes));
    }

    /// <summary>Keeps the newest update of an account for later, without sending, and nothing else. Needs room.</summary>
    public void Keep(long sequence, long timestampNanos, ReadOnlySpan<byte> decision)
    {
        if (IsUpdate(decision))
            Conflate(sequence, timestampNanos, decision);
    }

    private void Conflate(long sequence, long timestampNanos, ReadOnlySpan<byte> update)
    {
        if (_conflater!.Put(AccountOf(update), sequence, timestampNanos, update))
            _gauges.OutputEvents.Count((int)NodeEvent.Conflated);
    }

    /// <summary>Sends what waits, as far as the stream takes it: first what must keep its order, then the updates. Returns how many went.</summary>
    public int Flush()
    {
        int sent = 0;
        while (_held.TryPeek(out SlotMessage message) && TrySend(message))
        {
            _held.Advance();
            sent++;
        }

        _held.Release();
        if (_held.Backlog > 0 || _conflater is null)
            return sent;
        while (_conflater.TryPeek(out SlotMessage update) && TrySend(update))
        {
            _conflater.Remove();
            sent++;
        }

        return sent;
    }

    /// <summary>True when the message needs no more care: the transport has it, or nobody is there to hear it.</summary>
    private bool TrySend(in SlotMessage message)
    {
        long result = _publication.Offer(message.Bytes);
        if (result > 0)
        {
            _unconnectedSinceNanos = 0;
            _gauges.Out.Count(Frame.TemplateId(message.Bytes));
            if (message.Sequence > _measureAfter)
                _gauges.TickToMargin.Record(_clock.WallNanos - message.TimestampNanos);
            return true;
        }

        if (result is Publication.BackPressured or Publication.AdminAction)
        {
            _unconnectedSinceNanos = 0;
            _gauges.OutputEvents.Count((int)NodeEvent.BackPressured);
            return false;
        }

        if (result != Publication.NotConnected)
            throw new IOException($"the publication to {_publication.Channel} stream {_publication.StreamId} ended with {result}");
        return IsUnheard();
    }

    private bool IsUnheard()
    {
        long now = _clock.MonotonicNanos;
        if (_unconnectedSinceNanos == 0)
            _unconnectedSinceNanos = now;
        if (now - _unconnectedSinceNanos < _graceNanos)
            return false;
        _gauges.OutputEvents.Count((int)NodeEvent.Unheard);
        return true;
    }

    private bool IsUpdate(ReadOnlySpan<byte> message) =>
        _conflater is not null && Frame.TemplateId(message) == MarginUpdateDecoder.TemplateId;

    private static ulong AccountOf(ReadOnlySpan<byte> update)
    {
        Check.That(MarginUpdateDecoder.TryWrap(update, out MarginUpdateDecoder decoder));
        return decoder.AccountId;
    }
}
