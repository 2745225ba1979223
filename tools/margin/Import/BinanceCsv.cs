// Candles (with and without a header, volume or not), book depth, and plain "time, value" series. Called by DataFile.

using System.Text;

namespace MarginEngine.Tool.Import;

internal static class BinanceCsv
{
    private const int CandleFields = 12;

    /// <summary>Older archives have twelve numbers a row and no header: then the first row is data.</summary>
    public static bool IsHeadless(CsvReader csv)
        => csv.Header.Count == CandleFields && csv.Header.All(text => DecimalText.TryParse(Encoding.UTF8.GetBytes(text), 0, out _));

    public static ImportedFile ReadCandles(CsvReader csv, string symbol)
    {
        bool headless = csv.Find("open_time") < 0;
        if (headless)
            csv.Rewind();
        int At(string column, int position) => headless ? position : csv.Column(column);
        int open = At("open_time", 0), close = At("close_time", 6);
        int first = At("open", 1), high = At("high", 2), low = At("low", 3), last = At("close", 4);
        int volume = headless ? 5 : csv.Find("volume");

        var candles = new List<Candle>();
        while (csv.Next())
        {
            var candle = new Candle(csv.TimeNumber(open), csv.TimeNumber(close), csv.Positive(first), csv.Positive(high), csv.Positive(low),
                csv.Positive(last), volume < 0 || csv.IsEmpty(volume) ? 0 : csv.NotNegative(volume));
            if (candle.CloseNanos <= candle.OpenNanos)
                throw csv.Error(close, "is not after the opening time");
            if (candles.Count > 0 && candle.OpenNanos <= candles[^1].OpenNanos)
                throw csv.Error(open, "is not after the candle before");
            if (candle.High < Math.Max(candle.Open, candle.Close))
                throw csv.Error(high, "is below open or close");
            if (candle.Low > Math.Min(candle.Open, candle.Close))
                throw csv.Error(low, "is above open or close");
            candles.Add(candle);
        }
        if (candles.Count == 0)
            throw new ImportException(csv.File, 1, 1, "a header without rows");
        return new ImportedFile
        {
            File = csv.File, Format = DataFormat.BinanceKlines, TimeNanos = candles[0].OpenNanos, Candles = candles, Symbol = symbol,
        };
    }

    public static ImportedFile ReadDepth(CsvReader csv)
    {
        int time = csv.Column("timestamp"), percentage = csv.Column("percentage");
        int depth = csv.Column("depth"), notional = csv.Column("notional");
        var levels = new List<DepthLevel>();
        while (csv.Next())
        {
            double distance = csv.OptionalReal(percentage) ?? throw csv.Error(percentage, "is empty");
            if (distance == 0 || Math.Abs(distance) > 100)
                throw csv.Error(percentage, "is zero or beyond 100 %");
            levels.Add(new DepthLevel(csv.TimeText(time), distance, csv.NotNegative(depth), csv.NotNegative(notional)));
        }
        if (levels.Count == 0)
            throw new ImportException(csv.File, 1, 1, "a header without rows");
        return new ImportedFile { File = csv.File, Format = DataFormat.BinanceBookDepth, TimeNanos = levels[0].TimeNanos, Depth = levels };
    }

    public static ImportedFile ReadValues(CsvReader csv)
    {
        int time = csv.Column("timestamp_ms"), value = csv.Column("value");
        var values = new List<TimedValue>();
        while (csv.Next())
        {
            var point = new TimedValue(csv.TimeNumber(time), csv.OptionalReal(value) ?? throw csv.Error(value, "is empty"));
            if (values.Count > 0 && point.TimeNanos <= values[^1].TimeNanos)
                throw csv.Error(time, "is not after the row before");
            values.Add(point);
        }
        if (values.Count == 0)
            throw new ImportException(csv.File, 1, 1, "a header without rows");
        return new ImportedFile { File = csv.File, Format = DataFormat.TimedValues, TimeNanos = values[0].TimeNanos, Values = values };
    }
}
