// The messages of one event, back to back in one buffer that is reused. Filled by scripts and the liquidation desk, stamped and sent by
// the matching engine.

using System.Buffers.Binary;
using MarginEngine.Codecs;

namespace MarginEngine.Tool.Market;

/// <summary>
/// Whole SBE messages in the order they must be sent. Spans handed out are valid until the next <see cref="Clear"/> or <see cref="Room"/>.
/// </summary>
public sealed class MessageBatch
{
    private readonly List<int> _ends = [];
    private byte[] _bytes = new byte[1 << 16];

    public int Count => _ends.Count;

    public Span<byte> this[int index]
    {
        get
        {
            int start = index == 0 ? 0 : _ends[index - 1];
            return _bytes.AsSpan(start, _ends[index] - start);
        }
    }

    public void Clear() => _ends.Clear();

    /// <summary>Where the next message is written, at least that many bytes.</summary>
    public Span<byte> Room(int bytes)
    {
        int start = Count == 0 ? 0 : _ends[^1];
        if (_bytes.Length - start < bytes)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, start + bytes));
        return _bytes.AsSpan(start);
    }

    /// <summary>Ends the message written into <see cref="Room"/>.</summary>
    public void Take(int length) => _ends.Add((Count == 0 ? 0 : _ends[^1]) + length);

    public void Add(ReadOnlySpan<byte> message)
    {
        message.CopyTo(Room(message.Length));
        Take(message.Length);
    }
}

/// <summary>
/// Numbers the messages of one source 1, 2, 3 .. without a hole. The Origin stands at the same place in every input message; a test holds
/// these offsets against the generated codecs.
/// </summary>
public sealed class OriginStamp(ushort source)
{
    internal const int SequenceOffset = 8;
    internal const int EventTimeOffset = 16;
    internal const int SourceOffset = 24;
    internal const int FlagsOffset = 26;

    /// <summary>The sequence stamped last, 0: none yet.</summary>
    public ulong Last { get; private set; }

    public ushort Source => source;

    /// <summary>Writes sequence, event time and source into each message and the end-of-event flag into the last.</summary>
    public void Stamp(MessageBatch batch, ulong eventTimeNanos)
    {
        for (int i = 0; i < batch.Count; i++)
            Stamp(batch[i], eventTimeNanos, i == batch.Count - 1);
    }

    public void Stamp(Span<byte> message, ulong eventTimeNanos, bool isEndOfEvent)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(message[SequenceOffset..], ++Last);
        BinaryPrimitives.WriteUInt64LittleEndian(message[EventTimeOffset..], eventTimeNanos);
        BinaryPrimitives.WriteUInt16LittleEndian(message[SourceOffset..], source);
        OriginFlags flags = isEndOfEvent ? OriginFlags.EndOfEvent : OriginFlags.None;
        BinaryPrimitives.WriteUInt16LittleEndian(message[FlagsOffset..], (ushort)flags);
    }

    public static ulong SequenceOf(ReadOnlySpan<byte> message) => BinaryPrimitives.ReadUInt64LittleEndian(message[SequenceOffset..]);

    public static ushort TemplateOf(ReadOnlySpan<byte> message) => BinaryPrimitives.ReadUInt16LittleEndian(message[2..]);
}
