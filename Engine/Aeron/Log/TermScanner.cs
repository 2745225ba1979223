// Walks the frames of a term: what may go into the next datagram, and where the first gap is.

namespace MarginEngine.Aeron;

internal static unsafe class TermScanner
{
    /// <summary>
    /// The whole frames that fit into <paramref name="maxLength"/> bytes. A PAD frame goes as its header alone and ends the datagram.
    /// </summary>
    /// <param name="start">a frame, or zeroed memory where none is yet</param>
    /// <param name="termLeft">bytes from there to the end of the term</param>
    /// <param name="maxLength">bytes a datagram may hold</param>
    /// <param name="padding">bytes that the stream moves on beyond those sent</param>
    /// <returns>bytes to send; 0 when no frame is ready or the first does not fit</returns>
    public static int Available(byte* start, int termLeft, int maxLength, out int padding)
    {
        int limit = Math.Min(termLeft, maxLength);
        int length = 0;
        padding = 0;
        while (length + DataHeader.Length <= limit)
        {
            int frameLength = LogBuffer.FrameLength(start + length);
            if (frameLength < DataHeader.Length || frameLength > termLeft - length)
                break;
            int aligned = Limits.Align(frameLength);
            if (((FrameHeader*)(start + length))->Type == FrameType.Padding)
            {
                padding = aligned - DataHeader.Length;
                return length + DataHeader.Length;
            }
            if (aligned > limit - length)
                break;
            length += aligned;
        }
        return length;
    }

    /// <summary>
    /// Moves from frame to frame; returns the offset of the first that is missing. PAD may lead beyond the limit. A length that leads out
    /// of the term is no frame: whoever else maps the log may have written it.
    /// </summary>
    public static int Contiguous(byte* term, int offset, int limit, int termLength)
    {
        while (offset < limit)
        {
            int frameLength = LogBuffer.FrameLength(term + offset);
            if (frameLength <= 0 || frameLength > termLength - offset)
                break;
            offset += Limits.Align(frameLength);
        }
        return offset;
    }

    /// <summary>Bytes that are missing from <paramref name="offset"/> on: up to the next frame, or to the limit.</summary>
    public static int GapLength(byte* term, int offset, int limit)
    {
        int end = offset + Limits.FrameAlignment;
        while (end < limit && LogBuffer.FrameLength(term + end) == 0)
            end += Limits.FrameAlignment;
        return Math.Min(end, limit) - offset;
    }
}
