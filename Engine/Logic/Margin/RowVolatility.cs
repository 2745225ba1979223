using MarginEngine.Codecs;

namespace MarginEngine.Logic;

/// <summary>
/// The volatility of one option in every row. With <c>iv</c> its volatility, T its years, tau = (30 days / max(time, floor))^p (p short up to 30 days, else long),
/// k = ln(strike / forward):
/// <code>
/// up            max(iv (1 + up tau), minimum)                     down          max(iv (1 - down tau), 0)
/// termScaled    max(iv (1 + move tau), 0), at least the minimum where the move is up
/// proportional  iv max(1 + move, 0)
/// linearSkew    iv max(1 + clip(k cap / width, cap), 0)           absoluteSkew  the same with |k|
///               cap = scale + slope sqrt(T), width = max(minimum, sqrt(T) s (v0 + v1 sqrt(T))); min(., cap) for k >= 0, max(., -cap) below
/// surface       iv max(1 + up (level tau + slope x + curvature x^2 + twist h), 0)
///               x = clamp(k / max(minimum, width sqrt(T)), -1, 1), h = clamp(1 - T / term, -1, 1)
/// </code>
/// The first four are what venues publish, the last is ours: level, slope, curvature and term of the surface at once.
/// </summary>
internal static class RowVolatility
{
    /// <summary>Fills <paramref name="sigma"/> for the padded rows of a model.</summary>
    /// <param name="term">tau for this expiry.</param>
    public static void Fill(CompiledModel rules, int underlying, double volatility, double years, double logMoneyness, double term, Span<double> sigma)
    {
        ref readonly UnderlyingParameters parameters = ref rules.Underlyings[underlying];
        double up = Math.Max(volatility * (1.0 + (parameters.VolatilityUp * term)), parameters.MinimumVolatilityUp);
        double down = Math.Max(volatility * (1.0 - (parameters.VolatilityDown * term)), 0.0);
        ReadOnlySpan<double> moves = rules.VolatilityMove(underlying);
        ReadOnlySpan<VolatilityShock> shocks = rules.VolatilityShocks;
        double linear = double.NaN, absolute = double.NaN;
        Place place = PlaceOf(rules, years, logMoneyness);
        for (int row = 0; row < sigma.Length; row++)
        {
            sigma[row] = shocks[row] switch
            {
                VolatilityShock.None => volatility,
                VolatilityShock.Up => up,
                VolatilityShock.Down => down,
                VolatilityShock.TermScaled => TermScaled(parameters, volatility, moves[row], term),
                VolatilityShock.Proportional => volatility * Math.Max(1.0 + moves[row], 0.0),
                VolatilityShock.LinearSkew => volatility
                    * (linear = double.IsNaN(linear) ? Skew(rules.Volatility, years, logMoneyness, rules.Volatility.LinearScale, rules.Volatility.LinearSlope) : linear),
                VolatilityShock.AbsoluteSkew => volatility
                    * (absolute = double.IsNaN(absolute) ? Skew(rules.Volatility, years, Math.Abs(logMoneyness), rules.Volatility.AbsoluteScale, rules.Volatility.AbsoluteSlope) : absolute),
                _ => volatility * Surface(rules.Rows[row], parameters.VolatilityUp, moves[row], place, term),
            };
        }
    }

    private static double TermScaled(in UnderlyingParameters parameters, double volatility, double move, double term)
    {
        double shocked = Math.Max(volatility * (1.0 + (move * term)), 0.0);
        return move > 0.0 ? Math.Max(shocked, parameters.MinimumVolatilityUp) : shocked;
    }

    private static double Skew(in VolatilityTerms terms, double years, double k, double scale, double slope)
    {
        double root = Math.Sqrt(years);
        double cap = scale + (slope * root);
        double width = Math.Max(terms.MinimumWidth, root * terms.WidthScale * (terms.WidthVolatility + (terms.WidthVolatilitySlope * root)));
        double move = k >= 0.0 ? Math.Min(k * cap / width, cap) : Math.Max(k * cap / width, -cap);
        return Math.Max(1.0 + move, 0.0);
    }

    // Where the option stands on the surface: the same in every row.
    private static Place PlaceOf(CompiledModel rules, double years, double k)
    {
        double width = Math.Max(rules.Volatility.SurfaceMinimumWidth, rules.Volatility.SurfaceWidth * Math.Sqrt(years));
        return new Place(Math.Clamp(k / width, -1.0, 1.0), Math.Clamp(1.0 - (years / rules.Volatility.SurfaceTermYears), -1.0, 1.0));
    }

    private static double Surface(in RowTerms shape, double volatilityUp, double level, in Place place, double term)
    {
        double move = (level * term) + (shape.Slope * place.Wing) + (shape.Curvature * place.Wing * place.Wing) + (shape.Twist * place.Age);
        return Math.Max(1.0 + (volatilityUp * move), 0.0);
    }

    private readonly record struct Place(double Wing, double Age);
}
