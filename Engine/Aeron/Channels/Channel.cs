// A channel with every parameter read and checked and its addresses resolved. Made once for each publication and subscription.

namespace MarginEngine.Aeron;

internal enum ControlMode
{
    /// <summary>One destination: the endpoint.</summary>
    None,

    /// <summary>The sender learns its destinations from the status messages that reach its control address.</summary>
    Dynamic,

    /// <summary>The sender's user names the destinations.</summary>
    Manual,
}

/// <summary>What `tags` of a channel may refer to: the channels and publications of the same agent.</summary>
internal interface ITagResolver
{
    ChannelUri? FindChannel(long tag);

    int? FindSession(long tag);
}

internal sealed partial class Channel
{
    private Channel(ChannelUri uri, Ipv4Endpoint data)
    {
        Uri = uri;
        Data = data;
    }

    public ChannelUri Uri { get; }

    /// <summary>Where data goes: a host's address, or the multicast group (its last byte is odd). Port 0 where there is no endpoint.</summary>
    public Ipv4Endpoint Data { get; }

    /// <summary>The address of `control=`.</summary>
    public Ipv4Endpoint? ExplicitControl { get; private init; }

    public ControlMode ControlMode { get; private init; }

    /// <summary>Where a multicast receiver's status messages and NAKs go: the group's address plus one.</summary>
    public Ipv4Endpoint Control => Data with { Address = Data.Address + 1 };

    public bool IsMulticast => Data.IsMulticast;

    public bool IsMultiDestination => ControlMode != ControlMode.None;

    /// <summary>One sender, many receivers: a multicast group, or as many destinations.</summary>
    public bool IsGroup => Group ?? (IsMulticast || IsMultiDestination);

    /// <summary>0 means any interface.</summary>
    public uint Interface { get; private init; }

    public int TimeToLive { get; private init; }
    public int? SessionId { get; private init; }
    public int SocketSendBufferLength { get; private init; }
    public int SocketReceiveBufferLength { get; private init; }
    public int ReceiverWindowLength { get; private init; }

    /// <summary>`tags=CHANNEL[,PUBLICATION]`: names for other channels to refer to.</summary>
    public long? ChannelTag { get; private init; }

    public long? EntityTag { get; private init; }

    /// <summary>null: as the sender's SETUP says.</summary>
    public bool? Group { get; private init; }

    public int Mtu { get; private init; }
    public int TermLength { get; private init; }
    public int PublicationWindowLength { get; private init; }
    public (int InitialTermId, int TermId, int TermOffset)? StartPosition { get; private init; }
    public long LingerNanos { get; private init; }
    public bool SignalsEndOfStream { get; private init; }
    public FlowSpec Flow { get; private init; }

    /// <summary>Ranges that may be in retransmission at a time.</summary>
    public int RetransmitRanges { get; private init; }

    public bool IsReliable { get; private init; }
    public bool Rejoins { get; private init; }
    public long? GroupTag { get; private init; }
    public long? NakDelayNanos { get; private init; }

    /// <summary>Channels with the same key share one set of sockets; null where each publication has its own.</summary>
    public string? EndpointKey => ControlMode == ControlMode.Manual && ExplicitControl is null && ChannelTag is null
        ? null
        : $"{Data}|{ExplicitControl}|{ControlMode}|{Interface}|{TimeToLive}|{SocketSendBufferLength}|{SocketReceiveBufferLength}|"
            + (ControlMode == ControlMode.Manual ? ChannelTag : null);
}
