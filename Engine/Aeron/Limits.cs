// Every fixed bound of the transport, with its unit: those of the protocol and those this implementation chose.

namespace MarginEngine.Aeron;

internal static class Limits
{
    /// <summary>Frames begin at multiples of this many bytes, in the term and on the wire.</summary>
    public const int FrameAlignment = 32;

    public const int TermCount = 3;
    public const int MinTermLength = 64 * 1024;
    public const int MaxTermLength = 1024 * 1024 * 1024;

    /// <summary>Bytes of a datagram: header and payload, without IP and UDP headers.</summary>
    public const int MaxMtu = 65504;
    public const int MinMtu = DataHeader.Length + FrameAlignment;

    /// <summary>A message is at most this long, and at most an eighth of a term.</summary>
    public const int MaxMessageLength = 16 * 1024 * 1024;

    public const int MaxChannelLength = 4095;

    /// <summary>Automatic session ids stay out of this range, both ends included.</summary>
    public const int ReservedSessionLow = -1;
    public const int ReservedSessionHigh = 1000;

    /// <summary>Datagrams that a stream sends in one duty cycle, so that one stream cannot starve the others.</summary>
    public const int DatagramsPerPass = 4;

    /// <summary>Datagrams taken from a socket in one system call.</summary>
    public const int ReceiveBatch = 16;

    /// <summary>Calls of that size made for one socket in one duty cycle while it stays full.</summary>
    public const int ReceiveCallsPerPass = 4;

    public const int ReceiveBufferLength = 64 * 1024;

    /// <summary>Datagrams of one retransmission handed to the system at once.</summary>
    public const int SendBatch = 32;

    /// <summary>The log of a shared publication outlives its last close by this long, for threads that are within an offer.</summary>
    public const long ProducerGraceNanos = 1_000_000_000;

    /// <summary>Bytes of a term zeroed in one duty cycle; more where datagrams are long.</summary>
    public const int CleanChunk = 64 * 1024;

    public const int RetransmitRangesUnicast = 1;

    /// <summary>Default of `max-resend`.</summary>
    public const int RetransmitRangesMulticast = 16;

    /// <summary>A retransmission is at most this multiple of the initial window.</summary>
    public const int RetransmitWindowsUnicast = 16;
    public const int RetransmitWindowsMulticast = 4;

    public const int MaxRetransmitRanges = 256;

    /// <summary>Receivers whose place and liveness a publication tracks; more are served data and NAKs, but never waited for.</summary>
    public const int TrackedReceivers = 1024;

    /// <summary>Sockets of one subscription with control-mode=manual.</summary>
    public const int ReceivePaths = 16;

    /// <summary>Destinations of one multi-destination channel.</summary>
    public const int Destinations = 256;

    /// <summary>Sessions of one endpoint that are waiting for the SETUP they asked for.</summary>
    public const int PendingSetups = 64;

    /// <summary>Sessions an endpoint remembers not to join again (`rejoin=false`, rejected images).</summary>
    public const int RefusedSessions = 64;

    /// <summary>Bytes of the text of an ERR frame.</summary>
    public const int MaxErrorTextLength = 1023;

    /// <summary>Status messages with the end flag that a draining image sends.</summary>
    public const int EndOfStreamStatusMessages = 5;

    public static int Align(int length) => unchecked(length + (FrameAlignment - 1)) & ~(FrameAlignment - 1);
}
