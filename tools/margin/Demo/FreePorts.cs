// UDP ports on loopback that nobody has bound at this moment.
using System.Net;
using System.Net.Sockets;

namespace MarginEngine.Tool.Demo;

internal static class FreePorts
{
    /// <summary>Different ports; all are held until the last is known, so that none is given twice.</summary>
    public static int[] Take(int count)
    {
        List<Socket> held = [];
        try
        {
            for (int index = 0; index < count; index++)
            {
                Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
                held.Add(socket);
                socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            }

            return [.. held.Select(socket => ((IPEndPoint)socket.LocalEndPoint!).Port)];
        }
        finally
        {
            held.ForEach(socket => socket.Dispose());
        }
    }
}
