// The sockets of one publication channel, shared by its publications: sends their datagrams and hands them what receivers answer.
//   unicast    one socket, connected to the endpoint
//   multicast  one socket that sends to the group, one that hears the control group
//   control=   one socket, bound to the control address; what is sent goes to each destination

namespace MarginEngine.Aeron;

internal sealed unsafe class SendEndpoint : IDisposable
{
    private readonly List<NetworkPublication> _publications = [];
    private readonly IDatagramSocket _data;
    private readonly IDatagramSocket _control;
    private readonly Destinations? _destinations;
    private readonly AeronCounters _counters;
    private readonly DatagramBatch _single = new(1, 0);
    private readonly DatagramBatch _burst = new(Limits.SendBatch, 0);

    public SendEndpoint(Channel channel, IDatagramNetwork network, AeronOptions options, AeronCounters counters)
    {
        Key = channel.EndpointKey;
        Tag = channel.ChannelTag;
        Uri = channel.Uri;
        _counters = counters;
        if (channel.IsMultiDestination)
        {
            _destinations = new Destinations(channel.ControlMode, options.DestinationTimeoutNanos);
            if (channel is { ControlMode: ControlMode.Manual, Data.Port: not 0 })
                _destinations.TryAdd(channel.Data);
        }
        _data = network.Open(new SocketSpec
        {
            Bind = channel.ExplicitControl ?? new Ipv4Endpoint(channel.Interface, 0),
            Connect = channel.IsMultiDestination ? default : channel.Data,
            IsSendOnly = channel.IsMulticast,
            MulticastInterface = channel.IsMulticast ? channel.Interface : 0,
            TimeToLive = channel.IsMulticast ? channel.TimeToLive : 0,
            SendBufferLength = channel.SocketSendBufferLength,
            ReceiveBufferLength = channel.SocketReceiveBufferLength,
        });
        _control = !channel.IsMulticast ? _data : network.Open(new SocketSpec
        {
            Bind = new Ipv4Endpoint(0, channel.Control.Port),
            JoinGroup = channel.Control.Address,
            MulticastInterface = channel.Interface,
            ReceiveBufferLength = channel.SocketReceiveBufferLength,
            SharesPort = true,
        });
    }

    public string? Key { get; }

    /// <summary>The channel tag other channels may call this one by, and what they then inherit.</summary>
    public long? Tag { get; }

    public ChannelUri Uri { get; }

    public Ipv4Endpoint LocalEndpoint => _data.LocalEndpoint;

    /// <summary>null where there is one destination, the channel's endpoint.</summary>
    public Destinations? Destinations => _destinations;

    public bool IsUnused => _publications.Count == 0;

    /// <summary>Datagrams of a stream's next pass; the publication fills it and calls <see cref="SendBurst"/>.</summary>
    public DatagramBatch Burst => _burst;

    public void Add(NetworkPublication publication) => _publications.Add(publication);

    public void Remove(NetworkPublication publication) => _publications.Remove(publication);

    public bool HasSession(int sessionId, int streamId) => Find(sessionId, streamId) is not null;

    public bool Send(void* frame, int length)
    {
        _single.Clear();
        _single.Add((byte*)frame, length, default);
        return Send(_single) == 1;
    }

    public int SendBurst() => Send(_burst);

    public void OnIdle(long now) => _destinations?.OnIdle(now);

    public int Receive(DatagramBatch batch, long now)
    {
        int total = 0;
        for (int call = 0; call < Limits.ReceiveCallsPerPass; call++)
        {
            int count = _control.Receive(batch, _counters);
            for (int i = 0; i < count; i++)
                OnDatagram(batch.Data(i), batch.Length(i), batch.Address(i), now);
            total += count;
            if (count < batch.Capacity)
                break;
        }
        return total;
    }

    public void Dispose()
    {
        _data.Dispose();
        if (!ReferenceEquals(_control, _data))
            _control.Dispose();
        _single.Dispose();
        _burst.Dispose();
    }

    private int Send(DatagramBatch batch)
    {
        if (_destinations is null)
            return SendOnce(batch);
        // With nobody there the stream moves on, as a multicast stream does; one whose datagrams were not taken asks for them by NAK.
        Destination[] destinations = _destinations.All;
        int furthest = destinations.Length == 0 ? batch.Count : 0;
        foreach (Destination destination in destinations)
        {
            batch.Redirect(destination.Address);
            furthest = Math.Max(furthest, SendOnce(batch));
        }
        return furthest;
    }

    private int SendOnce(DatagramBatch batch)
    {
        int sent = _data.Send(batch, _counters);
        _counters.DatagramsSent += sent;
        for (int i = 0; i < sent; i++)
            _counters.BytesSent += batch.Length(i);
        return sent;
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
            case FrameType.StatusMessage:
                if (IsWhole(header, length, StatusMessageFrame.Length))
                    OnStatusMessage((StatusMessageFrame*)datagram, source, now);
                break;
            case FrameType.Nak:
                if (IsWhole(header, length, NakFrame.Length))
                    OnNak((NakFrame*)datagram, now);
                break;
            case FrameType.RoundTrip:
                if (IsWhole(header, length, RoundTripFrame.Length))
                    OnRoundTrip((RoundTripFrame*)datagram);
                break;
            case FrameType.Error:
                if (IsWhole(header, length, ErrorFrame.Length))
                    OnError((ErrorFrame*)datagram, source);
                break;
            default:
                _counters.IgnoredFrames++;
                break;
        }
    }

    private bool IsWhole(FrameHeader* header, int length, int minimum)
    {
        if (length >= minimum && header->FrameLength >= minimum && header->FrameLength <= length)
            return true;
        _counters.MalformedFrames++;
        return false;
    }

    private void OnStatusMessage(StatusMessageFrame* frame, Ipv4Endpoint source, long now)
    {
        _destinations?.OnStatusMessage(source, now);
        long? groupTag = frame->FrameLength == StatusMessageFrame.LengthWithGroupTag
            ? *(long*)((byte*)frame + StatusMessageFrame.Length)
            : null;
        if (Find(frame->SessionId, frame->StreamId) is { } publication)
            publication.OnStatusMessage(*frame, groupTag, now);
        else if (_destinations is not null && IsIntroduction(*frame))
            Introduce(frame->ReceiverId);
        else
            _counters.UnknownStreams++;
    }

    /// <summary>A receiver that knows a control address and no stream yet asks every stream there to show itself.</summary>
    private static bool IsIntroduction(in StatusMessageFrame frame) =>
        frame is { SessionId: 0, StreamId: 0 } && (frame.Flags & FrameFlags.StatusSendSetup) != 0;

    private void Introduce(long receiverId)
    {
        _counters.StatusMessagesReceived++;
        foreach (NetworkPublication publication in _publications)
            publication.OnSetupWanted(receiverId);
    }

    private void OnNak(NakFrame* frame, long now)
    {
        if (Find(frame->SessionId, frame->StreamId) is { } publication)
            publication.OnNak(*frame, now);
        else
            _counters.UnknownStreams++;
    }

    private void OnError(ErrorFrame* frame, Ipv4Endpoint source)
    {
        if (frame->TextLength < 0 || frame->TextLength > frame->FrameLength - ErrorFrame.Length)
        {
            _counters.MalformedFrames++;
            return;
        }
        _counters.ErrorFramesReceived++;
        if (Find(frame->SessionId, frame->StreamId) is { } publication)
            publication.OnReceiverError(frame, source);
        else
            _counters.UnknownStreams++;
    }

    private void OnRoundTrip(RoundTripFrame* frame)
    {
        if ((frame->Flags & FrameFlags.RoundTripReply) == 0)
        {
            _counters.IgnoredFrames++;
            return;
        }
        if (Find(frame->SessionId, frame->StreamId) is null)
        {
            _counters.UnknownStreams++;
            return;
        }
        RoundTripFrame answer = *frame;
        answer.FrameLength = RoundTripFrame.Length;
        answer.Flags = 0;
        answer.ReceptionDelta = 0;
        if (Send(&answer, RoundTripFrame.Length))
            _counters.RoundTripsAnswered++;
    }

    private NetworkPublication? Find(int sessionId, int streamId)
    {
        foreach (NetworkPublication publication in _publications)
        {
            if (publication.SessionId == sessionId && publication.StreamId == streamId)
                return publication;
        }
        return null;
    }
}
