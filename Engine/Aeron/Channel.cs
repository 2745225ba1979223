// A channel with every parameter read and checked and its addresses resolved. Made once for each publication and subscription.

namespace MarginEngine.Aeron;

internal sealed partial class Channel
{
    // What Aeron knows and this transport takes, by who may use it.
    private static readonly string[] CommonNames =
        ["endpoint", "interface", "ttl", "session-id", "so-sndbuf", "so-rcvbuf", "rcv-wnd", "alias", "group", "sparse"];
    private static readonly string[] PublicationNames =
        ["mtu", "term-length", "init-term-id", "term-id", "term-offset", "linger", "eos", "fc", "pub-wnd"];
    private static readonly string[] SubscriptionNames = ["reliable", "nak-delay", "rejoin", "cc"];

    // Parameters of Aeron that need a part this transport does not have; told apart from misspellings.
    private static readonly string[] UnsupportedNames =
    [
        "control", "control-mode", "tags", "gtag", "ssc", "tether", "ats", "max-resend", "media-rcv-ts-offset", "channel-rcv-ts-offset",
        "channel-snd-ts-offset", "response-correlation-id", "response-endpoint", "untethered-window-limit-timeout",
        "untethered-resting-timeout", "untethered-linger-timeout", "stream-id",
    ];

    private Channel(ChannelUri uri, Ipv4Endpoint data)
    {
        Uri = uri;
        Data = data;
    }

    public ChannelUri Uri { get; }

    /// <summary>Where data goes: a host's address, or the multicast group (its last byte is odd).</summary>
    public Ipv4Endpoint Data { get; }

    /// <summary>Where a multicast receiver's status messages and NAKs go: the group's address plus one.</summary>
    public Ipv4Endpoint Control => Data with { Address = Data.Address + 1 };

    public bool IsMulticast => Data.IsMulticast;

    /// <summary>0 means any interface.</summary>
    public uint Interface { get; private init; }

    public int TimeToLive { get; private init; }
    public int? SessionId { get; private init; }
    public int SocketSendBufferLength { get; private init; }
    public int SocketReceiveBufferLength { get; private init; }
    public int ReceiverWindowLength { get; private init; }

    /// <summary>null: as the sender's SETUP says.</summary>
    public bool? Group { get; private init; }

    public int Mtu { get; private init; }
    public int TermLength { get; private init; }
    public int PublicationWindowLength { get; private init; }
    public (int InitialTermId, int TermId, int TermOffset)? StartPosition { get; private init; }
    public long LingerNanos { get; private init; }
    public bool SignalsEndOfStream { get; private init; }

    public bool IsReliable { get; private init; }
    public long? NakDelayNanos { get; private init; }

    /// <summary>Channels with the same key share one set of sockets.</summary>
    public string EndpointKey => $"{Data}|{Interface}|{TimeToLive}|{SocketSendBufferLength}|{SocketReceiveBufferLength}";

    /// <exception cref="ChannelException">a parameter is unknown, malformed, out of range or contradicts another</exception>
    public static Channel ForPublication(string text, AeronOptions options)
    {
        ChannelUri uri = Open(text, PublicationNames);
        Ipv4Endpoint data = ReadEndpoint(uri);
        if (data.Port == 0)
            throw uri.Error("endpoint", "a publication needs a port");
        if (uri.Find("fc") is { } flowControl && flowControl != "max")
            throw uri.Error("fc", $"'{flowControl}' is not supported, only max");

        int termLength = uri.Size("term-length", options.TermLength, Limits.MinTermLength, Limits.MaxTermLength);
        if (!int.IsPow2(termLength))
            throw uri.Error("term-length", $"{termLength} is not a power of two");
        int mtu = uri.Size("mtu", options.Mtu, Limits.MinMtu, Limits.MaxMtu);
        if (mtu % Limits.FrameAlignment != 0)
            throw uri.Error("mtu", $"{mtu} is not a multiple of {Limits.FrameAlignment}");

        int sendBuffer = uri.Size("so-sndbuf", options.SocketSendBufferLength, 0, int.MaxValue);
        if (sendBuffer != 0 && sendBuffer < mtu)
            throw uri.Error("so-sndbuf", $"{sendBuffer} bytes do not hold a datagram of {mtu}");

        return new Channel(uri, data)
        {
            Interface = ReadInterface(uri),
            TimeToLive = uri.Integer("ttl", 0, 0, 255),
            SessionId = ReadSessionId(uri),
            SocketSendBufferLength = sendBuffer,
            SocketReceiveBufferLength = uri.Size("so-rcvbuf", options.SocketReceiveBufferLength, 0, int.MaxValue),
            Group = ReadGroup(uri),
            Mtu = mtu,
            TermLength = termLength,
            PublicationWindowLength = uri.Size("pub-wnd", termLength / 2, mtu, termLength / 2),
            StartPosition = ReadStartPosition(uri, termLength),
            LingerNanos = uri.Duration("linger", options.LingerNanos),
            SignalsEndOfStream = uri.Flag("eos", true),
        };
    }

    /// <exception cref="ChannelException">a parameter is unknown, malformed, out of range or contradicts another</exception>
    public static Channel ForSubscription(string text, AeronOptions options)
    {
        ChannelUri uri = Open(text, SubscriptionNames);
        Ipv4Endpoint data = ReadEndpoint(uri);
        if (!uri.Flag("rejoin", true))
            throw uri.Error("rejoin", "false is not supported");
        if (uri.Find("cc") is { } congestion && congestion != "static")
            throw uri.Error("cc", $"'{congestion}' is not supported, only static");

        int receiveBuffer = uri.Size("so-rcvbuf", options.SocketReceiveBufferLength, 1, int.MaxValue);
        int window = uri.Size("rcv-wnd", Math.Min(options.InitialWindowLength, receiveBuffer), Limits.MinMtu, int.MaxValue);
        if (window > receiveBuffer)
            throw uri.Error("rcv-wnd", $"{window} bytes exceed the socket's receive buffer of {receiveBuffer}");

        return new Channel(uri, data)
        {
            Interface = ReadInterface(uri),
            TimeToLive = uri.Integer("ttl", 0, 0, 255),
            SessionId = ReadSessionId(uri),
            SocketSendBufferLength = uri.Size("so-sndbuf", options.SocketSendBufferLength, 0, int.MaxValue),
            SocketReceiveBufferLength = receiveBuffer,
            ReceiverWindowLength = window,
            Group = ReadGroup(uri),
            IsReliable = uri.Flag("reliable", true),
            NakDelayNanos = uri.Find("nak-delay") is null ? null : uri.Duration("nak-delay", 0),
        };
    }

    private static ChannelUri Open(string text, string[] ownNames)
    {
        ChannelUri uri = ChannelUri.Parse(text);
        if (uri.Media != "udp")
            throw uri.Error("media", $"'{uri.Media}' is not supported, only udp");

        // A client may hand one URI to both sides, so what belongs to the other side is taken and ignored, as Aeron does.
        foreach (string name in uri.Names)
        {
            if (CommonNames.Contains(name) || ownNames.Contains(name)
                || PublicationNames.Contains(name) || SubscriptionNames.Contains(name))
                continue;
            throw uri.Error(name, UnsupportedNames.Contains(name) ? "not supported" : "unknown parameter");
        }
        return uri;
    }

    private static Ipv4Endpoint ReadEndpoint(ChannelUri uri)
    {
        if (uri.Find("endpoint") is not { } text)
            throw uri.Error("endpoint", "missing");
        if (!Ipv4Endpoint.TryParse(text, out Ipv4Endpoint endpoint))
            throw uri.Error("endpoint", $"'{text}' is not host:port with an IPv4 address");
        if (endpoint.IsMulticast && (endpoint.Address & 1) == 0)
            throw uri.Error("endpoint", $"the last byte of the multicast address {text} must be odd");
        if (endpoint.IsMulticast && endpoint.Port == 0)
            throw uri.Error("endpoint", "a multicast group needs a port");
        return endpoint;
    }

    private static uint ReadInterface(ChannelUri uri)
    {
        if (uri.Find("interface") is not { } text)
            return 0;
        return Ipv4Endpoint.TryParseInterface(text, out uint address)
            ? address
            : throw uri.Error("interface", $"'{text}' names no local IPv4 interface");
    }

    private static int? ReadSessionId(ChannelUri uri) =>
        uri.Find("session-id") is null ? null : uri.Integer("session-id", 0, int.MinValue, int.MaxValue);

    private static bool? ReadGroup(ChannelUri uri) => uri.Find("group") is null or "inferred" ? null : uri.Flag("group", false);

    private static (int, int, int)? ReadStartPosition(ChannelUri uri, int termLength)
    {
        string[] names = ["init-term-id", "term-id", "term-offset"];
        int given = names.Count(name => uri.Find(name) is not null);
        if (given == 0)
            return null;
        foreach (string name in names)
        {
            if (uri.Find(name) is null)
                throw uri.Error(name, "missing: init-term-id, term-id and term-offset go together");
        }

        int initialTermId = uri.Integer("init-term-id", 0, int.MinValue, int.MaxValue);
        int termId = uri.Integer("term-id", 0, int.MinValue, int.MaxValue);
        int termOffset = uri.Integer("term-offset", 0, 0, termLength);
        if (unchecked(termId - initialTermId) < 0)
            throw uri.Error("term-id", $"{termId} lies before init-term-id {initialTermId}");
        if (termOffset % Limits.FrameAlignment != 0)
            throw uri.Error("term-offset", $"{termOffset} is not a multiple of {Limits.FrameAlignment}");
        if (termOffset == termLength)
            throw uri.Error("term-offset", "lies at the end of the term");
        return (initialTermId, termId, termOffset);
    }
}
