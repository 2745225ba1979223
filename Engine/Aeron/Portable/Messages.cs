// What a subscriber sees: the handler it implements, the answer it gives, and where a message came from.

namespace MarginEngine.Aeron;

/// <summary>A handler's answer to a message.</summary>
public enum PollAction
{
    /// <summary>Taken; go on. The position is published at the end of the poll.</summary>
    Continue,

    /// <summary>Taken; publish the position now and go on.</summary>
    Commit,

    /// <summary>Taken; end this poll of the image.</summary>
    Break,

    /// <summary>Not taken; end this poll of the image, and deliver the same message first in the next.</summary>
    Abort,
}

/// <summary>Receives whole messages, put together from their fragments.</summary>
public interface IMessageHandler
{
    /// <param name="message">valid during the call only</param>
    /// <param name="context">where it came from; valid during the call only</param>
    PollAction OnMessage(ReadOnlySpan<byte> message, in MessageContext context);
}

/// <summary>The origin of a message.</summary>
public readonly struct MessageContext
{
    internal MessageContext(Image image, long position, long reservedValue, byte flags)
    {
        Image = image;
        Position = position;
        ReservedValue = reservedValue;
        Flags = flags;
    }

    public Image Image { get; }

    public int SessionId => Image.SessionId;

    public int StreamId => Image.StreamId;

    /// <summary>Address of the sender.</summary>
    public Ipv4Endpoint Source => Image.Source;

    /// <summary>The stream's position behind this message; what <see cref="Publication.Offer"/> returned for it.</summary>
    public long Position { get; }

    /// <summary>The header word left to applications, of the message's last frame.</summary>
    public long ReservedValue { get; }

    /// <summary>The flags of the message's last frame.</summary>
    public byte Flags { get; }
}
