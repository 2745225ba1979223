// One socket that a subscription hears its streams on. A channel has one; with control-mode=manual its user names any number, and the same
// stream may come on several.

namespace MarginEngine.Aeron;

internal sealed unsafe class ReceivePath : IDisposable
{
    private readonly Channel _channel;
    private readonly AeronCounters _counters;
    private readonly IDatagramSocket _socket;
    private readonly DatagramBatch _single = new(1, 0);

    /// <param name="channel">whose endpoint, interface and control address it has</param>
    /// <param name="windowLength">bytes the socket must be able to buffer</param>
    /// <exception cref="ChannelException">the system does not let it buffer a window</exception>
    /// <exception cref="IOException">the system refused a socket</exception>
    public ReceivePath(Channel channel, int windowLength, IDatagramNetwork network, AeronCounters counters)
    {
        _channel = channel;
        _counters = counters;
        _socket = network.Open(new SocketSpec
        {
            Bind = channel.IsMulticast ? new Ipv4Endpoint(0, channel.Data.Port) : channel.Data,
            JoinGroup = channel.IsMulticast ? channel.Data.Address : 0,
            MulticastInterface = channel.IsMulticast ? channel.Interface : 0,
            TimeToLive = channel.IsMulticast ? channel.TimeToLive : 0,
            SharesPort = channel.IsMulticast,
            SendBufferLength = channel.SocketSendBufferLength,
            ReceiveBufferLength = channel.SocketReceiveBufferLength,
        });
        if (_socket.ReceiveBufferLength >= windowLength)
            return;
        int granted = _socket.ReceiveBufferLength;
        _socket.Dispose();
        _single.Dispose();
        throw channel.Uri.Error("rcv-wnd", $"{windowLength} bytes exceed the {granted} that the system lets the socket buffer");
    }

    /// <summary>What the channel names; the port may be 0.</summary>
    public Ipv4Endpoint Data => _channel.Data;

    public Ipv4Endpoint LocalEndpoint => _socket.LocalEndpoint;

    public Ipv4Endpoint? ExplicitControl => _channel.ExplicitControl;

    /// <summary>Where a stream's receiver answers to.</summary>
    public Ipv4Endpoint ControlFor(Ipv4Endpoint source) =>
        _channel.ExplicitControl ?? (_channel.IsMulticast ? _channel.Control : source);

    public int Receive(DatagramBatch batch) => _socket.Receive(batch, _counters);

    public bool Send(void* frame, int length, Ipv4Endpoint destination)
    {
        _single.Clear();
        _single.Add((byte*)frame, length, destination);
        int sent = _socket.Send(_single, _counters);
        _counters.DatagramsSent += sent;
        _counters.BytesSent += sent * length;
        return sent == 1;
    }

    public void Dispose()
    {
        _socket.Dispose();
        _single.Dispose();
    }
}

/// <summary>The ways an image's stream comes in, and where its sender is answered on each.</summary>
internal sealed unsafe class ImagePaths
{
    private readonly long _livenessNanos;
    private readonly List<Entry> _entries = [];

    public ImagePaths(ReceivePath path, Ipv4Endpoint source, long livenessNanos, long now)
    {
        _livenessNanos = livenessNanos;
        _entries.Add(new Entry(path, path.ControlFor(source)) { HeardNanos = now });
    }

    /// <summary>A frame of the stream came this way.</summary>
    public void OnFrame(ReceivePath path, Ipv4Endpoint source, long now)
    {
        foreach (Entry entry in _entries)
        {
            if (!ReferenceEquals(entry.Path, path))
                continue;
            entry.HeardNanos = now;
            return;
        }
        _entries.Add(new Entry(path, path.ControlFor(source)) { HeardNanos = now });
    }

    public void Remove(ReceivePath path) => _entries.RemoveAll(entry => ReferenceEquals(entry.Path, path));

    /// <summary>Answers on every way that was heard lately; on the only one in any case. True when one took it.</summary>
    public bool Send(void* frame, int length, long now)
    {
        bool isSent = false;
        foreach (Entry entry in _entries)
        {
            if (_entries.Count == 1 || now - entry.HeardNanos < _livenessNanos)
                isSent |= entry.Path.Send(frame, length, entry.Control);
        }
        return isSent;
    }

    private sealed class Entry(ReceivePath path, Ipv4Endpoint control)
    {
        public ReceivePath Path { get; } = path;

        public Ipv4Endpoint Control { get; } = control;

        public long HeardNanos { get; set; }
    }
}
