// The driver's answers and news as bytes in the broadcast buffer. The conductor calls it; nobody waits for anybody.

using System.Buffers.Binary;
using System.Text;

namespace MarginEngine.Aeron;

internal sealed class EventWriter
{
    private const int MaxTextLength = 2048;

    private readonly BroadcastTransmitter _transmitter;
    private readonly byte[] _scratch;
    private int _length;

    public EventWriter(BroadcastTransmitter transmitter)
    {
        _transmitter = transmitter;
        _scratch = new byte[transmitter.MaxEventLength];
    }

    public void Error(long correlationId, DriverError error, string text) =>
        Begin().Put(correlationId).Put((int)error).Put(text).Send(Event.Error);

    public void AvailableImage(
        long imageId, int sessionId, int streamId, long subscriptionId, int positionId, string logFile, string source) =>
        Begin().Put(imageId).Put(sessionId).Put(streamId).Put(subscriptionId).Put(positionId).Put(logFile).Align().Put(source)
            .Send(Event.AvailableImage);

    public void UnavailableImage(long imageId, long subscriptionId, int streamId, string channel) =>
        Begin().Put(imageId).Put(subscriptionId).Put(streamId).Put(channel).Send(Event.UnavailableImage);

    public void PublicationReady(
        bool isExclusive, long correlationId, long registrationId, int sessionId, int streamId, int limitId, int statusId, string logFile) =>
        Begin().Put(correlationId).Put(registrationId).Put(sessionId).Put(streamId).Put(limitId).Put(statusId).Put(logFile)
            .Send(isExclusive ? Event.ExclusivePublicationReady : Event.PublicationReady);

    public void SubscriptionReady(long correlationId, int statusId) =>
        Begin().Put(correlationId).Put(statusId).Send(Event.SubscriptionReady);

    public void OperationSucceeded(long correlationId) => Begin().Put(correlationId).Send(Event.OperationSucceeded);

    public void CounterReady(long registrationId, int counterId) =>
        Begin().Put(registrationId).Put(counterId).Send(Event.CounterReady);

    public void CounterUnavailable(long registrationId, int counterId) =>
        Begin().Put(registrationId).Put(counterId).Send(Event.CounterUnavailable);

    public void StaticCounter(long correlationId, int counterId) =>
        Begin().Put(correlationId).Put(counterId).Send(Event.StaticCounter);

    public void ClientTimeout(long clientId) => Begin().Put(clientId).Send(Event.ClientTimeout);

    public void NextSessionId(long correlationId, int sessionId) =>
        Begin().Put(correlationId).Put(sessionId).Send(Event.NextSessionId);

    public void PublicationError(
        long registrationId, long destinationId, int sessionId, int streamId, long receiverId, Ipv4Endpoint source, int code, string text)
    {
        const long NoGroupTag = -1;
        const int Ipv4 = 1;
        Begin().Put(registrationId).Put(destinationId).Put(sessionId).Put(streamId).Put(receiverId).Put(NoGroupTag)
            .Put(Ipv4 | (source.Port << 16)).Put(unchecked((int)BinaryPrimitives.ReverseEndianness(source.Address)))
            .Put(0L).Put(0).Put(code).Put(text).Send(Event.PublicationError);
    }

    private EventWriter Begin()
    {
        _length = 0;
        return this;
    }

    private EventWriter Put(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_scratch.AsSpan(_length), value);
        _length += sizeof(int);
        return this;
    }

    private EventWriter Put(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_scratch.AsSpan(_length), value);
        _length += sizeof(long);
        return this;
    }

    /// <summary>An i32 length and the text; one longer than any path or channel may be is cut.</summary>
    private EventWriter Put(string text)
    {
        ReadOnlySpan<char> kept = text.AsSpan(0, Math.Min(text.Length, Math.Max(Limits.MaxChannelLength, MaxTextLength)));
        int bytes = Encoding.ASCII.GetBytes(kept, _scratch.AsSpan(_length + sizeof(int)));
        Put(bytes);
        _length += bytes;
        return this;
    }

    private EventWriter Align()
    {
        while (_length % sizeof(int) != 0)
            _scratch[_length++] = 0;
        return this;
    }

    private void Send(int type) => _transmitter.Transmit(type, _scratch.AsSpan(0, _length));
}
