// How long a receiver waits before it asks for a gap: at once when it is alone, spread at random when others may ask for it too.

namespace MarginEngine.Aeron;

internal sealed class NakDelay
{
    private readonly RandomSource _random;
    private readonly double _backoffNanos;
    private readonly double _lambda;
    private readonly double _growth;
    private readonly long _firstNanos;
    private readonly long _retryNanos;

    private NakDelay(RandomSource random, long firstNanos, long retryNanos, double backoffNanos, int groupSize)
    {
        _random = random;
        _firstNanos = firstNanos;
        _retryNanos = retryNanos;
        _backoffNanos = backoffNanos;
        // Timing only, never state that is replayed, and nothing outside the base library may be used here.
#pragma warning disable RS0030
        _lambda = Math.Log(groupSize) + 1;
        _growth = Math.Exp(_lambda) - 1;
#pragma warning restore RS0030
    }

    public static NakDelay Unicast(RandomSource random, long firstNanos, int retryRatio) =>
        new(random, firstNanos, firstNanos > long.MaxValue / 4 / retryRatio ? firstNanos : firstNanos * retryRatio, 0, 1);

    public static NakDelay Multicast(RandomSource random, long maxBackoffNanos, int groupSize) =>
        new(random, 0, 0, maxBackoffNanos, groupSize);

    public long First() => _backoffNanos > 0 ? Spread() : _firstNanos;

    public long Retry() => _backoffNanos > 0 ? Spread() : _retryNanos;

    /// <summary>
    /// A truncated exponential that rises towards the longest delay, so that in a large group few ask early and the rest hear the answer:
    /// T/lambda * ln(1 + u * (e^lambda - 1)), u uniform, lambda = ln(group size) + 1.
    /// </summary>
    private long Spread()
    {
#pragma warning disable RS0030
        double delay = _backoffNanos / _lambda * Math.Log(1 + (_random.NextFraction() * _growth));
#pragma warning restore RS0030
        return (long)delay;
    }
}
