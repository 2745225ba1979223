// Channels of shared memory: `aeron:ipc` with the parameters that mean something there.

namespace MarginEngine.Aeron;

/// <content>Factories for `aeron:ipc`.</content>
internal sealed partial class Channel
{
    public const string IpcMedia = "ipc";

    private static readonly string[] IpcNames =
    [
        "session-id", "mtu", "term-length", "init-term-id", "term-id", "term-offset", "linger", "eos", "pub-wnd", "sparse", "alias",
        "tether", "group", "rejoin", "reliable", "ssc", "fc",
    ];

    /// <summary>Whether a channel names shared memory; anything else is for <see cref="ForPublication"/> to judge.</summary>
    public static bool IsIpc(string text) => text == "aeron:ipc" || text.StartsWith("aeron:ipc?", StringComparison.Ordinal);

    /// <exception cref="ChannelException">a parameter is unknown, malformed, out of range or contradicts another</exception>
    public static Channel ForIpcPublication(string text, AeronOptions options, int defaultTermLength)
    {
        ChannelUri uri = OpenIpc(text);
        int termLength = uri.Size("term-length", defaultTermLength, Limits.MinTermLength, Limits.MaxTermLength);
        if (!int.IsPow2(termLength))
            throw uri.Error("term-length", $"{termLength} is not a power of two");
        int mtu = uri.Size("mtu", options.Mtu, Limits.MinMtu, Limits.MaxMtu);
        if (mtu % Limits.FrameAlignment != 0)
            throw uri.Error("mtu", $"{mtu} is not a multiple of {Limits.FrameAlignment}");
        return new Channel(uri, default)
        {
            SessionId = ReadSessionId(uri),
            Mtu = mtu,
            TermLength = termLength,
            PublicationWindowLength = uri.Size("pub-wnd", termLength / 2, mtu, termLength / 2),
            StartPosition = ReadStartPosition(uri, termLength),
            LingerNanos = uri.Duration("linger", options.LingerNanos),
            SignalsEndOfStream = uri.Flag("eos", true),
        };
    }

    /// <exception cref="ChannelException">a parameter is unknown or malformed</exception>
    public static Channel ForIpcSubscription(string text)
    {
        ChannelUri uri = OpenIpc(text);
        return new Channel(uri, default) { SessionId = ReadSessionId(uri) };
    }

    /// <summary>A channel that another process judges: only its form is checked here.</summary>
    /// <exception cref="ChannelException">the text is no channel URI</exception>
    public static Channel Foreign(string text) => new(ChannelUri.Parse(text), default);

    private static ChannelUri OpenIpc(string text)
    {
        ChannelUri uri = ChannelUri.Parse(text);
        if (uri.Media != IpcMedia)
            throw uri.Error("media", $"'{uri.Media}' is not ipc");
        foreach (string name in uri.Names)
        {
            if (!IpcNames.Contains(name))
                throw uri.Error(name, "unknown or without meaning for shared memory");
        }
        // A subscriber that may be left behind would need a driver that drops it; here each is waited for until it dies.
        if (!uri.Flag("tether", true))
            throw uri.Error("tether", "false is not supported");
        return uri;
    }
}
