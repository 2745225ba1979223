// The sending half of a publication: reads committed frames from the log and puts them on the wire as receivers allow.
// The agent calls DoWork in each duty cycle; the client half (Publication) only appends to the log and reads the limit.

namespace MarginEngine.Aeron;

internal sealed unsafe partial class NetworkPublication : IPublicationDriver, IDisposable
{
    private readonly SendEndpoint _endpoint;
    private readonly AeronOptions _options;
    private readonly AeronCounters _counters;
    private readonly FlowControl _flowControl;
    private readonly RetransmitHandler _retransmits;
    private readonly Channel _channel;
    private readonly int _maxRetransmitLength;
    private readonly int _cleanChunk;

    private long _senderPosition;
    private long _senderLimit;
    private int _receiverWindow;
    private long _cleanPosition;
    private bool _hasInitialConnection;
    private bool _setupWanted = true;
    private long _joinerId;
    private long _nextSetupNanos;
    private long _nextHeartbeatNanos;
    private bool _unicastReceiverLeft;
    private long _lingerUntilNanos;
    private long _drainingSinceNanos;
    private bool _isRevoked;
    private int _producers = 1;
    private ClaimWatch _claims;

    public NetworkPublication(
        Channel channel, SendEndpoint endpoint, LogBuffer log, Position limit, long startPosition, AeronOptions options,
        AeronCounters counters, long now)
    {
        _channel = channel;
        _endpoint = endpoint;
        _options = options;
        _counters = counters;
        Log = log;
        Limit = limit;
        MaxMessageLength = Math.Min(log.TermLength / 8, Limits.MaxMessageLength);
        _flowControl = new FlowControl(channel.Flow, options.ReceiverLivenessNanos);
        _retransmits = new RetransmitHandler(channel.RetransmitRanges, options.RetransmitLingerNanos);
        // At least what a pass can send, so that the cleaning keeps up with it.
        _cleanChunk = Math.Max(Limits.CleanChunk, Limits.DatagramsPerPass * log.Mtu);
        long initialWindow = Math.Min(options.InitialWindowLength, log.TermLength / 2);
        _maxRetransmitLength = (int)Math.Min(initialWindow * channel.Flow.RetransmitWindows, log.TermLength);
        _senderPosition = startPosition;
        _senderLimit = startPosition;
        // A log begins zeroed: nothing before the start is dirty, and nothing before it can be asked for.
        _cleanPosition = startPosition;
        _nextSetupNanos = now;
        _nextHeartbeatNanos = now;
        _endpoint.Add(this);
    }

    public LogBuffer Log { get; }
    public Position Limit { get; }
    public int MaxMessageLength { get; }
    /// <summary>Told when a receiver rejects the stream.</summary>
    public Action<ReceiverError>? ReceiverErrors { get; set; }

    public long? Tag => _channel.EntityTag;
    public int SessionId => Log.SessionId;
    public int StreamId => Log.StreamId;
    public PublicationState State { get; private set; }

    /// <summary>Everything offered was handed to the network.</summary>
    public bool IsDrained => State is PublicationState.Lingering or PublicationState.Closed || IsAllSent;

    /// <summary>Everything offered was consumed by every receiver that is there.</summary>
    public bool IsConsumed => State is PublicationState.Lingering or PublicationState.Closed || (IsAllSent && _flowControl.HasConsumed(_senderPosition));

    private bool IsAllSent => _senderPosition >= Log.TailPosition();

    public Destinations? ManualDestinations => _channel.ControlMode == ControlMode.Manual ? _endpoint.Destinations : null;

    public long SenderPosition => _senderPosition;

    public long SenderLimit => _senderLimit;

    public int DoWork(long now)
    {
        int work = 0;
        if (State == PublicationState.Active && Volatile.Read(ref _producers) <= 0)
            BeginEnd(now);
        if (_setupWanted && now - _nextSetupNanos >= 0)
            work += SendSetup(now);
        if (_hasInitialConnection)
        {
            int sent = _isRevoked ? 0 : SendData(now);
            work += sent;
            if (sent == 0 && Log.Path is null && (State != PublicationState.Active || Log.Type == LogType.Concurrent))
                work += CheckClaims(now);
            if (sent == 0 && now - _nextHeartbeatNanos >= 0)
                work += SendHeartbeat(now);
        }
        Clean();
        PublishLimit();
        if (State != PublicationState.Active)
            work += Finish(now);
        return work;
    }

    /// <summary>Drops receivers that fell silent; with fc=min and fc=tagged the limit then follows the slowest of the rest.</summary>
    public void CheckReceivers(long now)
    {
        _senderLimit = _flowControl.OnIdle(_senderLimit, now);
        if (_flowControl.IsConnected != Log.IsConnected)
            PublishLimit();
    }

    /// <summary>When DoWork next has something to do by itself; now, if it has already.</summary>
    public long NextDeadlineNanos(long now)
    {
        long next = now + _options.HeartbeatIntervalNanos;
        if (_setupWanted)
            next = Math.Min(next, _nextSetupNanos);
        if (_hasInitialConnection)
        {
            next = Math.Min(next, _nextHeartbeatNanos);
            if (_senderPosition < _senderLimit && LogBuffer.FrameLength(Log.At(_senderPosition)) > 0)
                next = now;
        }
        return next;
    }

    /// <summary>A stream that many producers share, and that one more may join.</summary>
    public bool IsShared(SendEndpoint endpoint, int streamId, int? sessionId) =>
        Log.Type == LogType.Concurrent && ReferenceEquals(_endpoint, endpoint) && StreamId == streamId
        && (sessionId is null || sessionId == SessionId);

    /// <returns>false when the last producer has closed: the stream ends</returns>
    public bool TryAddProducer()
    {
        int producers = Volatile.Read(ref _producers);
        while (producers > 0)
        {
            int seen = Interlocked.CompareExchange(ref _producers, producers + 1, producers);
            if (seen == producers)
                return true;
            producers = seen;
        }
        return false;
    }

    /// <summary>One producer fewer; the last one's end the next duty cycle takes up. Any thread may call it.</summary>
    public void Close() => Interlocked.Decrement(ref _producers);

    /// <summary>Ends the stream for all at once: nothing more is sent but word of it.</summary>
    public void Revoke()
    {
        if (State is PublicationState.Lingering or PublicationState.Closed)
            return;
        _isRevoked = true;
        Volatile.Write(ref _producers, 0);
    }

    /// <summary>A last word to the receivers before the sockets close.</summary>
    public void SayGoodbye()
    {
        if (_hasInitialConnection && IsAllSent && State != PublicationState.Closed)
            SendHeartbeat(0, _channel.SignalsEndOfStream);
    }

    public void Dispose()
    {
        State = PublicationState.Closed;
        _endpoint.Remove(this);
        Log.Dispose();
    }

    private bool HasManyReceivers => _channel.IsMulticast || _channel.IsMultiDestination;

    private int SendSetup(long now)
    {
        _nextSetupNanos = now + _options.SetupIntervalNanos;
        SetupFrame frame = new()
        {
            FrameLength = SetupFrame.Length,
            Version = FrameHeader.CurrentVersion,
            Flags = _channel.IsGroup ? FrameFlags.SetupGroup : (byte)0,
            Type = FrameType.Setup,
            TermOffset = LogPosition.TermOffset(_senderPosition, Log.TermLength),
            SessionId = SessionId,
            StreamId = StreamId,
            InitialTermId = Log.InitialTermId,
            ActiveTermId = LogPosition.TermId(_senderPosition, Log.PositionBits, Log.InitialTermId),
            TermLength = Log.TermLength,
            Mtu = Log.Mtu,
            TimeToLive = _channel.TimeToLive,
        };
        if (!_endpoint.Send(&frame, SetupFrame.Length))
            return 0;
        _counters.SetupsSent++;
        if (_flowControl.HasReceivers)
        {
            _setupWanted = false;
            _flowControl.OnJoinerInvited(_joinerId, _senderLimit, now);
        }
        return 1;
    }

    private int SendHeartbeat(long now) => SendHeartbeat(
        now, _isRevoked || (State != PublicationState.Active && IsAllSent && _channel.SignalsEndOfStream));

    private int SendHeartbeat(long now, bool endOfStream)
    {
        _nextHeartbeatNanos = now + _options.HeartbeatIntervalNanos;
        DataHeader frame = Log.DefaultHeader;
        frame.Flags = (byte)(FrameFlags.Unfragmented | (endOfStream ? FrameFlags.EndOfStream : 0) | (_isRevoked ? FrameFlags.Revoked : 0));
        frame.TermOffset = LogPosition.TermOffset(_senderPosition, Log.TermLength);
        frame.TermId = LogPosition.TermId(_senderPosition, Log.PositionBits, Log.InitialTermId);
        if (!_endpoint.Send(&frame, DataHeader.Length))
            return 0;
        _counters.HeartbeatsSent++;
        return 1;
    }

    /// <summary>
    /// Up to four datagrams, as far as the window reaches. One that ends in padding waits until the window covers the padding too, since
    /// some receivers drop it otherwise; a caught-up receiver's window is at least three quarters of the whole, so the wait ends.
    /// </summary>
    private int SendData(long now)
    {
        DatagramBatch burst = _endpoint.Burst;
        burst.Clear();
        long* ends = stackalloc long[Limits.DatagramsPerPass];
        long position = _senderPosition;
        while (burst.Count < Limits.DatagramsPerPass)
        {
            byte* frame = Log.At(position);
            int termLeft = Log.TermLength - LogPosition.TermOffset(position, Log.TermLength);
            int window = (int)Math.Clamp(_senderLimit - position, 0, int.MaxValue);
            int length = TermScanner.Available(frame, termLeft, Math.Min(window, Log.Mtu), out int padding);
            if (length == 0)
            {
                if (burst.Count == 0 && window < Log.Mtu && LogBuffer.FrameLength(frame) > 0)
                    _counters.FlowControlWaits++;
                break;
            }
            if (length + padding > window && length + padding <= _receiverWindow / 2)
                break;
            burst.Add(frame, length, default);
            position += length + padding;
            ends[burst.Count - 1] = position;
        }
        if (burst.Count == 0)
            return 0;

        int sent = _endpoint.SendBurst();
        if (sent > 0)
        {
            _senderPosition = ends[sent - 1];
            _nextHeartbeatNanos = now + _options.HeartbeatIntervalNanos;
        }
        return sent;
    }

    /// <summary>Zeroes what no retransmission can ask for any more, a term behind the sender, in small steps.</summary>
    private void Clean()
    {
        long target = _senderPosition - Log.TermLength;
        if (target - _cleanPosition >= Limits.CleanChunk / 16)
            _cleanPosition = Log.Clean(_cleanPosition, Math.Min(target, _cleanPosition + _cleanChunk));
    }

    /// <summary>
    /// Room that was claimed and never committed is stepped over: after a long time where its owner may still come, after a short one where
    /// no producer is left. The streams of a directory's clients are watched by their driver.
    /// </summary>
    private int CheckClaims(long now)
    {
        long patience = State == PublicationState.Active ? _options.PublicationUnblockNanos : Limits.ProducerGraceNanos;
        if (!_claims.Check(Log, _senderPosition, now, patience))
            return 0;
        _counters.PublicationsUnblocked++;
        return 1;
    }

    private void PublishLimit()
    {
        bool connected = _flowControl.IsConnected;
        if (connected != Log.IsConnected)
            Log.IsConnected = connected;
        // The appender may pass the limit by one message and reaches into the third term only when that is clean.
        if (!connected)
            Limit.Value = _senderPosition;
        else if (_senderPosition - _cleanPosition <= 2L * Log.TermLength)
            Limit.Value = _senderPosition + _channel.PublicationWindowLength;
    }

    private void BeginEnd(long now)
    {
        State = PublicationState.Draining;
        _drainingSinceNanos = now;
        if (!_isRevoked)
            return;
        // What was not sent is not owed to anybody any more; the word goes out at once.
        Log.IsRevoked = true;
        _setupWanted = false;
        _nextHeartbeatNanos = now;
    }

    private int Finish(long now)
    {
        switch (State)
        {
            case PublicationState.Draining when _isRevoked || IsAllSent || !_flowControl.IsConnected:
                State = PublicationState.Lingering;
                _lingerUntilNanos = now + _channel.LingerNanos;
                return _hasInitialConnection ? SendHeartbeat(now) : 0;
            // Another thread may still be within its last offer when the last producer closes.
            case PublicationState.Lingering when Log.Type == LogType.Concurrent
                && now - _drainingSinceNanos < Limits.ProducerGraceNanos:
                return 0;
            case PublicationState.Lingering when _unicastReceiverLeft || !_hasInitialConnection || now - _lingerUntilNanos >= 0:
                State = PublicationState.Closed;
                return 1;
            default:
                return 0;
        }
    }
}
