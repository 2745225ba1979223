// The user's half of a stream that any number of threads append to: each claims its room with one addition to the term's tail, and whoever
// runs over the end of the term pads it and turns it.

namespace MarginEngine.Aeron;

/// <summary>
/// A stream of messages from many threads, Aeron's `Publication`. Made by <see cref="AeronAgent.AddConcurrentPublication"/>; those of one
/// channel and stream share one session, and it ends when the last of them is closed. All its methods may be called by any thread; a
/// thread that drives the agent while it sleeps needs <see cref="AeronAgent.Wake"/> after an offer.
/// </summary>
public sealed unsafe class ConcurrentPublication
{
    private readonly IPublicationDriver _sender;
    private readonly LogBuffer _log;
    private readonly Position _limit;
    private readonly AeronCounters _counters;
    private readonly AeronAgent? _threaded;
    private readonly DataHeader _header;
    private readonly int _maxPayloadLength;
    private int _isClosed;

    internal ConcurrentPublication(string channel, IPublicationDriver sender, AeronCounters counters, AeronAgent? threaded = null)
    {
        _threaded = threaded;
        _sender = sender;
        _log = sender.Log;
        _limit = sender.Limit;
        _counters = counters;
        _header = _log.DefaultHeader;
        _maxPayloadLength = _log.Mtu - DataHeader.Length;
        Channel = channel;
        MaxMessageLength = sender.MaxMessageLength;
    }

    public string Channel { get; }

    public int StreamId => _header.StreamId;

    public int SessionId => _header.SessionId;

    public int TermLength => _log.TermLength;

    /// <summary>Bytes of a message that goes in one frame, the most a claim may take.</summary>
    public int MaxPayloadLength => _maxPayloadLength;

    /// <summary>Bytes of the longest message: an eighth of the term, at most 16 MiB.</summary>
    public int MaxMessageLength { get; }

    public bool IsClosed => Volatile.Read(ref _isClosed) != 0;

    public bool IsConnected => !IsClosed && _log.IsConnected;

    /// <summary>The position behind the last message taken; <see cref="Publication.Closed"/> after the end.</summary>
    public long Position => IsClosed ? Publication.Closed : _log.TailPosition();

    /// <summary>Offers are taken up to this position.</summary>
    public long PositionLimit => IsClosed ? Publication.Closed : _limit.Value;

    /// <summary>Takes a copy of the message; the agent's next duty cycle sends it.</summary>
    /// <param name="message">0 to <see cref="MaxMessageLength"/> bytes</param>
    /// <param name="reservedValue">travels in the frame header for the application's use</param>
    /// <returns>
    /// the new position, or one of the negative constants of <see cref="Publication"/>, and then the message was not taken;
    /// <see cref="Publication.AdminAction"/> while another thread turns the term: offer again
    /// </returns>
    /// <exception cref="ArgumentException">the message is longer than <see cref="MaxMessageLength"/></exception>
    public long Offer(ReadOnlySpan<byte> message, long reservedValue = 0)
    {
        if (message.Length > MaxMessageLength)
            FrameWriter.ThrowTooLong(message.Length, MaxMessageLength);
        int required = FrameWriter.RequiredLength(message.Length, _maxPayloadLength);
        long position = TryClaimRoom(required, out byte* frame, out int termId, out int termOffset);
        if (position < 0)
            return position;
        byte flags = FrameFlags.Begin;
        do
        {
            int length = Math.Min(message.Length, _maxPayloadLength);
            if (length == message.Length)
                flags |= FrameFlags.End;
            int frameLength = DataHeader.Length + length;
            FrameWriter.Begin(frame, _header, termId, termOffset, frameLength, FrameType.Data, flags, reservedValue);
            message[..length].CopyTo(new Span<byte>(frame + DataHeader.Length, length));
            FrameWriter.Commit(frame, frameLength);
            int aligned = Limits.Align(frameLength);
            frame += aligned;
            termOffset += aligned;
            message = message[length..];
            flags = 0;
        }
        while (!message.IsEmpty);
        _threaded?.WakeIfAsleep();
        return position;
    }

    /// <summary>Room for a message to be written in place. Commit or abort it soon: nothing behind it is sent before.</summary>
    /// <param name="length">0 to <see cref="MaxPayloadLength"/> bytes</param>
    /// <param name="claim">valid when the result is positive</param>
    /// <returns>the position behind the message, or a negative constant as for <see cref="Offer"/></returns>
    /// <exception cref="ArgumentException">the message does not fit one frame</exception>
    public long TryClaim(int length, out BufferClaim claim)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length > _maxPayloadLength)
            FrameWriter.ThrowTooLong(length, _maxPayloadLength);
        claim = default;
        int frameLength = DataHeader.Length + length;
        long position = TryClaimRoom(Limits.Align(frameLength), out byte* frame, out int termId, out int termOffset);
        if (position < 0)
            return position;
        FrameWriter.Begin(frame, _header, termId, termOffset, frameLength, FrameType.Data, FrameFlags.Unfragmented, 0);
        claim = new BufferClaim(frame, length, _threaded);
        return position;
    }

    /// <summary>Takes no more messages here; the last of the stream's publications to close ends it as <see cref="Publication.Close"/> does.</summary>
    public void Close()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0)
            _sender.Close();
    }

    internal bool BelongsTo(IPublicationDriver sender) => ReferenceEquals(_sender, sender);

    /// <returns>the position behind the room, or a negative constant of <see cref="Publication"/></returns>
    private long TryClaimRoom(int required, out byte* frame, out int termId, out int termOffset)
    {
        frame = null;
        termId = 0;
        termOffset = 0;
        unchecked
        {
            while (true)
            {
                if (IsClosed)
                    return Publication.Closed;
                int count = _log.ActiveTermCount;
                int index = (int)((uint)count % Limits.TermCount);
                long tail = _log.LoadTail(index);
                if (count != LogBuffer.TermIdOf(tail) - _log.InitialTermId)
                    return Publication.AdminAction;
                long position = _log.Position(LogBuffer.TermIdOf(tail), _log.OffsetOf(tail));
                // Past the last term no claim may be added to the tail: it would run over into the term id.
                if (position >= LogPosition.Max(_log.TermLength))
                    return Publication.MaxPositionExceeded;
                if (position >= _limit.Value)
                    return Refuse();

                tail = _log.ClaimTail(index, required);
                termId = LogBuffer.TermIdOf(tail);
                uint claimed = (uint)tail;
                if (claimed + (uint)required <= (uint)_log.TermLength)
                {
                    termOffset = (int)claimed;
                    frame = _log.Term(index) + termOffset;
                    return _log.Position(termId, termOffset + required);
                }
                // The first to run over the end owns what is left of the term; all who did help to turn it.
                if (claimed < (uint)_log.TermLength)
                    FrameWriter.Pad(_log.Term(index) + claimed, _header, termId, (int)claimed, _log.TermLength - (int)claimed);
                if (_log.Position(termId, 0) + _log.TermLength >= LogPosition.Max(_log.TermLength))
                    return Publication.MaxPositionExceeded;
                _log.TryRotate(termId - _log.InitialTermId, termId);
            }
        }
    }

    private long Refuse()
    {
        if (!_log.IsConnected)
            return Publication.NotConnected;
        Interlocked.Increment(ref _counters.BackPressuredOffers);
        return Publication.BackPressured;
    }
}
