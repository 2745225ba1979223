// A sender as a subscription of the client library sees it, under our names.
using Client = Adaptive.Aeron;

namespace MarginEngine.Aeron;

public sealed class Image
{
    private readonly Client.Image _image;

    internal Image(Subscription subscription, Client.Image image)
    {
        Subscription = subscription;
        _image = image;
        SessionId = image.SessionId;
        _ = Ipv4Endpoint.TryParse(image.SourceIdentity, out Ipv4Endpoint source);
        Source = source;
    }

    public Subscription Subscription { get; }

    public int SessionId { get; }

    public int StreamId => Subscription.StreamId;

    public int InitialTermId => _image.InitialTermId;

    public int TermLength => _image.TermBufferLength;

    public int Mtu => _image.MtuLength;

    /// <summary>Address of the sender; zero over shared memory.</summary>
    public Ipv4Endpoint Source { get; }

    public long JoinPosition => _image.JoinPosition;

    public long Position => _image.Position;

    public bool IsClosed => _image.Closed;

    public ImageEnd EndReason { get; private set; }

    public bool IsEndOfStream => _image.IsEndOfStream;

    internal void End() =>
        EndReason = _image.PublicationRevoked ? ImageEnd.Revoked : _image.IsEndOfStream ? ImageEnd.EndOfStream : ImageEnd.Silent;
}
