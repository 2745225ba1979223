// Knows which inputs are so old that everything decided on them must have left by now. Asked by the gateway.
namespace MarginEngine.Pipeline;

/// <summary>
/// After a crash a primary publishes again what it decided in the last part of its journal (republishMillis). That is sound only
/// while nothing older can still be unpublished, so the gateway stops taking input when an input of half that age is: this
/// class remembers the last sequence at the start of each of a few slices of time.
/// </summary>
internal sealed class PublicationLag
{
    private const int Slices = 32;
    private readonly long[] _lastSequence = new long[Slices];
    private readonly long _sliceNanos;
    private long _slice;

    /// <param name="limitNanos">Age at which an unpublished input holds the gateway; told apart to a sixteenth of it.</param>
    public PublicationLag(long limitNanos) => _sliceNanos = Math.Max(1, limitNanos / (Slices / 2));

    /// <summary>True while an input stamped the limit ago, or earlier, is not published.</summary>
    /// <param name="nowNanos">Stamp that the next input would get.</param>
    /// <param name="lastSequence">Last input stamped so far.</param>
    /// <param name="published">Everything up to here has left.</param>
    public bool Holds(long nowNanos, long lastSequence, long published)
    {
        long slice = nowNanos / _sliceNanos;
        if (slice != _slice)
            Enter(slice, lastSequence);
        return published < _lastSequence[(slice + Slices / 2) % Slices];
    }

    // The sequence at the start of this slice also stands for the slices that passed in silence.
    private void Enter(long slice, long lastSequence)
    {
        if (_slice == 0 || slice < _slice)
            Array.Clear(_lastSequence);
        long first = _slice == 0 ? slice : Math.Max(_slice + 1, slice - Slices + 1);
        for (long passed = first; passed <= slice; passed++)
            _lastSequence[passed % Slices] = lastSequence;
        _slice = slice;
    }
}
