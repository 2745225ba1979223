// The user's end of a channel and stream: its images, and the poll that hands their messages to a handler.

namespace MarginEngine.Aeron;

/// <summary>Messages of every sender on a channel and stream. Made by <see cref="AeronAgent.AddSubscription"/>.</summary>
public sealed class Subscription : IImageListener
{
    private readonly ISubscriptionOwner _owner;
    private readonly bool _isThreaded;

    // Replaced, never changed: a thread that polls walks the one it found.
    private volatile Image[] _images = [];

    // 1 while somebody reads the images, or takes one away; used only where those are two threads.
    private int _gate;
    private int _first;
    private bool _isClosed;

    internal Subscription(
        ISubscriptionOwner owner, Channel channel, ReceiveEndpoint? endpoint, int streamId, SourceList? sources = null)
    {
        Sources = sources;
        _owner = owner;
        _isThreaded = owner.IsThreaded;
        Parameters = channel;
        Endpoint = endpoint;
        StreamId = streamId;
    }

    public string Channel => Parameters.Uri.Text;

    public int StreamId { get; }

    /// <summary>The address really bound: tells the port where the channel asked for port 0.</summary>
    public Ipv4Endpoint LocalEndpoint => Endpoint?.LocalEndpoint ?? default;

    /// <summary>Called from the agent's duty cycle when a sender appears.</summary>
    public Action<Image>? ImageAvailable { get; set; }

    /// <summary>Called from the agent's duty cycle when a sender is gone and all its messages were taken.</summary>
    public Action<Image>? ImageUnavailable { get; set; }

    /// <summary>Who may speak; null for anybody.</summary>
    public SourceList? Sources { get; }

    public int ImageCount => _images.Length;

    public IReadOnlyList<Image> Images => _images;

    public bool IsConnected => _images.Length > 0;

    public bool IsClosed => _isClosed;

    internal Channel Parameters { get; }

    Channel IImageListener.Parameters => Parameters;

    /// <summary>null for shared memory, and where another process has the socket.</summary>
    internal ReceiveEndpoint? Endpoint { get; }

    /// <summary>
    /// Delivers at most <paramref name="messageLimit"/> messages, each image in its order; returns how many were taken. The images take
    /// turns in going first.
    /// </summary>
    public int Poll<THandler>(ref THandler handler, int messageLimit)
        where THandler : IMessageHandler, allows ref struct
    {
        if (_images.Length == 0 || !TryEnter())
            return 0;
        _owner.BeginPoll();
        int taken = 0;
        try
        {
            Image[] images = _images;
            int count = images.Length;
            _first = _first + 1 < count ? _first + 1 : 0;
            for (int i = 0; i < count && taken < messageLimit; i++)
            {
                int index = _first + i;
                taken += images[index < count ? index : index - count].Poll(ref handler, messageLimit - taken);
            }
        }
        finally
        {
            _owner.EndPoll();
            Leave();
        }
        return taken;
    }

    /// <summary>
    /// Hears its streams on one more endpoint, on a channel with control-mode=manual. What comes on several is one stream: the first copy
    /// counts. Not to be called by a handler or callback.
    /// </summary>
    /// <param name="channel">such as <c>aeron:udp?endpoint=224.20.30.43:40456|interface=10.1.2.3</c></param>
    /// <exception cref="ChannelException">the channel names no endpoint</exception>
    /// <exception cref="InvalidOperationException">the subscription takes no destinations, has it already, or is full</exception>
    /// <exception cref="IOException">the system refused a socket</exception>
    public void AddDestination(string channel)
    {
        ReceiveEndpoint endpoint = ManualEndpoint();
        _owner.Run(() =>
        {
            _owner.CheckNotBusy();
            endpoint.AddPath(channel);
        });
    }

    /// <returns>false when it was none</returns>
    /// <exception cref="InvalidOperationException">the subscription takes no destinations</exception>
    public bool RemoveDestination(string channel)
    {
        ReceiveEndpoint endpoint = ManualEndpoint();
        bool isRemoved = false;
        _owner.Run(() =>
        {
            _owner.CheckNotBusy();
            isRemoved = endpoint.RemovePath(channel);
        });
        return isRemoved;
    }

    /// <summary>Leaves the channel; the senders are told. Not to be called by a handler or callback.</summary>
    public void Close()
    {
        if (!_isClosed)
            _owner.Run(CloseNow);
    }

    private ReceiveEndpoint ManualEndpoint() => !_isClosed && Endpoint is { TakesDestinations: true } endpoint
        ? endpoint
        : throw new InvalidOperationException($"{Channel} takes no destinations: only control-mode=manual does");

    private void CloseNow()
    {
        _owner.CheckNotBusy();
        _isClosed = true;
        Enter();
        foreach (Image image in _images)
        {
            image.Receiver.RemoveReader(image);
            image.Close();
        }
        _images = [];
        Leave();
        Endpoint?.Remove(this);
        _owner.Forget(this);
    }

    bool IImageListener.Wants(int streamId, int sessionId) => Wants(streamId, sessionId);

    bool IImageListener.Allows(Ipv4Endpoint source, int sessionId) => Sources is null || Sources.Allows(source.Address, sessionId);

    void IImageListener.Open(NetworkImage receiver)
    {
        var image = Open(receiver, new Position(receiver.RebuiltPosition));
        receiver.AddReader(image);
        ImageAvailable?.Invoke(image);
    }

    void IImageListener.Drop(NetworkImage receiver) => Drop(receiver);

    internal bool Wants(int streamId, int sessionId) =>
        streamId == StreamId && (Parameters.SessionId is not { } only || only == sessionId);

    internal Image Open(IImageDriver receiver, Position position)
    {
        var image = new Image(receiver, this, position);
        _images = [.. _images, image];
        return image;
    }

    /// <summary>Lets go of an image, when the thread that polls is done with what it reads.</summary>
    internal void Drop(IImageDriver receiver)
    {
        Enter();
        DropNow(receiver);
        Leave();
    }

    /// <summary>The same without waiting; false when somebody is reading.</summary>
    internal bool TryDrop(IImageDriver receiver)
    {
        if (!TryEnter())
            return false;
        DropNow(receiver);
        Leave();
        return true;
    }

    private void DropNow(IImageDriver receiver)
    {
        foreach (Image image in _images)
        {
            if (!image.BelongsTo(receiver))
                continue;
            _images = Array.FindAll(_images, kept => !ReferenceEquals(kept, image));
            image.Close();
            ImageUnavailable?.Invoke(image);
        }
    }

    private bool TryEnter() => !_isThreaded || Interlocked.CompareExchange(ref _gate, 1, 0) == 0;

    private void Enter()
    {
        SpinWait wait = default;
        while (!TryEnter())
            wait.SpinOnce();
    }

    private void Leave()
    {
        if (_isThreaded)
            Volatile.Write(ref _gate, 0);
    }
}
