// How a channel's parameters are read and checked; a mistake is an error that names the parameter.

namespace MarginEngine.Aeron;

/// <content>Factories for `aeron:udp`.</content>
internal sealed partial class Channel
{
    // What Aeron knows and this transport takes, by who may use it. `sparse` makes no difference here.
    private static readonly string[] CommonNames =
    [
        "endpoint", "interface", "control", "control-mode", "ttl", "session-id", "so-sndbuf", "so-rcvbuf", "rcv-wnd", "alias", "group",
        "sparse", "tags", "stream-id",
    ];
    private static readonly string[] PublicationNames =
        ["mtu", "term-length", "init-term-id", "term-id", "term-offset", "linger", "eos", "fc", "pub-wnd", "max-resend"];
    private static readonly string[] SubscriptionNames = ["reliable", "nak-delay", "rejoin", "cc", "gtag", "tether"];

    // Parameters of Aeron that need a part this transport does not have; told apart from misspellings.
    private static readonly string[] UnsupportedNames =
    [
        "ssc", "ats", "media-rcv-ts-offset", "channel-rcv-ts-offset", "channel-snd-ts-offset", "response-correlation-id",
        "response-endpoint", "untethered-window-limit-timeout", "untethered-resting-timeout", "untethered-linger-timeout",
    ];

    // What a channel that names another by its tag takes from it.
    private static readonly string[] InheritedNames =
        ["endpoint", "interface", "control", "control-mode", "ttl", "so-sndbuf", "so-rcvbuf"];

    /// <exception cref="ChannelException">a parameter is unknown, malformed, out of range or contradicts another</exception>
    public static Channel ForPublication(string text, AeronOptions options, ITagResolver? tags = null)
    {
        ChannelUri uri = Open(text, tags);
        ControlMode mode = ReadControlMode(uri);
        Ipv4Endpoint? control = ReadControl(uri);
        Ipv4Endpoint data = ReadEndpoint(uri, isNeeded: mode == ControlMode.None);
        CheckControl(uri, mode, control, data);
        if (mode == ControlMode.None && data.Port == 0)
            throw uri.Error("endpoint", "a publication needs a port");
        if (mode == ControlMode.Dynamic && control is null)
            throw uri.Error("control", "missing: control-mode=dynamic needs the address that receivers send to");

        int termLength = uri.Size("term-length", options.TermLength, Limits.MinTermLength, Limits.MaxTermLength);
        if (!int.IsPow2(termLength))
            throw uri.Error("term-length", $"{termLength} is not a power of two");
        int mtu = uri.Size("mtu", options.Mtu, Limits.MinMtu, Limits.MaxMtu);
        if (mtu % Limits.FrameAlignment != 0)
            throw uri.Error("mtu", $"{mtu} is not a multiple of {Limits.FrameAlignment}");

        int sendBuffer = uri.Size("so-sndbuf", options.SocketSendBufferLength, 0, int.MaxValue);
        if (sendBuffer != 0 && sendBuffer < mtu)
            throw uri.Error("so-sndbuf", $"{sendBuffer} bytes do not hold a datagram of {mtu}");

        bool isGroup = data.IsMulticast || mode != ControlMode.None;
        (long? channelTag, long? entityTag) = ReadTags(uri);
        return new Channel(uri, data)
        {
            ExplicitControl = control,
            ControlMode = mode,
            Interface = ReadInterface(uri),
            TimeToLive = uri.Integer("ttl", 0, 0, 255),
            SessionId = ReadSessionId(uri, tags),
            SocketSendBufferLength = sendBuffer,
            SocketReceiveBufferLength = uri.Size("so-rcvbuf", options.SocketReceiveBufferLength, 0, int.MaxValue),
            ChannelTag = channelTag,
            EntityTag = entityTag,
            Group = ReadGroup(uri),
            Mtu = mtu,
            TermLength = termLength,
            PublicationWindowLength = uri.Size("pub-wnd", termLength / 2, mtu, termLength / 2),
            StartPosition = ReadStartPosition(uri, termLength),
            LingerNanos = uri.Duration("linger", options.LingerNanos),
            SignalsEndOfStream = uri.Flag("eos", true),
            Flow = FlowSpec.Read(uri, isGroup, options),
            RetransmitRanges = !isGroup
                ? Limits.RetransmitRangesUnicast
                : uri.Integer("max-resend", Limits.RetransmitRangesMulticast, 1, Limits.MaxRetransmitRanges),
        };
    }

    /// <exception cref="ChannelException">a parameter is unknown, malformed, out of range or contradicts another</exception>
    public static Channel ForSubscription(string text, AeronOptions options, ITagResolver? tags = null, bool takesDestinations = false)
    {
        ChannelUri uri = Open(text, tags);
        ControlMode mode = ReadControlMode(uri);
        if (mode == ControlMode.Manual && !takesDestinations)
            throw uri.Error("control-mode", "manual is not supported here");
        Ipv4Endpoint? control = ReadControl(uri);
        Ipv4Endpoint data = ReadEndpoint(uri, isNeeded: mode != ControlMode.Manual);
        CheckControl(uri, mode, control, data);
        if (mode == ControlMode.Manual && data.Port != 0)
            throw uri.Error("endpoint", "with control-mode=manual a subscription's endpoints are its destinations");
        if (uri.Find("cc") is { } congestion && congestion != "static")
            throw uri.Error("cc", $"'{congestion}' is not supported, only static");
        if (!uri.Flag("tether", true))
            throw uri.Error("tether", "false is not supported");

        int receiveBuffer = uri.Size("so-rcvbuf", options.SocketReceiveBufferLength, 1, int.MaxValue);
        int window = uri.Size("rcv-wnd", Math.Min(options.InitialWindowLength, receiveBuffer), Limits.MinMtu, int.MaxValue);
        if (window > receiveBuffer)
            throw uri.Error("rcv-wnd", $"{window} bytes exceed the socket's receive buffer of {receiveBuffer}");

        return new Channel(uri, data)
        {
            ExplicitControl = control,
            ControlMode = mode,
            Interface = ReadInterface(uri),
            TimeToLive = uri.Integer("ttl", 0, 0, 255),
            SessionId = ReadSessionId(uri, tags),
            SocketSendBufferLength = uri.Size("so-sndbuf", options.SocketSendBufferLength, 0, int.MaxValue),
            SocketReceiveBufferLength = receiveBuffer,
            ReceiverWindowLength = window,
            ChannelTag = ReadTags(uri).Channel,
            Group = ReadGroup(uri),
            IsReliable = uri.Flag("reliable", true),
            Rejoins = uri.Flag("rejoin", true),
            GroupTag = uri.Find("gtag") is null ? null : uri.Long("gtag"),
            NakDelayNanos = uri.Find("nak-delay") is null ? null : uri.Duration("nak-delay", 0),
        };
    }

    /// <summary>Reads the channel of a destination: an endpoint and nothing that belongs to the stream.</summary>
    /// <exception cref="ChannelException">it names no unicast or multicast address and port</exception>
    public static Ipv4Endpoint ReadDestination(string text)
    {
        ChannelUri uri = Open(text, null);
        Ipv4Endpoint destination = ReadEndpoint(uri, isNeeded: true);
        return destination.Port != 0 ? destination : throw uri.Error("endpoint", "a destination needs a port");
    }

    private static ChannelUri Open(string text, ITagResolver? tags)
    {
        ChannelUri uri = ChannelUri.Parse(text);
        if (uri.Media != "udp")
            throw uri.Error("media", $"'{uri.Media}' is not supported, only udp");

        // A client may hand one URI to both sides, so what belongs to the other side is taken and ignored, as Aeron does.
        foreach (string name in uri.Names)
        {
            if (CommonNames.Contains(name) || PublicationNames.Contains(name) || SubscriptionNames.Contains(name))
                continue;
            throw uri.Error(name, UnsupportedNames.Contains(name) ? "not supported" : "unknown parameter");
        }
        if (uri.Find("endpoint") is null && uri.Find("control-mode") is null && ReadTags(uri).Channel is { } tag)
            uri.Inherit(tags?.FindChannel(tag) ?? throw uri.Error("tags", $"no channel here has the tag {tag}"), InheritedNames);
        return uri;
    }

    private static Ipv4Endpoint ReadEndpoint(ChannelUri uri, bool isNeeded)
    {
        if (uri.Find("endpoint") is not { } text)
            return isNeeded ? throw uri.Error("endpoint", "missing") : default;
        if (!Ipv4Endpoint.TryParse(text, out Ipv4Endpoint endpoint))
            throw uri.Error("endpoint", $"'{text}' is not host:port with an IPv4 address");
        if (endpoint.IsMulticast && (endpoint.Address & 1) == 0)
            throw uri.Error("endpoint", $"the last byte of the multicast address {text} must be odd");
        if (endpoint.IsMulticast && endpoint.Port == 0)
            throw uri.Error("endpoint", "a multicast group needs a port");
        return endpoint;
    }

    private static ControlMode ReadControlMode(ChannelUri uri) => uri.Find("control-mode") switch
    {
        null => ControlMode.None,
        "dynamic" => ControlMode.Dynamic,
        "manual" => ControlMode.Manual,
        "response" => throw uri.Error("control-mode", "response channels are not supported"),
        var other => throw uri.Error("control-mode", $"'{other}' is neither dynamic nor manual"),
    };

    private static Ipv4Endpoint? ReadControl(ChannelUri uri)
    {
        if (uri.Find("control") is not { } text)
            return null;
        if (!Ipv4Endpoint.TryParse(text, out Ipv4Endpoint control) || control.IsMulticast)
            throw uri.Error("control", $"'{text}' is not host:port with the IPv4 address of a host");
        return control;
    }

    private static void CheckControl(ChannelUri uri, ControlMode mode, Ipv4Endpoint? control, Ipv4Endpoint data)
    {
        if (data.IsMulticast && mode != ControlMode.None)
            throw uri.Error("control-mode", "a multicast group is one destination");
        if (data.IsMulticast && control is not null)
            throw uri.Error("control", "a multicast group's control address is the group's own address plus one");
        if (mode == ControlMode.Dynamic && control is { Port: 0 })
            throw uri.Error("control", "receivers cannot know a port of 0");
    }

    private static uint ReadInterface(ChannelUri uri)
    {
        if (uri.Find("interface") is not { } text)
            return 0;
        return Ipv4Endpoint.TryParseInterface(text, out uint address)
            ? address
            : throw uri.Error("interface", $"'{text}' names no local IPv4 interface");
    }

    private static (long? Channel, long? Entity) ReadTags(ChannelUri uri)
    {
        if (uri.Find("tags") is not { } text)
            return default;
        string[] tags = text.Split(',');
        return tags.Length switch
        {
            1 => (uri.ParseLong("tags", tags[0]), null),
            2 => (tags[0].Length == 0 ? null : uri.ParseLong("tags", tags[0]), uri.ParseLong("tags", tags[1])),
            _ => throw uri.Error("tags", "more than a channel's and a publication's tag"),
        };
    }

    private static int? ReadSessionId(ChannelUri uri, ITagResolver? tags = null)
    {
        const string TagPrefix = "tag:";
        if (uri.Find("session-id") is not { } text)
            return null;
        if (!text.StartsWith(TagPrefix, StringComparison.Ordinal))
            return uri.Integer("session-id", 0, int.MinValue, int.MaxValue);
        long tag = uri.ParseLong("session-id", text[TagPrefix.Length..]);
        return tags?.FindSession(tag) ?? throw uri.Error("session-id", $"no publication here has the tag {tag}");
    }

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
