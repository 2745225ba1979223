// Where a client's publication sends, and what its receivers say about it: destinations named by hand, rejected images.

using System.Text;

namespace MarginEngine.Aeron;

internal sealed partial class DriverConductor
{
    private const int MaxReasonLength = 1023;

    private void AddDestination(DriverClient client, long correlationId, long registrationId, string channel)
    {
        (DriverStream stream, Destinations destinations) = ManualDestinations(client, registrationId);
        Ipv4Endpoint address = Channel.ReadDestination(channel);
        if (!destinations.TryAdd(address))
            throw new CommandException(DriverError.Generic, $"{channel} is a destination already, or there are too many");
        stream.Destinations.Add((correlationId, address));
        _events.OperationSucceeded(correlationId);
    }

    private void RemoveDestination(DriverClient client, long correlationId, long registrationId, string channel)
    {
        (DriverStream stream, Destinations destinations) = ManualDestinations(client, registrationId);
        Ipv4Endpoint address = Channel.ReadDestination(channel);
        if (!destinations.Remove(address))
            throw new CommandException(DriverError.Generic, $"{channel} is no destination");
        stream.Destinations.RemoveAll(known => known.Address == address);
        _events.OperationSucceeded(correlationId);
    }

    private void RemoveDestinationById(DriverClient client, long correlationId, long registrationId, long destinationId)
    {
        if (client.Subscriptions.Exists(subscription => subscription.RegistrationId == registrationId))
        {
            ClientSubscription listener = ManualSubscription(client, registrationId);
            string channel = listener.Destinations.Find(known => known.Id == destinationId).Channel
                ?? throw new CommandException(DriverError.Generic, $"no destination {destinationId}");
            RemoveReceiveDestination(client, correlationId, registrationId, channel);
            return;
        }
        (DriverStream stream, Destinations destinations) = ManualDestinations(client, registrationId);
        int index = stream.Destinations.FindIndex(known => known.Id == destinationId);
        if (index < 0)
            throw new CommandException(DriverError.Generic, $"no destination {destinationId}");
        destinations.Remove(stream.Destinations[index].Address);
        stream.Destinations.RemoveAt(index);
        _events.OperationSucceeded(correlationId);
    }

    private void AddReceiveDestination(DriverClient client, long correlationId, long registrationId, string channel)
    {
        ClientSubscription subscription = ManualSubscription(client, registrationId);
        try
        {
            subscription.Endpoint!.AddPath(channel);
        }
        catch (InvalidOperationException refusal)
        {
            throw new CommandException(DriverError.Generic, refusal.Message);
        }
        subscription.Destinations.Add((correlationId, channel));
        _events.OperationSucceeded(correlationId);
    }

    private void RemoveReceiveDestination(DriverClient client, long correlationId, long registrationId, string channel)
    {
        ClientSubscription subscription = ManualSubscription(client, registrationId);
        if (!subscription.Endpoint!.RemovePath(channel))
            throw new CommandException(DriverError.Generic, $"{channel} is no destination");
        subscription.Destinations.RemoveAll(known => known.Channel == channel);
        _events.OperationSucceeded(correlationId);
    }

    private static ClientSubscription ManualSubscription(DriverClient client, long registrationId)
    {
        ClientSubscription subscription = client.Subscriptions.Find(known => known.RegistrationId == registrationId)
            ?? throw new CommandException(DriverError.UnknownSubscription, $"no subscription {registrationId}");
        return subscription.Endpoint is { TakesDestinations: true }
            ? subscription
            : throw new CommandException(DriverError.NotSupported, "only a channel with control-mode=manual takes destinations");
    }

    private static (DriverStream Stream, Destinations Destinations) ManualDestinations(DriverClient client, long registrationId)
    {
        int index = client.Publications.FindIndex(publication => publication.RegistrationId == registrationId);
        if (index < 0)
            throw new CommandException(DriverError.UnknownPublication, $"no publication {registrationId}");
        DriverStream stream = client.Publications[index].Stream;
        Destinations destinations = ((IPublicationDriver?)stream.Network)?.ManualDestinations
            ?? throw new CommandException(DriverError.NotSupported, "only a channel with control-mode=manual takes destinations");
        return (stream, destinations);
    }

    private void RejectImage(long correlationId, in CommandReader command)
    {
        long imageId = command.Int64(16);
        ReadOnlySpan<byte> reason = command.Counted(32);
        if (reason.Length > MaxReasonLength)
            throw new CommandException(DriverError.Malformed, $"a reason of {reason.Length} bytes is longer than {MaxReasonLength}");
        int index = _images.FindIndex(known => known.Id == imageId);
        if (index < 0)
            throw new CommandException(DriverError.Generic, $"no image {imageId} from the network");
        _images[index].Image.Reject(Encoding.UTF8.GetString(reason));
        _events.OperationSucceeded(correlationId);
    }

    /// <summary>The clients of a publication hear that a receiver gave it up.</summary>
    private void TellReceiverErrors(DriverStream stream)
    {
        const int NoGroup = -1;
        ((IPublicationDriver)stream.Network!).ReceiverErrors = error => _events.PublicationError(
            stream.RegistrationId, NoGroup, stream.SessionId, stream.StreamId, error.ReceiverId, error.Source, error.Code, error.Text);
    }
}
