// The streams of a node's configuration: channel and number, and who may speak there. Part of NodeOptions.
namespace MarginEngine.Pipeline;

/// <summary>An Aeron channel and a stream in it.</summary>
public sealed record StreamOptions
{
    /// <summary>For example <c>aeron:udp?endpoint=127.0.0.1:40100</c>.</summary>
    public required string Channel { get; set; }

    public required int Stream { get; set; }

    /// <summary>
    /// For a stream that is heard: who may speak, addresses or networks such as <c>10.1.2.0/24</c>. Anybody else is counted and ignored. Left
    /// out: everybody, and then the port has to be guarded by the network.
    /// </summary>
    public string[]? AllowedSources { get; set; }

    internal Aeron.SourceList? Senders()
    {
        if (AllowedSources is null)
            return null;
        var senders = new Aeron.SourceList();
        foreach (string source in AllowedSources)
            senders.Allow(source);
        return senders;
    }
}

/// <summary>The channel of what the engine decides, with one stream for margins and one for answers.</summary>
public sealed record OutputOptions
{
    /// <summary>Unicast or multicast.</summary>
    public required string Channel { get; set; }

    /// <summary>Margin updates, margin calls, liquidation instructions, fund events, risk arrays, heartbeats.</summary>
    public int MarginStream { get; set; } = 1001;

    /// <summary>Rejects, pre-trade answers, heartbeats: for those who send input.</summary>
    public int ReplyStream { get; set; } = 1002;
}

/// <summary>The two streams between the nodes of a pair.</summary>
public sealed record ReplicaOptions
{
    /// <summary>Where this node hears the primary's records.</summary>
    public required StreamOptions Replication { get; set; }

    /// <summary>Where it sends its acknowledgements.</summary>
    public required StreamOptions Acks { get; set; }
}
