// A lease in files that both nodes can reach: for tests, demos and two nodes of one machine. Not for network file systems, whose links and
// listings promise less. No lock: a node that is stopped, wherever it is, keeps nobody out.

namespace MarginEngine.Promotion;

/// <summary>
/// Every grant, renewal and return is an entry of <see cref="LeaseEntries"/>. No clock is compared between nodes: a watcher takes a lease for
/// run out when no entry has come for its time to live, measured from when the watcher had read the last.
/// </summary>
public sealed class LeaseFile : ILease
{
    private const int RenewalsATtl = 5;
    private const int LooksATtl = 20;
    private readonly LeaseEntries _entries;
    private readonly string _node;
    private LeaseEntry _seen;
    private long _seenSinceNanos = long.MaxValue;
    private long _nextNanos = long.MinValue;
    private long _validUntilNanos;
    private long _wantedEpoch = -1;
    private bool _isMine;
    private bool _release;
    private LeaseView _view = LeaseView.Unknown;

    /// <param name="path">An absolute path that the entries' numbers are appended to; its directory must exist.</param>
    /// <param name="node">This node's name, different from the other's; letters, digits, dots and dashes.</param>
    /// <param name="ttlNanos">How long a grant lasts.</param>
    public LeaseFile(string path, string node, long ttlNanos)
    {
        _entries = new LeaseEntries(path, node);
        _node = node;
        TtlNanos = ttlNanos;
    }

    /// <inheritdoc/>
    public long TtlNanos { get; }

    /// <inheritdoc/>
    public void Acquire(uint epochSeen)
    {
        _wantedEpoch = epochSeen;
        _nextNanos = long.MinValue;
    }

    /// <inheritdoc/>
    public void Release()
    {
        _wantedEpoch = -1;
        _release = _isMine;
        _nextNanos = long.MinValue;
    }

    /// <inheritdoc/>
    public LeaseView Poll(long nowNanos)
    {
        if (_isMine && nowNanos >= _validUntilNanos)
            _isMine = false;
        // From this poll on, not from the last: that one took its time before it read.
        if (_seenSinceNanos == long.MaxValue)
            _seenSinceNanos = nowNanos;
        if (nowNanos < _nextNanos)
            return _view;
        try
        {
            _nextNanos = nowNanos + TtlNanos / (_isMine ? RenewalsATtl : LooksATtl);
            Work(nowNanos);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or FormatException)
        {
            _nextNanos = nowNanos + TtlNanos / LooksATtl;
            _view = _isMine ? _view with { Problem = problem.Message } : new LeaseView(LeaseState.Unreachable, _seen.Epoch, _seen.Holder ?? "", 0, problem.Message);
        }

        return _view;
    }

    public void Dispose()
    {
    }

    private void Work(long nowNanos)
    {
        // Asked for once: whoever wanted it decides anew when it was not to be had.
        long wanted = _wantedEpoch;
        _wantedEpoch = -1;
        Look();
        if (_isMine && _release)
        {
            Change(entry => entry with { IsHeld = false }, nowNanos);
            _isMine = _release = false;
        }
        else if (_isMine)
        {
            _isMine = Change(entry => entry, nowNanos);
        }
        else if (wanted == _seen.Epoch && IsFree(nowNanos))
        {
            _isMine = Change(entry => new LeaseEntry(entry.Epoch + 1, entry.Count, TtlNanos, true, _node), nowNanos);
        }

        LeaseState state = _isMine ? LeaseState.Mine : IsFree(nowNanos) ? LeaseState.Free : LeaseState.Others;
        _view = new LeaseView(state, _seen.Epoch, _seen.Holder, _validUntilNanos, "");
    }

    // A lease that was never seen to change is taken for run out only after its whole time.
    private bool IsFree(long nowNanos) =>
        !_seen.IsHeld || _seenSinceNanos != long.MaxValue && nowNanos - _seenSinceNanos > _seen.TtlNanos;

    /// <summary>Reads what stands there; a change starts the watch anew.</summary>
    private void Look()
    {
        LeaseEntry entry = _entries.Read();
        if (entry == _seen)
            return;
        _seen = entry;
        _seenSinceNanos = long.MaxValue;
    }

    /// <summary>If nothing has changed since it was seen: the next entry. False where something has.</summary>
    private bool Change(Func<LeaseEntry, LeaseEntry> change, long nowNanos)
    {
        LeaseEntry next = change(_seen) with { Count = _seen.Count + 1 };
        bool isAdded = _entries.TryAdd(next);
        Look();
        if (isAdded)
            _validUntilNanos = nowNanos + TtlNanos;
        return isAdded;
    }
}
