// One sender's stream as one subscription reads it: walks the frames of the log in order and puts fragments together.

namespace MarginEngine.Aeron;

/// <summary>A stream of one sender. A subscription has one for each sender it hears; it is read by polling the subscription.</summary>
public sealed unsafe class Image : IImageReader
{
    private readonly IImageDriver _receiver;
    private readonly LogBuffer _log;
    private readonly Position _position;
    private readonly byte* _assembly;
    private readonly int _assemblyCapacity;

    private int _assemblyLength;
    private bool _isAssembling;
    private long _nextFragment;
    private bool _isDamaged;
    private bool _isClosed;
    private long _closedPosition;

    internal Image(IImageDriver receiver, Subscription subscription, Position position)
    {
        long joinPosition = position.Value;
        _receiver = receiver;
        _log = receiver.Log;
        _position = position;
        JoinPosition = joinPosition;
        Subscription = subscription;
        // Reserved at its full length and paid for page by page as it is used.
        _assemblyCapacity = Math.Min(_log.TermLength / 8, Limits.MaxMessageLength);
        _assembly = LinuxCalls.MapZeroed(_assemblyCapacity);
    }

    public Subscription Subscription { get; }
    public int SessionId => _log.SessionId;
    public int StreamId => _log.StreamId;
    public int InitialTermId => _log.InitialTermId;
    public int TermLength => _log.TermLength;
    public int Mtu => _log.Mtu;

    /// <summary>Address the stream's SETUP came from.</summary>
    public Ipv4Endpoint Source => _receiver.Source;

    /// <summary>Where this subscription began to read; above 0 for one that joined late.</summary>
    public long JoinPosition { get; }

    /// <summary>Everything before it was taken by the handler.</summary>
    public long Position => _isClosed ? _closedPosition : _position.Value;

    /// <summary>Bytes that arrived in order and were not yet taken.</summary>
    public long Available => _isClosed ? 0 : _receiver.RebuiltPosition - _position.Value;

    public bool IsClosed => _isClosed;

    /// <summary>Why the sender's stream ended; it may still hold messages to read.</summary>
    public ImageEnd EndReason => _isDamaged ? ImageEnd.Damaged : _receiver.EndReason;

    /// <summary>The sender ended the stream and all of it was taken.</summary>
    public bool IsEndOfStream => EndReason == ImageEnd.EndOfStream && Position >= _receiver.RebuiltPosition;

    /// <summary>
    /// Gives the stream up and tells its sender; what has arrived can still be read, and the session is not joined again before somebody
    /// subscribes anew. The agent's next duty cycle does it.
    /// </summary>
    /// <param name="reason">travels to the sender, cut at 1,023 bytes of UTF-8</param>
    public void Reject(string reason)
    {
        if (!_isClosed)
            _receiver.Reject(reason);
    }

    internal bool BelongsTo(IImageDriver receiver) => ReferenceEquals(_receiver, receiver);

    internal IImageDriver Receiver => _receiver;

    /// <summary>Delivers at most <paramref name="messageLimit"/> messages; returns how many were taken.</summary>
    internal int Poll<THandler>(ref THandler handler, int messageLimit)
        where THandler : IMessageHandler, allows ref struct
    {
        long position = _position.Value;
        long begin = position;
        int taken = 0;
        try
        {
            unchecked
            {
                while (taken < messageLimit)
                {
                    byte* frame = _log.At(position);
                    var header = (DataHeader*)frame;
                    int frameLength = LogBuffer.FrameLength(frame);
                    if (frameLength <= 0)
                        break;
                    if (!_log.Holds(position, frameLength))
                    {
                        _isDamaged = true;
                        break;
                    }
                    long next = position + Limits.Align(frameLength);
                    if (header->Type == FrameType.Padding)
                    {
                        position = next;
                        continue;
                    }
                    int kept = _assemblyLength;
                    if (!TryComplete(frame, frameLength, position, next, out ReadOnlySpan<byte> message))
                    {
                        position = next;
                        continue;
                    }

                    var context = new MessageContext(this, next, header->ReservedValue, header->Flags);
                    PollAction action = handler.OnMessage(message, context);
                    if (action == PollAction.Abort)
                    {
                        _assemblyLength = kept;
                        break;
                    }
                    _isAssembling = false;
                    position = next;
                    taken++;
                    if (action == PollAction.Commit)
                        _position.Value = position;
                    else if (action == PollAction.Break)
                        break;
                }
            }
        }
        finally
        {
            if (position > begin && !_isClosed)
                _position.Value = position;
        }
        return taken;
    }

    internal void Close()
    {
        if (_isClosed)
            return;
        _closedPosition = _position.Value;
        _isClosed = true;
        _ = LinuxCalls.Unmap(_assembly, (nuint)_assemblyCapacity);
    }

    /// <summary>
    /// True when the frame ends a message. Fragments are gathered from the one that begins a message; a subscriber that joined in the
    /// middle of a message, or lost a part of it on an unreliable channel, passes over the rest.
    /// </summary>
    private bool TryComplete(byte* frame, int frameLength, long position, long next, out ReadOnlySpan<byte> message)
    {
        var payload = new ReadOnlySpan<byte>(frame + DataHeader.Length, frameLength - DataHeader.Length);
        byte flags = ((DataHeader*)frame)->Flags;
        if ((flags & FrameFlags.Unfragmented) == FrameFlags.Unfragmented)
        {
            message = payload;
            return true;
        }

        message = default;
        if ((flags & FrameFlags.Begin) != 0)
        {
            _isAssembling = true;
            _assemblyLength = 0;
        }
        else if (!_isAssembling || position != _nextFragment)
        {
            _isAssembling = false;
            return false;
        }
        if (payload.Length > _assemblyCapacity - _assemblyLength)
        {
            _isAssembling = false;
            return false;
        }
        payload.CopyTo(new Span<byte>(_assembly + _assemblyLength, payload.Length));
        _assemblyLength += payload.Length;
        if ((flags & FrameFlags.End) == 0)
        {
            _nextFragment = next;
            return false;
        }
        message = new ReadOnlySpan<byte>(_assembly, _assemblyLength);
        return true;
    }
}
