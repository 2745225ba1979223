// From the name of a source and a data directory to a price path. Called by MarketScript.

using System.Globalization;
using System.Text.RegularExpressions;
using MarginEngine.Tool.Import;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Market;

internal static partial class PathSource
{
    public static IPricePath Open(MarketOptions options, SeededRandom random)
    {
        string source = options.Source ?? (options.DataDirectory is null ? "builtin" : "deribit");
        if (source == "builtin")
            return new BuiltinPath(random) { Form = FormOf(options) };
        Match month = CandleSource().Match(source);
        if (source != "deribit" && !month.Success)
            throw CommandFailure.Usage($"no market source '{source}': builtin, deribit, or <asset>-<year>-<month> such as btc-2025-10");
        if (options.DataDirectory is null)
            throw CommandFailure.Usage($"the source {source} needs --data DIR");
        IReadOnlyList<ImportedFile> files = Load(options.DataDirectory);
        return source == "deribit"
            ? OpenChains(options.DataDirectory, files, random)
            : OpenCandles(options.DataDirectory, files, month, random, FormOf(options));
    }

    private static VolatilityForm FormOf(MarketOptions options) => options.AllMessages ? VolatilityForm.Grids : VolatilityForm.Slices;

    private static IReadOnlyList<ImportedFile> Load(string directory)
    {
        try
        {
            return DataFile.LoadDirectory(directory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ImportException)
        {
            throw CommandFailure.Unreachable(error.Message);
        }
    }

    private static ChainPath OpenChains(string directory, IReadOnlyList<ImportedFile> files, SeededRandom random)
    {
        ChainSession session = ChainSession.Find(files)
            ?? throw CommandFailure.Unreachable($"no option chain of a known format below {directory}");
        if (session.Snapshots[0].TimeNanos == session.Snapshots[^1].TimeNanos)
            throw CommandFailure.Unreachable($"only one snapshot of an option chain below {directory}: there is nothing to play between");
        return new ChainPath(session, Coins(files), random);
    }

    // Candles by coin: of several quote currencies the one with the most.
    private static List<(string Code, IReadOnlyList<Candle> Candles)> Coins(IReadOnlyList<ImportedFile> files)
        => [.. files.Where(file => file.Candles.Count > 0 && CoinSymbol().IsMatch(file.Symbol))
            .GroupBy(file => CoinSymbol().Match(file.Symbol).Groups[1].Value)
            .OrderBy(coin => coin.Key, StringComparer.Ordinal)
            .Select(coin => (coin.Key, coin.GroupBy(file => file.Symbol).Select(Ordered).MaxBy(candles => candles.Count)!))];

    private static IReadOnlyList<Candle> Ordered(IEnumerable<ImportedFile> files)
        => [.. files.SelectMany(file => file.Candles).DistinctBy(candle => candle.OpenNanos).OrderBy(candle => candle.OpenNanos)];

    private static CandlePath OpenCandles(string directory, IReadOnlyList<ImportedFile> files, Match month, SeededRandom random, VolatilityForm form)
    {
        string code = month.Groups[1].Value.ToUpperInvariant();
        int year = int.Parse(month.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
        int number = int.Parse(month.Groups[3].ValueSpan, CultureInfo.InvariantCulture);
        long from = UnixTime.Nanos(year, number, 1);
        long to = number == 12 ? UnixTime.Nanos(year + 1, 1, 1) : UnixTime.Nanos(year, number + 1, 1);
        Candle[] candles = [.. Coins(files).Where(coin => coin.Code == code).SelectMany(coin => coin.Candles)
            .Where(candle => candle.OpenNanos >= from && candle.OpenNanos < to)];
        if (candles.Length < 2)
            throw CommandFailure.Unreachable($"no candles of {code} in {year}-{number:00} below {directory}");
        return new CandlePath(random, candles, code, DailyVolatility(files, candles[0].OpenNanos)) { Form = form };
    }

    // A daily series whose values look like volatilities in per cent is the venue's volatility index; the files do not name themselves.
    private static double DailyVolatility(IReadOnlyList<ImportedFile> files, long nanos)
    {
        foreach (ImportedFile file in files)
        {
            if (file.Values.Count < 2 || file.Values[1].TimeNanos - file.Values[0].TimeNanos != UnixTime.Day
                || file.Values.Any(point => point.Value is < 5 or > 400))
                continue;
            TimedValue last = file.Values.LastOrDefault(point => point.TimeNanos <= nanos);
            if (last.Value > 0 && nanos - last.TimeNanos <= 2 * UnixTime.Day)
                return last.Value / 100;
        }
        return 0;
    }

    [GeneratedRegex("^([a-z0-9]{2,8})-([0-9]{4})-(0[1-9]|1[0-2])$")]
    private static partial Regex CandleSource();

    [GeneratedRegex("^([A-Z0-9]{2,8}?)(USDT|USDC|USD)(_PERP)?$")]
    private static partial Regex CoinSymbol();
}
