// The seam between the transport and the sockets: batches of datagrams in native memory, and the network that opens endpoints.
// UdpNetwork is the real one; the simulation has another with loss, delay and a clock of its own.

using System.Runtime.InteropServices;

namespace MarginEngine.Aeron;

/// <summary>How to open a socket. Addresses of 0 mean "any" or "none".</summary>
internal readonly record struct SocketSpec
{
    public Ipv4Endpoint Bind { get; init; }

    /// <summary>Send here and hear only from here; default leaves the socket unconnected.</summary>
    public Ipv4Endpoint Connect { get; init; }

    /// <summary>Multicast group to join; 0 for none.</summary>
    public uint JoinGroup { get; init; }

    public uint MulticastInterface { get; init; }
    public int TimeToLive { get; init; }
    public int SendBufferLength { get; init; }
    public int ReceiveBufferLength { get; init; }

    /// <summary>Nobody reads this socket, so nothing waits for it.</summary>
    public bool IsSendOnly { get; init; }

    /// <summary>Let other sockets of the host bind the same port (multicast).</summary>
    public bool SharesPort { get; init; }
}

internal interface IDatagramSocket : IDisposable
{
    Ipv4Endpoint LocalEndpoint { get; }

    /// <summary>Bytes the system really buffers for this socket.</summary>
    int ReceiveBufferLength { get; }

    /// <summary>Fills the batch with what waits; returns the number of datagrams, 0 when none. Never blocks.</summary>
    int Receive(DatagramBatch batch, AeronCounters counters);

    /// <summary>Sends from the front of the batch; returns how many datagrams were taken. Never blocks.</summary>
    int Send(DatagramBatch batch, AeronCounters counters);
}

internal interface IDatagramNetwork : IDisposable
{
    IDatagramSocket Open(in SocketSpec spec);

    /// <summary>Finds out which sockets have something to receive, where that is cheaper than asking each.</summary>
    void BeginReceive();

    /// <summary>Sleeps until a datagram waits, <see cref="Wake"/> is called or the time is over; true unless the time was over.</summary>
    bool Wait(long timeoutNanos);

    /// <summary>Ends a wait, or the next one if none is under way. Any thread may call it.</summary>
    void Wake();
}

/// <summary>
/// A fixed number of datagrams as the system's mmsghdr array. A receive batch owns its buffers; a send batch points into term logs.
/// </summary>
internal sealed unsafe class DatagramBatch : IDisposable
{
    private readonly MessageHeader* _headers;
    private readonly IoVector* _vectors;
    private readonly SocketAddressIn* _addresses;
    private readonly byte* _buffers;
    private readonly int _bufferLength;

    /// <param name="capacity">datagrams</param>
    /// <param name="bufferLength">bytes of each owned buffer; 0 for a batch that borrows what it sends</param>
    public DatagramBatch(int capacity, int bufferLength)
    {
        Capacity = capacity;
        _bufferLength = bufferLength;
        _headers = (MessageHeader*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(MessageHeader));
        _vectors = (IoVector*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(IoVector));
        _addresses = (SocketAddressIn*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(SocketAddressIn));
        if (bufferLength > 0)
            _buffers = (byte*)NativeMemory.AlignedAlloc((nuint)capacity * (nuint)bufferLength, 64);
        for (int i = 0; i < capacity; i++)
        {
            _headers[i].Vectors = _vectors + i;
            _headers[i].VectorCount = 1;
        }
        for (int i = 0; bufferLength > 0 && i < capacity; i++)
        {
            // The system overwrites the address length with the same value and leaves the vectors alone: set once is enough.
            _vectors[i].Base = _buffers + ((long)i * bufferLength);
            _vectors[i].Length = (nuint)bufferLength;
            _headers[i].Name = _addresses + i;
            _headers[i].NameLength = (uint)sizeof(SocketAddressIn);
        }
    }

    public int Capacity { get; }

    /// <summary>Datagrams added to a send batch.</summary>
    public int Count { get; private set; }

    public MessageHeader* Headers => _headers;

    public SocketAddressIn* Addresses => _addresses;

    /// <summary>Bytes of each owned buffer.</summary>
    public int BufferLength => _bufferLength;

    /// <summary>The first datagram was received by a call of its own.</summary>
    public void SetFirstReceived(int length) => _headers[0].Received = (uint)length;

    public byte* Data(int index) => (byte*)_vectors[index].Base;

    /// <summary>Bytes to send, or bytes received.</summary>
    public int Length(int index) => unchecked((int)(_bufferLength > 0 ? _headers[index].Received : (uint)_vectors[index].Length));

    public Ipv4Endpoint Address(int index) => _addresses[index].ToEndpoint();

    public void Clear() => Count = 0;

    /// <param name="destination">default on a connected socket</param>
    public void Add(byte* data, int length, Ipv4Endpoint destination)
    {
        int index = Count;
        _vectors[index].Base = data;
        _vectors[index].Length = (nuint)length;
        if (destination.Port == 0)
        {
            _headers[index].Name = null;
            _headers[index].NameLength = 0;
        }
        else
        {
            _addresses[index] = SocketAddressIn.From(destination);
            _headers[index].Name = _addresses + index;
            _headers[index].NameLength = (uint)sizeof(SocketAddressIn);
        }
        Count = index + 1;
    }

    /// <summary>Sends the same datagrams to another address.</summary>
    public void Redirect(Ipv4Endpoint destination)
    {
        for (int i = 0; i < Count; i++)
        {
            _addresses[i] = SocketAddressIn.From(destination);
            _headers[i].Name = _addresses + i;
            _headers[i].NameLength = (uint)sizeof(SocketAddressIn);
        }
    }

    /// <summary>Stands in for the system: puts a datagram into a receive batch. For networks that are not sockets.</summary>
    public void Deliver(int index, ReadOnlySpan<byte> datagram, Ipv4Endpoint source)
    {
        datagram.CopyTo(new Span<byte>(_buffers + ((long)index * _bufferLength), _bufferLength));
        _headers[index].Received = (uint)datagram.Length;
        _addresses[index] = SocketAddressIn.From(source);
    }

    /// <summary>The destination of a datagram to send; default on a connected socket. For networks that are not sockets.</summary>
    public Ipv4Endpoint Destination(int index) => _headers[index].Name == null ? default : _addresses[index].ToEndpoint();

    public void Dispose()
    {
        NativeMemory.Free(_headers);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_addresses);
        NativeMemory.AlignedFree(_buffers);
    }
}
