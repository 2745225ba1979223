// The full ticker of every option as CSV: own time a row, all five Greeks in a dictionary written as text. Called by DataFile.

using System.Text;

namespace MarginEngine.Tool.Import;

/// <summary>
/// Columns read: timestamp (ms), instrument_name, option_type, strike, expiration_timestamp (ms), underlying_price, underlying_index,
/// mark_price, mark_iv (per cent), best_bid_price, best_ask_price, open_interest, index_price, greeks ("{'vega': 0.9, ..}").
/// </summary>
internal static class DeribitTickerCsv
{
    private const int PercentScale = DecimalText.Scale - 2;

    public static ImportedFile Read(CsvReader csv)
    {
        int time = csv.Column("timestamp"), name = csv.Column("instrument_name"), forward = csv.Column("underlying_price");
        int type = csv.Column("option_type"), strike = csv.Column("strike"), expiry = csv.Column("expiration_timestamp");
        int mark = csv.Column("mark_price"), volatility = csv.Column("mark_iv"), greeks = csv.Column("greeks");
        int forwardName = csv.Find("underlying_index"), index = csv.Find("index_price"), interest = csv.Find("open_interest");
        int bid = csv.Find("best_bid_price"), ask = csv.Find("best_ask_price");

        var options = new List<OptionQuote>();
        long first = long.MaxValue;
        while (csv.Next())
        {
            VenueName contract = DeribitChainCsv.ReadContract(csv, name, type, strike);
            if (csv.TimeNumber(expiry) != contract.ExpiryNanos)
                throw csv.Error(expiry, $"is another day than the name {csv.Text(name)} says");
            var quote = new OptionQuote
            {
                Name = csv.Text(name),
                Contract = contract,
                TimeNanos = csv.TimeNumber(time),
                Mark = csv.NotNegative(mark),
                MarkVolatility = DeribitChainCsv.Volatility(csv, volatility, PercentScale),
                ListedForward = csv.Positive(forward),
                ForwardName = forwardName < 0 ? string.Empty : csv.Text(forwardName),
                Index = csv.Optional(index),
                Bid = NoneAtZero(csv.Optional(bid)),
                Ask = NoneAtZero(csv.Optional(ask)),
                OpenInterest = csv.Optional(interest),
                Greeks = ReadGreeks(csv, greeks),
            };
            first = Math.Min(first, quote.TimeNanos);
            options.Add(quote);
        }
        if (options.Count == 0)
            throw new ImportException(csv.File, 1, 1, "a header without rows");
        return new ImportedFile { File = csv.File, Format = DataFormat.DeribitTickerCsv, TimeNanos = first, Options = options };
    }

    // The ticker writes 0 where the book has no order on that side.
    private static long? NoneAtZero(long? price) => price == 0 ? null : price;

    private static VenueGreeks ReadGreeks(CsvReader csv, int field)
    {
        string text = csv.Text(field).Trim();
        if (text.Length < 2 || text[0] != '{' || text[^1] != '}')
            throw csv.Error(field, "is not a dictionary");
        double? delta = null, gamma = null, vega = null, theta = null, rho = null;
        foreach (string pair in text[1..^1].Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            int colon = pair.IndexOf(':', StringComparison.Ordinal);
            string key = colon < 0 ? pair : pair[..colon].Trim(' ', '\'', '"');
            if (colon < 0 || !DecimalText.TryParseReal(Encoding.UTF8.GetBytes(pair[(colon + 1)..].Trim()), out double value))
                throw csv.Error(field, $"'{key.Trim()}' has no finite number");
            switch (key)
            {
                case "delta": delta = value; break;
                case "gamma": gamma = value; break;
                case "vega": vega = value; break;
                case "theta": theta = value; break;
                case "rho": rho = value; break;
                default: throw csv.Error(field, $"'{key}' is no Greek");
            }
        }
        return new VenueGreeks(delta, gamma, vega, theta, rho);
    }
}
