// Listens to one Aeron stream: an agent of its own, driven by the caller's thread. Used by watch and by the demo's market maker.
using MarginEngine.Aeron;
using MarginEngine.Tool.Shell;
using MarginEngine.Watch;

namespace MarginEngine.Tool.Wire;

/// <summary>The engine's clock as the transport wants it.</summary>
internal sealed class TransportClock(IClock clock) : INanoClock
{
    public long NanoTime() => clock.MonotonicNanos;
}

/// <summary>One subscription. <see cref="Poll"/> is called in a loop by one thread.</summary>
internal sealed class StreamListener : IDisposable
{
    private const int MessagesAPoll = 256;
    private const int ReceiveBufferBytes = 4 << 20;
    private const int WindowBytes = 4 << 20;

    private readonly AeronAgent _agent;
    private readonly Subscription _subscription;
    private bool _wasConnected;

    /// <exception cref="CommandFailure">The channel is malformed (usage) or its socket cannot be opened (unreachable).</exception>
    public StreamListener(string channel, int stream, IClock clock)
    {
        _agent = new AeronAgent(new AeronOptions(new TransportClock(clock))
        {
            SocketReceiveBufferLength = ReceiveBufferBytes,
            InitialWindowLength = WindowBytes,
        });
        try
        {
            _subscription = _agent.AddSubscription(channel, stream);
            _subscription.ImageUnavailable = image => EndReason = image.EndReason;
        }
        catch (ChannelException failure)
        {
            _agent.Dispose();
            throw CommandFailure.Usage($"--channel: {failure.Message}");
        }
        catch (IOException failure)
        {
            _agent.Dispose();
            throw CommandFailure.Unreachable($"cannot listen to {channel}: {failure.Message}");
        }
    }

    /// <summary>Some sender is heard.</summary>
    public bool IsConnected => _subscription.IsConnected;

    /// <summary>There was a sender and there is none any more: it closed its stream in order or fell silent.</summary>
    public bool HasEnded => _wasConnected && !IsConnected;

    /// <summary>How the last sender left.</summary>
    public ImageEnd EndReason { get; private set; }

    /// <summary>Delivers what has arrived, and waits up to the given time when there is nothing. Returns the messages delivered.</summary>
    public int Poll<THandler>(ref THandler handler, int waitMicros)
        where THandler : IMessageHandler
    {
        int work = _agent.DoWork();
        _wasConnected |= IsConnected;
        int messages = _subscription.Poll(ref handler, MessagesAPoll);
        if (work + messages == 0) _agent.WaitForInput(waitMicros);
        return messages;
    }

    public void Dispose() => _agent.Dispose();
}
