// Prices of perpetuals and dated futures beside the chain snapshots. They are closes of one-minute candles near the snapshot, not the
// venue's marks: good for the path of a future, not for pricing an option. Called by DataFile.

using MarginEngine.Codecs;

namespace MarginEngine.Tool.Import;

internal static class DeribitMarksCsv
{
    public static ImportedFile ReadPerpetuals(CsvReader csv)
        => Read(csv, DataFormat.DeribitPerpetualMarks, "instrument_name", "perp_futures_mark_price", "obs_datetime");

    public static ImportedFile ReadTerm(CsvReader csv)
        => Read(csv, DataFormat.DeribitTermMarks, "futures_instrument_name", "term_mark_price_final", "timestamp");

    private static ImportedFile Read(CsvReader csv, DataFormat format, string nameColumn, string priceColumn, string timeColumn)
    {
        int name = csv.Column(nameColumn), price = csv.Column(priceColumn), time = csv.Column(timeColumn);
        var futures = new List<FutureMark>();
        int skipped = 0;
        long first = long.MaxValue;
        while (csv.Next())
        {
            if (!VenueName.TryParse(csv.Text(name), out VenueName contract) || contract.Kind == InstrumentKind.Option)
                throw csv.Error(name, $"'{csv.Text(name)}' is not the name of a future");
            if (csv.IsEmpty(price))
            {
                skipped++;
                continue;
            }
            var mark = new FutureMark(csv.Text(name), contract, csv.TimeText(time), csv.Positive(price));
            first = Math.Min(first, mark.TimeNanos);
            futures.Add(mark);
        }
        if (futures.Count == 0)
            throw new ImportException(csv.File, 1, 1, "a header without a priced row");
        return new ImportedFile { File = csv.File, Format = format, TimeNanos = first, Futures = futures, Skipped = skipped };
    }
}
