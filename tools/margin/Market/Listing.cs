// What the built-in and the replayed market list on an asset: perpetuals, dated futures and option ladders. Called once at the start.

using MarginEngine.Tool.Import;

namespace MarginEngine.Tool.Market;

/// <summary>Sizes and steps of the contracts of one asset.</summary>
internal sealed record ListingRule
{
    private static readonly double[] NiceSteps = [1, 2, 5];

    /// <summary>Sizes in 1e-8: of inverse contracts USD a lot for futures, base units a lot for options.</summary>
    public required long InverseFutureSize { get; init; }

    public required long InverseOptionSize { get; init; }
    public required long LinearFutureSize { get; init; }
    public required long LinearOptionSize { get; init; }

    /// <summary>The smallest distance of two strikes in USD.</summary>
    public required double SmallestStep { get; init; }

    public static ListingRule Bitcoin { get; } = new()
    {
        InverseFutureSize = 10_00000000, InverseOptionSize = 10_000_000,
        LinearFutureSize = 100_000, LinearOptionSize = 1_000_000, SmallestStep = 250,
    };

    public static ListingRule Ether { get; } = new()
    {
        InverseFutureSize = 1_00000000, InverseOptionSize = 1_00000000,
        LinearFutureSize = 1_000_000, LinearOptionSize = 10_000_000, SmallestStep = 10,
    };

    /// <summary>Ladders around the index: fine within a deviation of it, coarse as far as a crash may reach.</summary>
    public IReadOnlyList<long> Strikes(double index, double volatility, double years)
    {
        double deviation = volatility * Math.Sqrt(years);
        double fine = NiceAtLeast(Math.Max(SmallestStep, index * deviation / 6));
        double coarse = 4 * fine;
        double low = index * Math.Max(0.2, 1 - Math.Max(0.32, 2.5 * deviation));
        double high = index * (1 + Math.Max(0.12, 3.5 * deviation));
        var strikes = new SortedSet<long>();
        for (double strike = Math.Ceiling(low / coarse) * coarse; strike <= high; strike += coarse)
            strikes.Add(OnWire(strike));
        for (double strike = Math.Ceiling(index * (1 - deviation) / fine) * fine; strike <= index * (1 + deviation); strike += fine)
            strikes.Add(OnWire(strike));
        return [.. strikes];
    }

    /// <summary>Perpetuals of both settlements, an inverse future and inverse options every expiry, linear options where asked.</summary>
    public void List(Board board, Asset asset, IReadOnlyList<long> expiries, IReadOnlySet<long> linear, double volatility, long nowNanos)
    {
        board.AddPerpetual(asset, inverse: true, InverseFutureSize);
        board.AddPerpetual(asset, inverse: false, LinearFutureSize);
        foreach (long nanos in expiries)
        {
            Expiry expiry = board.ExpiryOf(asset, nanos);
            IReadOnlyList<long> strikes = Strikes(asset.Index, volatility, expiry.Years(nowNanos));
            if (nanos - nowNanos > 2 * UnixTime.Day)
                board.AddFuture(expiry, inverse: true, InverseFutureSize);
            foreach (long strike in strikes)
            {
                board.AddOption(expiry, inverse: true, InverseOptionSize, strike, isCall: true);
                board.AddOption(expiry, inverse: true, InverseOptionSize, strike, isCall: false);
            }
            if (!linear.Contains(nanos))
                continue;
            foreach (long strike in strikes)
            {
                board.AddOption(expiry, inverse: false, LinearOptionSize, strike, isCall: true);
                board.AddOption(expiry, inverse: false, LinearOptionSize, strike, isCall: false);
            }
        }
    }

    /// <summary>
    /// The venue's calendar after a moment, at 08:00 UTC: the next three days, the next two Fridays, the last Fridays of the next two
    /// months and of the next two quarters.
    /// </summary>
    public static IReadOnlyList<long> Calendar(long nowNanos)
    {
        DateTime now = UnixTime.Date(nowNanos);
        DateTime first = now.Date.AddHours(8);
        if (first <= now)
            first = first.AddDays(1);
        var days = new SortedSet<DateTime> { first, first.AddDays(1), first.AddDays(2) };
        DateTime friday = first;
        while (friday.DayOfWeek != DayOfWeek.Friday)
            friday = friday.AddDays(1);
        days.Add(friday);
        days.Add(friday.AddDays(7));
        int months = 0, quarters = 0;
        for (int ahead = 0; quarters < 2; ahead++)
        {
            DateTime last = LastFriday(now.AddMonths(ahead));
            if (last <= days.First().AddDays(2))
                continue;
            if (months < 2)
            {
                days.Add(last);
                months++;
            }
            if (last.Month % 3 == 0 && months == 2 && days.Add(last))
                quarters++;
        }
        return [.. days.Select(day => (day.Ticks - DateTime.UnixEpoch.Ticks) * 100)];
    }

    private static DateTime LastFriday(DateTime month)
    {
        DateTime day = new(month.Year, month.Month, DateTime.DaysInMonth(month.Year, month.Month), 8, 0, 0, DateTimeKind.Utc);
        while (day.DayOfWeek != DayOfWeek.Friday)
            day = day.AddDays(-1);
        return day;
    }

    private static double NiceAtLeast(double step)
    {
        for (double power = 1; ; power *= 10)
        {
            foreach (double nice in NiceSteps)
            {
                if (nice * power >= step)
                    return nice * power;
            }
        }
    }

    private static long OnWire(double strike) => checked((long)Math.Round(strike) * 100_000_000);
}
