// Option chain snapshots as CSV, one row an option, one time a file: mark, mark volatility and listed forward in one table. Called by
// DataFile.

using MarginEngine.Codecs;

namespace MarginEngine.Tool.Import;

/// <summary>
/// Columns read: timestamp, instrument_name, underlying, underlying_name, option_type, strike, expiry_datetime, bid_price, ask_price,
/// mark_price, implied_volatility (1 = 100 %), delta, vega, open_interest, index_price. time_to_maturity is left alone: it counts another
/// year than the venue does.
/// </summary>
internal static class DeribitChainCsv
{
    public static ImportedFile Read(CsvReader csv)
    {
        int time = csv.Column("timestamp"), name = csv.Column("instrument_name"), forward = csv.Column("underlying");
        int mark = csv.Column("mark_price"), volatility = csv.Column("implied_volatility");
        int type = csv.Column("option_type"), strike = csv.Column("strike"), expiry = csv.Column("expiry_datetime");
        int forwardName = csv.Find("underlying_name"), index = csv.Find("index_price");
        int bid = csv.Find("bid_price"), ask = csv.Find("ask_price");
        int delta = csv.Find("delta"), vega = csv.Find("vega"), interest = csv.Find("open_interest");

        var options = new List<OptionQuote>();
        long first = long.MaxValue;
        while (csv.Next())
        {
            VenueName contract = ReadContract(csv, name, type, strike);
            if (csv.TimeText(expiry) != contract.ExpiryNanos)
                throw csv.Error(expiry, $"is another day than the name {csv.Text(name)} says");
            var quote = new OptionQuote
            {
                Name = csv.Text(name),
                Contract = contract,
                TimeNanos = csv.TimeText(time),
                Mark = csv.NotNegative(mark),
                MarkVolatility = Volatility(csv, volatility, DecimalText.Scale),
                ListedForward = csv.Positive(forward),
                ForwardName = forwardName < 0 ? string.Empty : csv.Text(forwardName),
                Index = csv.Optional(index),
                Bid = csv.Optional(bid),
                Ask = csv.Optional(ask),
                OpenInterest = csv.Optional(interest),
                Greeks = new VenueGreeks(csv.OptionalReal(delta), null, csv.OptionalReal(vega), null, null),
            };
            first = Math.Min(first, quote.TimeNanos);
            options.Add(quote);
        }
        if (options.Count == 0)
            throw new ImportException(csv.File, 1, 1, "a header without rows");
        return new ImportedFile { File = csv.File, Format = DataFormat.DeribitChainCsv, TimeNanos = first, Options = options };
    }

    /// <summary>The contract from its name, checked against the columns that say the same.</summary>
    internal static VenueName ReadContract(CsvReader csv, int name, int type, int strike)
    {
        if (!VenueName.TryParse(csv.Text(name), out VenueName contract) || contract.Kind != InstrumentKind.Option)
            throw csv.Error(name, $"'{csv.Text(name)}' is not the name of an option");
        bool isCall = csv.Text(type) switch
        {
            "call" => true,
            "put" => false,
            _ => throw csv.Error(type, $"'{csv.Text(type)}' is neither call nor put"),
        };
        if (isCall != contract.IsCall)
            throw csv.Error(type, $"differs from the name {csv.Text(name)}");
        if (csv.Positive(strike) != contract.Strike)
            throw csv.Error(strike, $"differs from the name {csv.Text(name)}");
        return contract;
    }

    /// <summary>A volatility above zero and at most 5000 %; <paramref name="scale"/> is 8 for parts of one, 6 for per cent.</summary>
    internal static long Volatility(CsvReader csv, int field, int scale)
    {
        long value = csv.Positive(field, scale);
        return value <= QuoteBounds.LargestVolatility ? value : throw csv.Error(field, "is above 5000 %");
    }
}

/// <summary>Bounds of schema.xml that a quote must keep to be of use.</summary>
internal static class QuoteBounds
{
    public const long LargestVolatility = 5_000_000_000;
}
