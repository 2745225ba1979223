// What an agent has done and refused, as plain numbers; written by its own thread, read by whoever shows them.

namespace MarginEngine.Aeron;

/// <summary>Totals since the agent was made. Another thread may read them; each is whole, together they are not one moment.</summary>
public sealed class AeronCounters
{
    public long DatagramsSent;
    public long BytesSent;
    public long DatagramsReceived;
    public long BytesReceived;

    public long SetupsSent;
    public long SetupsReceived;
    public long HeartbeatsSent;
    public long HeartbeatsReceived;
    public long StatusMessagesSent;
    public long StatusMessagesReceived;
    public long NaksSent;
    public long NaksReceived;
    public long RoundTripsAnswered;
    public long ErrorFramesSent;
    public long ErrorFramesReceived;

    /// <summary>Datagrams sent again, and the NAKs that were not served because the range had just been sent or is out of reach.</summary>
    public long Retransmits;
    public long NaksIgnored;

    /// <summary>Datagrams the system did not take (full buffer, refused connection); they are sent later.</summary>
    public long ShortSends;

    /// <summary>Duty cycles in which a stream had data but no window, and offers refused for want of window.</summary>
    public long FlowControlWaits;
    public long BackPressuredOffers;

    /// <summary>Frames that break the layout, and frames of types an endpoint has no use for.</summary>
    public long MalformedFrames;
    public long IgnoredFrames;

    /// <summary>Frames of streams and sessions that nobody here subscribed to or publishes.</summary>
    public long UnknownStreams;

    /// <summary>Frames from an address or session that a subscription's list of sources does not allow.</summary>
    public long RefusedSources;

    public long DuplicateDatagrams;
    public long OverRuns;
    public long UnderRuns;
    public long StatusMessagesRejected;
    public long GapsFilled;

    public long ImagesOpened;
    public long ImagesClosed;
    public long ImagesRefused;
    public long ImagesRejected;

    /// <summary>Claims of dead producers that were stepped over, and commands that clients began and never finished.</summary>
    public long PublicationsUnblocked;
    public long CommandsUnblocked;

    /// <summary>Streams of shared memory that were ended with messages still unread.</summary>
    public long PublicationsRevoked;

    /// <summary>Commands that were malformed or could not be carried out, and clients that fell silent.</summary>
    public long CommandsRefused;
    public long ClientTimeouts;

    /// <summary>The last error number of a send or receive that was not simply "try again"; 0 when there was none.</summary>
    public int LastSystemError;
}
