// The driver's half of a stream in shared memory: producers append to its log, readers consume it where it lies. The driver only moves
// the limit behind the slowest reader, cleans what all have read, and ends the stream when its last producer is gone.

namespace MarginEngine.Aeron;

internal sealed class IpcPublication : IPublicationDriver, IImageDriver
{
    private readonly List<IImageReader> _readers = [];
    private readonly long _window;
    private readonly bool _signalsEnd;
    private readonly long _lingerNanos;
    private long _consumed;
    private long _cleaned;
    private long _trip;
    private ClaimWatch _claims;
    private long _lingerUntilNanos;
    private int _producers = 1;
    private bool _isRevoked;

    public IpcPublication(LogBuffer log, Position limit, Channel channel, long startPosition)
    {
        Log = log;
        Limit = limit;
        Channel = channel;
        _window = channel.PublicationWindowLength;
        _signalsEnd = channel.SignalsEndOfStream;
        _lingerNanos = channel.LingerNanos;
        _consumed = _cleaned = _trip = startPosition;
        MaxMessageLength = Math.Min(log.TermLength / 8, Limits.MaxMessageLength);
        limit.Value = startPosition;
    }

    public LogBuffer Log { get; }
    public Position Limit { get; }
    public Channel Channel { get; }
    public int MaxMessageLength { get; }
    public int StreamId => Log.StreamId;
    public int SessionId => Log.SessionId;
    public Ipv4Endpoint Source => default;
    public PublicationState State { get; private set; }
    public ImageEnd EndReason { get; private set; }

    /// <summary>What the slowest reader has consumed; a new reader begins here.</summary>
    public long ConsumedPosition => _consumed;

    public long RebuiltPosition => Math.Max(_consumed, Log.TailPosition());

    public bool HasReaders => _readers.Count > 0;

    /// <summary>No reader can have come further, whatever its counter says.</summary>
    public long FurthestPosition => _trip + Log.TermLength;

    public bool IsDrained => State is PublicationState.Lingering or PublicationState.Closed || _consumed >= Log.TailPosition();

    public bool TakesReaders => State == PublicationState.Active || (State == PublicationState.Draining && !IsDrained);

    public void AddReader(IImageReader reader)
    {
        _readers.Add(reader);
        if (!Log.IsConnected)
            Log.IsConnected = true;
        UpdateLimit();
    }

    /// <summary>Told when a reader is gone, so that its counter can be freed.</summary>
    public Action<IImageReader>? ReaderRemoved { get; set; }

    public void RemoveReader(IImageReader reader)
    {
        // Its last position still counts: a stream without readers waits where the furthest of them stopped.
        if (_readers.Count == 1)
            _consumed = Math.Clamp(reader.Position, _consumed, Math.Max(_consumed, FurthestPosition));
        if (_readers.Remove(reader))
            ReaderRemoved?.Invoke(reader);
        if (_readers.Count > 0)
            return;
        Log.IsConnected = false;
        Limit.Value = _consumed;
        _trip = _consumed;
    }

    /// <summary>One more that shares the stream; false when the last has just left it.</summary>
    public bool TryAddProducer()
    {
        int producers = Volatile.Read(ref _producers);
        while (producers > 0)
        {
            int found = Interlocked.CompareExchange(ref _producers, producers + 1, producers);
            if (found == producers)
                return true;
            producers = found;
        }
        return false;
    }

    /// <summary>One producer less, on whatever thread it ran; without any the stream drains.</summary>
    public void Close() => Interlocked.Decrement(ref _producers);

    /// <summary>Ends the stream at once; what was not consumed is lost.</summary>
    public void Revoke() => Volatile.Write(ref _isRevoked, true);

    /// <summary>Moves the limit when the readers have moved on by an eighth of the window, and cleans behind them.</summary>
    public int UpdateLimit()
    {
        if (_readers.Count == 0)
            return 0;
        long slowest = long.MaxValue;
        foreach (IImageReader reader in _readers)
            slowest = Math.Min(slowest, reader.Position);
        unchecked
        {
            _consumed = Math.Max(_consumed, slowest);
            int work = 0;
            if (_consumed - _cleaned >= Math.Min(Limits.CleanChunk, Log.TermLength / 16))
            {
                _cleaned = Log.Clean(_cleaned, Math.Min(_consumed, _cleaned + (4 * Limits.CleanChunk)));
                work = 1;
            }
            long limit = _consumed + _window;
            // A producer may pass the limit by a message and then the end of a term: all that must be zero by then.
            if (limit >= _trip && _consumed - _cleaned <= Log.TermLength && State == PublicationState.Active)
            {
                Limit.Value = limit;
                _trip = limit + (_window / 8);
                work = 1;
            }
            return work;
        }
    }

    /// <summary>Slow duties: the end of the stream, and claims that nobody commits.</summary>
    public int CheckState(long now, long unblockNanos, AeronCounters counters)
    {
        if (_isRevoked && State < PublicationState.Lingering)
        {
            Log.IsRevoked = true;
            Log.EndOfStreamPosition = _consumed;
            EndReason = ImageEnd.Revoked;
            counters.PublicationsRevoked++;
            BeginLinger(now);
            return 1;
        }
        switch (State)
        {
            case PublicationState.Active when Volatile.Read(ref _producers) <= 0:
                State = PublicationState.Draining;
                if (_signalsEnd)
                    Log.EndOfStreamPosition = RebuiltPosition;
                return 1;
            case PublicationState.Active when Log.Type == LogType.Concurrent && _readers.Count > 0:
                if (!_claims.Check(Log, _consumed, now, unblockNanos))
                    return 0;
                counters.PublicationsUnblocked++;
                return 1;
            case PublicationState.Draining when _consumed >= Log.TailPosition() || _readers.Count == 0:
                EndReason = ImageEnd.EndOfStream;
                BeginLinger(now);
                return 1;
            case PublicationState.Draining when !IsReadable:
                // No producer is left to commit what is missing. Where that cannot be bridged the log is not one any more.
                if (LogUnblocker.TryUnblock(Log, _consumed))
                    counters.PublicationsUnblocked++;
                else
                    Log.EndOfStreamPosition = _consumed;
                if (Log.EndOfStreamPosition == _consumed)
                    BeginLinger(now);
                return 1;
            case PublicationState.Lingering when now - _lingerUntilNanos >= 0:
                State = PublicationState.Closed;
                return 1;
            default:
                return 0;
        }
    }

    private unsafe bool IsReadable => LogBuffer.FrameLength(Log.At(_consumed)) > 0;

    private void BeginLinger(long now)
    {
        State = PublicationState.Lingering;
        Log.IsConnected = false;
        _lingerUntilNanos = now + _lingerNanos;
    }
}
