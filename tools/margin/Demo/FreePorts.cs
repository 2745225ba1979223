// UDP ports on loopback for processes that are about to start. Below 32,768, where Linux begins to give ports to sockets that ask for any:
// between the look and the use nobody gets one of these by chance.
using System.Net;
using System.Net.Sockets;

namespace MarginEngine.Tool.Demo;

internal static class FreePorts
{
    private const int First = 12_000;
    private const int Count = 20_000;
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
        try
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
