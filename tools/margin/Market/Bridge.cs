// A seeded random walk that is known to end at a given value: what stands between two real snapshots, and between the knots of the
// built-in crash. Used by the price paths.

using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Market;

/// <summary>A Brownian bridge sampled forward at any times; without deviation it is the straight line.</summary>
internal sealed class Bridge
{
    private long _time;
    private long _end;
    private double _target;

    public Bridge(long nanos, double value)
    {
        _time = _end = nanos;
        Value = _target = value;
    }

    public double Value { get; private set; }

    /// <summary>Where the walk must be at <paramref name="nanos"/>.</summary>
    public void Aim(long nanos, double value)
    {
        _end = nanos;
        _target = value;
    }

    /// <summary>Moves to a time; from the end on the value is the target. Deviation: of the free walk, a square root of a year.</summary>
    public double MoveTo(long nanos, double deviation, SeededRandom random)
    {
        if (nanos >= _end)
        {
            _time = _end;
            return Value = _target;
        }
        if (nanos <= _time)
            return Value;
        double left = _end - _time;
        double step = nanos - _time;
        double variance = deviation * deviation * (step * (left - step) / left) / UnixTime.YearNanos;
        Value += (_target - Value) * (step / left) + (variance > 0 ? Math.Sqrt(variance) * random.Gaussian() : 0);
        _time = nanos;
        return Value;
    }
}
