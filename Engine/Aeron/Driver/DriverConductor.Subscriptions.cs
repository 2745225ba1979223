// Subscriptions of clients and of this process: which streams and images they see, and the position each of them moves.

using System.Globalization;
using System.Text;

namespace MarginEngine.Aeron;

internal sealed partial class DriverConductor
{
    private const string IpcSource = "aeron:ipc";
    private const int MaxKeyAddress = 92;

    private readonly List<ClientSubscription> _ipcSubscriptions = [];
    private readonly List<Subscription> _ownSubscriptions = [];
    private readonly Dictionary<IImageReader, int> _ownPositions = [];
    private readonly List<DriverImage> _images = [];

    /// <summary>An image that clients read: its file and the counters that show its progress.</summary>
    private sealed record DriverImage(NetworkImage Image, long Id, int HighWaterId, int PositionId);

    /// <summary>Shows this process's own subscription the streams of shared memory, those there are and those to come.</summary>
    public void AddOwnSubscription(Subscription subscription)
    {
        _ownSubscriptions.Add(subscription);
        foreach (DriverStream stream in _streams)
        {
            if (stream.Ipc is { TakesReaders: true } && subscription.Wants(stream.StreamId, stream.SessionId))
                Link(subscription, stream);
        }
    }

    public void Forget(Subscription subscription) => _ownSubscriptions.Remove(subscription);

    /// <summary>Where a new image's log goes; in a file, for any client may come to read it.</summary>
    /// <exception cref="IOException">there is no room for it</exception>
    public LogBuffer NewImageLog(in LogSpec spec)
    {
        long id = _ring.NextCorrelationId();
        return LogBuffer.Create(_directory.ImageFile(id), spec with { CorrelationId = id });
    }

    /// <summary>The agent has removed an image; its file stays a while for clients that are only now told of it.</summary>
    public void OnImageRemoved(NetworkImage image)
    {
        foreach (DriverClient client in _clients.Values)
        {
            foreach (ClientSubscription subscription in client.Subscriptions)
                subscription.Drop(image);
        }
        int index = _images.FindIndex(known => known.Image == image);
        if (index >= 0)
        {
            _counters.Free(_images[index].HighWaterId, NowMillis);
            _counters.Free(_images[index].PositionId, NowMillis);
            _images.RemoveAt(index);
        }
        if (image.Log.Path is { } path)
            _doomedFiles.Add((path, _now + _options.ClientLivenessNanos));
    }

    /// <summary>An endpoint shows a client's subscription an image.</summary>
    public void OnNetworkImage(ClientSubscription subscription, NetworkImage image)
    {
        try
        {
            long join = image.RebuiltPosition;
            string channel = subscription.Parameters.Uri.Text;
            int counter = AllocatePosition(
                CounterType.SubscriberPosition, "sub-pos", subscription.RegistrationId, image.SessionId, image.StreamId, channel, join,
                subscription.ClientId, FormattableString.Invariant($" @{join}"));
            AddReader(subscription, image, counter, join);
            Watch(image, channel);
            _events.AvailableImage(
                image.Log.CorrelationId, image.SessionId, image.StreamId, subscription.RegistrationId, counter, image.Log.Path!,
                image.Source.ToString());
        }
        catch (CommandException error)
        {
            LogError($"an image is not shown to subscription {subscription.RegistrationId}: {error.Message}");
        }
    }

    public void OnNetworkImageGone(ClientSubscription subscription, NetworkImage image) =>
        Unlink(subscription, image, image.Log.CorrelationId);

    private void AddSubscription(DriverClient client, long correlationId, int streamId, string channel)
    {
        RequireRoom();
        RequireNew(correlationId);
        bool isIpc = Channel.IsIpc(channel);
        Channel parameters = isIpc ? Channel.ForIpcSubscription(channel) : Channel.ForSubscription(channel, _aeron, _agent, takesDestinations: true);
        var subscription = new ClientSubscription(this, correlationId, client.Id, parameters, streamId);
        if (!isIpc)
        {
            subscription.Endpoint = _agent.FindOrOpenReceiveEndpoint(parameters);
            subscription.Status = UseStatus(
                "receive " + (subscription.Endpoint.Key ?? correlationId.ToString(CultureInfo.InvariantCulture)), CounterType.ReceiveChannel, "rcv-channel", channel, subscription.Endpoint.LocalEndpoint);
        }
        _registrations.Add(correlationId);
        client.Subscriptions.Add(subscription);
        _events.SubscriptionReady(correlationId, subscription.Status?.StatusId ?? NoStatus);
        if (!isIpc)
        {
            subscription.Endpoint!.Add(subscription);
            return;
        }
        _ipcSubscriptions.Add(subscription);
        foreach (DriverStream stream in _streams)
        {
            if (stream.Ipc is { TakesReaders: true } && subscription.Wants(stream.StreamId, stream.SessionId))
                Link(subscription, stream);
        }
    }

    private void RemoveSubscription(DriverClient client, long correlationId, long registrationId)
    {
        int index = client.Subscriptions.FindIndex(subscription => subscription.RegistrationId == registrationId);
        if (index < 0)
            throw new CommandException(DriverError.UnknownSubscription, $"no subscription {registrationId}");
        ClientSubscription subscription = client.Subscriptions[index];
        client.Subscriptions.RemoveAt(index);
        Release(subscription);
        _events.OperationSucceeded(correlationId);
    }

    private void Release(ClientSubscription subscription)
    {
        _registrations.Remove(subscription.RegistrationId);
        _ipcSubscriptions.Remove(subscription);
        subscription.Endpoint?.Remove(subscription);
        foreach (SubscriberPosition position in subscription.Positions.ToArray())
        {
            position.Image.RemoveReader(position);
            _counters.Free(position.CounterId, NowMillis);
        }
        subscription.Positions.Clear();
        DropStatus(subscription.Status);
    }

    private void LinkSubscriptions(DriverStream stream)
    {
        foreach (ClientSubscription subscription in _ipcSubscriptions)
        {
            if (subscription.Wants(stream.StreamId, stream.SessionId))
                Link(subscription, stream);
        }
        foreach (Subscription subscription in _ownSubscriptions)
        {
            if (subscription.Wants(stream.StreamId, stream.SessionId))
                Link(subscription, stream);
        }
    }

    private void Link(ClientSubscription subscription, DriverStream stream)
    {
        long join = stream.Ipc!.ConsumedPosition;
        int counter = AllocateSubscriberPosition(subscription.RegistrationId, subscription.ClientId, stream, join);
        if (counter < 0)
            return;
        stream.Ipc.AddReader(AddPosition(subscription, stream.Ipc, counter, join));
        _events.AvailableImage(
            stream.RegistrationId, stream.SessionId, stream.StreamId, subscription.RegistrationId, counter, stream.Log.Path!, IpcSource);
    }

    private void Link(Subscription subscription, DriverStream stream)
    {
        long join = stream.Ipc!.ConsumedPosition;
        int counter = AllocateSubscriberPosition(_ring.NextCorrelationId(), OwnClient, stream, join);
        if (counter < 0)
            return;
        Image image = subscription.Open(stream.Ipc, PositionOf(counter));
        _ownPositions.Add(image, counter);
        stream.Ipc.AddReader(image);
        subscription.ImageAvailable?.Invoke(image);
    }

    /// <summary>A subscription that cannot be counted is not linked, and the log says so.</summary>
    private int AllocateSubscriberPosition(long registrationId, long ownerId, DriverStream stream, long join)
    {
        try
        {
            return AllocatePosition(
                CounterType.SubscriberPosition, "sub-pos", registrationId, stream.SessionId, stream.StreamId, stream.Channel, join, ownerId,
                FormattableString.Invariant($" @{join}"));
        }
        catch (CommandException error)
        {
            LogError($"stream {stream.RegistrationId} is not shown to subscription {registrationId}: {error.Message}");
            return -1;
        }
    }

    private void AddReader(ClientSubscription subscription, NetworkImage image, int counter, long join) =>
        image.AddReader(AddPosition(subscription, image, counter, join));

    private unsafe SubscriberPosition AddPosition(ClientSubscription subscription, IImageDriver image, int counter, long join)
    {
        var position = new SubscriberPosition(subscription, image, counter, _counters.Pointer(counter), join);
        subscription.Positions.Add(position);
        return position;
    }

    /// <summary>The stream has ended and all of it was consumed.</summary>
    private void UnlinkSubscriptions(DriverStream stream)
    {
        foreach (ClientSubscription subscription in _ipcSubscriptions)
            Unlink(subscription, stream.Ipc!, stream.RegistrationId);
        foreach (Subscription subscription in _ownSubscriptions.ToArray())
            subscription.Drop(stream.Ipc!);
    }

    private void Unlink(ClientSubscription subscription, IImageDriver image, long imageId)
    {
        int index = subscription.Positions.FindIndex(position => ReferenceEquals(position.Image, image));
        if (index < 0)
            return;
        SubscriberPosition position = subscription.Positions[index];
        subscription.Positions.RemoveAt(index);
        image.RemoveReader(position);
        _counters.Free(position.CounterId, NowMillis);
        _events.UnavailableImage(imageId, subscription.RegistrationId, subscription.StreamId, subscription.Parameters.Uri.Text);
    }

    private void OnReaderRemoved(IImageReader reader)
    {
        if (_ownPositions.Remove(reader, out int counter))
            _counters.Free(counter, NowMillis);
    }

    private void Watch(NetworkImage image, string channel)
    {
        if (_images.Exists(known => known.Image == image))
            return;
        _images.Add(new DriverImage(
            image, image.Log.CorrelationId, Counter(CounterType.ReceiverHighWater, "rcv-hwm"), Counter(CounterType.ReceiverPosition, "rcv-pos")));

        int Counter(int type, string name) => AllocatePosition(
            type, name, image.Log.CorrelationId, image.SessionId, image.StreamId, channel, image.RebuiltPosition, OwnClient);
    }

    /// <summary>The counters of a channel's socket: 1 for "active", and the address it is bound to.</summary>
    private ChannelStatus UseStatus(string key, int type, string name, string channel, Ipv4Endpoint address)
    {
        ChannelStatus? status = _statuses.Find(known => known.Key == key);
        if (status is null)
        {
            int statusId = Allocate(type, TextKey(channel), $"{name}: {channel} {address}", 1, _ring.NextCorrelationId(), OwnClient);
            string prefix = type == CounterType.SendChannel ? "snd" : "rcv";
            string label = string.Create(CultureInfo.InvariantCulture, $"{prefix}-local-sockaddr: {statusId} {address}");
            byte[] addressKey = [.. BitConverter.GetBytes(statusId), .. TextKey(address.ToString())];
            int addressId = _counters.Allocate(
                CounterType.LocalAddress, addressKey, Encoding.ASCII.GetBytes(label), 1, statusId, OwnClient, NowMillis);
            status = new ChannelStatus { Key = key, StatusId = statusId, AddressId = addressId };
            _statuses.Add(status);
        }
        status.References++;
        return status;
    }

    private void DropStatus(ChannelStatus? status)
    {
        if (status is null || --status.References > 0)
            return;
        _statuses.Remove(status);
        _counters.Free(status.StatusId, NowMillis);
        _counters.Free(status.AddressId, NowMillis);
    }

    private static byte[] TextKey(string text)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text.Length > MaxKeyAddress ? text[..MaxKeyAddress] : text);
        return [.. BitConverter.GetBytes(bytes.Length), .. bytes];
    }
}
