// Arithmetic of stream positions: (term id, term offset) to a 64-bit position and back. Term ids are 32 bits and wrap.

namespace MarginEngine.Aeron;

internal static class LogPosition
{
    public static long Compute(int termId, int termOffset, int positionBits, int initialTermId) =>
        unchecked(((long)(termId - initialTermId) << positionBits) + termOffset);

    public static int TermId(long position, int positionBits, int initialTermId) =>
        unchecked(initialTermId + (int)(position >> positionBits));

    public static int TermOffset(long position, int termLength) => unchecked((int)position) & (termLength - 1);

    public static int TermIndex(long position, int positionBits) =>
        unchecked((int)((ulong)(position >> positionBits) % Limits.TermCount));

    /// <summary>The position behind the last byte that a stream of this term length can hold.</summary>
    public static long Max(int termLength) => (long)termLength << 31;
}
