// What the client's halves (Publication, Image, Subscription) and the driver's (network, IPC, another process) know of each other, so that
// one set of client classes serves all three.

namespace MarginEngine.Aeron;

/// <summary>The driver's half of a publication.</summary>
internal interface IPublicationDriver
{
    LogBuffer Log { get; }

    Position Limit { get; }

    int MaxMessageLength { get; }

    /// <summary>Everything offered was handed on.</summary>
    bool IsDrained { get; }

    /// <summary>Whoever listens has consumed everything offered; a driver elsewhere sees to that by itself.</summary>
    bool IsConsumed => IsDrained;

    /// <summary>The addresses a channel with control-mode=manual sends to; null for any other.</summary>
    Destinations? ManualDestinations => null;

    /// <summary>Told when a receiver rejects the stream; shared memory has nobody who could.</summary>
    Action<ReceiverError>? ReceiverErrors
    {
        get => null;
        set { }
    }

    /// <summary>Ends the stream at once, whatever is under way.</summary>
    /// <exception cref="NotSupportedException">the driver has no such end</exception>
    void Revoke() => throw new NotSupportedException("only a publication to the network can be revoked");

    /// <summary>Takes no more; frees the stream when it is drained and its linger time is over.</summary>
    void Close();
}

/// <summary>The driver's half of an image.</summary>
internal interface IImageDriver
{
    LogBuffer Log { get; }

    /// <summary>Address the stream comes from; the default for shared memory.</summary>
    Ipv4Endpoint Source { get; }

    /// <summary>All bytes before this position can be read.</summary>
    long RebuiltPosition { get; }

    ImageEnd EndReason { get; }

    void RemoveReader(IImageReader reader);

    /// <summary>Ends the image and tells its sender why.</summary>
    /// <exception cref="NotSupportedException">the stream's sender cannot be told</exception>
    void Reject(string reason) => throw new NotSupportedException("only an image of the network can be rejected");
}

/// <summary>Whoever consumes an image; the slowest holds the sender back.</summary>
internal interface IImageReader
{
    long Position { get; }
}

/// <summary>What an endpoint's images are opened for: a subscription of this process, or of a client of the driver.</summary>
internal interface IImageListener
{
    Channel Parameters { get; }

    bool Wants(int streamId, int sessionId);

    /// <summary>Whether this address may speak for the session.</summary>
    bool Allows(Ipv4Endpoint source, int sessionId) => true;

    void Open(NetworkImage receiver);

    void Drop(NetworkImage receiver);
}

/// <summary>The object whose thread owns a subscription.</summary>
internal interface ISubscriptionOwner
{
    void BeginPoll();

    void EndPoll();

    void CheckNotBusy();

    void Forget(Subscription subscription);

    /// <summary>The owner has a thread of its own, and subscriptions are polled by others.</summary>
    bool IsThreaded => false;

    /// <summary>Does something on the owner's thread.</summary>
    void Run(Action action) => action();
}
