// Figures of the demo as people read them.
using System.Globalization;
using MarginEngine.Logic;

namespace MarginEngine.Tool.Demo;

internal static class DemoText
{
    public static string Ratio(long mantissaE8) =>
        mantissaE8 >= Limits.RatioCeiling ? "no equity" : string.Create(CultureInfo.InvariantCulture, $"{mantissaE8 / 1e8:F4}");

    public static string Usd(long micros) => string.Create(CultureInfo.InvariantCulture, $"{micros / 1_000_000m:#,0}");

    /// <summary>Nanoseconds with the unit that suits them.</summary>
    public static string Duration(long nanos) => nanos switch
    {
        < 10_000_000 => string.Create(CultureInfo.InvariantCulture, $"{nanos / 1e3:#,0} us"),
        < 10_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{nanos / 1e6:#,0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{nanos / 1e9:#,0} s"),
    };

    public static string Count(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);
}
