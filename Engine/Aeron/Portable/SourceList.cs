// Who may speak to a subscription: addresses or networks, each with all its sessions or one. Anything else is counted and ignored.

using System.Globalization;

namespace MarginEngine.Aeron;

/// <summary>
/// The senders that a subscription listens to. Give it to <see cref="AeronAgent.AddSubscription"/>; an empty
/// list lets nobody speak. A source address is only as true as the network makes it: filter forged ones at its border.
/// </summary>
public sealed class SourceList
{
    // Replaced, never changed: the agent's thread may be walking it.
    private volatile Entry[] _entries = [];

    public int Count => _entries.Length;

    /// <summary>Adds to the list, also to one in use; not to be called by two threads at once.</summary>
    /// <param name="network">an IPv4 address, or a network such as <c>10.1.2.0/24</c></param>
    /// <param name="sessionId">the one session that may come from there; null for any</param>
    /// <returns>this list</returns>
    /// <exception cref="FormatException">the text is no address and no network</exception>
    public SourceList Allow(string network, int? sessionId = null)
    {
        ReadOnlySpan<char> text = network;
        int prefix = 32;
        int slash = text.IndexOf('/');
        if (slash >= 0)
        {
            if (!int.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out prefix) || prefix > 32)
                throw new FormatException($"'{network}': the prefix is not a number from 0 to 32");
            text = text[..slash];
        }
        if (!Ipv4Endpoint.TryParseAddress(text, out uint address))
            throw new FormatException($"'{network}' is no IPv4 address or network");
        uint mask = prefix == 0 ? 0 : uint.MaxValue << (32 - prefix);
        _entries = [.. _entries, new Entry(address & mask, mask, sessionId)];
        return this;
    }

    /// <param name="address">host byte order</param>
    public bool Allows(uint address, int sessionId)
    {
        foreach (Entry entry in _entries)
        {
            if ((address & entry.Mask) == entry.Address && (entry.SessionId is null || entry.SessionId == sessionId))
                return true;
        }
        return false;
    }

    private readonly record struct Entry(uint Address, uint Mask, int? SessionId);
}
