// Driver and client in one object, driven by one thread: DoWork sends what was offered, receives what arrived and keeps the timers.
// Everything it hands out (publications, subscriptions, images) belongs to that thread.

namespace MarginEngine.Aeron;

/// <summary>An embedded Aeron transport. All its methods but <see cref="Wake"/> are called by one thread.</summary>
public sealed partial class AeronAgent : ISubscriptionOwner, ITagResolver, IDisposable
{
    private const long SharedMemoryNapNanos = 1_000_000;

    private readonly AeronOptions _options;
    private readonly INanoClock _clock;
    private readonly IDatagramNetwork _network;
    private readonly DatagramBatch _receiveBatch = new(Limits.ReceiveBatch, Limits.ReceiveBufferLength);
    private readonly List<SendEndpoint> _sendEndpoints = [];
    private readonly List<ReceiveEndpoint> _receiveEndpoints = [];
    private readonly List<NetworkPublication> _senders = [];
    private readonly List<NetworkImage> _receivers = [];
    private readonly List<Publication> _publications = [];
    private readonly List<ConcurrentPublication> _concurrentPublications = [];
    private readonly List<Subscription> _subscriptions = [];
    private int _nextSessionId;
    private long _nextReceiverId;
    private bool _isBusy;
    private bool _isAsleep;
    private readonly DriverConductor? _driver;
    private bool _isDisposed;

    public AeronAgent(AeronOptions options)
    {
        options.Validate();
        _options = options;
        _clock = options.Clock;
        Random = new RandomSource(options.Seed);
        _nextSessionId = Random.NextInt32();
        _nextReceiverId = Random.NextInt64();
        _network = options.MaySend is { } maySend ? new GuardedNetwork(options.Network(), maySend) : options.Network();
        if (options.Driver is not { } driver)
            return;
        try
        {
            _driver = new DriverConductor(this, options, driver, _clock.NanoTime());
        }
        catch
        {
            _network.Dispose();
            _receiveBatch.Dispose();
            throw;
        }
    }

    public AeronCounters Counters { get; } = new();

    /// <summary>A counter that readers of the agent's directory see; null where it serves none, or has no room for another.</summary>
    /// <param name="type">the kind, from 1000 on: those below are Aeron's</param>
    /// <param name="label">at most 380 ASCII characters</param>
    public OwnCounter? AddCounter(int type, string label) => _driver?.AddCounter(type, label);

    /// <summary>A client asked the driver to end, and <see cref="DriverOptions.AllowsTermination"/> lets it.</summary>
    public bool IsTerminationRequested => _driver?.IsTerminationRequested ?? false;

    internal RandomSource Random { get; }

    /// <summary>The thread that runs the agent by itself, if one does: then the client's halves are used by others.</summary>
    internal AgentThread? Home { get; set; }

    internal bool HasRoomForImage => _receivers.Count < _options.MaxImages;

    /// <summary>
    /// Opens a stream of one thread's messages, Aeron's exclusive publication. Each call makes a stream of its own, with a session of its
    /// own.
    /// </summary>
    /// <param name="channel">such as <c>aeron:udp?endpoint=224.20.30.41:40456|interface=localhost</c></param>
    /// <param name="streamId">any number but 0 by convention; subscribers name the same</param>
    /// <exception cref="ChannelException">the channel is malformed or asks for what is not supported</exception>
    /// <exception cref="IOException">the system refused a socket</exception>
    public Publication AddPublication(string channel, int streamId)
    {
        CheckUsable();
        if (Channel.IsIpc(channel))
        {
            IpcPublication shared = RequireDriver(channel).AddOwnPublication(channel, streamId, isExclusive: true);
            return Keep(new Publication(channel, shared, shared.ConsumedPosition, Counters));
        }
        Channel parameters = Channel.ForPublication(channel, _options, this);
        SendEndpoint endpoint = FindOrOpenSendEndpoint(parameters);
        LogSpec plan = PlanStream(parameters, endpoint, streamId);
        NetworkPublication sender = AddOwnSender(parameters, endpoint, plan);
        return Keep(new Publication(channel, sender, plan.StartPosition, Counters, Home is null ? null : this));
    }

    /// <summary>
    /// Opens a stream that any thread may append to, Aeron's publication. Calls for the same channel and stream share one session as long as
    /// one of them is open.
    /// </summary>
    /// <exception cref="ChannelException">the channel is malformed, asks for what is not supported, or contradicts the open stream</exception>
    /// <exception cref="IOException">the system refused a socket</exception>
    public ConcurrentPublication AddConcurrentPublication(string channel, int streamId)
    {
        CheckUsable();
        if (Channel.IsIpc(channel))
            return Keep(new ConcurrentPublication(channel, RequireDriver(channel).AddOwnPublication(channel, streamId, isExclusive: false), Counters));
        Channel parameters = Channel.ForPublication(channel, _options, this);
        SendEndpoint endpoint = FindOrOpenSendEndpoint(parameters);
        NetworkPublication? sender = _senders.Find(open => open.IsShared(endpoint, streamId, parameters.SessionId) && open.TryAddProducer());
        if (sender is null)
            sender = AddOwnSender(parameters, endpoint, PlanStream(parameters, endpoint, streamId) with { Type = LogType.Concurrent });
        else if (parameters.TermLength != sender.Log.TermLength)
            throw Contradiction(sender, parameters, "term-length", sender.Log.TermLength);
        else if (parameters.Mtu != sender.Log.Mtu)
            throw Contradiction(sender, parameters, "mtu", sender.Log.Mtu);
        return Keep(new ConcurrentPublication(channel, sender, Counters, Home is null ? null : this));
    }

    /// <summary>Listens to a stream of a channel. Subscriptions of the same channel share its socket.</summary>
    /// <param name="sources">who may speak; null for anybody. Others are counted as <see cref="AeronCounters.RefusedSources"/></param>
    /// <exception cref="ChannelException">the channel is malformed or asks for what is not supported</exception>
    /// <exception cref="IOException">the system refused a socket</exception>
    public Subscription AddSubscription(string channel, int streamId, SourceList? sources = null)
    {
        CheckUsable();
        if (Channel.IsIpc(channel))
        {
            DriverConductor driver = RequireDriver(channel);
            var shared = new Subscription(this, Channel.ForIpcSubscription(channel), null, streamId);
            _subscriptions.Add(shared);
            driver.AddOwnSubscription(shared);
            return shared;
        }
        Channel parameters = Channel.ForSubscription(channel, _options, this, takesDestinations: true);
        ReceiveEndpoint endpoint = FindOrOpenReceiveEndpoint(parameters);
        var subscription = new Subscription(this, parameters, endpoint, streamId, sources);
        _subscriptions.Add(subscription);
        endpoint.Add(subscription);
        return subscription;
    }

    /// <summary>One duty cycle: sends, receives, serves timers. Never blocks; returns the work done, 0 when there was none.</summary>
    public int DoWork()
    {
        CheckUsable();
        _isBusy = true;
        try
        {
            return DutyCycle(_clock.NanoTime());
        }
        finally
        {
            _isBusy = false;
        }
    }

    /// <summary>
    /// Sleeps until a datagram arrives, <see cref="Wake"/> is called, a timer of the transport is due or the time is over. Returns true
    /// for the first two. Call it when <see cref="DoWork"/> and the polls found nothing.
    /// </summary>
    /// <param name="timeoutMicros">longest sleep in microseconds</param>
    public bool WaitForInput(int timeoutMicros)
    {
        CheckUsable();
        if (Home is not null)
        {
            // Before the look at what is waiting: who offers after that look finds the flag and wakes the thread.
            Volatile.Write(ref _isAsleep, true);
            Interlocked.MemoryBarrier();
        }
        long now = _clock.NanoTime();
        long deadline = now + (timeoutMicros * 1_000L);
        foreach (NetworkPublication sender in _senders)
            deadline = Math.Min(deadline, sender.NextDeadlineNanos(now));
        foreach (NetworkImage receiver in _receivers)
            deadline = Math.Min(deadline, receiver.NextDeadlineNanos(now));
        foreach (ReceiveEndpoint endpoint in _receiveEndpoints)
            deadline = Math.Min(deadline, endpoint.NextDeadlineNanos);
        // Nothing in shared memory wakes this thread.
        if (_driver is not null)
            deadline = Math.Min(deadline, now + SharedMemoryNapNanos);
        bool isWoken = _network.Wait(Math.Max(0, deadline - now));
        Volatile.Write(ref _isAsleep, false);
        return isWoken;
    }

    /// <summary>Ends a <see cref="WaitForInput"/> of the agent's thread, or its next one. Any thread may call it.</summary>
    public void Wake() => _network.Wake();

    /// <summary>After an offer by another thread than the agent's own: ends its sleep.</summary>
    internal void WakeIfAsleep()
    {
        if (Home is null)
            return;
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _isAsleep))
            _network.Wake();
    }

    /// <summary>
    /// Says goodbye to receivers and senders once and frees everything. Messages still waiting for window are lost: close the
    /// publications and work until they are drained where that matters.
    /// </summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        CheckNotBusy();
        foreach (Publication publication in _publications)
            publication.Close();
        foreach (ConcurrentPublication publication in _concurrentPublications)
            publication.Close();
        foreach (NetworkPublication sender in _senders)
            sender.SayGoodbye();
        foreach (NetworkImage receiver in _receivers)
            receiver.SayGoodbye();
        _isDisposed = true;

        foreach (Subscription subscription in _subscriptions.ToArray())
            subscription.Close();
        _driver?.Dispose();
        foreach (NetworkImage receiver in _receivers)
            receiver.Dispose();
        foreach (NetworkPublication sender in _senders)
            sender.Dispose();
        foreach (SendEndpoint endpoint in _sendEndpoints)
            endpoint.Dispose();
        foreach (ReceiveEndpoint endpoint in _receiveEndpoints)
            endpoint.Dispose();
        _network.Dispose();
        _receiveBatch.Dispose();
    }

    /// <summary>Every receiver that is there has consumed everything offered, as far as it said so: at the latest an interval of status messages after it has.</summary>
    public bool IsConsumed => _publications.TrueForAll(static publication => publication.IsConsumed);

    internal long NextReceiverId() => unchecked(_nextReceiverId++);

    internal void AddImage(NetworkImage image)
    {
        _receivers.Add(image);
        Counters.ImagesOpened++;
    }

    /// <summary>The log of a new image: in the served directory where there is one, since any client may come to read it.</summary>
    internal LogBuffer NewImageLog(in LogSpec spec) => _driver?.NewImageLog(spec) ?? new LogBuffer(spec);

    internal void Forget(IPublicationDriver stream)
    {
        _publications.RemoveAll(publication => publication.BelongsTo(stream));
        _concurrentPublications.RemoveAll(publication => publication.BelongsTo(stream));
    }

    void ISubscriptionOwner.Forget(Subscription subscription)
    {
        _subscriptions.Remove(subscription);
        _driver?.Forget(subscription);
    }

    void ISubscriptionOwner.BeginPoll()
    {
        if (Home is not null)
            return;
        CheckUsable();
        _isBusy = true;
    }

    void ISubscriptionOwner.EndPoll()
    {
        if (Home is null)
            _isBusy = false;
    }

    bool ISubscriptionOwner.IsThreaded => Home is not null;

    void ISubscriptionOwner.Run(Action action)
    {
        if (Home is { } home)
        {
            home.Run(_ =>
            {
                action();
                return true;
            });
        }
        else
        {
            action();
        }
    }

    void ISubscriptionOwner.CheckNotBusy() => CheckNotBusy();

    private void CheckNotBusy()
    {
        if (_isBusy)
            throw new InvalidOperationException("a handler may offer, but not drive or change the transport that is calling it");
    }

    private int DutyCycle(long now)
    {
        int work = 0;
        for (int i = _senders.Count - 1; i >= 0; i--)
        {
            work += _senders[i].DoWork(now);
            if (_senders[i].State == PublicationState.Closed)
                RemoveSender(_senders[i]);
        }
        _network.BeginReceive();
        foreach (SendEndpoint endpoint in _sendEndpoints)
        {
            work += endpoint.Receive(_receiveBatch, now);
            endpoint.OnIdle(now);
        }
        foreach (ReceiveEndpoint endpoint in _receiveEndpoints)
        {
            work += endpoint.Receive(_receiveBatch, now);
            work += endpoint.Introduce(now);
        }
        // After the input: a process that was stopped for a while has its peers' signs of life waiting in the sockets.
        foreach (NetworkPublication sender in _senders)
            sender.CheckReceivers(now);
        for (int i = _receivers.Count - 1; i >= 0; i--)
        {
            work += _receivers[i].DoWork(now);
            if (_receivers[i].State == ImageState.Ended)
                RemoveReceiver(_receivers[i]);
        }
        work += _driver?.DoWork(now) ?? 0;
        CloseUnusedEndpoints();
        return work;
    }

    private DriverConductor RequireDriver(string channel) => _driver
        ?? throw new ChannelException(channel, "media", "shared memory needs an Aeron directory: set AeronOptions.Driver");

    private ConcurrentPublication Keep(ConcurrentPublication publication)
    {
        _concurrentPublications.Add(publication);
        return publication;
    }

    private Publication Keep(Publication publication)
    {
        _publications.Add(publication);
        return publication;
    }

    private void CheckUsable()
    {
        CheckNotBusy();
        ObjectDisposedException.ThrowIf(_isDisposed, this);
    }
}
