// Figures of a comparison as text; the table of the terminal and the page say the same.
using System.Globalization;

namespace MarginEngine.Tool.Compare;

internal static class Amounts
{
    private const double Bound = 1e24;
    private const string Minus = "\u2212";

    /// <summary>For example <c>-116,911.43</c>.</summary>
    public static string Usd(decimal amount) => amount.ToString("#,0.00", CultureInfo.InvariantCulture);

    /// <summary>An amount that was computed in floating point; beyond any currency it stays at the bound.</summary>
    public static string Usd(double amount) => double.IsNaN(amount) ? "?" : Usd((decimal)Math.Clamp(Math.Round(amount, 2), -Bound, Bound));

    public static string Ratio(decimal? ratio) => ratio is decimal known ? known.ToString("0.0000", CultureInfo.InvariantCulture) : "no equity";

    /// <summary>Three or four digits for charts: <c>950</c>, <c>12.3k</c>, <c>−1.25M</c>.</summary>
    public static string Compact(double amount)
    {
        double size = Math.Abs(amount);
        string digits = size switch
        {
            < 999.5 => size.ToString("0", CultureInfo.InvariantCulture),
            < 99_950 => (size / 1e3).ToString("0.0k", CultureInfo.InvariantCulture),
            < 999_500 => (size / 1e3).ToString("0k", CultureInfo.InvariantCulture),
            < 99.95e6 => (size / 1e6).ToString("0.00M", CultureInfo.InvariantCulture),
            < 999.5e6 => (size / 1e6).ToString("0M", CultureInfo.InvariantCulture),
            _ => (size / 1e9).ToString("#,0.00G", CultureInfo.InvariantCulture),
        };
        return amount < 0 && digits != "0" ? Minus + digits : digits;
    }

    /// <summary>A shift with its sign: <c>+5 %</c>, <c>−30 %</c>, <c>0 %</c>.</summary>
    public static string Shift(double part) => (part * 100).ToString($"+0.##' %';{Minus}0.##' %';0' %'", CultureInfo.InvariantCulture);

    /// <summary>A price with as many digits as it needs: <c>66,120</c>, <c>1,948.2</c>, <c>0.1235</c>.</summary>
    public static string Price(double price) => price.ToString(price >= 10_000 ? "#,0" : price >= 100 ? "#,0.#" : price >= 1 ? "0.####" : "0.########", CultureInfo.InvariantCulture);

    /// <summary>A part of a whole in whole per cent; empty where the whole is zero.</summary>
    public static string Share(decimal part, decimal whole) =>
        whole == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{part / whole * 100:0} %");
}
