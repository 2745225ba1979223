// A wire between two nodes that a test can cut: what one sends to an address goes to another, and answers come back.
using System.Net;
using System.Net.Sockets;

namespace MarginEngine.Tests.PromotionTests;

internal sealed class UdpRelay : IDisposable
{
    private const int LongestDatagram = 65_536;
    private readonly Socket _front = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Socket _back = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly byte[] _buffer = new byte[LongestDatagram];
    private readonly Thread _thread;
    private EndPoint? _asking;
    private volatile bool _isOver;

    /// <param name="front">Port that is sent to.</param>
    /// <param name="back">Port that hears it.</param>
    public UdpRelay(int front, int back)
    {
        _front.Bind(new IPEndPoint(IPAddress.Loopback, front));
        _back.Connect(new IPEndPoint(IPAddress.Loopback, back));
        _thread = new Thread(Run) { IsBackground = true, Name = "relay" };
        _thread.Start();
    }

    /// <summary>Nothing passes.</summary>
    public bool IsCut { get; set; }

    public void Dispose()
    {
        _isOver = true;
        _thread.Join();
        _front.Dispose();
        _back.Dispose();
    }

    private void Run()
    {
        const int WaitMicros = 1_000;
        List<Socket> readable = [];
        while (!_isOver)
        {
            readable.Clear();
            readable.AddRange([_front, _back]);
            Socket.Select(readable, null, null, WaitMicros);
            foreach (Socket socket in readable)
                Pass(socket);
        }
    }

    private void Pass(Socket socket)
    {
        try
        {
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            int length = socket == _front ? _front.ReceiveFrom(_buffer, ref from) : _back.Receive(_buffer);
            if (socket == _front)
                _asking = from;
            if (IsCut)
                return;
            if (socket == _front)
                _back.Send(_buffer.AsSpan(0, length));
            else if (_asking is not null)
                _front.SendTo(_buffer.AsSpan(0, length), _asking);
        }
        catch (SocketException)
        {
            // Nobody hears it just now.
        }
    }
}
