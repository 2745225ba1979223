// What the pipeline reads of a message without its codec: the header every message has and the origin every input has.
// Used by the gateway before validation, by the publisher to route, by the flight record.
using System.Buffers.Binary;

namespace MarginEngine.Pipeline;

/// <summary>Who sent an input, and the how-many-eth of that sender.</summary>
internal readonly record struct MessageOrigin(ulong Sequence, ulong EventTimeNanos, ushort Source);

/// <summary>
/// Fixed places at the start of messages, little endian; a test holds them against the generated codecs:
/// <code>
///   0           2          4        6       8         16          24      26     28
///   +-----------+----------+--------+-------+---------+-----------+-------+------+
///   |blockLength|templateId|schemaId|version|sequence |eventTime  |source |flags | rest of an input
///   +-----------+----------+--------+-------+---------+-----------+-------+------+
/// </code>
/// </summary>
internal static class Frame
{
    public const int HeaderBytes = 8;
    public const int OriginEnd = 28;

    /// <summary>Field id of the origin, the same in every input.</summary>
    public const ushort OriginField = 1;

    /// <summary>Inputs are templates 1 to 99, decisions 100 to 199, what nodes say to each other 200 to 255.</summary>
    public const ushort LastInputTemplate = 99;

    /// <summary>0 where the message is too short to have one.</summary>
    public static ushort TemplateId(ReadOnlySpan<byte> message) =>
        message.Length < HeaderBytes ? (ushort)0 : BinaryPrimitives.ReadUInt16LittleEndian(message[2..]);

    /// <summary>False where the message is too short.</summary>
    public static bool TryReadOrigin(ReadOnlySpan<byte> message, out MessageOrigin origin)
    {
        if (message.Length < OriginEnd)
        {
            origin = default;
            return false;
        }

        origin = new MessageOrigin(
            BinaryPrimitives.ReadUInt64LittleEndian(message[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(message[16..]),
            BinaryPrimitives.ReadUInt16LittleEndian(message[24..]));
        return true;
    }
}
