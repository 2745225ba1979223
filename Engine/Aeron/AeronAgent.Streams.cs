// The agent's streams and sockets: planned and opened for publications and subscriptions, found again by channel or tag, closed when unused.

namespace MarginEngine.Aeron;

/// <content>Opening and closing of streams and endpoints.</content>
public sealed partial class AeronAgent
{
    /// <summary>Session, first term and start of a new stream.</summary>
    internal LogSpec PlanStream(Channel parameters, SendEndpoint endpoint, int streamId)
    {
        if (parameters.SessionId is { } wanted && endpoint.HasSession(wanted, streamId))
            throw parameters.Uri.Error("session-id", $"{wanted} is in use on this channel and stream");

        int sessionId = parameters.SessionId ?? NextSessionId(endpoint, streamId);
        int initialTermId = parameters.StartPosition?.InitialTermId ?? Random.NextInt32();
        long startPosition = 0;
        if (parameters.StartPosition is { } start)
        {
            int bits = int.TrailingZeroCount(parameters.TermLength);
            startPosition = LogPosition.Compute(start.TermId, start.TermOffset, bits, start.InitialTermId);
        }
        return new LogSpec
        {
            TermLength = parameters.TermLength,
            Mtu = parameters.Mtu,
            InitialTermId = initialTermId,
            SessionId = sessionId,
            StreamId = streamId,
            StartPosition = startPosition,
            WindowLength = parameters.PublicationWindowLength,
        };
    }

    internal NetworkPublication AddSender(Channel parameters, SendEndpoint endpoint, LogBuffer log, Position limit, long startPosition)
    {
        var sender = new NetworkPublication(parameters, endpoint, log, limit, startPosition, _options, Counters, _clock.NanoTime());
        _senders.Add(sender);
        return sender;
    }

    private static ChannelException Contradiction(NetworkPublication sender, Channel wanted, string name, int open)
    {
        sender.Close();
        return wanted.Uri.Error(name, $"the stream is open with {open}");
    }

    private NetworkPublication AddOwnSender(Channel parameters, SendEndpoint endpoint, in LogSpec plan)
    {
        var log = new LogBuffer(plan);
        log.Touch();
        return AddSender(parameters, endpoint, log, new Position(plan.StartPosition), plan.StartPosition);
    }

    ChannelUri? ITagResolver.FindChannel(long tag) =>
        _sendEndpoints.Find(endpoint => endpoint.Tag == tag)?.Uri ?? _receiveEndpoints.Find(endpoint => endpoint.Tag == tag)?.Uri;

    int? ITagResolver.FindSession(long tag) => _senders.Find(sender => sender.Tag == tag)?.SessionId;

    internal SendEndpoint FindOrOpenSendEndpoint(Channel channel)
    {
        SendEndpoint? endpoint = channel.EndpointKey is { } key ? _sendEndpoints.Find(open => open.Key == key) : null;
        if (endpoint is null)
        {
            endpoint = new SendEndpoint(channel, _network, _options, Counters);
            _sendEndpoints.Add(endpoint);
        }
        return endpoint;
    }

    internal ReceiveEndpoint FindOrOpenReceiveEndpoint(Channel channel)
    {
        // Port 0 asks for a port of its own each time.
        ReceiveEndpoint? endpoint = channel.Data.Port == 0 || channel.EndpointKey is not { } key
            ? null
            : _receiveEndpoints.Find(open => open.Key == key);
        if (endpoint is null)
        {
            endpoint = new ReceiveEndpoint(channel, this, _network, _options, Counters);
            _receiveEndpoints.Add(endpoint);
        }
        return endpoint;
    }

    private int NextSessionId(SendEndpoint endpoint, int streamId)
    {
        int sessionId;
        do
        {
            if (_nextSessionId is >= Limits.ReservedSessionLow and <= Limits.ReservedSessionHigh)
                _nextSessionId = Limits.ReservedSessionHigh + 1;
            sessionId = _nextSessionId;
            _nextSessionId = unchecked(_nextSessionId + 1);
        }
        while (endpoint.HasSession(sessionId, streamId));
        return sessionId;
    }

    private void RemoveSender(NetworkPublication sender)
    {
        _senders.Remove(sender);
        Forget(sender);
        sender.Dispose();
    }

    private void RemoveReceiver(NetworkImage receiver)
    {
        foreach (Subscription subscription in _subscriptions)
        {
            // Another thread is reading; the next duty cycle tries again.
            if (!subscription.TryDrop(receiver))
                return;
        }
        _receivers.Remove(receiver);
        _driver?.OnImageRemoved(receiver);
        receiver.Dispose();
        Counters.ImagesClosed++;
    }

    /// <summary>Nobody is answered any more on a socket that is about to close.</summary>
    internal void LetGo(ReceiveEndpoint endpoint, ReceivePath path)
    {
        foreach (NetworkImage receiver in _receivers)
        {
            if (receiver.UsesEndpoint(endpoint))
                receiver.Paths.Remove(path);
        }
    }

    private void CloseUnusedEndpoints()
    {
        for (int i = _sendEndpoints.Count - 1; i >= 0; i--)
        {
            if (!_sendEndpoints[i].IsUnused)
                continue;
            _sendEndpoints[i].Dispose();
            _sendEndpoints.RemoveAt(i);
        }
        for (int i = _receiveEndpoints.Count - 1; i >= 0; i--)
        {
            if (!_receiveEndpoints[i].IsUnused || IsSpeaking(_receiveEndpoints[i]))
                continue;
            _receiveEndpoints[i].Dispose();
            _receiveEndpoints.RemoveAt(i);
        }
    }

    /// <summary>Images that are draining still send through their endpoint's socket.</summary>
    private bool IsSpeaking(ReceiveEndpoint endpoint)
    {
        foreach (NetworkImage receiver in _receivers)
        {
            if (receiver.UsesEndpoint(endpoint))
                return true;
        }
        return false;
    }
}
