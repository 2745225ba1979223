// Times of the files as nanoseconds since 1970-01-01 UTC, between 1970 and 2200; and back to text for messages and symbols.

using System.Globalization;

namespace MarginEngine.Tool.Import;

/// <summary>Conversions between the files' times and nanoseconds since 1970.</summary>
public static class UnixTime
{
    public const long Second = 1_000_000_000;
    public const long Minute = 60 * Second;
    public const long Hour = 3600 * Second;
    public const long Day = 24 * Hour;

    /// <summary>Seconds of the 365-day year that option expiries are measured in.</summary>
    public const double YearNanos = 365.0 * 86400e9;

    private const long Latest = 230L * 365 * Day;
    private const long MicrosecondsFrom = 100_000_000_000_000;

    public static bool TryNanos(DateTimeOffset time, out long nanos)
    {
        long ticks = time.UtcTicks - DateTime.UnixEpoch.Ticks;
        nanos = ticks is >= 0 and < Latest / 100 ? ticks * 100 : -1;
        return nanos >= 0;
    }

    /// <summary>From milliseconds, or microseconds when the number is 10^14 or more.</summary>
    public static bool TryNanos(long number, out long nanos)
    {
        long unit = number >= MicrosecondsFrom ? 1_000 : 1_000_000;
        nanos = number >= 0 && number < Latest / unit ? number * unit : -1;
        return nanos >= 0;
    }

    public static long Nanos(int year, int month, int day, int hour = 0)
        => (new DateTime(year, month, day, hour, 0, 0, DateTimeKind.Utc).Ticks - DateTime.UnixEpoch.Ticks) * 100;

    public static DateTime Date(long nanos) => DateTime.UnixEpoch.AddTicks(nanos / 100);

    /// <summary>"2026-02-05 16:00:00Z".</summary>
    public static string Show(long nanos) => Date(nanos).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>"5FEB26", the venue's form of an expiry day.</summary>
    public static string ShowDay(long nanos) => Date(nanos).ToString("dMMMyy", CultureInfo.InvariantCulture).ToUpperInvariant();
}
