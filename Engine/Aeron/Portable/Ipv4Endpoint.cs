// An IPv4 address and port as a plain value, so that no EndPoint object is made for a datagram.

using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace MarginEngine.Aeron;

/// <summary>An IPv4 address (host byte order: 127.0.0.1 is 0x7F000001) and a UDP port.</summary>
public readonly record struct Ipv4Endpoint(uint Address, ushort Port)
{
    public const uint Loopback = 0x7F000001;

    public bool IsMulticast => (Address & 0xF0000000) == 0xE0000000;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Address >> 24}.{(Address >> 16) & 0xFF}.{(Address >> 8) & 0xFF}.{Address & 0xFF}:{Port}");

    /// <summary>Reads <c>host:port</c>; the host is a dotted address or a name with an IPv4 address.</summary>
    internal static bool TryParse(ReadOnlySpan<char> text, out Ipv4Endpoint endpoint)
    {
        endpoint = default;
        int colon = text.LastIndexOf(':');
        if (colon <= 0 || !TryResolve(text[..colon], out uint address))
            return false;
        if (!ushort.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
            return false;
        endpoint = new Ipv4Endpoint(address, port);
        return true;
    }

    /// <summary>Reads <c>host[/prefix]</c>; with a prefix below 32 the first local interface inside that network is taken.</summary>
    internal static bool TryParseInterface(ReadOnlySpan<char> text, out uint address)
    {
        int slash = text.IndexOf('/');
        if (slash < 0)
            return TryResolve(WithoutPort(text), out address);
        if (!TryResolve(WithoutPort(text[..slash]), out address)
            || !int.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int prefix)
            || prefix > 32)
            return false;
        return prefix == 32 || TryFindLocal(address, prefix == 0 ? 0u : uint.MaxValue << (32 - prefix), ref address);
    }

    /// <summary>Reads a dotted address; no name is looked up.</summary>
    internal static bool TryParseAddress(ReadOnlySpan<char> text, out uint address)
    {
        address = 0;
        if (!IPAddress.TryParse(text, out IPAddress? parsed) || parsed.AddressFamily != AddressFamily.InterNetwork)
            return false;
        address = ToHostOrder(parsed);
        return true;
    }

    private static ReadOnlySpan<char> WithoutPort(ReadOnlySpan<char> text) =>
        text.IndexOf(':') is var colon and >= 0 ? text[..colon] : text;

    private static bool TryFindLocal(uint network, uint mask, ref uint address)
    {
        foreach (NetworkInterface card in NetworkInterface.GetAllNetworkInterfaces())
        {
            foreach (UnicastIPAddressInformation local in card.GetIPProperties().UnicastAddresses)
            {
                if (local.Address.AddressFamily != AddressFamily.InterNetwork)
                    continue;
                uint candidate = ToHostOrder(local.Address);
                if ((candidate & mask) == (network & mask))
                {
                    address = candidate;
                    return true;
                }
            }
        }
        return false;
    }

    private static bool TryResolve(ReadOnlySpan<char> host, out uint address)
    {
        address = 0;
        if (host.IsEmpty)
            return false;
        if (IPAddress.TryParse(host, out IPAddress? parsed))
        {
            if (parsed.AddressFamily != AddressFamily.InterNetwork)
                return false;
            address = ToHostOrder(parsed);
            return true;
        }
        try
        {
            foreach (IPAddress candidate in Dns.GetHostAddresses(host.ToString(), AddressFamily.InterNetwork))
            {
                address = ToHostOrder(candidate);
                return true;
            }
        }
        catch (SocketException)
        {
            // An unknown name: the caller names the parameter.
        }
        catch (ArgumentException)
        {
            // A name no resolver takes.
        }
        return false;
    }

    private static uint ToHostOrder(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        Check.That(address.TryWriteBytes(bytes, out int written) && written == 4);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }
}
