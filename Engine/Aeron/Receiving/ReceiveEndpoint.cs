// The sockets of one subscription channel, shared by its subscriptions: checks what arrives, finds the image it belongs to, opens images
// from SETUP, and asks for a SETUP when data of an unknown session comes in.

namespace MarginEngine.Aeron;

internal sealed unsafe class ReceiveEndpoint : IDisposable
{
    private readonly Channel _channel;
    private readonly AeronAgent _agent;
    private readonly AeronOptions _options;
    private readonly AeronCounters _counters;
    private readonly IDatagramNetwork _network;
    private readonly List<ReceivePath> _paths = [];
    private readonly List<IImageListener> _subscriptions = [];
    private readonly List<NetworkImage> _images = [];
    private readonly SessionTable _sessions;
    private long _nextIntroductionNanos = long.MinValue;

    public ReceiveEndpoint(Channel channel, AeronAgent agent, IDatagramNetwork network, AeronOptions options, AeronCounters counters)
    {
        _channel = channel;
        _agent = agent;
        _options = options;
        _counters = counters;
        _sessions = new SessionTable(options.PendingSetupNanos);
        Key = channel.EndpointKey;
        ReceiverId = agent.NextReceiverId();
        _network = network;
        if (channel.ControlMode != ControlMode.Manual)
            _paths.Add(new ReceivePath(channel, channel.ReceiverWindowLength, network, counters));
    }

    public AeronAgent Agent => _agent;

    public string? Key { get; }

    /// <summary>The channel tag other channels may call this one by, and what they then inherit.</summary>
    public long? Tag => _channel.ChannelTag;

    public ChannelUri Uri => _channel.Uri;

    /// <summary>Tells this receiver from the others of a group; in every status message.</summary>
    public long ReceiverId { get; }

    /// <summary>Of the first path; the default while there is none.</summary>
    public Ipv4Endpoint LocalEndpoint => _paths.Count > 0 ? _paths[0].LocalEndpoint : default;

    public bool TakesDestinations => _channel.ControlMode == ControlMode.Manual;

    public bool IsUnused => _subscriptions.Count == 0 && _images.Count == 0;

    public void Add(IImageListener subscription)
    {
        _subscriptions.Add(subscription);
        _sessions.Pardon();
        foreach (NetworkImage image in _images)
        {
            if (image.State == ImageState.Active && subscription.Wants(image.StreamId, image.SessionId)
                && subscription.Allows(image.Source, image.SessionId))
                subscription.Open(image);
        }
    }

    public void Remove(IImageListener subscription) => _subscriptions.Remove(subscription);

    /// <summary>Hears its streams on one more socket.</summary>
    /// <exception cref="ChannelException">the channel names no endpoint</exception>
    /// <exception cref="IOException">the system refused a socket</exception>
    public void AddPath(string channel)
    {
        if (_paths.Count == Limits.ReceivePaths)
            throw new InvalidOperationException($"a subscription has at most {Limits.ReceivePaths} destinations");
        Channel parameters = Channel.ForSubscription(channel, _options);
        if (_paths.Exists(path => path.Data == parameters.Data && parameters.Data.Port != 0))
            throw new InvalidOperationException($"{channel} is a destination already");
        _paths.Add(new ReceivePath(parameters, _channel.ReceiverWindowLength, _network, _counters));
        _nextIntroductionNanos = long.MinValue;
    }

    /// <returns>false when it is none</returns>
    public bool RemovePath(string channel)
    {
        Ipv4Endpoint data = Channel.ForSubscription(channel, _options).Data;
        if (_paths.Find(path => path.Data == data || path.LocalEndpoint == data) is not { } found)
            return false;
        _agent.LetGo(this, found);
        _paths.Remove(found);
        found.Dispose();
        return true;
    }

    public int Receive(DatagramBatch batch, long now)
    {
        int total = 0;
        foreach (ReceivePath path in _paths)
            total += Receive(path, batch, now);
        return total;
    }

    /// <summary>
    /// On a channel with a control address nobody sends to this receiver before it has spoken: it does so until it hears a stream.
    /// </summary>
    public int Introduce(long now)
    {
        if (_images.Count > 0 || now < _nextIntroductionNanos)
            return 0;
        _nextIntroductionNanos = now + _options.PendingSetupNanos;
        int work = 0;
        foreach (ReceivePath path in _paths)
        {
            if (path.ExplicitControl is not { } control)
                continue;
            AskForSetup(path, 0, 0, control);
            work++;
        }
        return work;
    }

    public long NextDeadlineNanos => _images.Count > 0 || !_paths.Exists(static path => path.ExplicitControl is not null)
        ? long.MaxValue
        : Math.Max(_nextIntroductionNanos, 0);

    /// <summary>The session's images are not wanted any more, until somebody subscribes anew.</summary>
    public void Refuse(NetworkImage image) => _sessions.Refuse(image.SessionId, image.StreamId);

    /// <summary>A draining image no longer answers to its session; a new SETUP opens a new image.</summary>
    public void StopReceiving(NetworkImage image) => _images.Remove(image);

    public void Dispose()
    {
        foreach (ReceivePath path in _paths)
            path.Dispose();
    }

    private int Receive(ReceivePath path, DatagramBatch batch, long now)
    {
        int total = 0;
        for (int call = 0; call < Limits.ReceiveCallsPerPass; call++)
        {
            int count = path.Receive(batch);
            for (int i = 0; i < count; i++)
                OnDatagram(path, batch.Data(i), batch.Length(i), batch.Address(i), now);
            total += count;
            if (count < batch.Capacity)
                break;
        }
        return total;
    }

    private void OnDatagram(ReceivePath path, byte* datagram, int length, Ipv4Endpoint source, long now)
    {
        _counters.DatagramsReceived++;
        _counters.BytesReceived += length;
        var header = (FrameHeader*)datagram;
        if (length < FrameHeader.Length || header->Version != FrameHeader.CurrentVersion)
        {
            _counters.MalformedFrames++;
            return;
        }
        switch (header->Type)
        {
            case FrameType.Data or FrameType.Padding:
                OnData(path, datagram, length, source, now);
                break;
            case FrameType.Setup when length >= SetupFrame.Length && header->FrameLength >= SetupFrame.Length
                && header->FrameLength <= length:
                OnSetup(path, *(SetupFrame*)datagram, source, now);
                break;
            case FrameType.Setup:
                _counters.MalformedFrames++;
                break;
            default:
                _counters.IgnoredFrames++;
                break;
        }
    }

    private void OnData(ReceivePath path, byte* datagram, int length, Ipv4Endpoint source, long now)
    {
        if (length < DataHeader.Length || length % Limits.FrameAlignment != 0)
        {
            _counters.MalformedFrames++;
            return;
        }
        var header = (DataHeader*)datagram;
        if (Find(header->SessionId, header->StreamId) is not { } image)
        {
            OnUnknownSession(path, *header, source, now);
            return;
        }
        if (source.Address != image.Source.Address && !IsWanted(header->StreamId, header->SessionId, source))
            return;
        image.Paths.OnFrame(path, source, now);
        if (header->FrameLength == 0 && length == DataHeader.Length && header->Type == FrameType.Data)
        {
            image.OnHeartbeat(*header, now);
            return;
        }
        int streamLength = StreamLength(datagram, length, image.Log.TermLength);
        if (streamLength < 0)
            _counters.MalformedFrames++;
        else
            image.OnData(datagram, length, streamLength, now);
    }

    /// <summary>
    /// Checks every frame of a datagram: contiguous, of one stream and term, within the term, no bytes left over. Returns the bytes of
    /// the stream it covers, which a PAD frame at the end makes more than it holds; -1 when something is wrong.
    /// </summary>
    private static int StreamLength(byte* datagram, int length, int termLength)
    {
        var first = (DataHeader*)datagram;
        int termOffset = first->TermOffset;
        if (termOffset < 0 || termOffset > termLength - length || termOffset % Limits.FrameAlignment != 0)
            return -1;
        int covered = 0;
        while (covered < length)
        {
            var header = (DataHeader*)(datagram + covered);
            int frameLength = header->FrameLength;
            int left = termLength - termOffset - covered;
            if (frameLength < DataHeader.Length || frameLength > left || header->Version != FrameHeader.CurrentVersion
                || header->TermOffset != termOffset + covered || header->TermId != first->TermId
                || header->SessionId != first->SessionId || header->StreamId != first->StreamId)
                return -1;
            int aligned = Limits.Align(frameLength);
            if (header->Type == FrameType.Padding)
                return covered + DataHeader.Length == length ? covered + aligned : -1;
            if (header->Type != FrameType.Data || aligned > length - covered)
                return -1;
            covered += aligned;
        }
        return covered;
    }

    private void OnUnknownSession(ReceivePath path, in DataHeader header, Ipv4Endpoint source, long now)
    {
        if (!IsWanted(header.StreamId, header.SessionId, source))
            return;
        // Who is about to leave needs no receiver.
        if ((header.Flags & FrameFlags.EndOfStream) == 0 && !_sessions.IsRefused(header.SessionId, header.StreamId)
            && _sessions.TryBeginPending(header.SessionId, header.StreamId, now))
            AskForSetup(path, header.SessionId, header.StreamId, path.ControlFor(source));
    }

    private void AskForSetup(ReceivePath path, int sessionId, int streamId, Ipv4Endpoint destination)
    {
        StatusMessageFrame frame = new()
        {
            FrameLength = StatusMessageFrame.Length,
            Version = FrameHeader.CurrentVersion,
            Flags = FrameFlags.StatusSendSetup,
            Type = FrameType.StatusMessage,
            SessionId = sessionId,
            StreamId = streamId,
            ReceiverId = ReceiverId,
        };
        if (path.Send(&frame, StatusMessageFrame.Length, destination))
            _counters.StatusMessagesSent++;
    }

    private void OnSetup(ReceivePath path, in SetupFrame setup, Ipv4Endpoint source, long now)
    {
        _counters.SetupsReceived++;
        if (!IsWanted(setup.StreamId, setup.SessionId, source)
            || Find(setup.SessionId, setup.StreamId) is not null || _sessions.IsRefused(setup.SessionId, setup.StreamId))
            return;
        if (!IsSound(setup))
        {
            _counters.MalformedFrames++;
            return;
        }
        if (setup.TermLength > _options.MaxImageTermLength || setup.Mtu > _channel.ReceiverWindowLength
            || !_agent.HasRoomForImage)
        {
            _counters.ImagesRefused++;
            return;
        }
        _sessions.EndPending(setup.SessionId, setup.StreamId);
        OpenImage(path, setup, source, now);
    }

    private static bool IsSound(in SetupFrame setup) =>
        int.IsPow2(setup.TermLength) && setup.TermLength is >= Limits.MinTermLength and <= Limits.MaxTermLength
        && setup.Mtu is > DataHeader.Length and <= Limits.MaxMtu && setup.Mtu % Limits.FrameAlignment == 0
        && setup.TermOffset >= 0 && setup.TermOffset < setup.TermLength && setup.TermOffset % Limits.FrameAlignment == 0
        && unchecked(setup.ActiveTermId - setup.InitialTermId) >= 0;

    private void OpenImage(ReceivePath path, in SetupFrame setup, Ipv4Endpoint source, long now)
    {
        Channel channel = _channel;
        foreach (IImageListener subscription in _subscriptions)
        {
            if (subscription.Wants(setup.StreamId, setup.SessionId) && subscription.Allows(source, setup.SessionId))
            {
                channel = subscription.Parameters;
                break;
            }
        }
        bool isGroup = channel.Group ?? (channel.IsMulticast || (setup.Flags & FrameFlags.SetupGroup) != 0);
        NakDelay nakDelay = isGroup
            ? NakDelay.Multicast(_agent.Random, _options.NakMulticastMaxBackoffNanos, _options.NakMulticastGroupSize)
            : NakDelay.Unicast(_agent.Random, channel.NakDelayNanos ?? _options.NakDelayUnicastNanos, _options.NakRetryRatio);
        NetworkImage image;
        try
        {
            image = new NetworkImage(this, path, setup, source, channel, nakDelay, _options, _counters, now);
        }
        catch (IOException)
        {
            // No room for its log.
            _counters.ImagesRefused++;
            return;
        }
        _images.Add(image);
        _agent.AddImage(image);
        foreach (IImageListener subscription in _subscriptions)
        {
            if (subscription.Wants(setup.StreamId, setup.SessionId) && subscription.Allows(source, setup.SessionId))
                subscription.Open(image);
        }
    }

    /// <summary>Somebody here wants the stream and lets its source speak; if not, it is counted why.</summary>
    private bool IsWanted(int streamId, int sessionId, Ipv4Endpoint source)
    {
        bool isForbidden = false;
        foreach (IImageListener subscription in _subscriptions)
        {
            if (!subscription.Wants(streamId, sessionId))
                continue;
            if (subscription.Allows(source, sessionId))
                return true;
            isForbidden = true;
        }
        if (isForbidden)
            _counters.RefusedSources++;
        else
            _counters.UnknownStreams++;
        return false;
    }

    private NetworkImage? Find(int sessionId, int streamId)
    {
        foreach (NetworkImage image in _images)
        {
            if (image.SessionId == sessionId && image.StreamId == streamId)
                return image;
        }
        return null;
    }
}
