// Our transport's names over Aeron.NET and a media driver beside this process: what the pipeline sees is the same. Compiled in place of
// the embedded transport with -p:AeronPackage=true.
using Client = Adaptive.Aeron;

namespace MarginEngine.Aeron;

/// <summary>One client of a media driver. Its conductor runs in <see cref="DoWork"/>; all but <see cref="Wake"/> is called by one thread.</summary>
public sealed class AeronAgent : IDisposable
{
    /// <summary>A client cannot wait for a datagram: it looks again after this long.</summary>
    private const int LongestSleepMicros = 100;

    private readonly Client.Aeron _client;
    private readonly AeronOptions _options;
    private readonly Adaptive.Agrona.Concurrent.UnsafeBuffer _view = new();
    private readonly AutoResetEvent _wake = new(initialState: false);
    private Exception? _failure;

    /// <exception cref="IOException">no driver serves the directory</exception>
    public AeronAgent(AeronOptions options)
    {
        _options = options;
        Client.Aeron.Context context = new Client.Aeron.Context()
            .UseConductorAgentInvoker(useConductorAgentInvoker: true)
            .ErrorHandler(new Failures(this));
        if (options.Directory is { } directory)
            context.AeronDirectoryName(directory);
        try
        {
            _client = Client.Aeron.Connect(context);
        }
        catch (Client.Exceptions.AeronException error)
        {
            throw new IOException($"no media driver answers in {context.AeronDirectoryName()}: {error.Message}", error);
        }
    }

    /// <summary>Stays at zero: the driver counts, see its own counters.</summary>
    public AeronCounters Counters { get; } = new();

    public OwnCounter? AddCounter(int type, string label) => new(_client.AddCounter(type, label));

    /// <exception cref="ChannelException">the driver does not take the channel</exception>
    public Publication AddPublication(string channel, int streamId) =>
        new(channel, Registered(channel, () => _client.AddExclusivePublication(WithTermLength(channel, _options.TermLength), streamId)), _view);

    /// <exception cref="ChannelException">the driver does not take the channel</exception>
    public Subscription AddSubscription(string channel, int streamId, SourceList? sources = null)
    {
        if (sources is not null)
            throw new ChannelException(channel, "sources", "this client cannot tell senders apart: guard the driver's network");
        string parsed = Parsed(channel).ToString();
        var subscription = new Subscription(channel);
        return Registered(channel, () => subscription.Open(_client, parsed, streamId));
    }

    /// <summary>The client's conductor: driver events and keepalives. The driver sends and receives by itself.</summary>
    /// <exception cref="IOException">the driver is gone, or the client was told that it is dead</exception>
    public int DoWork()
    {
        int work = _client.ConductorAgentInvoker.Invoke();
        if (_failure is { } failure)
            throw new IOException($"the media driver's client failed: {failure.Message}", failure);
        return work;
    }

    /// <summary>The driver is another process, and lingers by itself.</summary>
    public bool IsConsumed { get; } = true;

    /// <summary>Sleeps until <see cref="Wake"/>, or for at most a tenth of a millisecond, then tells to look again.</summary>
    public bool WaitForInput(int timeoutMicros) => _wake.WaitOne(TimeSpan.FromMicroseconds(Math.Min(timeoutMicros, LongestSleepMicros)));

    public void Wake() => _wake.Set();

    public void Dispose()
    {
        _client.Dispose();
        _view.Dispose();
        _wake.Dispose();
    }

    private static string WithTermLength(string channel, int termLength)
    {
        Client.ChannelUri uri = Parsed(channel);
        if (termLength > 0 && !uri.ContainsKey("term-length"))
            uri.Put("term-length", termLength.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return uri.ToString();
    }

    private static Client.ChannelUri Parsed(string channel)
    {
        try
        {
            return Client.ChannelUri.Parse(channel);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            throw new ChannelException(channel, "channel", error.Message);
        }
    }

    private static T Registered<T>(string channel, Func<T> register)
    {
        try
        {
            return register();
        }
        catch (Client.Exceptions.RegistrationException refused)
        {
            throw new ChannelException(channel, "channel", refused.Message);
        }
    }

    private sealed class Failures(AeronAgent agent) : Adaptive.Agrona.IErrorHandler
    {
        public void OnError(Exception exception) => agent._failure ??= exception;
    }
}
