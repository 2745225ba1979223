// What an agent is built from: its clock, its network and its defaults. Channel parameters override the defaults per stream.

namespace MarginEngine.Aeron;

/// <summary>Settings of an <see cref="AeronAgent"/>. Lengths are bytes, times nanoseconds; defaults as in Aeron 1.52.</summary>
public sealed class AeronOptions
{
    public AeronOptions(INanoClock clock) => Clock = clock;

    public INanoClock Clock { get; }

    /// <summary>A publication's term; three of them make its log. A power of two from 64 KiB to 1 GiB.</summary>
    public int TermLength { get; init; } = 16 * 1024 * 1024;

    /// <summary>The longest datagram a publication sends, without IP and UDP headers.</summary>
    public int Mtu { get; init; } = 1408;

    /// <summary>The most a receiver lets a sender run ahead of its consumer.</summary>
    public int InitialWindowLength { get; init; } = 128 * 1024;

    /// <summary>
    /// Asked of the system, which may grant less. Above the window, because the kernel counts a small datagram as most of a kilobyte.
    /// </summary>
    public int SocketReceiveBufferLength { get; init; } = 2 * 1024 * 1024;

    /// <summary>0 leaves the system's default.</summary>
    public int SocketSendBufferLength { get; init; }

    public long SetupIntervalNanos { get; init; } = 100_000_000;

    public long HeartbeatIntervalNanos { get; init; } = 100_000_000;

    public long StatusMessageIntervalNanos { get; init; } = 200_000_000;

    /// <summary>An image ends when nothing arrived from its sender for this long.</summary>
    public long ImageLivenessNanos { get; init; } = 10_000_000_000;

    /// <summary>A publication is connected while some receiver was heard within this time.</summary>
    public long ReceiverLivenessNanos { get; init; } = 5_000_000_000;

    /// <summary>With fc=min and fc=tagged a receiver not heard for this long is no longer waited for; `t:` overrides it.</summary>
    public long GroupReceiverTimeoutNanos { get; init; } = 5_000_000_000;

    /// <summary>A destination learned from status messages (control-mode=dynamic) is forgotten after this silence.</summary>
    public long DestinationTimeoutNanos { get; init; } = 5_000_000_000;

    /// <summary>A closed publication answers NAKs this long after its last byte was sent.</summary>
    public long LingerNanos { get; init; } = 5_000_000_000;

    /// <summary>Room in a concurrent publication that was claimed and not committed for this long is stepped over: its thread is taken for dead.</summary>
    public long PublicationUnblockNanos { get; init; } = 15_000_000_000;

    /// <summary>A repeated NAK for a range just sent again is ignored this long.</summary>
    public long RetransmitLingerNanos { get; init; } = 10_000_000;

    /// <summary>A session whose SETUP was asked for may be asked again after this time.</summary>
    public long PendingSetupNanos { get; init; } = 1_000_000_000;

    public long NakDelayUnicastNanos { get; init; } = 1_000;

    /// <summary>Later NAKs of one unicast gap wait this multiple of the first delay.</summary>
    public int NakRetryRatio { get; init; } = 100;

    /// <summary>The random first delay of a multicast NAK is spread over this time ...</summary>
    public long NakMulticastMaxBackoffNanos { get; init; } = 10_000_000;

    /// <summary>... in the shape that suits a group of this many receivers.</summary>
    public int NakMulticastGroupSize { get; init; } = 10;

    /// <summary>Images that all subscriptions of the agent hold at most; a SETUP beyond it is refused and counted.</summary>
    public int MaxImages { get; init; } = 64;

    /// <summary>
    /// Longest term a remote sender may ask this agent to reserve (three times over) with its SETUP; longer is refused and counted.
    /// </summary>
    public int MaxImageTermLength { get; init; } = Limits.MaxTermLength;

    /// <summary>Source of session, term and receiver ids and of NAK delays; null draws from the system's generator.</summary>
    public ulong? Seed { get; init; }

    /// <summary>
    /// Asked right before datagrams leave; where it says false they are dropped as if the network had lost them. null: everything leaves. Shared
    /// memory does not ask: whoever offers there asks itself.
    /// </summary>
    public Func<bool>? MaySend { get; init; }

    /// <summary>An Aeron directory to serve: clients in other processes then use this agent as their media driver. null: none.</summary>
    public DriverOptions? Driver { get; init; }

    /// <summary>Where sockets come from; the simulation puts a network of its own here.</summary>
    internal Func<IDatagramNetwork> Network { get; init; } = static () => new UdpNetwork();

    internal void Validate()
    {
        Check.That(BitConverter.IsLittleEndian);
        RequireTermLength(TermLength, nameof(TermLength));
        RequireTermLength(MaxImageTermLength, nameof(MaxImageTermLength));
        Require(Mtu is >= Limits.MinMtu and <= Limits.MaxMtu && Mtu % Limits.FrameAlignment == 0, nameof(Mtu));
        Require(InitialWindowLength >= Mtu, nameof(InitialWindowLength));
        Require(SocketReceiveBufferLength >= InitialWindowLength, nameof(SocketReceiveBufferLength));
        Require(SocketSendBufferLength >= 0, nameof(SocketSendBufferLength));
        Require(SetupIntervalNanos > 0, nameof(SetupIntervalNanos));
        Require(HeartbeatIntervalNanos > 0, nameof(HeartbeatIntervalNanos));
        Require(StatusMessageIntervalNanos > 0, nameof(StatusMessageIntervalNanos));
        Require(ImageLivenessNanos > 0, nameof(ImageLivenessNanos));
        Require(ReceiverLivenessNanos > 0, nameof(ReceiverLivenessNanos));
        Require(GroupReceiverTimeoutNanos > 0, nameof(GroupReceiverTimeoutNanos));
        Require(DestinationTimeoutNanos > 0, nameof(DestinationTimeoutNanos));
        Require(LingerNanos >= 0, nameof(LingerNanos));
        Require(PublicationUnblockNanos > 0, nameof(PublicationUnblockNanos));
        Require(RetransmitLingerNanos >= 0, nameof(RetransmitLingerNanos));
        Require(PendingSetupNanos > 0, nameof(PendingSetupNanos));
        Require(NakDelayUnicastNanos >= 0, nameof(NakDelayUnicastNanos));
        Require(NakRetryRatio >= 1, nameof(NakRetryRatio));
        Require(NakMulticastMaxBackoffNanos > 0, nameof(NakMulticastMaxBackoffNanos));
        Require(NakMulticastGroupSize >= 1, nameof(NakMulticastGroupSize));
        Require(MaxImages >= 1, nameof(MaxImages));
    }

    private static void RequireTermLength(int value, string name) =>
        Require(int.IsPow2(value) && value is >= Limits.MinTermLength and <= Limits.MaxTermLength, name);

    private static void Require(bool condition, string name)
    {
        if (!condition)
            throw new ArgumentOutOfRangeException(name, $"the option {name} is out of range");
    }
}
