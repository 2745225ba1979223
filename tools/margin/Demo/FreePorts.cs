// UDP ports on loopback for processes that are about to start. Below 32,768, where Linux begins to give ports to sockets that ask for any:
// between the look and the use nobody gets one of these by chance. A TCP port of the same number, at an address that
// nobody uses, is kept for a while as a mark: another process that looks for ports of its own passes over it.
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace MarginEngine.Tool.Demo;

internal static class FreePorts
{
    private const int First = 12_000;
    private const int Count = 20_000;
    private const int MarksKept = 64;
    private static readonly IPAddress MarkAddress = IPAddress.Parse("127.255.0.1");
    private static readonly ConcurrentQueue<Socket> Marks = new();
    private static int _next = Random.Shared.Next(Count);

    /// <summary>Different ports that are free now; this process gives none of them out again soon.</summary>
    /// <exception cref="IOException">None is free.</exception>
    public static int[] Take(int count)
    {
        List<int> ports = [];
        for (int tries = 0; ports.Count < count; tries++)
        {
            if (tries == Count)
                throw new IOException("no UDP port is free on the loopback interface");
            int port = First + (int)((uint)Interlocked.Increment(ref _next) % Count);
            if (IsFree(port))
                ports.Add(port);
        }

        return [.. ports];
    }

    private static bool IsFree(int port)
    {
        Socket mark = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            // Elsewhere the loopback interface has one address only, and ports are taken unmarked.
            if (OperatingSystem.IsLinux())
                mark.Bind(new IPEndPoint(MarkAddress, port));
        }
        catch (SocketException)
        {
            mark.Dispose();
            return false;
        }

        Marks.Enqueue(mark);
        if (Marks.Count > MarksKept && Marks.TryDequeue(out Socket? oldest))
            oldest.Dispose();
        return true;
    }
}
