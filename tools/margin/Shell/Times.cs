// Nanoseconds since 1970 as people read them.
using System.Globalization;

namespace MarginEngine.Tool.Shell;

internal static class Times
{
    private const long NanosPerTick = 100;
    private const long NanosPerSecond = 1_000_000_000;

    /// <summary>For example <c>2026-02-06T16:00:00.000000123Z</c>; figures that are no time of this era as they are.</summary>
    public static string Text(long nanos)
    {
        if (nanos < 0) return nanos.ToString(CultureInfo.InvariantCulture);
        DateTime time = DateTime.UnixEpoch.AddTicks(nanos / NanosPerTick);
        return string.Create(CultureInfo.InvariantCulture, $"{time:yyyy-MM-dd'T'HH:mm:ss}.{nanos % NanosPerSecond:D9}Z");
    }
}
