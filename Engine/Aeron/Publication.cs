// The user's half of a publication: appends messages to the log, fragments them, turns the terms. One thread, the agent's, may offer.

using System.Runtime.CompilerServices;

namespace MarginEngine.Aeron;

/// <summary>
/// A stream of messages to whoever listens on a channel, from one thread: Aeron's `ExclusivePublication`. Made by
/// <see cref="AeronAgent.AddPublication"/>. The thread that offers need not be the one that drives the agent.
/// </summary>
public sealed unsafe class Publication
{
    /// <summary>No receiver is alive; the message was not taken.</summary>
    public const long NotConnected = -1;

    /// <summary>The window is full; offer again after the agent has worked.</summary>
    public const long BackPressured = -2;

    /// <summary>Aeron's "try again now". A publication with one producer never returns it; a caller takes it as back pressure.</summary>
    public const long AdminAction = -3;

    public const long Closed = -4;

    /// <summary>The stream has used up its 2^31 terms; only a new publication can go on.</summary>
    public const long MaxPositionExceeded = -5;

    private readonly IPublicationDriver _sender;
    private readonly LogBuffer _log;
    private readonly Position _limit;
    private readonly AeronCounters _counters;
    private readonly AeronAgent? _threaded;
    private readonly DataHeader _header;
    private readonly int _termLength;
    private readonly int _maxPayloadLength;

    private int _termId;
    private int _termIndex;
    private int _termOffset;
    private long _termBegin;
    private bool _closed;
    private long _closedPosition;

    internal Publication(
        string channel, IPublicationDriver sender, long startPosition, AeronCounters counters, AeronAgent? threaded = null)
    {
        _threaded = threaded;
        _sender = sender;
        _log = sender.Log;
        _limit = sender.Limit;
        _counters = counters;
        _header = _log.DefaultHeader;
        _termLength = _log.TermLength;
        _maxPayloadLength = _log.Mtu - DataHeader.Length;
        Channel = channel;
        MaxMessageLength = sender.MaxMessageLength;
        _termId = LogPosition.TermId(startPosition, _log.PositionBits, _log.InitialTermId);
        _termIndex = LogPosition.TermIndex(startPosition, _log.PositionBits);
        _termOffset = LogPosition.TermOffset(startPosition, _termLength);
        _termBegin = startPosition - _termOffset;
    }

    public string Channel { get; }

    /// <summary>Called from the agent's duty cycle when a receiver rejects the stream; it is no longer waited for.</summary>
    public Action<ReceiverError>? ReceiverGaveUp
    {
        get => _sender.ReceiverErrors;
        set => _sender.ReceiverErrors = value;
    }

    public int StreamId => _header.StreamId;

    public int SessionId => _header.SessionId;

    public int InitialTermId => _header.TermId;

    public int TermLength => _termLength;

    /// <summary>Bytes of a message that goes in one frame.</summary>
    public int MaxPayloadLength => _maxPayloadLength;

    /// <summary>Bytes of the longest message: an eighth of the term, at most 16 MiB.</summary>
    public int MaxMessageLength { get; }

    /// <summary>The position behind the last message taken.</summary>
    public long Position => _closed ? _closedPosition : _termBegin + _termOffset;

    /// <summary>Offers are taken up to this position.</summary>
    public long PositionLimit => _closed ? Closed : _limit.Value;

    public bool IsConnected => !_closed && _log.IsConnected;

    public bool IsClosed => _closed;

    /// <summary>Everything offered was handed to the network. True also after the end.</summary>
    public bool IsDrained => _sender.IsDrained;

    /// <summary>Every receiver that is there has consumed everything offered.</summary>
    public bool IsConsumed => _sender.IsConsumed;

    /// <summary>Takes a copy of the message; the agent's next duty cycle sends it.</summary>
    /// <param name="message">0 to <see cref="MaxMessageLength"/> bytes</param>
    /// <param name="reservedValue">travels in the frame header for the application's use</param>
    /// <returns>the new position, or one of the negative constants of this class, and then the message was not taken</returns>
    /// <exception cref="ArgumentException">the message is longer than <see cref="MaxMessageLength"/></exception>
    public long Offer(ReadOnlySpan<byte> message, long reservedValue = 0)
    {
        if (message.Length > MaxMessageLength)
            FrameWriter.ThrowTooLong(message.Length, MaxMessageLength);
        int required = FrameWriter.RequiredLength(message.Length, _maxPayloadLength);
        long refusal = MakeRoom(required);
        if (refusal < 0)
            return refusal;
        long position;
        if (message.Length > _maxPayloadLength)
        {
            position = AppendFragments(message, reservedValue);
        }
        else
        {
            Write(message, FrameFlags.Unfragmented, reservedValue);
            position = Advance(required);
        }
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
        int required = Limits.Align(frameLength);
        long refusal = MakeRoom(required);
        if (refusal < 0)
            return refusal;
        claim = new BufferClaim(Begin(frameLength, FrameFlags.Unfragmented, 0), length, _threaded);
        return Advance(required);
    }

    /// <summary>Sends to one more address, on a channel with control-mode=manual; publications of one channel share its addresses.</summary>
    /// <param name="channel">such as <c>aeron:udp?endpoint=10.1.2.3:40123</c></param>
    /// <exception cref="ChannelException">the channel names no address and port</exception>
    /// <exception cref="InvalidOperationException">the publication takes no destinations, has it already, or is full</exception>
    public void AddDestination(string channel)
    {
        if (!ManualDestinations().TryAdd(Aeron.Channel.ReadDestination(channel)))
            throw new InvalidOperationException($"{channel} is a destination already, or there are {Limits.Destinations} others");
    }

    /// <returns>false when it was none</returns>
    /// <exception cref="InvalidOperationException">the publication takes no destinations</exception>
    public bool RemoveDestination(string channel) => ManualDestinations().Remove(Aeron.Channel.ReadDestination(channel));

    /// <summary>
    /// Takes no more messages; the agent sends what was taken, signals the end and frees the stream after its linger time.
    /// </summary>
    public void Close()
    {
        if (_closed)
            return;
        _closedPosition = Position;
        _closed = true;
        _sender.Close();
    }

    /// <summary>
    /// Ends the stream at once: what receivers do not have yet they never get, and their images end with <see cref="ImageEnd.Revoked"/>.
    /// </summary>
    public void Revoke()
    {
        if (_closed)
            return;
        _closedPosition = Position;
        _closed = true;
        _sender.Revoke();
    }

    internal bool BelongsTo(IPublicationDriver sender) => ReferenceEquals(_sender, sender);

    private Destinations ManualDestinations() => _sender.ManualDestinations
        ?? throw new InvalidOperationException($"{Channel} takes no destinations: only control-mode=manual does");

    /// <summary>Turns the term where the room does not fit its end.</summary>
    /// <returns>0, or a negative constant</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long MakeRoom(int required)
    {
        unchecked
        {
            while (true)
            {
                if (_closed)
                    return Closed;
                if (_termBegin + _termOffset >= _limit.Value)
                    return Refuse();
                if (required <= _termLength - _termOffset)
                    return 0;
                if (_termBegin + _termLength >= LogPosition.Max(_termLength))
                    return MaxPositionExceeded;
                RotateTerm();
            }
        }
    }

    private long AppendFragments(ReadOnlySpan<byte> message, long reservedValue)
    {
        byte flags = FrameFlags.Begin;
        long position = 0;
        while (!message.IsEmpty)
        {
            int length = Math.Min(message.Length, _maxPayloadLength);
            if (length == message.Length)
                flags |= FrameFlags.End;
            Write(message[..length], flags, reservedValue);
            position = Advance(Limits.Align(DataHeader.Length + length));
            message = message[length..];
            flags = 0;
        }
        return position;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Write(ReadOnlySpan<byte> payload, byte flags, long reservedValue)
    {
        int frameLength = DataHeader.Length + payload.Length;
        byte* frame = Begin(frameLength, flags, reservedValue);
        payload.CopyTo(new Span<byte>(frame + DataHeader.Length, payload.Length));
        FrameWriter.Commit(frame, frameLength);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private byte* Begin(int frameLength, byte flags, long reservedValue)
    {
        byte* frame = _log.Term(_termIndex) + _termOffset;
        FrameWriter.Begin(frame, _header, _termId, _termOffset, frameLength, FrameType.Data, flags, reservedValue);
        return frame;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long Advance(int length)
    {
        _termOffset = unchecked(_termOffset + length);
        _log.StoreTail(_termIndex, _termId, _termOffset);
        return unchecked(_termBegin + _termOffset);
    }

    private void RotateTerm()
    {
        int left = _termLength - _termOffset;
        if (left > 0)
        {
            FrameWriter.Pad(_log.Term(_termIndex) + _termOffset, _header, _termId, _termOffset, left);
            Advance(left);
        }
        _termBegin += _termLength;
        _termOffset = 0;
        _termId = unchecked(_termId + 1);
        _termIndex = (_termIndex + 1) % Limits.TermCount;
        _log.StoreTail(_termIndex, _termId, 0);
        _log.StoreActiveTermCount(unchecked(_termId - _header.TermId));
    }

    private long Refuse()
    {
        if (!_log.IsConnected)
            return NotConnected;
        Interlocked.Increment(ref _counters.BackPressuredOffers);
        return BackPressured;
    }
}

/// <summary>Why a receiver gave a publication up.</summary>
/// <param name="ReceiverId">of the endpoint that rejected it</param>
/// <param name="Code">13: the image was rejected by the application there</param>
/// <param name="Text">as the receiver wrote it</param>
/// <param name="Source">where the word came from</param>
public readonly record struct ReceiverError(long ReceiverId, int Code, string Text, Ipv4Endpoint Source);
