// The system calls of the transport and their structures (Linux, 64 bit). UdpNetwork, UdpSocket and LogBuffer are the only callers.

using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace MarginEngine.Aeron;

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    public void* Base;
    public nuint Length;
}

/// <summary>struct mmsghdr: a msghdr and the number of bytes received.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageHeader
{
    public void* Name;
    public uint NameLength;
    public IoVector* Vectors;
    public nuint VectorCount;
    public void* Control;
    public nuint ControlLength;
    public int Flags;
    private readonly int _padding;
    public uint Received;
    private readonly int _tail;
}

/// <summary>struct sockaddr_in; port and address are in network order.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SocketAddressIn
{
    public ushort Family;
    public ushort Port;
    public uint Address;
    private readonly ulong _zero;

    public static SocketAddressIn From(Ipv4Endpoint endpoint) => new()
    {
        Family = LinuxCalls.AddressFamilyInternet,
        Port = BinaryPrimitives.ReverseEndianness(endpoint.Port),
        Address = BinaryPrimitives.ReverseEndianness(endpoint.Address),
    };

    public readonly Ipv4Endpoint ToEndpoint() =>
        new(BinaryPrimitives.ReverseEndianness(Address), BinaryPrimitives.ReverseEndianness(Port));
}

/// <summary>struct ip_mreq; both addresses are in network order.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GroupMembership
{
    public uint Group;
    public uint Interface;
}

[StructLayout(LayoutKind.Sequential)]
internal struct PollDescriptor
{
    public int Descriptor;
    public short Events;
    public short Returned;
}

[StructLayout(LayoutKind.Sequential)]
internal struct TimeSpec
{
    public long Seconds;
    public long Nanoseconds;
}

internal static unsafe partial class LinuxCalls
{
    public const int AddressFamilyInternet = 2;
    public const int DatagramNonBlockingCloseOnExec = 2 | 0x800 | 0x80000;
    public const int DontWait = 0x40;
    public const short PollInput = 1;

    public const int LevelSocket = 1;
    public const int ReuseAddress = 2;
    public const int SendBuffer = 7;
    public const int ReceiveBuffer = 8;
    public const int ReusePort = 15;

    public const int LevelIp = 0;
    public const int MulticastInterface = 32;
    public const int MulticastTimeToLive = 33;
    public const int MulticastLoop = 34;
    public const int AddMembership = 35;
    public const int MulticastAll = 49;

    public const int EventNonBlockingCloseOnExec = 0x800 | 0x80000;

    public const int ProtectionReadWrite = 3;
    public const int MapPrivateAnonymousNoReserve = 0x2 | 0x20 | 0x4000;

    public const int ErrorInterrupted = 4;
    public const int ErrorBadDescriptor = 9;
    public const int ErrorAgain = 11;
    public const int ErrorBadAddress = 14;
    public const int ErrorNotSocket = 88;
    public const int ErrorConnectionRefused = 111;

    private const string Library = "libc";

    [LibraryImport(Library, EntryPoint = "socket", SetLastError = true)]
    public static partial int Socket(int family, int type, int protocol);

    [LibraryImport(Library, EntryPoint = "bind", SetLastError = true)]
    public static partial int Bind(int descriptor, SocketAddressIn* address, uint length);

    [LibraryImport(Library, EntryPoint = "connect", SetLastError = true)]
    public static partial int Connect(int descriptor, SocketAddressIn* address, uint length);

    [LibraryImport(Library, EntryPoint = "getsockname", SetLastError = true)]
    public static partial int GetSocketName(int descriptor, SocketAddressIn* address, uint* length);

    [LibraryImport(Library, EntryPoint = "setsockopt", SetLastError = true)]
    public static partial int SetOption(int descriptor, int level, int name, void* value, uint length);

    [LibraryImport(Library, EntryPoint = "getsockopt", SetLastError = true)]
    public static partial int GetOption(int descriptor, int level, int name, void* value, uint* length);

    [LibraryImport(Library, EntryPoint = "recvmmsg", SetLastError = true)]
    public static partial int ReceiveMessages(int descriptor, MessageHeader* headers, uint count, int flags, TimeSpec* timeout);

    [LibraryImport(Library, EntryPoint = "sendmmsg", SetLastError = true)]
    public static partial int SendMessages(int descriptor, MessageHeader* headers, uint count, int flags);

    [LibraryImport(Library, EntryPoint = "recvfrom", SetLastError = true)]
    public static partial nint ReceiveFrom(
        int descriptor, void* buffer, nuint length, int flags, SocketAddressIn* source, uint* sourceLength);

    [LibraryImport(Library, EntryPoint = "sendto", SetLastError = true)]
    public static partial nint SendTo(
        int descriptor, void* buffer, nuint length, int flags, void* destination, uint destinationLength);

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport(Library, EntryPoint = "ppoll", SetLastError = true)]
    public static partial int Poll(PollDescriptor* descriptors, nuint count, TimeSpec* timeout, void* signals);

    [LibraryImport(Library, EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventDescriptor(uint initial, int flags);

    [LibraryImport(Library, EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, void* buffer, nuint count);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, void* buffer, nuint count);

    [LibraryImport(Library, EntryPoint = "mmap", SetLastError = true)]
    public static partial void* Map(void* address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport(Library, EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(void* address, nuint length);

    public static int LastError => Marshal.GetLastPInvokeError();

    /// <summary>Zeroed memory that costs nothing until it is touched.</summary>
    public static byte* MapZeroed(long length)
    {
        void* memory = Map(null, (nuint)length, ProtectionReadWrite, MapPrivateAnonymousNoReserve, -1, 0);
        if ((nint)memory == -1)
            throw new IOException($"mmap of {length} bytes failed with error {LastError}");
        return (byte*)memory;
    }
}
