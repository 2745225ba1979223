// What a subscriber received, as fingerprints: the proof that a journal explains every published decision. Written by
// `watch --record` and by the demo's market maker, checked by `replay --published`.
using System.Buffers.Binary;
using MarginEngine.Logic;

namespace MarginEngine.Tool.Wire;

/// <param name="Sequence">The input that the message was decided on.</param>
/// <param name="Fingerprint">Digest of the whole message.</param>
internal readonly record struct PublishedEntry(long Sequence, ulong Fingerprint) : IComparable<PublishedEntry>
{
    public const int Bytes = 16;

    public int CompareTo(PublishedEntry other)
    {
        int order = Sequence.CompareTo(other.Sequence);
        return order != 0 ? order : Fingerprint.CompareTo(other.Fingerprint);
    }

    /// <summary>Every decision carries its sequence right behind the header.</summary>
    public static PublishedEntry Of(ReadOnlySpan<byte> message) => new(BinaryPrimitives.ReadInt64LittleEndian(message[SequenceOffset..]), Fingerprints.Of(message));

    /// <summary>Shortest message that has a sequence.</summary>
    public const int ShortestMessage = SequenceOffset + sizeof(long);

    private const int SequenceOffset = 8;
}

internal static class Fingerprints
{
    public static ulong Of(ReadOnlySpan<byte> message)
    {
        Digest64 digest = default;
        digest.Add(message);
        return digest.Value;
    }
}

/// <summary>Appends entries to a file: 8 letters of name, then 16 bytes an entry in the order of arrival.</summary>
internal sealed class PublishedLogWriter : IDisposable
{
    internal static ReadOnlySpan<byte> Name => "MEPUBL01"u8;

    private readonly FileStream _file;

    public PublishedLogWriter(string path)
    {
        _file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 20);
        _file.Write(Name);
    }

    public void Add(in PublishedEntry entry)
    {
        Span<byte> bytes = stackalloc byte[PublishedEntry.Bytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, entry.Sequence);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[sizeof(long)..], entry.Fingerprint);
        _file.Write(bytes);
    }

    public void Dispose() => _file.Dispose();
}

internal static class PublishedLogFile
{
    /// <summary>All entries, sorted by sequence.</summary>
    /// <exception cref="InvalidDataException">The file is no such log or is cut in the middle of an entry.</exception>
    public static PublishedEntry[] Read(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        int name = PublishedLogWriter.Name.Length;
        if (!bytes.AsSpan().StartsWith(PublishedLogWriter.Name) || (bytes.Length - name) % PublishedEntry.Bytes != 0)
            throw new InvalidDataException($"{path} is not a whole record of published messages");
        PublishedEntry[] entries = new PublishedEntry[(bytes.Length - name) / PublishedEntry.Bytes];
        for (int index = 0; index < entries.Length; index++)
        {
            ReadOnlySpan<byte> entry = bytes.AsSpan(name + index * PublishedEntry.Bytes, PublishedEntry.Bytes);
            entries[index] = new PublishedEntry(
                BinaryPrimitives.ReadInt64LittleEndian(entry), BinaryPrimitives.ReadUInt64LittleEndian(entry[sizeof(long)..]));
        }

        Array.Sort(entries);
        return entries;
    }
}
