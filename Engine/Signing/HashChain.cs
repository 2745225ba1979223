// The running SHA-256 over a journal. Advanced by the signer behind a live journal and by the verifier over a finished one.
using System.Globalization;
using System.Security.Cryptography;
using MarginEngine.Journal;

namespace MarginEngine.Signing;

/// <summary>h = SHA-256(h | tag | bytes), for who wrote each segment and for every record; see the README.</summary>
public sealed class HashChain
{
    public const int Bytes = SHA256.HashSizeInBytes;

    private const byte WriterTag = 1;
    private const byte RecordTag = 2;
    private readonly byte[] _value = SHA256.HashData("MarginEngine signed history 1"u8);
    private byte[] _scratch = new byte[1024];
    private long _segment = -1;

    /// <summary>The chain after the last record added.</summary>
    public ReadOnlySpan<byte> Value => _value;

    /// <summary>In hexadecimal, as statements have it.</summary>
    public string Text => Convert.ToHexStringLower(_value);

    /// <summary>Goes on from a value that is known of a record in a segment; -1: the next record begins a segment.</summary>
    public void Resume(ReadOnlySpan<byte> value, long segment)
    {
        value.CopyTo(_value);
        _segment = segment;
    }

    /// <summary>Adds the next record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="writer">Who wrote its segment.</param>
    public void Add(in JournalRecord record, in JournalIdentity writer)
    {
        if (record.Segment != _segment)
        {
            _segment = record.Segment;
            Add(WriterTag, System.Text.Encoding.UTF8.GetBytes(Words(writer)));
        }

        Add(RecordTag, record.Bytes);
    }

    private static string Words(in JournalIdentity writer) => string.Create(CultureInfo.InvariantCulture,
        $"{writer.SchemaId}\n{writer.SchemaVersion}\n{writer.ArithmeticDigest:x16}\n{writer.BuildId}\n{writer.Runtime}\n{writer.Processor}\n{writer.Configuration}");

    private void Add(byte tag, ReadOnlySpan<byte> bytes)
    {
        int length = Bytes + 1 + bytes.Length;
        if (_scratch.Length < length)
            _scratch = new byte[length * 2];
        _value.CopyTo(_scratch, 0);
        _scratch[Bytes] = tag;
        bytes.CopyTo(_scratch.AsSpan(Bytes + 1));
        SHA256.HashData(_scratch.AsSpan(0, length), _value);
    }
}
