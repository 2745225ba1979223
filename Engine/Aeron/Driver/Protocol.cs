// The vocabulary between clients and driver: commands, events, error codes, and the reading of a command's bytes.

using System.Buffers.Binary;
using System.Text;

namespace MarginEngine.Aeron;

internal static class Command
{
    public const int AddPublication = 0x01;
    public const int RemovePublication = 0x02;
    public const int AddExclusivePublication = 0x03;
    public const int AddSubscription = 0x04;
    public const int RemoveSubscription = 0x05;
    public const int ClientKeepAlive = 0x06;
    public const int AddDestination = 0x07;
    public const int RemoveDestination = 0x08;
    public const int AddCounter = 0x09;
    public const int RemoveCounter = 0x0A;
    public const int ClientClose = 0x0B;
    public const int AddReceiveDestination = 0x0C;
    public const int RemoveReceiveDestination = 0x0D;
    public const int TerminateDriver = 0x0E;
    public const int AddStaticCounter = 0x0F;
    public const int RejectImage = 0x10;
    public const int RemoveDestinationById = 0x11;
    public const int NextSessionId = 0x12;
}

internal static class Event
{
    public const int Error = 0x0F01;
    public const int AvailableImage = 0x0F02;
    public const int PublicationReady = 0x0F03;
    public const int OperationSucceeded = 0x0F04;
    public const int UnavailableImage = 0x0F05;
    public const int ExclusivePublicationReady = 0x0F06;
    public const int SubscriptionReady = 0x0F07;
    public const int CounterReady = 0x0F08;
    public const int CounterUnavailable = 0x0F09;
    public const int ClientTimeout = 0x0F0A;
    public const int StaticCounter = 0x0F0B;
    public const int PublicationError = 0x0F0C;
    public const int NextSessionId = 0x0F0D;
}

internal enum DriverError
{
    InvalidChannel = 1,
    UnknownSubscription = 2,
    UnknownPublication = 3,
    ChannelEndpoint = 4,
    UnknownCounter = 5,
    UnknownCommand = 6,
    Malformed = 7,
    NotSupported = 8,
    ResourceTemporarilyUnavailable = 10,
    Generic = 11,
    StorageSpace = 12,
}

/// <summary>A command that is not carried out; the client is told why.</summary>
internal sealed class CommandException(DriverError error, string message) : Exception(message)
{
    public DriverError Error { get; } = error;
}

/// <summary>A command's fields; one that lies outside makes the command malformed.</summary>
internal readonly ref struct CommandReader(ReadOnlySpan<byte> bytes)
{
    public const int HeadLength = 16;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Length => _bytes.Length;

    public long ClientId => Int64(0);

    public long CorrelationId => Int64(8);

    public int Int32(int offset) => BinaryPrimitives.ReadInt32LittleEndian(Field(offset, sizeof(int)));

    public long Int64(int offset) => BinaryPrimitives.ReadInt64LittleEndian(Field(offset, sizeof(long)));

    /// <summary>Bytes behind an i32 length.</summary>
    public ReadOnlySpan<byte> Counted(int offset) => Field(offset + sizeof(int), Int32(offset));

    public string Text(int offset) => Encoding.ASCII.GetString(Counted(offset));

    private ReadOnlySpan<byte> Field(int offset, int length)
    {
        if (length < 0 || offset > _bytes.Length || length > _bytes.Length - offset)
            throw new CommandException(DriverError.Malformed, $"the command has {_bytes.Length} bytes and ends within a field");
        return _bytes.Slice(offset, length);
    }
}
