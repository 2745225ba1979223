// The receiving half of an image: puts datagrams into the log where they belong, finds gaps, and tells the sender how far the slowest
// subscriber has come. The endpoint hands it datagrams, the agent calls DoWork, the client half (Image) only reads the log.

using System.Numerics;
using System.Text;

namespace MarginEngine.Aeron;

internal sealed unsafe class NetworkImage : IImageDriver, IDisposable
{
    private const long StatusRetryNanos = 1_000_000;

    private readonly ReceiveEndpoint _endpoint;
    private readonly AeronOptions _options;
    private readonly AeronCounters _counters;
    private readonly List<IImageReader> _readers = [];
    private readonly NakDelay _nakDelay;
    private readonly bool _isReliable;
    private readonly long _joinPosition;
    private readonly int _windowLength;
    private readonly bool _rejoins;
    private readonly long? _groupTag;

    private long _highWater;
    private long _rebuilt;
    private long _cleanPosition;
    private long _statusPosition;
    private long _nextStatusNanos;
    private long _lastPacketNanos;
    private long _gapPosition = -1;
    private int _gapLength;
    private long _gapDeadlineNanos;
    private int _endStatusLeft = Limits.EndOfStreamStatusMessages;
    private bool _isRevoked;
    private volatile string? _rejectWanted;
    private byte[] _rejection = [];

    public NetworkImage(
        ReceiveEndpoint endpoint, ReceivePath path, in SetupFrame setup, Ipv4Endpoint source, Channel channel, NakDelay nakDelay, AeronOptions options,
        AeronCounters counters, long now)
    {
        _endpoint = endpoint;
        _options = options;
        _counters = counters;
        _nakDelay = nakDelay;
        _isReliable = channel.IsReliable;
        _rejoins = channel.Rejoins;
        _groupTag = channel.GroupTag;
        Paths = new ImagePaths(path, source, options.ReceiverLivenessNanos, now);
        Source = source;
        _windowLength = Math.Min(channel.ReceiverWindowLength, setup.TermLength / 2);
        _joinPosition = LogPosition.Compute(
            setup.ActiveTermId, setup.TermOffset, BitOperations.TrailingZeroCount(setup.TermLength), setup.InitialTermId);
        Log = endpoint.Agent.NewImageLog(new LogSpec
        {
            TermLength = setup.TermLength,
            Mtu = setup.Mtu,
            InitialTermId = setup.InitialTermId,
            SessionId = setup.SessionId,
            StreamId = setup.StreamId,
            StartPosition = _joinPosition,
            WindowLength = _windowLength,
            Type = LogType.Image,
            IsReliable = _isReliable,
            IsGroup = channel.IsMulticast,
        });
        _highWater = _rebuilt = _statusPosition = _cleanPosition = _joinPosition;
        _nextStatusNanos = now;
        _lastPacketNanos = now;
        Log.HasTransport = true;
    }

    public LogBuffer Log { get; }
    public Ipv4Endpoint Source { get; }
    public int SessionId => Log.SessionId;
    public int StreamId => Log.StreamId;
    public ImageState State { get; private set; }
    public ImageEnd EndReason { get; private set; }

    /// <summary>All bytes before this position have arrived.</summary>
    public long RebuiltPosition => _rebuilt;

    /// <summary>The end of the furthest byte that arrived, or that a heartbeat said exists.</summary>
    public long HighWaterPosition => _highWater;

    /// <summary>The ways its stream comes in.</summary>
    public ImagePaths Paths { get; }

    public bool UsesEndpoint(ReceiveEndpoint endpoint) => ReferenceEquals(_endpoint, endpoint);

    public void AddReader(IImageReader reader) => _readers.Add(reader);

    public void RemoveReader(IImageReader reader) => _readers.Remove(reader);

    public int OnHeartbeat(in DataHeader header, long now)
    {
        _counters.HeartbeatsReceived++;
        long position = Log.Position(header.TermId, header.TermOffset);
        if (!IsInTerm(header.TermOffset, 0) || position < _statusPosition - Log.TermLength)
        {
            _counters.UnderRuns++;
            return 0;
        }
        if (position > _statusPosition + (Log.TermLength / 2) + MaxPadding)
        {
            _counters.OverRuns++;
            return 0;
        }
        _lastPacketNanos = now;
        _highWater = Math.Max(_highWater, position);
        if ((header.Flags & FrameFlags.EndOfStream) != 0)
        {
            Log.EndOfStreamPosition = position;
            _isRevoked |= (header.Flags & FrameFlags.Revoked) != 0;
        }
        return 1;
    }

    /// <param name="packet">whole frames of this stream in one term, already checked</param>
    /// <param name="length">bytes of the datagram, a multiple of the frame alignment</param>
    /// <param name="streamLength">bytes of the stream it covers: more than its length when it ends in a PAD frame</param>
    public void OnData(byte* packet, int length, int streamLength, long now)
    {
        var header = (DataHeader*)packet;
        long position = Log.Position(header->TermId, header->TermOffset);
        if (position + length > _statusPosition + (Log.TermLength / 2))
        {
            _counters.OverRuns++;
            return;
        }
        if (position < _statusPosition)
        {
            _counters.UnderRuns++;
            return;
        }
        _lastPacketNanos = now;
        byte* destination = Log.At(position);
        if (position < _rebuilt || LogBuffer.FrameLength(destination) != 0)
        {
            _counters.DuplicateDatagrams++;
            return;
        }

        new ReadOnlySpan<byte>(packet + FrameHeader.Length, length - FrameHeader.Length)
            .CopyTo(new Span<byte>(destination + FrameHeader.Length, length - FrameHeader.Length));
        Volatile.Write(ref *(long*)destination, *(long*)packet);
        _highWater = Math.Max(_highWater, position + length);
        if (position == _rebuilt)
            _rebuilt = position + streamLength;
        _highWater = Math.Max(_highWater, _rebuilt);
    }

    public int DoWork(long now)
    {
        if (State != ImageState.Active)
            return Drain(now);

        int work = 0;
        if (_rebuilt < _highWater)
            work += Rebuild(now);
        else
            _gapPosition = -1;
        work += ReportStatus(now);
        if (_rejectWanted is { } reason)
            RejectNow(reason, now);
        else if (_isRevoked)
            End(ImageEnd.Revoked, now);
        else if (_rebuilt >= Log.EndOfStreamPosition)
            End(ImageEnd.EndOfStream, now);
        else if (_readers.Count == 0)
            End(ImageEnd.Unsubscribed, now);
        else if (now - _lastPacketNanos >= _options.ImageLivenessNanos)
            End(ImageEnd.Silent, now);
        return work;
    }

    public long NextDeadlineNanos(long now)
    {
        if (State != ImageState.Active)
            return _endStatusLeft > 0 ? _nextStatusNanos : long.MaxValue;
        long next = IsStatusDue(SlowestReader()) ? now : _nextStatusNanos;
        next = Math.Min(next, _lastPacketNanos + _options.ImageLivenessNanos);
        return _gapPosition >= 0 ? Math.Min(next, _gapDeadlineNanos) : next;
    }

    /// <summary>Gives the stream up: nothing more is taken, and the sender is told why. Any thread may ask; the next duty cycle does it.</summary>
    public void Reject(string reason) => _rejectWanted = reason;

    private void RejectNow(string reason, long now)
    {
        byte[] text = Encoding.UTF8.GetBytes(reason);
        _rejection = text[..Math.Min(text.Length, Limits.MaxErrorTextLength)];
        Log.EndOfStreamPosition = _rebuilt;
        End(ImageEnd.Rejected, now);
        _counters.ImagesRejected++;
    }

    /// <summary>Tells the sender that this receiver leaves.</summary>
    public void SayGoodbye()
    {
        if (State != ImageState.Ended)
            SayFarewell(_lastPacketNanos);
    }

    public void Dispose() => Log.Dispose();

    // A sender may stand a PAD frame further than the window allows; a PAD frame is at most as long as a message.
    private int MaxPadding => Math.Min(Log.TermLength / 8, Limits.MaxMessageLength) + DataHeader.Length;

    private bool IsInTerm(int offset, int length) =>
        offset >= 0 && offset % Limits.FrameAlignment == 0 && offset <= Log.TermLength - length;

    private long SlowestReader()
    {
        long slowest = long.MaxValue;
        foreach (IImageReader reader in _readers)
            slowest = Math.Min(slowest, reader.Position);
        return slowest == long.MaxValue ? _statusPosition : slowest;
    }

    /// <summary>Moves over what has arrived since, and takes care of the first gap.</summary>
    private int Rebuild(long now)
    {
        while (true)
        {
            int offset = LogPosition.TermOffset(_rebuilt, Log.TermLength);
            long termBegin = _rebuilt - offset;
            byte* term = Log.At(termBegin);
            int limit = (int)Math.Min(_highWater - termBegin, Log.TermLength);
            int reached = TermScanner.Contiguous(term, offset, limit, Log.TermLength);
            _rebuilt = termBegin + reached;
            _highWater = Math.Max(_highWater, _rebuilt);
            if (reached < limit)
                return OnGap(_rebuilt, TermScanner.GapLength(term, reached, limit), now);
            if (_rebuilt >= _highWater)
            {
                _gapPosition = -1;
                return 1;
            }
        }
    }

    private int OnGap(long position, int length, long now)
    {
        if (!_isReliable)
        {
            FillGap(position, length);
            return 1;
        }
        if (position != _gapPosition || length != _gapLength)
        {
            _gapPosition = position;
            _gapLength = length;
            _gapDeadlineNanos = now + _nakDelay.First();
        }
        if (now - _gapDeadlineNanos < 0)
            return 0;

        _gapDeadlineNanos = now + _nakDelay.Retry();
        NakFrame frame = new()
        {
            FrameLength = NakFrame.Length,
            Version = FrameHeader.CurrentVersion,
            Type = FrameType.Nak,
            SessionId = SessionId,
            StreamId = StreamId,
            TermId = LogPosition.TermId(position, Log.PositionBits, Log.InitialTermId),
            TermOffset = LogPosition.TermOffset(position, Log.TermLength),
            MissingLength = length,
        };
        if (Paths.Send(&frame, NakFrame.Length, now))
            _counters.NaksSent++;
        return 1;
    }

    /// <summary>On a channel with `reliable=false` what is missing becomes padding.</summary>
    private void FillGap(long position, int length)
    {
        DataHeader header = Log.DefaultHeader;
        header.Type = FrameType.Padding;
        header.TermId = LogPosition.TermId(position, Log.PositionBits, Log.InitialTermId);
        header.TermOffset = LogPosition.TermOffset(position, Log.TermLength);
        byte* frame = Log.At(position);
        *(DataHeader*)frame = header;
        Volatile.Write(ref *(int*)frame, length);
        _rebuilt = position + length;
        _gapPosition = -1;
        _counters.GapsFilled++;
    }

    private bool IsStatusDue(long slowest) => slowest - _statusPosition > _windowLength / 4;

    private int ReportStatus(long now)
    {
        long slowest = SlowestReader();
        if (IsStatusDue(slowest))
        {
            _statusPosition = slowest;
            Clean(slowest - Log.TermLength);
        }
        else if (now - _nextStatusNanos < 0)
        {
            return 0;
        }
        // One that the system did not take would leave the sender without window for a whole interval.
        _nextStatusNanos = now + (SendStatus(0, now) ? _options.StatusMessageIntervalNanos : StatusRetryNanos);
        return 1;
    }

    private void Clean(long target)
    {
        while (_cleanPosition < target)
            _cleanPosition = Log.Clean(_cleanPosition, target);
    }

    private bool SendStatus(byte flags, long now)
    {
        byte* datagram = stackalloc byte[StatusMessageFrame.LengthWithGroupTag];
        int length = _groupTag is null ? StatusMessageFrame.Length : StatusMessageFrame.LengthWithGroupTag;
        *(StatusMessageFrame*)datagram = new StatusMessageFrame
        {
            FrameLength = length,
            Version = FrameHeader.CurrentVersion,
            Flags = flags,
            Type = FrameType.StatusMessage,
            SessionId = SessionId,
            StreamId = StreamId,
            ConsumptionTermId = LogPosition.TermId(_statusPosition, Log.PositionBits, Log.InitialTermId),
            ConsumptionTermOffset = LogPosition.TermOffset(_statusPosition, Log.TermLength),
            ReceiverWindow = _windowLength,
            ReceiverId = _endpoint.ReceiverId,
        };
        *(long*)(datagram + StatusMessageFrame.Length) = _groupTag ?? 0;
        if (!Paths.Send(datagram, length, now))
            return false;
        _counters.StatusMessagesSent++;
        return true;
    }

    private void SayFarewell(long now)
    {
        if (EndReason == ImageEnd.Rejected)
            SendError(now);
        else
            SendStatus(FrameFlags.StatusEndOfStream, now);
    }

    private void SendError(long now)
    {
        byte* datagram = stackalloc byte[ErrorFrame.Length + Limits.MaxErrorTextLength];
        int length = ErrorFrame.Length + _rejection.Length;
        *(ErrorFrame*)datagram = new ErrorFrame
        {
            FrameLength = length,
            Version = FrameHeader.CurrentVersion,
            Flags = _groupTag is null ? (byte)0 : FrameFlags.ErrorHasGroupTag,
            Type = FrameType.Error,
            SessionId = SessionId,
            StreamId = StreamId,
            ReceiverId = _endpoint.ReceiverId,
            GroupTag = _groupTag ?? 0,
            ErrorCode = ErrorCode.ImageRejected,
            TextLength = _rejection.Length,
        };
        _rejection.CopyTo(new Span<byte>(datagram + ErrorFrame.Length, _rejection.Length));
        if (Paths.Send(datagram, length, now))
            _counters.ErrorFramesSent++;
    }

    private void End(ImageEnd reason, long now)
    {
        State = ImageState.Draining;
        EndReason = reason;
        _gapPosition = -1;
        _nextStatusNanos = now;
        if (reason == ImageEnd.Revoked)
            Log.EndOfStreamPosition = _rebuilt;
        if (reason == ImageEnd.Rejected || (reason == ImageEnd.Silent && !_rejoins))
            _endpoint.Refuse(this);
        _endpoint.StopReceiving(this);
    }

    /// <summary>Says goodbye a few times; the image ends when that is done and its readers have read all there is.</summary>
    private int Drain(long now)
    {
        int work = 0;
        if (_endStatusLeft > 0 && now - _nextStatusNanos >= 0)
        {
            _endStatusLeft--;
            _nextStatusNanos = now + _options.StatusMessageIntervalNanos;
            SayFarewell(now);
            work++;
        }
        foreach (IImageReader reader in _readers)
        {
            if (reader.Position < _rebuilt)
                return work;
        }
        if (_endStatusLeft == 0 && State == ImageState.Draining)
        {
            State = ImageState.Ended;
            work++;
        }
        return work;
    }
}

internal enum ImageState
{
    Active,

    /// <summary>Takes no more datagrams; its readers still read what arrived.</summary>
    Draining,

    Ended,
}
