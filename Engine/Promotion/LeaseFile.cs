// A lease in a file that both nodes can reach: for tests, demos and two nodes of one machine. Not for network file systems, whose
// locks and renames promise less.
using System.Globalization;

namespace MarginEngine.Promotion;

/// <summary>
/// One line: epoch, count of renewals, time to live in nanoseconds, held or free, holder. Written whole and renamed into place, by whoever
/// holds the lock of the file beside it. No clock is compared between nodes: a watcher takes a lease for run out when the count has not
/// changed for its time to live, measured from when the watcher had read it.
/// </summary>
public sealed class LeaseFile : ILease
{
    private const int RenewalsATtl = 5;
    private const int LooksATtl = 20;
    private readonly string _path;
    private readonly string _node;
    private Entry _seen;
    private long _seenSinceNanos = long.MaxValue;
    private long _nextNanos = long.MinValue;
    private long _validUntilNanos;
    private long _wantedEpoch = -1;
    private bool _isMine;
    private bool _release;
    private LeaseView _view = LeaseView.Unknown;

    /// <param name="path">The file; its directory must exist.</param>
    /// <param name="node">This node's name, different from the other's; letters, digits, dots and dashes.</param>
    /// <param name="ttlNanos">How long a grant lasts.</param>
    public LeaseFile(string path, string node, long ttlNanos)
    {
        _path = path;
        _node = node;
        TtlNanos = ttlNanos;
    }

    private readonly record struct Entry(uint Epoch, long Count, long TtlNanos, bool IsHeld, string Holder);

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
            _isMine = Change(entry => new Entry(entry.Epoch + 1, entry.Count, TtlNanos, true, _node), nowNanos);
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
        Entry entry = Read();
        if (entry == _seen)
            return;
        _seen = entry;
        _seenSinceNanos = long.MaxValue;
    }

    /// <summary>Under the lock, if nothing has changed since it was seen: writes the next entry. False where it has changed.</summary>
    private bool Change(Func<Entry, Entry> change, long nowNanos)
    {
        using FileStream hold = new(_path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        Entry entry = Read();
        if (entry != _seen)
        {
            _seen = entry;
            _seenSinceNanos = long.MaxValue;
            return false;
        }

        Entry next = change(entry) with { Count = entry.Count + 1 };
        string line = string.Create(CultureInfo.InvariantCulture, $"{next.Epoch} {next.Count} {next.TtlNanos} {(next.IsHeld ? "held" : "free")} {next.Holder}\n");
        string preparing = $"{_path}.{_node}.new";
        using (FileStream file = new(preparing, FileMode.Create))
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes(line));
            file.Flush(flushToDisk: true);
        }

        File.Move(preparing, _path, overwrite: true);
        _seen = next;
        _seenSinceNanos = long.MaxValue;
        _validUntilNanos = nowNanos + TtlNanos;
        return true;
    }

    private Entry Read()
    {
        string text;
        try
        {
            text = File.ReadAllText(_path);
        }
        catch (FileNotFoundException)
        {
            return new Entry(0, 0, 0, false, "");
        }

        string[] fields = text.TrimEnd('\n').Split(' ');
        return fields.Length == 5 && uint.TryParse(fields[0], CultureInfo.InvariantCulture, out uint epoch)
            && long.TryParse(fields[1], CultureInfo.InvariantCulture, out long count) && long.TryParse(fields[2], CultureInfo.InvariantCulture, out long ttl)
            ? new Entry(epoch, count, ttl, fields[3] == "held", fields[4])
            : throw new FormatException($"{_path} is no lease: {text}");
    }
}
