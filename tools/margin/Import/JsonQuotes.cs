// Rows of quotes out of JSON: one object an instrument, in the venue's own naming (mark_iv) or the recorder's (markIV). Used by
// DeribitJson.

using System.Globalization;
using System.Text.Json;

using MarginEngine.Codecs;

namespace MarginEngine.Tool.Import;

internal sealed class JsonQuotes
{
    private const int PercentScale = DecimalText.Scale - 2;

    private readonly string _file;
    private readonly ReadOnlyMemory<byte> _content;
    private readonly List<OptionQuote> _options = [];
    private readonly List<FutureMark> _futures = [];
    private DataFormat? _format;
    private int _skipped;
    private long _first = long.MaxValue;

    // One object while it is read; null: absent or null in the file.
    private struct Row
    {
        public string? Name, ForwardName;
        public long? Time, Mark, Volatility, Forward, Index, Bid, Ask, Interest;
        public double? Delta, Gamma, Vega, Theta, Rho;
    }

    public JsonQuotes(string file, ReadOnlyMemory<byte> content)
    {
        _file = file;
        _content = content;
    }

    /// <summary>Reads from the array's start to its end.</summary>
    public void ReadArray(ref Utf8JsonReader reader, DataFormat format)
    {
        _format = format;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            long at = reader.TokenStartIndex;
            if (reader.TokenType != JsonTokenType.StartObject)
                throw Unknown(at, "an object a row is expected");
            var row = default(Row);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                ReadProperty(ref reader, ref row);
            Take(at, in row);
        }
    }

    public ImportedFile Finish()
    {
        if (_format is null)
            throw Unknown(0, "neither a \"result\" nor a \"params\" with rows of quotes is in the document");
        if (_options.Count + _futures.Count == 0)
            throw Error(0, "no row has a mark");
        return new ImportedFile
        {
            File = _file, Format = _format.Value, TimeNanos = _first, Options = _options, Futures = _futures, Skipped = _skipped,
        };
    }

    public ImportException Error(long offset, string reason, Exception? inner = null)
    {
        (int line, int column) = Place(offset);
        return new ImportException(_file, line, column, reason, inner);
    }

    private ImportException Unknown(long offset, string reason)
    {
        (int line, int column) = Place(offset);
        return new ImportException(_file, line, column, reason) { IsUnknownFormat = true };
    }

    private (int Line, int Column) Place(long offset)
    {
        ReadOnlySpan<byte> before = _content.Span[..(int)Math.Min(offset, _content.Length)];
        return (before.Count((byte)'\n') + 1, before.Length - before.LastIndexOf((byte)'\n'));
    }

    private void ReadProperty(ref Utf8JsonReader reader, ref Row row)
    {
        string name = reader.GetString()!;
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
            return;
        switch (name)
        {
            case "instrument_name" or "symbol": row.Name = Text(ref reader, name); break;
            case "underlying_index" or "underlyingIndex": row.ForwardName = Text(ref reader, name); break;
            case "creation_timestamp" or "timestamp": row.Time = Time(ref reader, name); break;
            case "mark_price" or "markPrice": row.Mark = Number(ref reader, name, DecimalText.Scale); break;
            case "mark_iv" or "markIV": row.Volatility = Number(ref reader, name, PercentScale); break;
            case "underlying_price" or "underlyingPrice": row.Forward = Number(ref reader, name, DecimalText.Scale); break;
            case "estimated_delivery_price" or "index_price": row.Index = Number(ref reader, name, DecimalText.Scale); break;
            case "bid_price" or "bestBidPrice": row.Bid = Number(ref reader, name, DecimalText.Scale); break;
            case "ask_price" or "bestAskPrice": row.Ask = Number(ref reader, name, DecimalText.Scale); break;
            case "open_interest" or "openInterest": row.Interest = Number(ref reader, name, DecimalText.Scale); break;
            case "delta": row.Delta = Real(ref reader, name); break;
            case "gamma": row.Gamma = Real(ref reader, name); break;
            case "vega": row.Vega = Real(ref reader, name); break;
            case "theta": row.Theta = Real(ref reader, name); break;
            case "rho": row.Rho = Real(ref reader, name); break;
            default: reader.Skip(); break;
        }
    }

    private void Take(long at, in Row row)
    {
        if (row.Name is null)
            throw Unknown(at, "a row has no instrument_name");
        if (!VenueName.TryParse(row.Name, out VenueName contract) || row.Mark is not long mark)
        {
            _skipped++;
            return;
        }
        long time = row.Time ?? throw Error(at, $"{row.Name} has no creation_timestamp");
        if (contract.Kind != InstrumentKind.Option)
        {
            if (mark <= 0)
                throw Error(at, $"mark_price of {row.Name} is not above zero");
            _futures.Add(new FutureMark(row.Name, contract, time, mark));
        }
        else if (row.Volatility is not > 0)
        {
            _skipped++;
            return;
        }
        else
        {
            _options.Add(ToOption(at, in row, contract, time, mark));
        }
        _first = Math.Min(_first, time);
    }

    private OptionQuote ToOption(long at, in Row row, VenueName contract, long time, long mark)
    {
        if (mark < 0)
            throw Error(at, $"mark_price of {row.Name} is below zero");
        if (row.Volatility > QuoteBounds.LargestVolatility)
            throw Error(at, $"mark_iv of {row.Name} is above 5000 %");
        if (row.Forward is not > 0)
            throw Error(at, $"underlying_price of {row.Name} is missing or not above zero");
        return new OptionQuote
        {
            Name = row.Name!,
            Contract = contract,
            TimeNanos = time,
            Mark = mark,
            MarkVolatility = row.Volatility!.Value,
            ListedForward = row.Forward.Value,
            ForwardName = row.ForwardName ?? string.Empty,
            Index = row.Index,
            Bid = row.Bid is > 0 ? row.Bid : null,
            Ask = row.Ask is > 0 ? row.Ask : null,
            OpenInterest = row.Interest,
            Greeks = new VenueGreeks(row.Delta, row.Gamma, row.Vega, row.Theta, row.Rho),
        };
    }

    private string Text(ref Utf8JsonReader reader, string name)
        => reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw Error(reader.TokenStartIndex, name + " is not text");

    private long Number(ref Utf8JsonReader reader, string name, int scale)
        => reader.TokenType == JsonTokenType.Number && DecimalText.TryParse(reader.ValueSpan, scale, out long value)
            ? value
            : throw Error(reader.TokenStartIndex, name + " is not a decimal number in range");

    private double Real(ref Utf8JsonReader reader, string name)
        => reader.TokenType == JsonTokenType.Number && DecimalText.TryParseReal(reader.ValueSpan, out double value)
            ? value
            : throw Error(reader.TokenStartIndex, name + " is not a finite number");

    private long Time(ref Utf8JsonReader reader, string name)
    {
        const string Format = "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK";
        long nanos = -1;
        bool read = reader.TokenType switch
        {
            JsonTokenType.Number => DecimalText.TryParse(reader.ValueSpan, 0, out long number) && UnixTime.TryNanos(number, out nanos),
            JsonTokenType.String => DateTimeOffset.TryParseExact(reader.GetString(), Format, CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal, out DateTimeOffset time) && UnixTime.TryNanos(time, out nanos),
            _ => false,
        };
        return read ? nanos : throw Error(reader.TokenStartIndex, name + " is not a time");
    }
}
