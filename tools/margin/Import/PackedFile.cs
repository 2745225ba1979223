// Reads a file and unpacks gzip and zip by their magic bytes, whatever the file is called. Called by DataFile.

using System.Buffers.Binary;
using System.IO.Compression;

namespace MarginEngine.Tool.Import;

/// <summary>One plain document out of a file: its name (the entry's name inside a zip) and its bytes.</summary>
public sealed record PlainPart(string Name, byte[] Content);

/// <summary>Unpacking with a bound on the unpacked size; damage and truncation are errors, never shorter data.</summary>
public static class PackedFile
{
    /// <summary>Bytes that a packed file may grow to: beyond it the file is refused as a whole.</summary>
    public const int LargestUnpacked = 512 << 20;

    private static ReadOnlySpan<byte> GzipMagic => [0x1f, 0x8b];
    private const int GzipTrailerBytes = 8;
    private const int SmallestGzip = 18;

    public static IReadOnlyList<PlainPart> Unpack(string name, byte[] content)
    {
        ReadOnlySpan<byte> magic = content;
        if (magic.StartsWith(GzipMagic))
            return [new PlainPart(WithoutEnd(name, ".gz"), Gunzip(name, content))];
        if (magic.StartsWith("PK\u0003\u0004"u8) || magic.StartsWith("PK\u0005\u0006"u8))
            return Unzip(name, content);
        return [new PlainPart(name, content)];
    }

    private static byte[] Gunzip(string name, byte[] content)
    {
        if (content.Length < SmallestGzip)
            throw new ImportException(name, 0, 0, "the gzip file is cut off");
        byte[] plain;
        try
        {
            using var stream = new GZipStream(new MemoryStream(content), CompressionMode.Decompress);
            plain = ReadBounded(name, stream);
        }
        catch (InvalidDataException error)
        {
            throw new ImportException(name, 0, 0, "the gzip file is damaged: " + error.Message, error);
        }
        // The stream reader takes a cut-off file for a short one; the length in the trailer tells them apart.
        uint promised = BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(content.Length - GzipTrailerBytes + 4));
        if (promised != (uint)plain.Length)
            throw new ImportException(name, 0, 0,
                $"the gzip file is cut off or has bytes after its end: {plain.Length} bytes unpacked, its trailer says {promised}");
        return plain;
    }

    private static List<PlainPart> Unzip(string name, byte[] content)
    {
        var parts = new List<PlainPart>();
        long total = 0;
        try
        {
            using var archive = new ZipArchive(new MemoryStream(content), ZipArchiveMode.Read);
            foreach (ZipArchiveEntry entry in archive.Entries)
            {
                if (entry.FullName.EndsWith('/'))
                    continue;
                using Stream stream = entry.Open();
                byte[] plain = ReadBounded(name, stream);
                if (plain.Length != entry.Length || Crc32(plain) != entry.Crc32)
                    throw new ImportException(name, 0, 0, $"entry {entry.FullName} of the zip is damaged: length or checksum differ");
                total += plain.Length;
                if (total > LargestUnpacked)
                    throw new ImportException(name, 0, 0, $"unpacks to more than {LargestUnpacked >> 20} MiB");
                parts.Add(new PlainPart(entry.FullName, plain));
            }
        }
        catch (Exception error) when (error is InvalidDataException or NotSupportedException or IOException or ArgumentException)
        {
            throw new ImportException(name, 0, 0, "the zip file is damaged: " + error.Message, error);
        }
        if (parts.Count == 0)
            throw new ImportException(name, 0, 0, "the zip file is empty");
        return parts;
    }

    private static byte[] ReadBounded(string name, Stream stream)
    {
        using var plain = new MemoryStream();
        byte[] block = new byte[1 << 16];
        for (int got = stream.Read(block); got > 0; got = stream.Read(block))
        {
            if (plain.Length + got > LargestUnpacked)
                throw new ImportException(name, 0, 0, $"unpacks to more than {LargestUnpacked >> 20} MiB");
            plain.Write(block, 0, got);
        }
        return plain.ToArray();
    }

    // The checksum of zip (reflected 0x04C11DB7): the framework's reader does not compare it.
    private static uint Crc32(ReadOnlySpan<byte> content)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in content)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320u);
        }
        return ~crc;
    }

    private static string WithoutEnd(string name, string end)
        => name.EndsWith(end, StringComparison.OrdinalIgnoreCase) ? name[..^end.Length] : name;
}
