// What a receiving endpoint remembers of sessions it has no image of: those it has asked for a SETUP, and those it wants no more of.

namespace MarginEngine.Aeron;

internal sealed class SessionTable
{
    private readonly Pending[] _pending = new Pending[Limits.PendingSetups];
    private readonly (int SessionId, int StreamId)[] _refused = new (int, int)[Limits.RefusedSessions];
    private readonly long _pendingNanos;
    private int _refusedCount;

    public SessionTable(long pendingNanos) => _pendingNanos = pendingNanos;

    /// <summary>True when the session's SETUP may be asked for now; not again before the time is over or it came.</summary>
    public bool TryBeginPending(int sessionId, int streamId, long now)
    {
        int free = -1;
        for (int i = 0; i < _pending.Length; i++)
        {
            ref Pending pending = ref _pending[i];
            if (!pending.IsUsed || now - pending.UntilNanos >= 0)
            {
                pending.IsUsed = false;
                free = i;
            }
            else if (pending.SessionId == sessionId && pending.StreamId == streamId)
            {
                return false;
            }
        }
        if (free < 0)
            return false;
        _pending[free] = new Pending { IsUsed = true, SessionId = sessionId, StreamId = streamId, UntilNanos = now + _pendingNanos };
        return true;
    }

    public void EndPending(int sessionId, int streamId)
    {
        for (int i = 0; i < _pending.Length; i++)
        {
            if (_pending[i].SessionId == sessionId && _pending[i].StreamId == streamId)
                _pending[i].IsUsed = false;
        }
    }

    /// <summary>No image of this session is opened again; the oldest of many such sessions is forgotten.</summary>
    public void Refuse(int sessionId, int streamId)
    {
        if (!IsRefused(sessionId, streamId))
            _refused[_refusedCount++ % _refused.Length] = (sessionId, streamId);
    }

    public bool IsRefused(int sessionId, int streamId) =>
        _refusedCount > 0 && Array.IndexOf(_refused, (sessionId, streamId), 0, Math.Min(_refusedCount, _refused.Length)) >= 0;

    /// <summary>A new subscription starts with a clean sheet.</summary>
    public void Pardon() => _refusedCount = 0;

    private struct Pending
    {
        public bool IsUsed;
        public int SessionId;
        public int StreamId;
        public long UntilNanos;
    }
}
