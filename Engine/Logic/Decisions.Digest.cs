using System.Buffers.Binary;

namespace MarginEngine.Logic;

/// <content>What of a decision counts in the digest of all decisions.</content>
public sealed partial class DecisionWriter
{
    private const ushort FirstSchemaVersion = 1;

    // Block length, template, schema, version: two bytes each.
    private const int VersionOffset = 6;

    // The schema's version in the header tells who wrote a decision, not what was decided. The digest sees the first one always, so that a
    // journal is decided to the same digest by every version that decides the same.
    private void AddToDigest(ReadOnlySpan<byte> message)
    {
        Span<byte> version = _buffer.AsSpan(VersionOffset, sizeof(ushort));
        ushort written = BinaryPrimitives.ReadUInt16LittleEndian(version);
        BinaryPrimitives.WriteUInt16LittleEndian(version, FirstSchemaVersion);
        _digest.Add(message);
        BinaryPrimitives.WriteUInt16LittleEndian(version, written);
    }
}
