// What the driver keeps about its clients: the table of who is alive, and what each of them holds.

namespace MarginEngine.Aeron;

/// <summary>A client process; everything it holds goes when it goes.</summary>
internal sealed class DriverClient(long id, int heartbeatId)
{
    public long Id { get; } = id;

    public int HeartbeatId { get; } = heartbeatId;

    public List<ClientPublication> Publications { get; } = [];

    public List<ClientSubscription> Subscriptions { get; } = [];

    public List<(long RegistrationId, int CounterId)> Counters { get; } = [];

    public int ResourceCount => Publications.Count + Subscriptions.Count + Counters.Count;
}

/// <summary>A client's share in a publication.</summary>
internal readonly record struct ClientPublication(long RegistrationId, DriverStream Stream);

/// <summary>A publication's log with its counters; concurrent ones of the same channel and stream are shared by clients.</summary>
internal sealed class DriverStream
{
    public required long RegistrationId { get; init; }
    public required string Channel { get; init; }
    public required bool IsExclusive { get; init; }
    public required LogBuffer Log { get; init; }
    public required int LimitId { get; init; }

    /// <summary>The rest of its counters, for those who watch; -1 where there is none.</summary>
    public int PositionId { get; init; } = -1;
    public int SenderPositionId { get; init; } = -1;
    public int SenderLimitId { get; init; } = -1;

    /// <summary>One of these two is set.</summary>
    public IpcPublication? Ipc { get; init; }
    public NetworkPublication? Network { get; set; }

    public ChannelStatus? Status { get; init; }

    /// <summary>Those that clients named, by the id of the command that did.</summary>
    public List<(long Id, Ipv4Endpoint Address)> Destinations { get; } = [];

    public int References { get; set; }

    /// <summary>Claims of a network stream; one of shared memory watches its own.</summary>
    public ClaimWatch Claims;

    public int StreamId => Log.StreamId;
    public int SessionId => Log.SessionId;
}

/// <summary>The counters of a socket, shared by what uses it.</summary>
internal sealed class ChannelStatus
{
    public required string Key { get; init; }
    public required int StatusId { get; init; }
    public required int AddressId { get; init; }
    public int References { get; set; }
}

/// <summary>A client's subscription: the images it reads, each with a position that the client moves.</summary>
internal sealed class ClientSubscription(DriverConductor conductor, long registrationId, long clientId, Channel channel, int streamId)
    : IImageListener
{
    public long RegistrationId { get; } = registrationId;
    public long ClientId { get; } = clientId;
    public Channel Parameters { get; } = channel;
    public int StreamId { get; } = streamId;
    public ReceiveEndpoint? Endpoint { get; set; }
    public ChannelStatus? Status { get; set; }
    public List<SubscriberPosition> Positions { get; } = [];

    /// <summary>Where else it listens, by the id of the command that said so.</summary>
    public List<(long Id, string Channel)> Destinations { get; } = [];

    public bool Wants(int streamId, int sessionId) =>
        streamId == StreamId && (Parameters.SessionId is not { } only || only == sessionId);

    public void Open(NetworkImage receiver) => conductor.OnNetworkImage(this, receiver);

    public void Drop(NetworkImage receiver) => conductor.OnNetworkImageGone(this, receiver);
}

/// <summary>
/// A position that a client writes into its counter. It is believed within reason: it never goes back, and not beyond what there is.
/// </summary>
internal sealed unsafe class SubscriberPosition(ClientSubscription subscription, IImageDriver image, int counterId, long* counter, long join)
    : IImageReader
{
    private long _last = join;

    public ClientSubscription Subscription { get; } = subscription;

    public IImageDriver Image { get; } = image;

    public int CounterId { get; } = counterId;

    public long Position
    {
        get
        {
            long told = Volatile.Read(ref *counter);
            if (told != _last)
                Take(told);
            return _last;
        }
    }

    private void Take(long told)
    {
        long furthest = Image is IpcPublication ipc ? ipc.FurthestPosition : Image.RebuiltPosition;
        if (told > _last && told <= furthest)
            _last = told & ~(long)(Limits.FrameAlignment - 1);
    }
}
