// The frames of Aeron's UDP protocol as they lie on the wire: type codes, flags and packed structs to overlay on received bytes.
// Every file of this folder reads and writes frames through these; the layouts are little endian, as are the machines this runs on.

using System.Runtime.InteropServices;

namespace MarginEngine.Aeron;

/// <summary>Frame type codes: the i16 at offset 6 of every frame.</summary>
internal static class FrameType
{
    public const short Padding = 0x00;
    public const short Data = 0x01;
    public const short Nak = 0x02;
    public const short StatusMessage = 0x03;
    public const short Error = 0x04;
    public const short Setup = 0x05;
    public const short RoundTrip = 0x06;
}

/// <summary>Bits of the u8 at offset 5; a bit means something else in each frame type.</summary>
internal static class FrameFlags
{
    public const byte Begin = 0x80;
    public const byte End = 0x40;
    public const byte Unfragmented = Begin | End;
    public const byte EndOfStream = 0x20;
    public const byte Revoked = 0x10;

    public const byte StatusSendSetup = 0x80;
    public const byte StatusEndOfStream = 0x40;

    public const byte SetupGroup = 0x40;

    public const byte RoundTripReply = 0x80;

    public const byte ErrorHasGroupTag = 0x08;
}

/// <summary>
/// The first eight bytes of every frame. <c>FrameLength</c> counts header and payload without alignment; 0 is a heartbeat on the wire
/// and "not yet written" in a log.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct FrameHeader
{
    public const int Length = 8;
    public const byte CurrentVersion = 0;

    public int FrameLength;
    public byte Version;
    public byte Flags;
    public short Type;
}

/// <summary>DATA, PAD and heartbeat: 32 bytes, followed by the payload.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct DataHeader
{
    public const int Length = 32;

    public int FrameLength;
    public byte Version;
    public byte Flags;
    public short Type;
    public int TermOffset;
    public int SessionId;
    public int StreamId;
    public int TermId;
    public long ReservedValue;
}

/// <summary>SETUP: 40 bytes, sender to receiver; the term id and offset are the place a receiver joins at.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct SetupFrame
{
    public const int Length = 40;

    public int FrameLength;
    public byte Version;
    public byte Flags;
    public short Type;
    public int TermOffset;
    public int SessionId;
    public int StreamId;
    public int InitialTermId;
    public int ActiveTermId;
    public int TermLength;
    public int Mtu;
    public int TimeToLive;
}

/// <summary>SM: 36 bytes and an optional group tag; receiver to sender: consumed this far, this much window after it.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct StatusMessageFrame
{
    public const int Length = 36;
    public const int LengthWithGroupTag = 44;

    public int FrameLength;
    public byte Version;
    public byte Flags;
    public short Type;
    public int SessionId;
    public int StreamId;
    public int ConsumptionTermId;
    public int ConsumptionTermOffset;
    public int ReceiverWindow;
    public long ReceiverId;
}

/// <summary>NAK: 28 bytes, receiver to sender: these bytes of this term are missing.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct NakFrame
{
    public const int Length = 28;

    public int FrameLength;
    public byte Version;
    public byte Flags;
    public short Type;
    public int SessionId;
    public int StreamId;
    public int TermId;
    public int TermOffset;
    public int MissingLength;
}

/// <summary>RTTM: 40 bytes, both ways; a frame with the reply flag must be answered with the same timestamp.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct RoundTripFrame
{
    public const int Length = 40;

    public int FrameLength;
    public byte Version;
    public byte Flags;
    public short Type;
    public int SessionId;
    public int StreamId;
    public long EchoTimestamp;
    public long ReceptionDelta;
    public long ReceiverId;
}

/// <summary>Codes of ERR frames.</summary>
internal static class ErrorCode
{
    public const int ImageRejected = 13;
}

/// <summary>ERR: 40 bytes and a text of at most 1,023; receiver to sender: this receiver gives the stream up.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct ErrorFrame
{
    public const int Length = 40;

    public int FrameLength;
    public byte Version;
    public byte Flags;
    public short Type;
    public int SessionId;
    public int StreamId;
    public long ReceiverId;
    public long GroupTag;
    public int ErrorCode;
    public int TextLength;
}
