// Volatility surfaces that cannot be arbitraged, by construction: the built-in market's and the one around a replayed index.

using MarginEngine.Logic;

namespace MarginEngine.Tool.Market;

/// <summary>
/// A surface of one shape: total variance w(k) = theta/2 (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2)) with
/// phi = eta / sqrt(theta (1 + theta)), theta the variance at the money. With eta (1 + |rho|) at most 2 it has neither butterfly nor, for
/// theta growing with time, calendar arbitrage; and w grows with theta at every k.
/// </summary>
/// <remarks>Source: Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces", arXiv:1204.0646, section 4.</remarks>
internal readonly record struct Smile
{
    private const double WireScale = 1e12;

    public Smile(double rho, double eta)
    {
        if (!(Math.Abs(rho) < 1 && eta > 0 && eta * (1 + Math.Abs(rho)) <= 2))
            throw new ArgumentOutOfRangeException(nameof(eta), $"rho {rho}, eta {eta} would admit arbitrage");
        Rho = rho;
        Eta = eta;
    }

    public double Rho { get; }
    public double Eta { get; }

    /// <summary>The raw SVI form of one expiry, its parameters rounded to what the wire carries (1e-12).</summary>
    public SviSlice Slice(double theta)
    {
        double phi = Eta / Math.Sqrt(theta * (1 + theta));
        double rest = 1 - Rho * Rho;
        return new SviSlice(
            OnWire(theta * rest / 2), OnWire(theta * phi / 2), OnWire(Rho), OnWire(-Rho / phi), OnWire(Math.Sqrt(rest) / phi));
    }

    private static double OnWire(double value) => Math.Round(value * WireScale) / WireScale;
}

/// <summary>
/// Variance at the money over time: it starts at <c>Spot</c> and reverts to <c>Level</c> with <c>Speed</c> a year (all volatilities
/// annualised).
/// </summary>
internal readonly record struct TermStructure(double Spot, double Level, double Speed)
{
    /// <summary>Total variance to a time in years: the integral of a positive forward variance, hence growing.</summary>
    public double Variance(double years)
        => Level * Level * years + (Spot * Spot - Level * Level) * (1 - Functions.Exp(-Speed * years)) / Speed;
}

/// <summary>
/// How volatility answers the index: it rises with a fall below the recent average, less with a rise above it, and calms down as the
/// average follows.
/// </summary>
internal sealed class VolatilityResponse
{
    private const double FallGain = 5.5;
    private const double RiseGain = 1.2;
    private const double LevelShare = 0.3;
    private const double ReversionSpeed = 8.0;
    private const double AverageYears = 8.0 / 8760;

    private readonly double _calm;
    private readonly double _level;
    private double _average;
    private long _time;

    /// <param name="calm">Short-dated volatility in a quiet market.</param>
    /// <param name="level">Long-dated volatility in a quiet market.</param>
    public VolatilityResponse(double calm, double level, double logIndex, long nanos)
    {
        _calm = calm;
        _level = level;
        _average = logIndex;
        _time = nanos;
        Current = new TermStructure(calm, level, ReversionSpeed);
    }

    public TermStructure Current { get; private set; }

    public void MoveTo(long nanos, double logIndex)
    {
        double years = (nanos - _time) / Import.UnixTime.YearNanos;
        _time = nanos;
        _average += (logIndex - _average) * (1 - Functions.Exp(-years / AverageYears));
        double distance = logIndex - _average;
        double spot = _calm * (1 + (distance < 0 ? -FallGain * distance : RiseGain * distance));
        Current = new TermStructure(spot, _level + LevelShare * (spot - _calm), ReversionSpeed);
    }
}
