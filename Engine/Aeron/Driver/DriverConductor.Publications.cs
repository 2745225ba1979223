// Publications of clients, and those of this process that go through shared memory: their logs, their counters, and who shares them.

using System.Globalization;

namespace MarginEngine.Aeron;

internal sealed partial class DriverConductor
{
    private readonly List<IpcPublication> _ipc = [];

    /// <summary>A publication of this process that others read through shared memory.</summary>
    /// <exception cref="ChannelException">the channel is malformed</exception>
    /// <exception cref="IOException">the log cannot be made</exception>
    public IpcPublication AddOwnPublication(string channel, int streamId, bool isExclusive)
    {
        Channel parameters = Channel.ForIpcPublication(channel, _aeron, _options.IpcTermLength);
        if (!isExclusive && FindShared(parameters, isIpc: true, streamId) is { } shared)
            return shared.Ipc!;
        DriverStream stream = AddIpcStream(parameters, _ring.NextCorrelationId(), OwnClient, streamId, isExclusive);
        LinkSubscriptions(stream);
        return stream.Ipc!;
    }

    private void AddPublication(DriverClient client, long correlationId, int streamId, string channel, bool isExclusive)
    {
        RequireRoom();
        RequireNew(correlationId);
        bool isIpc = Channel.IsIpc(channel);
        Channel parameters = isIpc
            ? Channel.ForIpcPublication(channel, _aeron, _options.IpcTermLength)
            : Channel.ForPublication(channel, _aeron, _agent);
        DriverStream? stream = isExclusive ? null : FindShared(parameters, isIpc, streamId);
        bool isNew = stream is null;
        if (stream is null)
        {
            stream = isIpc
                ? AddIpcStream(parameters, correlationId, client.Id, streamId, isExclusive)
                : AddNetworkStream(parameters, correlationId, client.Id, streamId, isExclusive);
        }
        stream.References++;
        _registrations.Add(correlationId);
        client.Publications.Add(new ClientPublication(correlationId, stream));
        _events.PublicationReady(
            isExclusive, correlationId, stream.RegistrationId, stream.SessionId, streamId, stream.LimitId,
            stream.Status?.StatusId ?? NoStatus, stream.Log.Path!);
        if (isNew && isIpc)
            LinkSubscriptions(stream);
    }

    /// <summary>A concurrent publication of the same channel and stream that is still open, with one producer more.</summary>
    /// <exception cref="ChannelException">there is one, and it was made with another geometry</exception>
    private DriverStream? FindShared(Channel channel, bool isIpc, int streamId)
    {
        DriverStream? shared = _streams.Find(stream =>
            !stream.IsExclusive && stream.StreamId == streamId && (channel.SessionId is not { } wanted || wanted == stream.SessionId)
            && (isIpc ? stream.Ipc is not null : stream.Network is not null && channel.EndpointKey is not null && stream.Status!.Key == SendKey(channel, stream.RegistrationId)));
        if (shared is null)
            return null;
        if (channel.Uri.Find("term-length") is not null && channel.TermLength != shared.Log.TermLength)
            throw channel.Uri.Error("term-length", $"the publication is open with {shared.Log.TermLength}");
        if (channel.Uri.Find("mtu") is not null && channel.Mtu != shared.Log.Mtu)
            throw channel.Uri.Error("mtu", $"the publication is open with {shared.Log.Mtu}");
        return (shared.Ipc?.TryAddProducer() ?? shared.Network!.TryAddProducer()) ? shared : null;
    }

    private DriverStream AddIpcStream(Channel channel, long registrationId, long ownerId, int streamId, bool isExclusive)
    {
        int sessionId = channel.SessionId ?? NextSessionId();
        if (_streams.Exists(open => open.Ipc is not null && open.StreamId == streamId && open.SessionId == sessionId))
            throw channel.Uri.Error("session-id", $"{sessionId} is in use on this stream");
        (int initialTermId, long start) = StartOf(channel);
        string name = channel.Uri.Text;
        LogBuffer log = CreateLog(channel, registrationId, sessionId, streamId, initialTermId, start, isExclusive);
        int limitId = -1;
        try
        {
            limitId = AllocatePosition(
                CounterType.PublisherLimit, "pub-lmt", registrationId, sessionId, streamId, name, start, ownerId);
            int positionId = AllocatePosition(
                CounterType.PublisherPosition, PositionName(isExclusive), registrationId, sessionId, streamId, name, start, ownerId);
            var stream = new DriverStream
            {
                RegistrationId = registrationId, Channel = name, IsExclusive = isExclusive, Log = log, LimitId = limitId,
                PositionId = positionId, Ipc = new IpcPublication(log, PositionOf(limitId), channel, start),
            };
            stream.Ipc.ReaderRemoved = OnReaderRemoved;
            _ipc.Add(stream.Ipc);
            _streams.Add(stream);
            return stream;
        }
        catch (CommandException)
        {
            _counters.Free(limitId, NowMillis);
            DeleteLog(log);
            throw;
        }
    }

    private DriverStream AddNetworkStream(Channel channel, long registrationId, long ownerId, int streamId, bool isExclusive)
    {
        SendEndpoint endpoint = _agent.FindOrOpenSendEndpoint(channel);
        LogSpec plan = _agent.PlanStream(channel, endpoint, streamId);
        string name = channel.Uri.Text;
        int sessionId = plan.SessionId;
        long start = plan.StartPosition;
        LogBuffer log = CreateLog(channel, registrationId, sessionId, streamId, plan.InitialTermId, start, isExclusive);
        var counters = new List<int>();
        try
        {
            Add(CounterType.PublisherLimit, "pub-lmt");
            Add(CounterType.PublisherPosition, PositionName(isExclusive));
            Add(CounterType.SenderPosition, "snd-pos");
            Add(CounterType.SenderLimit, "snd-lmt");
            ChannelStatus status = UseStatus(SendKey(channel, registrationId), CounterType.SendChannel, "snd-channel", name, endpoint.LocalEndpoint);
            var stream = new DriverStream
            {
                RegistrationId = registrationId, Channel = name, IsExclusive = isExclusive, Log = log, LimitId = counters[0],
                PositionId = counters[1], SenderPositionId = counters[2], SenderLimitId = counters[3], Status = status,
                Network = _agent.AddSender(channel, endpoint, log, PositionOf(counters[0]), start),
            };
            _streams.Add(stream);
            TellReceiverErrors(stream);
            return stream;
        }
        catch (CommandException)
        {
            foreach (int counter in counters)
                _counters.Free(counter, NowMillis);
            DeleteLog(log);
            throw;
        }

        void Add(int type, string label) =>
            counters.Add(AllocatePosition(type, label, registrationId, sessionId, streamId, name, start, ownerId));
    }

    private void RemovePublication(DriverClient client, long correlationId, long registrationId, bool isRevoked)
    {
        int index = client.Publications.FindIndex(publication => publication.RegistrationId == registrationId);
        if (index < 0)
            throw new CommandException(DriverError.UnknownPublication, $"no publication {registrationId}");
        ClientPublication publication = client.Publications[index];
        client.Publications.RemoveAt(index);
        if (isRevoked)
            (publication.Stream.Ipc ?? (IPublicationDriver?)publication.Stream.Network)?.Revoke();
        Release(publication);
        _events.OperationSucceeded(correlationId);
    }

    private void Release(ClientPublication publication)
    {
        _registrations.Remove(publication.RegistrationId);
        DriverStream stream = publication.Stream;
        stream.References--;
        stream.Ipc?.Close();
        stream.Network?.Close();
    }

    private void CheckStream(DriverStream stream, long now)
    {
        if (stream.Network is { State: PublicationState.Closed })
        {
            // The agent has unmapped the log.
            stream.Network = null;
            Forget(stream);
            return;
        }
        if (stream.Network is { } network && (stream.Log.Type == LogType.Concurrent || network.State == PublicationState.Draining))
        {
            // Where no producer is left to commit a claim, there is nothing to wait for.
            long patience = network.State == PublicationState.Draining ? 0 : _options.PublicationUnblockNanos;
            if (stream.Claims.Check(stream.Log, network.SenderPosition, now, patience))
                _counts.PublicationsUnblocked++;
        }
        if (stream.Ipc is not { } ipc)
            return;
        ipc.CheckState(now, _options.PublicationUnblockNanos, _counts);
        if (ipc.State >= PublicationState.Lingering && ipc.HasReaders)
            UnlinkSubscriptions(stream);
        if (ipc.State != PublicationState.Closed)
            return;
        _ipc.Remove(ipc);
        _agent.Forget(ipc);
        stream.Log.Dispose();
        Forget(stream);
    }

    private void Forget(DriverStream stream)
    {
        _streams.Remove(stream);
        foreach (int counter in (ReadOnlySpan<int>)[stream.LimitId, stream.PositionId, stream.SenderPositionId, stream.SenderLimitId])
            _counters.Free(counter, NowMillis);
        DropStatus(stream.Status);
        DeleteFile(stream.Log.Path!);
    }

    private LogBuffer CreateLog(
        Channel channel, long registrationId, int sessionId, int streamId, int initialTermId, long start, bool isExclusive) =>
        LogBuffer.Create(_directory.PublicationFile(registrationId), new LogSpec
        {
            TermLength = channel.TermLength,
            Mtu = channel.Mtu,
            InitialTermId = initialTermId,
            SessionId = sessionId,
            StreamId = streamId,
            StartPosition = start,
            WindowLength = channel.PublicationWindowLength,
            Type = isExclusive ? LogType.Exclusive : LogType.Concurrent,
            CorrelationId = registrationId,
            LingerNanos = channel.LingerNanos,
            SignalsEndOfStream = channel.SignalsEndOfStream,
            IsReserved = channel.Uri.Find("sparse") == "false",
        });

    private void DeleteLog(LogBuffer log)
    {
        log.Dispose();
        DeleteFile(log.Path!);
    }

    private (int InitialTermId, long Position) StartOf(Channel channel)
    {
        if (channel.StartPosition is not { } start)
            return (_agent.Random.NextInt32(), 0);
        int bits = int.TrailingZeroCount(channel.TermLength);
        return (start.InitialTermId, LogPosition.Compute(start.TermId, start.TermOffset, bits, start.InitialTermId));
    }

    private unsafe Position PositionOf(int counterId) => new(_counters.Pointer(counterId));

    private static string PositionName(bool isExclusive) => isExclusive ? "pub-pos (exclusive)" : "pub-pos (concurrent)";

    /// <summary>A channel without a key has sockets of its own, which nobody shares.</summary>
    private static string SendKey(Channel channel, long registrationId) => "send " + (channel.EndpointKey ?? registrationId.ToString(CultureInfo.InvariantCulture));
}
