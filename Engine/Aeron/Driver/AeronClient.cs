// A client of a media driver in another process: of ours, or of any other that serves an Aeron directory. One thread owns it and all it
// hands out; messages then go through shared memory without any further word to the driver.

namespace MarginEngine.Aeron;

/// <summary>A driver's answer that is an error, or no answer at all.</summary>
public sealed class DriverException(int code, string message) : IOException(message)
{
    /// <summary>The driver's error code; 0 when it did not answer.</summary>
    public int Code { get; } = code;
}

/// <summary>What a client is built from. Times are nanoseconds.</summary>
public sealed record AeronClientOptions
{
    /// <param name="directory">the directory the driver serves</param>
    /// <param name="clock">a monotonic clock</param>
    /// <param name="epoch">the time of day, the same as the driver's</param>
    public AeronClientOptions(string directory, INanoClock clock, IEpochClock epoch)
    {
        Directory = directory;
        Clock = clock;
        Epoch = epoch;
    }

    public string Directory { get; }

    public INanoClock Clock { get; }

    public IEpochClock Epoch { get; }

    /// <summary>How long an answer of the driver is waited for, and how old its heartbeat may be.</summary>
    public long DriverTimeoutNanos { get; init; } = 10_000_000_000;

    public long KeepAliveIntervalNanos { get; init; } = 500_000_000;

    /// <summary>Runs while an answer is waited for: drives a driver of the same thread, or lets other threads run.</summary>
    public Action Wait { get; init; } = static () => Thread.Yield();
}

/// <summary>A client's connection to a driver. All its methods are called by one thread.</summary>
public sealed class AeronClient : ISubscriptionOwner, IDisposable
{
    private const long UnmapDelayNanos = 3_000_000_000;

    private readonly AeronClientOptions _options;
    private readonly CncFile _cnc;
    private readonly CommandRing _ring;
    private readonly BroadcastReceiver _events;
    private readonly CounterReader _counters;
    private readonly CommandWriter _commands;
    private readonly Dictionary<long, RemotePublication> _publications = [];
    private readonly Dictionary<long, Subscription> _subscriptions = [];
    private readonly List<Publication> _handedOut = [];
    private readonly List<ConcurrentPublication> _handedOutConcurrent = [];
    private readonly List<(LogBuffer Log, long FromNanos)> _leaving = [];
    private readonly Answer _answer = new();
    private long _nextKeepAliveNanos;
    private int _heartbeatId = -1;
    private bool _hasClosed;
    private bool _isBusy;
    private bool _isDisposed;

    /// <exception cref="IOException">no live driver serves the directory</exception>
    public AeronClient(AeronClientOptions options)
    {
        _options = options;
        _cnc = CncFile.Open(options.Directory);
        _ring = _cnc.ToDriver();
        _events = _cnc.Receiver();
        _counters = _cnc.CountersView();
        if (!IsDriverAlive)
        {
            _cnc.Dispose();
            throw new DriverException(0, $"{options.Directory} is not served: its driver gave no sign of life");
        }
        Id = _ring.NextCorrelationId();
        _commands = new CommandWriter(_ring, Id);
        _nextKeepAliveNanos = options.Clock.NanoTime();
    }

    /// <summary>The number the driver knows this client by.</summary>
    public long Id { get; }

    /// <summary>
    /// The driver is gone, or has given this client up: everything it handed out is closed and a new client is needed.
    /// </summary>
    public bool IsClosed { get; private set; }

    public AeronCounters Counters { get; } = new();

    private bool IsDriverAlive =>
        _ring.ConsumerHeartbeat is var told && told > 0 && _options.Epoch.EpochMillis - told <= _options.DriverTimeoutNanos / 1_000_000;

    /// <summary>Opens a stream with one producer, this thread; waits for the driver's answer.</summary>
    /// <param name="channel"><c>aeron:ipc</c>, or whatever the driver can serve</param>
    /// <param name="streamId">subscribers name the same</param>
    /// <exception cref="DriverException">the driver refuses, or does not answer</exception>
    public Publication AddPublication(string channel, int streamId)
    {
        RemotePublication remote = Add(channel, streamId, isExclusive: true);
        var publication = new Publication(channel, remote, remote.Log.TailPosition(), Counters);
        _handedOut.Add(publication);
        return publication;
    }

    /// <summary>
    /// Opens a stream that any thread, and other clients of the driver, append to as well; waits for the driver's answer.
    /// </summary>
    /// <exception cref="DriverException">the driver refuses, or does not answer</exception>
    public ConcurrentPublication AddConcurrentPublication(string channel, int streamId)
    {
        var publication = new ConcurrentPublication(channel, Add(channel, streamId, isExclusive: false), Counters);
        _handedOutConcurrent.Add(publication);
        return publication;
    }

    /// <summary>Listens to a stream; waits for the driver's answer.</summary>
    /// <exception cref="DriverException">the driver refuses, or does not answer</exception>
    public Subscription AddSubscription(string channel, int streamId)
    {
        CheckUsable();
        long id = _ring.NextCorrelationId();
        var subscription = new Subscription(this, Channel.Foreign(channel), null, streamId);
        // Known before the answer: the images follow it at once.
        _subscriptions.Add(id, subscription);
        try
        {
            _commands.AddSubscription(id, channel, streamId);
            Await(id);
        }
        catch (DriverException)
        {
            _subscriptions.Remove(id);
            throw;
        }
        return subscription;
    }

    /// <summary>Hears the driver and gives it a sign of life. To be called at least once a second; never blocks.</summary>
    public int DoWork()
    {
        CheckUsable();
        _isBusy = true;
        try
        {
            return Work();
        }
        finally
        {
            _isBusy = false;
        }
    }

    /// <summary>Tells the driver goodbye and unmaps everything. Other threads must have stopped using what this client handed out.</summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        CheckNotBusy();
        bool wasOpen = !IsClosed;
        CloseAll();
        if (wasOpen)
            _commands.Close(_ring.NextCorrelationId());
        _isDisposed = true;
        foreach ((LogBuffer log, _) in _leaving)
            log.Dispose();
        _cnc.Dispose();
    }

    void ISubscriptionOwner.BeginPoll()
    {
        CheckUsable();
        _isBusy = true;
    }

    void ISubscriptionOwner.EndPoll() => _isBusy = false;

    void ISubscriptionOwner.CheckNotBusy() => CheckNotBusy();

    void ISubscriptionOwner.Forget(Subscription subscription)
    {
        foreach ((long id, Subscription known) in _subscriptions)
        {
            if (known != subscription)
                continue;
            _subscriptions.Remove(id);
            if (!IsClosed)
                _commands.Remove(Command.RemoveSubscription, _ring.NextCorrelationId(), id);
            return;
        }
    }

    internal void NoteClosed() => Volatile.Write(ref _hasClosed, true);

    private void RemoveClosed()
    {
        Volatile.Write(ref _hasClosed, false);
        foreach (RemotePublication publication in _publications.Values.ToArray())
        {
            if (publication.IsClosed)
                Remove(publication);
        }
    }

    private void Remove(RemotePublication publication)
    {
        _publications.Remove(publication.RegistrationId);
        _handedOut.RemoveAll(handed => handed.BelongsTo(publication));
        if (!IsClosed)
            _commands.Remove(Command.RemovePublication, _ring.NextCorrelationId(), publication.RegistrationId);
        _handedOutConcurrent.RemoveAll(handed => handed.BelongsTo(publication));
        // A thread that is just offering finds it closed the next time.
        _leaving.Add((publication.Log, _options.Clock.NanoTime() + UnmapDelayNanos));
    }

    private RemotePublication Add(string channel, int streamId, bool isExclusive)
    {
        CheckUsable();
        long id = _ring.NextCorrelationId();
        _commands.AddPublication(id, channel, streamId, isExclusive);
        Await(id);
        var remote = new RemotePublication(this, id, LogBuffer.Open(_answer.LogFile), PositionAt(_answer.CounterId));
        _publications.Add(id, remote);
        return remote;
    }

    private unsafe Position PositionAt(int counterId) => new(_counters.Pointer(counterId));

    private void Await(long correlationId)
    {
        _answer.Expect(correlationId);
        long deadline = _options.Clock.NanoTime() + _options.DriverTimeoutNanos;
        while (!_answer.IsThere)
        {
            DoWork();
            if (IsClosed)
                throw new DriverException(0, "the driver is gone");
            if (_answer.IsThere)
                break;
            if (_options.Clock.NanoTime() - deadline > 0)
                throw new DriverException(0, "the driver did not answer");
            _options.Wait();
        }
        if (_answer.Error is { } error)
            throw new DriverException(_answer.ErrorCode, error);
    }

    private int Work()
    {
        if (Volatile.Read(ref _hasClosed))
            RemoveClosed();
        if (IsClosed)
            return 0;
        int work = 0;
        while (_events.TryReceive(out int type, out ReadOnlySpan<byte> payload))
        {
            On(type, new CommandReader(payload));
            work++;
            if (IsClosed)
                return work;
        }
        if (_events.IsLapped)
        {
            CloseAll();
            return work;
        }
        long now = _options.Clock.NanoTime();
        if (now - _nextKeepAliveNanos < 0)
            return work;
        for (int i = _leaving.Count - 1; i >= 0; i--)
        {
            if (now - _leaving[i].FromNanos < 0)
                continue;
            _leaving[i].Log.Dispose();
            _leaving.RemoveAt(i);
        }
        _nextKeepAliveNanos = now + _options.KeepAliveIntervalNanos;
        return work + KeepAlive();
    }

    private int KeepAlive()
    {
        bool isForgotten = _heartbeatId >= 0
            && (!_counters.IsAllocated(_heartbeatId) || _counters.RegistrationOf(_heartbeatId) != Id);
        if (!IsDriverAlive || isForgotten)
            CloseAll();
        else if (_heartbeatId >= 0)
            _counters.Store(_heartbeatId, _options.Epoch.EpochMillis);
        return 1;
    }

    private void On(int type, in CommandReader told)
    {
        switch (type)
        {
            case Event.Error:
                _answer.TakeError(told.Int64(0), told.Int32(8), told);
                break;
            case Event.PublicationReady:
            case Event.ExclusivePublicationReady:
                if (_answer.Take(told.Int64(0)))
                    _answer.Fill(told.Int32(24), told.Text(32));
                break;
            case Event.SubscriptionReady:
                _answer.Take(told.Int64(0));
                break;
            case Event.AvailableImage:
                OnAvailable(told);
                break;
            case Event.UnavailableImage:
                if (_subscriptions.TryGetValue(told.Int64(8), out Subscription? reader))
                    Drop(reader, told.Int64(0));
                break;
            case Event.CounterReady when told.Int64(0) == Id:
                _heartbeatId = told.Int32(8);
                break;
            case Event.ClientTimeout when told.Int64(0) == Id:
                CloseAll();
                break;
        }
    }

    private void OnAvailable(in CommandReader told)
    {
        if (!_subscriptions.TryGetValue(told.Int64(16), out Subscription? subscription))
            return;
        string file = told.Text(28);
        string source = told.Text(32 + ((file.Length + 3) & ~3));
        LogBuffer log;
        try
        {
            log = LogBuffer.Open(file);
        }
        catch (IOException)
        {
            // The stream ended before this client heard that it began.
            Counters.ImagesRefused++;
            return;
        }
        _ = Ipv4Endpoint.TryParse(source, out Ipv4Endpoint address);
        var remote = new RemoteImage(log, told.Int64(0), address);
        Image image = subscription.Open(remote, PositionAt(told.Int32(24)));
        remote.Reader = image;
        Counters.ImagesOpened++;
        subscription.ImageAvailable?.Invoke(image);
    }

    private void Drop(Subscription subscription, long imageId)
    {
        foreach (Image image in subscription.Images)
        {
            if (image.Receiver is not RemoteImage remote || remote.Id != imageId)
                continue;
            remote.End();
            subscription.Drop(remote);
            remote.RemoveReader(image);
            Counters.ImagesClosed++;
            return;
        }
    }

    /// <summary>From here on nothing of the driver's memory is touched.</summary>
    private void CloseAll()
    {
        IsClosed = true;
        foreach (Publication publication in _handedOut.ToArray())
            publication.Close();
        foreach (ConcurrentPublication publication in _handedOutConcurrent.ToArray())
            publication.Close();
        RemoveClosed();
        bool wasBusy = _isBusy;
        _isBusy = false;
        foreach (Subscription subscription in _subscriptions.Values.ToArray())
            subscription.Close();
        _isBusy = wasBusy;
    }

    private void CheckUsable()
    {
        CheckNotBusy();
        ObjectDisposedException.ThrowIf(_isDisposed, this);
    }

    private void CheckNotBusy()
    {
        if (_isBusy)
            throw new InvalidOperationException("a handler may offer, but not drive or change the client that is calling it");
    }
}
