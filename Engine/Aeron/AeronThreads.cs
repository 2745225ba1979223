// The transport on its own threads, for applications that do not want to drive it: publications and subscriptions of any thread.

namespace MarginEngine.Aeron;

public enum AeronThreading
{
    /// <summary>One thread sends and receives.</summary>
    Shared,

    /// <summary>One thread sends, another receives.</summary>
    Dedicated,
}

/// <summary>
/// An embedded transport that drives itself. Its methods may be called by any thread. Each publication of <see cref="AddPublication"/> is
/// offered to by one thread at a time, each subscription polled by one at a time; the callbacks for images and receivers come on the
/// transport's thread. Stop offering and polling before <see cref="Dispose"/>. The options' clock is read by every thread.
/// </summary>
public sealed class AeronThreads : IDisposable
{
    private readonly AgentThread _sender;
    private readonly AgentThread _receiver;

    /// <param name="options">as for an agent; with <see cref="AeronThreading.Dedicated"/> two agents are built from them</param>
    /// <param name="threading">how many threads</param>
    /// <param name="idleMicros">
    /// longest sleep when there is nothing to do, in microseconds; what arrives or is offered ends it. 0 spins and keeps a core busy
    /// </param>
    /// <param name="onFailure">told when a thread ends by an error, on that thread</param>
    /// <exception cref="IOException">the system refused</exception>
    public AeronThreads(
        AeronOptions options, AeronThreading threading = AeronThreading.Shared, int idleMicros = 10_000, Action<Exception>? onFailure = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(idleMicros);
        if (threading == AeronThreading.Dedicated && options.Driver is not null)
            throw new ArgumentException("an Aeron directory is served by one agent: use AeronThreading.Shared", nameof(threading));
        _receiver = new AgentThread(options, threading == AeronThreading.Shared ? "aeron" : "aeron-receiver", idleMicros, onFailure);
        _sender = _receiver;
        if (threading == AeronThreading.Shared)
            return;
        try
        {
            _sender = new AgentThread(options, "aeron-sender", idleMicros, onFailure);
        }
        catch
        {
            _receiver.Dispose();
            throw;
        }
    }

    /// <summary>What the sending side has counted; with <see cref="AeronThreading.Shared"/> both sides.</summary>
    public AeronCounters SendCounters => _sender.Agent.Counters;

    public AeronCounters ReceiveCounters => _receiver.Agent.Counters;

    /// <inheritdoc cref="AeronAgent.AddPublication"/>
    public Publication AddPublication(string channel, int streamId) => _sender.Run(agent => agent.AddPublication(channel, streamId));

    /// <inheritdoc cref="AeronAgent.AddConcurrentPublication"/>
    public ConcurrentPublication AddConcurrentPublication(string channel, int streamId) =>
        _sender.Run(agent => agent.AddConcurrentPublication(channel, streamId));

    /// <summary>As <see cref="AeronAgent.AddSubscription"/>, with the callbacks in place before the first image can come.</summary>
    /// <param name="channel">the channel</param>
    /// <param name="streamId">the stream</param>
    /// <param name="sources">who may speak; null for anybody</param>
    /// <param name="imageAvailable">called when a sender appears</param>
    /// <param name="imageUnavailable">called when a sender is gone and all its messages were taken</param>
    public Subscription AddSubscription(
        string channel, int streamId, SourceList? sources = null, Action<Image>? imageAvailable = null, Action<Image>? imageUnavailable = null) =>
        _receiver.Run(agent =>
        {
            Subscription subscription = agent.AddSubscription(channel, streamId, sources);
            subscription.ImageUnavailable = imageUnavailable;
            subscription.ImageAvailable = imageAvailable;
            if (imageAvailable is not null)
            {
                // A second subscription finds the images of the first.
                foreach (Image image in subscription.Images)
                    imageAvailable(image);
            }
            return subscription;
        });

    public void Dispose()
    {
        _sender.Dispose();
        if (!ReferenceEquals(_sender, _receiver))
            _receiver.Dispose();
    }
}
