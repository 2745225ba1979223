// Multicast over loopback: what the demo publishes on. Some containers have it switched off.
using System.Net;
using System.Net.Sockets;

namespace MarginEngine.Tool.Doctor;

internal static class NetworkChecks
{
    private const string Group = "224.20.30.41";
    private const int PatienceMillis = 500;

    public static Finding LoopbackMulticast() => Judge(CanMulticast());

    private static Finding Judge(bool works) => Finding.Judge("multicast over loopback", works ? "works" : "does not work", works,
        "margin demo needs it: ip link set lo multicast on, and let the container have its own network");

    /// <summary>Sends one datagram to a group on the loopback interface and waits for it.</summary>
    public static bool CanMulticast()
    {
        try
        {
            using Socket receiver = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = PatienceMillis };
            receiver.Bind(new IPEndPoint(IPAddress.Any, 0));
            int port = ((IPEndPoint)receiver.LocalEndPoint!).Port;
            receiver.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(IPAddress.Parse(Group), IPAddress.Loopback));
            using Socket sender = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            sender.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.Loopback.GetAddressBytes());
            byte[] token = Guid.NewGuid().ToByteArray(), heard = new byte[token.Length];
            sender.SendTo(token, new IPEndPoint(IPAddress.Parse(Group), port));
            return receiver.Receive(heard) == token.Length && heard.AsSpan().SequenceEqual(token);
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
