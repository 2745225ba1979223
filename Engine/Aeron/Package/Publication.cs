// A publication of the client library under our names. Made by AeronAgent; one thread offers.
using Adaptive.Agrona.Concurrent;
using Client = Adaptive.Aeron;

namespace MarginEngine.Aeron;

public sealed unsafe class Publication
{
    public const long NotConnected = Client.Publication.NOT_CONNECTED;
    public const long BackPressured = Client.Publication.BACK_PRESSURED;
    public const long AdminAction = Client.Publication.ADMIN_ACTION;
    public const long Closed = Client.Publication.CLOSED;
    public const long MaxPositionExceeded = Client.Publication.MAX_POSITION_EXCEEDED;

    private readonly Client.ExclusivePublication _publication;
    private readonly UnsafeBuffer _message;
    private readonly Client.ReservedValueSupplier _reserved;
    private long _reservedValue;

    /// <param name="channel">as it was asked for</param>
    /// <param name="publication">the client's</param>
    /// <param name="message">a view that every publication of the agent lays over what it offers</param>
    internal Publication(string channel, Client.ExclusivePublication publication, UnsafeBuffer message)
    {
        Channel = channel;
        _publication = publication;
        _message = message;
        _reserved = (_, _, _) => _reservedValue;
    }

    public string Channel { get; }

    public int StreamId => _publication.StreamId;

    public int SessionId => _publication.SessionId;

    public int InitialTermId => _publication.InitialTermId;

    public int TermLength => _publication.TermBufferLength;

    public int MaxPayloadLength => _publication.MaxPayloadLength;

    public int MaxMessageLength => _publication.MaxMessageLength;

    public long Position => _publication.Position;

    public long PositionLimit => _publication.PositionLimit;

    public bool IsConnected => _publication.IsConnected;

    public bool IsClosed => _publication.IsClosed;

    /// <summary>What was offered lies in the driver's log, and the driver sends it whatever becomes of this process.</summary>
    public bool IsDrained { get; } = true;

    /// <summary>The position behind the message, or one of the negative results above.</summary>
    public long Offer(ReadOnlySpan<byte> message, long reservedValue = 0)
    {
        _reservedValue = reservedValue;
        fixed (byte* bytes = message)
        {
            _message.Wrap((nint)bytes, message.Length);
            return _publication.Offer(_message, 0, message.Length, reservedValue == 0 ? null : _reserved);
        }
    }

    public void Close() => _publication.Dispose();
}
