// Steps over what a dead producer left in a concurrent log: bytes claimed by moving the tail and never committed. Readers stop at them
// for ever; padding over the hole lets them pass.

namespace MarginEngine.Aeron;

/// <summary>Watches one place of a log at a time: whether what was claimed there is committed in time.</summary>
internal struct ClaimWatch
{
    private bool _isWatching;
    private long _position;
    private long _sinceNanos;

    /// <param name="log">a concurrent publication's</param>
    /// <param name="position">where its consumer stands</param>
    /// <param name="now">nanoseconds</param>
    /// <param name="patienceNanos">how long a producer may take over a claim</param>
    /// <returns>true when a claim was given up for its producer</returns>
    public bool Check(LogBuffer log, long position, long now, long patienceNanos)
    {
        if (!_isWatching || position != _position || log.TailPosition() <= position)
        {
            _isWatching = true;
            _position = position;
            _sinceNanos = now;
            return false;
        }
        if (now - _sinceNanos < patienceNanos)
            return false;
        _sinceNanos = now;
        return LogUnblocker.TryUnblock(log, position);
    }
}

internal static unsafe class LogUnblocker
{
    /// <summary>
    /// Fills the hole at a position with padding, up to the next committed frame or the tail, and turns the term where the hole is at its
    /// end. False when there is no hole. Nobody may be able to commit it any more.
    /// </summary>
    public static bool TryUnblock(LogBuffer log, long position)
    {
        int termCount = unchecked((int)(position >> log.PositionBits));
        int termId = unchecked(log.InitialTermId + termCount);
        int index = LogPosition.TermIndex(position, log.PositionBits);
        long tail = log.LoadTail(index);
        if (LogBuffer.TermIdOf(tail) != termId)
            return false;

        int offset = LogPosition.TermOffset(position, log.TermLength);
        int end = log.OffsetOf(tail);
        // A producer that passed the end of the term and died before it wrote the padding, or before it turned the term.
        bool isPastEnd = unchecked((uint)tail) >= (uint)log.TermLength;
        if (offset == 0 && termCount > 0 && !isPastEnd && end == 0)
            return TryTurn(log, termCount);
        if (offset >= end)
            return false;
        byte* frame = log.At(position);
        int length = LogBuffer.FrameLength(frame);
        if (length > 0)
            return false;
        int hole = length == int.MinValue ? 0 : Limits.Align(-length);
        if (hole <= 0 || hole > end - offset)
        {
            hole = Limits.FrameAlignment;
            while (offset + hole < end && LogBuffer.FrameLength(frame + hole) == 0)
                hole += Limits.FrameAlignment;
            hole = Math.Min(hole, end - offset);
        }
        DataHeader header = log.DefaultHeader;
        header.FrameLength = -hole;
        header.Type = FrameType.Padding;
        header.TermId = termId;
        header.TermOffset = offset;
        *(DataHeader*)frame = header;
        Volatile.Write(ref *(int*)frame, hole);
        if (isPastEnd && offset + hole == log.TermLength)
            log.TryRotate(termCount, termId);
        return true;
    }

    /// <summary>The term before this one is full, and whoever filled it died before turning to this one.</summary>
    private static bool TryTurn(LogBuffer log, int termCount) =>
        log.ActiveTermCount == termCount - 1
        && log.TryRotate(termCount - 1, unchecked(log.InitialTermId + termCount - 1));
}
