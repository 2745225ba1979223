// The socket of one subscription channel, shared by its subscriptions: checks what arrives, finds the image it belongs to, opens images
// from SETUP, and asks for a SETUP when data of an unknown session comes in.

namespace MarginEngine.Aeron;

internal sealed unsafe class ReceiveEndpoint : IDisposable
{
    private readonly Channel _channel;
    private readonly AeronAgent _agent;
    private readonly AeronOptions _options;
    private readonly AeronCounters _counters;
    private readonly IDatagramSocket _socket;
    private readonly DatagramBatch _single = new(1, 0);
    private readonly List<IImageListener> _subscriptions = [];
    private readonly List<NetworkImage> _images = [];
    private readonly Pending[] _pending = new Pending[Limits.PendingSetups];

    public ReceiveEndpoint(Channel channel, AeronAgent agent, IDatagramNetwork network, AeronOptions options, AeronCounters counters)
    {
        _channel = channel;
        _agent = agent;
        _options = options;
        _counters = counters;
        Key = channel.EndpointKey;
        ReceiverId = agent.NextReceiverId();
        _socket = network.Open(new SocketSpec
        {
            Bind = channel.IsMulticast ? new Ipv4Endpoint(0, channel.Data.Port) : channel.Data,
            JoinGroup = channel.IsMulticast ? channel.Data.Address : 0,
            MulticastInterface = channel.IsMulticast ? channel.Interface : 0,
            TimeToLive = channel.IsMulticast ? channel.TimeToLive : 0,
            SharesPort = channel.IsMulticast,
            SendBufferLength = channel.SocketSendBufferLength,
            ReceiveBufferLength = channel.SocketReceiveBufferLength,
        });
        if (_socket.ReceiveBufferLength < channel.ReceiverWindowLength)
        {
            int granted = _socket.ReceiveBufferLength;
            _socket.Dispose();
            throw channel.Uri.Error(
                "rcv-wnd", $"{channel.ReceiverWindowLength} bytes exceed the {granted} that the system lets the socket buffer");
        }
    }

    public AeronAgent Agent => _agent;

    public string Key { get; }

    /// <summary>Tells this receiver from the others of a group; in every status message.</summary>
    public long ReceiverId { get; }

    public Ipv4Endpoint LocalEndpoint => _socket.LocalEndpoint;

    public bool IsUnused => _subscriptions.Count == 0 && _images.Count == 0;

    public void Add(IImageListener subscription)
    {
        _subscriptions.Add(subscription);
        foreach (NetworkImage image in _images)
        {
            if (image.State == ImageState.Active && subscription.Wants(image.StreamId, image.SessionId))
                subscription.Open(image);
        }
    }

    public void Remove(IImageListener subscription) => _subscriptions.Remove(subscription);

    public bool Send(void* frame, int length, Ipv4Endpoint destination)
    {
        _single.Clear();
        _single.Add((byte*)frame, length, destination);
        int sent = _socket.Send(_single, _counters);
        _counters.DatagramsSent += sent;
        _counters.BytesSent += sent * length;
        return sent == 1;
    }

    public int Receive(DatagramBatch batch, long now)
    {
        int total = 0;
        for (int call = 0; call < Limits.ReceiveCallsPerPass; call++)
        {
            int count = _socket.Receive(batch, _counters);
            for (int i = 0; i < count; i++)
                OnDatagram(batch.Data(i), batch.Length(i), batch.Address(i), now);
            total += count;
            if (count < batch.Capacity)
                break;
        }
        return total;
    }

    /// <summary>A draining image no longer answers to its session; a new SETUP opens a new image.</summary>
    public void StopReceiving(NetworkImage image) => _images.Remove(image);

    public void Dispose()
    {
        _socket.Dispose();
        _single.Dispose();
    }

    private void OnDatagram(byte* datagram, int length, Ipv4Endpoint source, long now)
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
                OnData(datagram, length, source, now);
                break;
            case FrameType.Setup when length >= SetupFrame.Length && header->FrameLength >= SetupFrame.Length
                && header->FrameLength <= length:
                OnSetup(*(SetupFrame*)datagram, source, now);
                break;
            case FrameType.Setup:
                _counters.MalformedFrames++;
                break;
            default:
                _counters.IgnoredFrames++;
                break;
        }
    }

    private void OnData(byte* datagram, int length, Ipv4Endpoint source, long now)
    {
        if (length < DataHeader.Length || length % Limits.FrameAlignment != 0)
        {
            _counters.MalformedFrames++;
            return;
        }
        var header = (DataHeader*)datagram;
        if (Find(header->SessionId, header->StreamId) is not { } image)
        {
            OnUnknownSession(*header, source, now);
            return;
        }
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

    private void OnUnknownSession(in DataHeader header, Ipv4Endpoint source, long now)
    {
        if (!IsWanted(header.StreamId, header.SessionId))
        {
            _counters.UnknownStreams++;
            return;
        }
        // Who is about to leave needs no receiver.
        if ((header.Flags & FrameFlags.EndOfStream) != 0 || !TryBeginPending(header.SessionId, header.StreamId, now))
            return;

        StatusMessageFrame frame = new()
        {
            FrameLength = StatusMessageFrame.Length,
            Version = FrameHeader.CurrentVersion,
            Flags = FrameFlags.StatusSendSetup,
            Type = FrameType.StatusMessage,
            SessionId = header.SessionId,
            StreamId = header.StreamId,
            ReceiverId = ReceiverId,
        };
        if (Send(&frame, StatusMessageFrame.Length, _channel.IsMulticast ? _channel.Control : source))
            _counters.StatusMessagesSent++;
    }

    private bool TryBeginPending(int sessionId, int streamId, long now)
    {
        int free = -1;
        for (int i = 0; i < _pending.Length; i++)
        {
            ref Pending pending = ref _pending[i];
            if (!pending.IsUsed || now - pending.UntilNanos >= 0)
            {
                pending.IsUsed = false;
                free = i;
            }
            else if (pending.SessionId == sessionId && pending.StreamId == streamId)
            {
                return false;
            }
        }
        if (free < 0)
            return false;
        _pending[free] = new Pending
        {
            IsUsed = true,
            SessionId = sessionId,
            StreamId = streamId,
            UntilNanos = now + _options.PendingSetupNanos,
        };
        return true;
    }

    private void OnSetup(in SetupFrame setup, Ipv4Endpoint source, long now)
    {
        _counters.SetupsReceived++;
        if (!IsWanted(setup.StreamId, setup.SessionId))
        {
            _counters.UnknownStreams++;
            return;
        }
        if (Find(setup.SessionId, setup.StreamId) is not null)
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
        for (int i = 0; i < _pending.Length; i++)
        {
            if (_pending[i].SessionId == setup.SessionId && _pending[i].StreamId == setup.StreamId)
                _pending[i].IsUsed = false;
        }
        OpenImage(setup, source, now);
    }

    private static bool IsSound(in SetupFrame setup) =>
        int.IsPow2(setup.TermLength) && setup.TermLength is >= Limits.MinTermLength and <= Limits.MaxTermLength
        && setup.Mtu is > DataHeader.Length and <= Limits.MaxMtu && setup.Mtu % Limits.FrameAlignment == 0
        && setup.TermOffset >= 0 && setup.TermOffset < setup.TermLength && setup.TermOffset % Limits.FrameAlignment == 0
        && unchecked(setup.ActiveTermId - setup.InitialTermId) >= 0;

    private void OpenImage(in SetupFrame setup, Ipv4Endpoint source, long now)
    {
        Channel channel = _channel;
        foreach (IImageListener subscription in _subscriptions)
        {
            if (subscription.Wants(setup.StreamId, setup.SessionId))
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
            image = new NetworkImage(this, setup, source, channel, nakDelay, _options, _counters, now);
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
            if (subscription.Wants(setup.StreamId, setup.SessionId))
                subscription.Open(image);
        }
    }

    private bool IsWanted(int streamId, int sessionId)
    {
        foreach (IImageListener subscription in _subscriptions)
        {
            if (subscription.Wants(streamId, sessionId))
                return true;
        }
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

    private struct Pending
    {
        public bool IsUsed;
        public int SessionId;
        public int StreamId;
        public long UntilNanos;
    }
}
