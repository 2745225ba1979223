// The door of the importers: any file in, what it is told by its content, records out. Called by `market`, `demo`, tests and benches.

using System.Text.RegularExpressions;

namespace MarginEngine.Tool.Import;

/// <summary>Reads files of every format in <see cref="DataFormat"/>, plain, gzip or zip.</summary>
public static partial class DataFile
{
    private static readonly string[] CandleColumns = ["open_time", "open", "high", "low", "close", "close_time"];

    /// <summary>Reads a file; a zip gives one result an entry.</summary>
    /// <exception cref="ImportException">The content is damaged, or of no known format; names file, line and column.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IReadOnlyList<ImportedFile> Load(string path) => Parse(Path.GetFileName(path), File.ReadAllBytes(path));

    /// <summary>Pure form of <see cref="Load"/>: <paramref name="name"/> is for messages and for the symbol of candles only.</summary>
    public static IReadOnlyList<ImportedFile> Parse(string name, byte[] content)
        => [.. PackedFile.Unpack(name, content).Select(ParsePlain)];

    /// <summary>
    /// Reads every file below a directory, in the order of their paths; those of no known format are left out and told to <paramref
    /// name="ignored"/>.
    /// </summary>
    public static IReadOnlyList<ImportedFile> LoadDirectory(string directory, Action<ImportException>? ignored = null)
    {
        var files = new List<ImportedFile>();
        foreach (string path in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            try
            {
                files.AddRange(Load(path));
            }
            catch (ImportException error) when (error.IsUnknownFormat)
            {
                ignored?.Invoke(error);
            }
        }
        return files;
    }

    private static ImportedFile ParsePlain(PlainPart part)
    {
        int start = part.Content.AsSpan().IndexOfAnyExcept(" \t\r\n\uFEFF"u8);
        if (start < 0)
            throw new ImportException(part.Name, 1, 1, "the file is empty");
        if (part.Content[start] is (byte)'{' or (byte)'[')
            return DeribitJson.Read(part.Name, part.Content);
        CsvReader csv = Open(part);
        return Detect(csv) switch
        {
            DataFormat.DeribitChainCsv => DeribitChainCsv.Read(csv),
            DataFormat.DeribitTickerCsv => DeribitTickerCsv.Read(csv),
            DataFormat.DeribitPerpetualMarks => DeribitMarksCsv.ReadPerpetuals(csv),
            DataFormat.DeribitTermMarks => DeribitMarksCsv.ReadTerm(csv),
            DataFormat.BinanceKlines => BinanceCsv.ReadCandles(csv, SymbolOf(part.Name)),
            DataFormat.BinanceBookDepth => BinanceCsv.ReadDepth(csv),
            _ => BinanceCsv.ReadValues(csv),
        };
    }

    private static DataFormat Detect(CsvReader csv)
    {
        if (Has(csv, "instrument_name", "mark_price", "mark_iv", "greeks"))
            return DataFormat.DeribitTickerCsv;
        if (Has(csv, "instrument_name", "mark_price", "implied_volatility", "underlying"))
            return DataFormat.DeribitChainCsv;
        if (Has(csv, "instrument_name", "perp_futures_mark_price"))
            return DataFormat.DeribitPerpetualMarks;
        if (Has(csv, "futures_instrument_name", "term_mark_price_final"))
            return DataFormat.DeribitTermMarks;
        if (Has(csv, CandleColumns) || BinanceCsv.IsHeadless(csv))
            return DataFormat.BinanceKlines;
        if (Has(csv, "timestamp", "percentage", "depth", "notional"))
            return DataFormat.BinanceBookDepth;
        if (Has(csv, "timestamp_ms", "value"))
            return DataFormat.TimedValues;
        string header = string.Join(',', csv.Header);
        throw new ImportException(csv.File, 1, 1, "the header is of no known format: " + Shorten(header)) { IsUnknownFormat = true };
    }

    private static CsvReader Open(PlainPart part)
    {
        try
        {
            return new CsvReader(part.Name, part.Content);
        }
        catch (ImportException error)
        {
            string reason = "the first line is no header: " + error.Reason;
            throw new ImportException(part.Name, error.Line, error.Column, reason, error) { IsUnknownFormat = true };
        }
    }

    private static bool Has(CsvReader csv, params string[] columns) => Array.TrueForAll(columns, column => csv.Find(column) >= 0);

    // Binance's archives name their files <symbol>-<interval>-<day>, private copies put words around it; the content has no symbol.
    private static string SymbolOf(string name)
    {
        Match match = SymbolPattern().Match(Path.GetFileName(name));
        return match.Success ? match.Value : string.Empty;
    }

    private static string Shorten(string text) => text.Length <= 100 ? text : text[..100] + "..";

    [GeneratedRegex("(?<![A-Za-z0-9])[A-Z0-9]{2,12}(USDT|USDC|USD)(_PERP)?(?![A-Za-z0-9])")]
    private static partial Regex SymbolPattern();
}
