// The only reader of time in the engine. Stages get an IClock at start; the logic never sees one.
// Promises: Monotonic never goes back; Wall follows the system's time but moves with Monotonic between two disciplines.
using System.Diagnostics;

namespace MarginEngine.Watch;

/// <summary>Time in nanoseconds; tests hand in a clock they turn by hand.</summary>
public interface IClock
{
    /// <summary>Nanoseconds since an arbitrary start; never goes back.</summary>
    long MonotonicNanos { get; }

    /// <summary>Nanoseconds since 1970-01-01 UTC.</summary>
    long WallNanos { get; }
}

/// <summary>
/// The machine's clock. A wall reading costs one monotonic reading and one addition: the offset between the two is
/// taken again by <see cref="Discipline"/>, which the node's network loop calls about once a second.
/// </summary>
public sealed class Clock : IClock
{
    private const long NanosPerSecond = 1_000_000_000;
    private const int DisciplineSamples = 3;
    private long _offsetNanos;
    private long _disciplinedAtNanos;

    public Clock() => TakeOffset();

    /// <inheritdoc/>
    // Exempt from the ban: this is the file the ban names.
#pragma warning disable RS0030
    public long MonotonicNanos => Stopwatch.Frequency == NanosPerSecond
        ? Stopwatch.GetTimestamp()
        : (long)((Int128)Stopwatch.GetTimestamp() * NanosPerSecond / Stopwatch.Frequency);

    private static long SystemNanos() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;
#pragma warning restore RS0030

    /// <inheritdoc/>
    public long WallNanos => MonotonicNanos + Volatile.Read(ref _offsetNanos);

    /// <summary>Takes the wall offset anew when the last one is older than a second. One thread calls it.</summary>
    public void Discipline()
    {
        if (MonotonicNanos - _disciplinedAtNanos >= NanosPerSecond)
            TakeOffset();
    }

    // The narrowest of a few brackets: a thread switched away between the two readings would shift the offset.
    private void TakeOffset()
    {
        long narrowest = long.MaxValue;
        long offset = 0;
        for (int i = 0; i < DisciplineSamples; i++)
        {
            long before = MonotonicNanos;
            long wall = SystemNanos();
            long after = MonotonicNanos;
            if (after - before >= narrowest)
                continue;
            narrowest = after - before;
            offset = wall - (before + narrowest / 2);
        }

        Volatile.Write(ref _offsetNanos, offset);
        _disciplinedAtNanos = MonotonicNanos;
    }
}
