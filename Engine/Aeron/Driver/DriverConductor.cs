// The driver's part that serves clients in other processes: reads their commands, keeps their publications, subscriptions and counters,
// tells them what happens, and cleans up after those that die. The agent calls DoWork at the end of each duty cycle, on its thread.
//   commands          DriverConductor.Commands.cs
//   publications      DriverConductor.Publications.cs
//   subscriptions     DriverConductor.Subscriptions.cs

using System.Globalization;
using System.Text;

namespace MarginEngine.Aeron;

internal sealed partial class DriverConductor : ICommandHandler, IDisposable
{
    /// <summary>Counters and events of the driver's own process carry this in place of a client's id.</summary>
    private const long OwnClient = -1;
    private const int NoStatus = -1;
    private const int CommandsPerPass = 16;
    private const long UpkeepNanos = 1_000_000;
    private const long LivenessCheckNanos = 100_000_000;

    private readonly AeronAgent _agent;
    private readonly AeronOptions _aeron;
    private readonly DriverOptions _options;
    private readonly AeronCounters _counts;
    private readonly AeronDirectory _directory;
    private readonly CncFile _cnc;
    private readonly CommandRing _ring;
    private readonly EventWriter _events;
    private readonly CounterTable _counters;
    private readonly ErrorLog _errors;
    private readonly SystemCounters _system;
    private readonly Dictionary<long, DriverClient> _clients = [];
    private readonly HashSet<long> _registrations = [];
    private readonly List<DriverStream> _streams = [];
    private readonly List<ChannelStatus> _statuses = [];
    private readonly List<(string Path, long FromNanos)> _doomedFiles = [];
    private readonly List<DriverClient> _silent = [];
    private long _now;
    private long _nextUpkeepNanos;
    private long _nextLivenessNanos;
    private long _headSeen = -1;
    private long _headSinceNanos;
    private int _nextSessionId;

    /// <exception cref="IOException">the directory cannot be made, or a live driver serves it</exception>
    public DriverConductor(AeronAgent agent, AeronOptions aeron, DriverOptions options, long now)
    {
        options.Validate();
        _agent = agent;
        _aeron = aeron;
        _options = options;
        _counts = agent.Counters;
        _now = now;
        _nextSessionId = agent.Random.NextInt32();
        _directory = new AeronDirectory(options.Directory, NowMillis);
        try
        {
            _cnc = CncFile.Create(options.Directory, options, NowMillis);
        }
        catch
        {
            _directory.Dispose();
            throw;
        }
        _ring = _cnc.ToDriver();
        _events = new EventWriter(_cnc.Transmitter());
        _counters = _cnc.Counters();
        _errors = _cnc.Errors();
        _system = new SystemCounters(_counters, NowMillis);
        _ = _ring.NextCorrelationId();
        _ring.ConsumerHeartbeat = NowMillis;
        _cnc.MarkReady();
    }

    public OwnCounter? AddCounter(int type, string label)
    {
        int id = _counters.Allocate(type, [], System.Text.Encoding.ASCII.GetBytes(label), 0, _ring.NextCorrelationId(), OwnClient, NowMillis);
        return id < 0 ? null : new OwnCounter(_counters, id);
    }

    public bool IsTerminationRequested { get; private set; }

    public string Directory => _directory.Path;

    public int ClientCount => _clients.Count;

    public int StreamCount => _streams.Count;

    private long NowMillis => _options.Clock.EpochMillis;

    /// <summary>A pass: commands, the limits of shared-memory streams, and once a millisecond everything slow.</summary>
    public int DoWork(long now)
    {
        _now = now;
        int work = 0;
        if (_ring.HasCommand)
        {
            DriverConductor self = this;
            work += _ring.Read(ref self, CommandsPerPass);
        }
        foreach (IpcPublication publication in _ipc)
            work += publication.UpdateLimit();
        if (now - _nextUpkeepNanos >= 0)
            Upkeep(now);
        return work;
    }

    /// <summary>
    /// The clients learn that the driver is gone, and its files go. What they have mapped they keep until they let go of it.
    /// </summary>
    public void Dispose()
    {
        foreach (IpcPublication publication in _ipc)
            publication.Log.Dispose();
        _ring.ConsumerHeartbeat = -1;
        _cnc.Dispose();
        _directory.Dispose();
    }

    void ICommandHandler.OnBrokenRecord()
    {
        _counts.CommandsRefused++;
        LogError("a client wrote what is no record into the command ring; all that waited in it is lost");
    }

    private void Upkeep(long now)
    {
        _nextUpkeepNanos = now + UpkeepNanos;
        for (int i = _streams.Count - 1; i >= 0; i--)
            CheckStream(_streams[i], now);
        UnblockCommands(now);
        DeleteDoomedFiles(now);
        _system.Update(_counts);
        foreach (DriverStream stream in _streams)
            Mirror(stream);
        foreach (DriverImage image in _images)
        {
            _counters.Store(image.HighWaterId, image.Image.HighWaterPosition);
            _counters.Store(image.PositionId, image.Image.RebuiltPosition);
        }
        if (now - _nextLivenessNanos < 0)
            return;
        // A driver that stood still finds its clients' heartbeats old only because theirs were stopped with it; they get a turn first.
        bool stoodStill = _nextLivenessNanos != 0 && now - _nextLivenessNanos > _options.ClientLivenessNanos / 2;
        _nextLivenessNanos = now + LivenessCheckNanos;
        if (stoodStill)
            _nextLivenessNanos = now + (_options.ClientLivenessNanos / 2);
        else
            CheckClients();
        _ring.ConsumerHeartbeat = NowMillis;
    }

    /// <summary>What watchers of the counters see of streams whose progress the driver keeps in memory of its own.</summary>
    private void Mirror(DriverStream stream)
    {
        if (stream.PositionId >= 0)
            _counters.Store(stream.PositionId, stream.Log.TailPosition());
        if (stream.Network is not { } network)
            return;
        _counters.Store(stream.SenderPositionId, network.SenderPosition);
        _counters.Store(stream.SenderLimitId, network.SenderLimit);
    }

    private void CheckClients()
    {
        long oldest = NowMillis - (_options.ClientLivenessNanos / 1_000_000);
        _silent.Clear();
        foreach (DriverClient client in _clients.Values)
        {
            if (_counters.Value(client.HeartbeatId) < oldest)
                _silent.Add(client);
        }
        foreach (DriverClient client in _silent)
        {
            _counts.ClientTimeouts++;
            LogError($"client {client.Id} timed out");
            _events.ClientTimeout(client.Id);
            Remove(client);
        }
    }

    /// <summary>A client that died between claiming its place in the ring and filling it would stop all others.</summary>
    private void UnblockCommands(long now)
    {
        long head = _ring.Head;
        if (head != _headSeen || _ring.Tail == head)
        {
            _headSeen = head;
            _headSinceNanos = now;
            return;
        }
        if (now - _headSinceNanos < _options.ClientLivenessNanos)
            return;
        _headSinceNanos = now;
        if (_ring.Unblock())
            _counts.CommandsUnblocked++;
    }

    private void DeleteDoomedFiles(long now)
    {
        for (int i = _doomedFiles.Count - 1; i >= 0; i--)
        {
            if (now - _doomedFiles[i].FromNanos < 0)
                continue;
            DeleteFile(_doomedFiles[i].Path);
            _doomedFiles.RemoveAt(i);
        }
    }

    private void DeleteFile(string path)
    {
        if (!MappedFile.TryDelete(path))
            LogError($"{path} cannot be deleted");
    }

    private DriverClient FindOrAdd(long clientId)
    {
        if (_clients.TryGetValue(clientId, out DriverClient? known))
            return known;
        if (_clients.Count >= _options.MaxClients)
            throw new CommandException(DriverError.ResourceTemporarilyUnavailable, $"{_options.MaxClients} clients are served, no more");
        int heartbeat = Allocate(
            CounterType.ClientHeartbeat, BitConverter.GetBytes(clientId), $"client-heartbeat: id={clientId}", NowMillis, clientId, clientId);
        var client = new DriverClient(clientId, heartbeat);
        _clients.Add(clientId, client);
        _events.CounterReady(clientId, heartbeat);
        return client;
    }

    /// <summary>Frees all that a client held, in the order in which it could have done it itself.</summary>
    private void Remove(DriverClient client)
    {
        _clients.Remove(client.Id);
        foreach (ClientPublication publication in client.Publications)
            Release(publication);
        foreach (ClientSubscription subscription in client.Subscriptions)
            Release(subscription);
        foreach ((long registrationId, int counterId) in client.Counters)
        {
            _registrations.Remove(registrationId);
            _counters.Free(counterId, NowMillis);
            _events.CounterUnavailable(registrationId, counterId);
        }
        _counters.Free(client.HeartbeatId, NowMillis);
        _events.CounterUnavailable(client.Id, client.HeartbeatId);
    }

    /// <exception cref="CommandException">all counters are in use</exception>
    private int Allocate(int type, ReadOnlySpan<byte> key, string label, long initial, long registrationId, long ownerId)
    {
        int id = _counters.Allocate(type, key, Encoding.ASCII.GetBytes(label), initial, registrationId, ownerId, NowMillis);
        return id >= 0 ? id : throw new CommandException(
            DriverError.ResourceTemporarilyUnavailable, $"all {_counters.Capacity} counters are in use");
    }

    private int AllocatePosition(
        int type, string name, long registrationId, int sessionId, int streamId, string channel, long initial, long ownerId, string suffix = "")
    {
        const int MaxKeyChannel = 92;
        byte[] key = new byte[CounterReader.KeyLength];
        int length = Encoding.ASCII.GetBytes(channel.AsSpan(0, Math.Min(channel.Length, MaxKeyChannel)), key.AsSpan(20));
        BitConverter.TryWriteBytes(key, registrationId);
        BitConverter.TryWriteBytes(key.AsSpan(8), sessionId);
        BitConverter.TryWriteBytes(key.AsSpan(12), streamId);
        BitConverter.TryWriteBytes(key.AsSpan(16), length);
        string label = string.Create(CultureInfo.InvariantCulture, $"{name}: {registrationId} {sessionId} {streamId} {channel}{suffix}");
        return Allocate(type, key, label, initial, registrationId, ownerId);
    }

    private void LogError(string text) => _errors.Record(text, NowMillis);
}
