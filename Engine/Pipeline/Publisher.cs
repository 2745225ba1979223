// Lets decisions out, in order, once what they were decided on is safe. Nothing leaves the node anywhere else.
using MarginEngine.Codecs;
using MarginEngine.Journal;
using MarginEngine.Promotion;
using MarginEngine.Watch;

namespace MarginEngine.Pipeline;

/// <summary>
/// A decision passes when its input is confirmed as the gate demands; the gateway's rejects wait for the same gate, so that a
/// sender never hears of an input that a crash could take back. Under a lease nothing passes after the lease. Margins and what happens to accounts go to the margin stream,
/// answers to those who sent input go to the reply stream, heartbeats to both.
/// </summary>
internal sealed class Publisher : IStage
{
    private const int BatchMessages = 256;
    private readonly SlotReader _decisions;
    private readonly SlotReader _rejects;
    private readonly Outlet _margins;
    private readonly Outlet _replies;
    private readonly Gate _gate;
    private readonly NodeGauges _gauges;
    private readonly LeaseKeeper? _lease;

    public Publisher(SlotReader decisions, SlotReader rejects, Outlet margins, Outlet replies, Gate gate, NodeGauges gauges, LeaseKeeper? lease)
    {
        _decisions = decisions;
        _rejects = rejects;
        _margins = margins;
        _replies = replies;
        _gate = gate;
        _gauges = gauges;
        _lease = lease;
    }

    public string Name => "publisher";

    public long Sequence { get; private set; }

    /// <summary>Waiting for the gate or for subscribers is no stall.</summary>
    public bool HasWork => false;

    public int Poll()
    {
        _lease?.Check();
        long confirmed = Confirmed();
        // Read before the ring: whatever was decided on an input up to here is in the ring by now.
        long applied = _gauges.Applied.Value;
        int work = _margins.Flush() + _replies.Flush();
        work += Drain(_rejects, confirmed);
        work += Drain(_decisions, confirmed);
        NoteProgress(Math.Min(applied, confirmed));
        return work;
    }

    /// <summary>Last input on which decisions may leave.</summary>
    private long Confirmed() => Planted.Is(Defect.PublishBeforeDurable) ? long.MaxValue : _gate switch
    {
        _ when _gauges.Alone.Value != 0 => _gauges.Journalled.Value,
        Gate.Journal => _gauges.Journalled.Value,
        Gate.Replica => _gauges.ReplicaReceived.Value,
        _ => Math.Min(_gauges.Journalled.Value, _gauges.ReplicaReceived.Value),
    };

    private int Drain(SlotReader reader, long confirmed)
    {
        int passed = 0;
        while (passed < BatchMessages && reader.TryPeek(out SlotMessage message) && message.Sequence <= confirmed && TryAccept(message))
        {
            Sequence = message.Sequence;
            reader.Advance();
            passed++;
        }

        if (passed > 0)
            reader.Release();
        return passed;
    }

    private bool TryAccept(in SlotMessage message)
    {
        (bool toMargins, bool toReplies) = Route(Frame.TemplateId(message.Bytes));
        if (toMargins && !_margins.HasRoomFor(message) || toReplies && !_replies.HasRoomFor(message))
            return false;
        if (toMargins)
            _margins.Accept(message);
        if (toReplies)
            _replies.Accept(message);
        return true;
    }

    private static (bool ToMargins, bool ToReplies) Route(ushort template) => template switch
    {
        RejectDecoder.TemplateId or PreTradeAnswerDecoder.TemplateId => (false, true),
        HeartbeatDecoder.TemplateId => (true, true),
        _ => (true, false),
    };

    /// <summary>Everything decided up to the last input that is neither waiting here nor still in the ring has left.</summary>
    private void NoteProgress(long passed)
    {
        if (!_margins.HoldsNothingInOrder || !_replies.HoldsNothingInOrder)
            return;
        if (_decisions.TryPeek(out SlotMessage next))
            passed = Math.Min(passed, next.Sequence - 1);
        if (passed > _gauges.Published.Value)
            _gauges.Published.Set(passed);
    }
}
