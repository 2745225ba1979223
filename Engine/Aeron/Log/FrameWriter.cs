// How a frame comes into a log: a negative length first, then the header, then the payload, and last the length that makes it readable.
// Both kinds of publication write through it.

using System.Runtime.CompilerServices;

namespace MarginEngine.Aeron;

internal static unsafe class FrameWriter
{
    /// <summary>
    /// Writes all of a header but a positive length. The caller stores that last, with <see cref="Commit"/>: who finds it finds the whole
    /// frame.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Begin(
        byte* frame, in DataHeader stream, int termId, int termOffset, int frameLength, short type, byte flags, long reservedValue)
    {
        var header = (DataHeader*)frame;
        Volatile.Write(ref header->FrameLength, unchecked(-frameLength));
        header->Version = FrameHeader.CurrentVersion;
        header->Flags = flags;
        header->Type = type;
        header->TermOffset = termOffset;
        header->SessionId = stream.SessionId;
        header->StreamId = stream.StreamId;
        header->TermId = termId;
        header->ReservedValue = reservedValue;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Commit(byte* frame, int frameLength) => Volatile.Write(ref *(int*)frame, frameLength);

    public static void Pad(byte* frame, in DataHeader stream, int termId, int termOffset, int length)
    {
        Begin(frame, stream, termId, termOffset, length, FrameType.Padding, FrameFlags.Unfragmented, 0);
        Commit(frame, length);
    }

    /// <summary>Bytes of the term that a message takes, with the headers of its fragments.</summary>
    public static int RequiredLength(int length, int maxPayloadLength)
    {
        if (length <= maxPayloadLength)
            return Limits.Align(DataHeader.Length + length);
        (int full, int rest) = Math.DivRem(length, maxPayloadLength);
        return (full * (maxPayloadLength + DataHeader.Length)) + (rest > 0 ? Limits.Align(DataHeader.Length + rest) : 0);
    }

    public static void ThrowTooLong(int length, int limit) =>
        throw new ArgumentException($"a message of {length} bytes is longer than the stream's limit of {limit}");
}

/// <summary>
/// Room in the log for one message, to be filled in place and then committed or aborted. Nothing behind it is sent until then. It is a
/// value: commit one copy of it, once.
/// </summary>
public unsafe struct BufferClaim
{
    private byte* _frame;
    private readonly int _length;
    private readonly AeronAgent? _threaded;

    internal BufferClaim(byte* frame, int payloadLength, AeronAgent? threaded)
    {
        _threaded = threaded;
        _frame = frame;
        _length = payloadLength;
    }

    /// <summary>The message's bytes: what a term held before is zeroed. Empty after commit and abort.</summary>
    public readonly Span<byte> Payload => _frame == null ? default : new Span<byte>(_frame + DataHeader.Length, _length);

    /// <summary>The header word left to applications.</summary>
    public readonly long ReservedValue
    {
        set => Header()->ReservedValue = value;
    }

    /// <summary>Makes the message readable.</summary>
    /// <exception cref="InvalidOperationException">it was committed or aborted before</exception>
    public void Commit() => Finish();

    /// <summary>Gives the room up; receivers pass over it.</summary>
    /// <exception cref="InvalidOperationException">it was committed or aborted before</exception>
    public void Abort()
    {
        Header()->Type = FrameType.Padding;
        Finish();
    }

    private void Finish()
    {
        FrameWriter.Commit((byte*)Header(), DataHeader.Length + _length);
        _frame = null;
        _threaded?.WakeIfAsleep();
    }

    private readonly DataHeader* Header() => _frame != null
        ? (DataHeader*)_frame
        : throw new InvalidOperationException("the claim was committed or aborted before");
}
