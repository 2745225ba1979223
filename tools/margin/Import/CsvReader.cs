// Reads comma separated text with a header row (RFC 4180: quotes, doubled quotes, line breaks inside quotes) and knows where every
// field stands, so that the importers' errors name line and column.

using System.Globalization;
using System.Text;

namespace MarginEngine.Tool.Import;

/// <summary>A forward cursor over the rows of one CSV document. Rows with another number of fields than the header are errors.</summary>
public sealed class CsvReader
{
    private const int MostFields = 256;
    private static readonly string[] TimeFormats =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'",
        "yyyy-MM-dd HH:mm:ss.FFFFFFFzzz", "yyyy-MM-dd HH:mm:ss.FFFFFFF",
    ];

    private readonly byte[] _content;
    private readonly List<Field> _fields = [];
    private readonly string[] _header;
    private int _position;
    private int _line = 1;
    private int _lineStart;

    private readonly record struct Field(int Start, int Length, int Line, int Column, bool Doubled);

    /// <summary>Reads the header row.</summary>
    /// <exception cref="ImportException">An empty document or a first line that is no row.</exception>
    public CsvReader(string file, byte[] content)
    {
        File = file;
        _content = content;
        if (content.AsSpan().StartsWith("\uFEFF"u8))
            _position = _lineStart = 3;
        if (!ReadRow())
            throw new ImportException(file, 1, 1, "the file is empty, a header row is expected");
        _header = new string[_fields.Count];
        for (int i = 0; i < _header.Length; i++)
            _header[i] = Text(i);
    }

    public string File { get; }

    /// <summary>Line of the current row, counted from 1.</summary>
    public int Line => _fields[0].Line;

    public IReadOnlyList<string> Header => _header;

    /// <summary>Index of a column, -1 when the header has none of that name.</summary>
    public int Find(string column)
    {
        int index = Array.IndexOf(_header, column);
        return index < 0 || Array.LastIndexOf(_header, column) == index
            ? index
            : throw new ImportException(File, 1, 1, $"column '{column}' appears twice in the header");
    }

    /// <summary>Index of a column that must be there.</summary>
    public int Column(string column)
    {
        int index = Find(column);
        return index >= 0 ? index : throw new ImportException(File, 1, 1, $"column '{column}' is missing in the header");
    }

    /// <summary>Treats the header row as data too (files of candles have come without one).</summary>
    public void Rewind()
    {
        _position = _content.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0;
        _lineStart = _position;
        _line = 1;
    }

    /// <summary>Moves to the next row; false at the end. Empty lines are skipped.</summary>
    public bool Next()
    {
        if (!ReadRow())
            return false;
        if (_fields.Count != _header.Length)
            throw new ImportException(File, Line, 1, $"{_fields.Count} fields, the header has {_header.Length}");
        return true;
    }

    public ReadOnlySpan<byte> Bytes(int field)
    {
        Field at = _fields[field];
        ReadOnlySpan<byte> raw = _content.AsSpan(at.Start, at.Length);
        return at.Doubled ? Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(raw).Replace("\"\"", "\"", StringComparison.Ordinal)) : raw;
    }

    public bool IsEmpty(int field) => _fields[field].Length == 0;

    public string Text(int field) => Encoding.UTF8.GetString(Bytes(field));

    /// <summary>A decimal in units of 10^-<paramref name="scale"/>.</summary>
    public long Decimal(int field, int scale = DecimalText.Scale)
        => DecimalText.TryParse(Bytes(field), scale, out long value)
            ? value
            : throw Error(field, $"'{Shown(field)}' is not a decimal number in range");

    /// <summary>A decimal above zero.</summary>
    public long Positive(int field, int scale = DecimalText.Scale)
    {
        long value = Decimal(field, scale);
        return value > 0 ? value : throw Error(field, $"'{Shown(field)}' is not above zero");
    }

    /// <summary>A decimal of zero or more.</summary>
    public long NotNegative(int field, int scale = DecimalText.Scale)
    {
        long value = Decimal(field, scale);
        return value >= 0 ? value : throw Error(field, $"'{Shown(field)}' is below zero");
    }

    public long? Optional(int field, int scale = DecimalText.Scale) => field < 0 || IsEmpty(field) ? null : Decimal(field, scale);

    public double? OptionalReal(int field)
    {
        if (field < 0 || IsEmpty(field))
            return null;
        return DecimalText.TryParseReal(Bytes(field), out double value)
            ? value
            : throw Error(field, $"'{Shown(field)}' is not a finite number");
    }

    /// <summary>ISO 8601 or "date time"; without an offset it is UTC. Nanoseconds since 1970.</summary>
    public long TimeText(int field)
    {
        const DateTimeStyles Styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal | DateTimeStyles.AllowLeadingWhite;
        if (!DateTimeOffset.TryParseExact(Text(field), TimeFormats, CultureInfo.InvariantCulture, Styles, out DateTimeOffset time)
            || !UnixTime.TryNanos(time, out long nanos))
            throw Error(field, $"'{Shown(field)}' is not a time");
        return nanos;
    }

    /// <summary>Whole milliseconds or, from 10^14 on, microseconds since 1970. Nanoseconds since 1970.</summary>
    public long TimeNumber(int field)
        => DecimalText.TryParse(Bytes(field), 0, out long value) && UnixTime.TryNanos(value, out long nanos)
            ? nanos
            : throw Error(field, $"'{Shown(field)}' is not a time in milliseconds or microseconds since 1970");

    public ImportException Error(int field, string reason)
    {
        string name = _header is null || field >= _header.Length ? string.Empty : $"{_header[field]}: ";
        return new ImportException(File, _fields[field].Line, _fields[field].Column, name + reason);
    }

    private string Shown(int field)
    {
        string text = Text(field);
        return text.Length <= 40 ? text : text[..40] + "..";
    }

    private bool ReadRow()
    {
        _fields.Clear();
        while (_position < _content.Length && _content[_position] is (byte)'\n' or (byte)'\r')
            TakeLineBreak();
        if (_position >= _content.Length)
            return false;
        while (true)
        {
            ReadField();
            if (_fields.Count > MostFields)
                throw new ImportException(File, _line, 1, $"more than {MostFields} fields");
            if (_position >= _content.Length)
                return true;
            if (_content[_position] != (byte)',')
            {
                TakeLineBreak();
                return true;
            }
            _position++;
        }
    }

    private void ReadField()
    {
        int line = _line;
        int column = _position - _lineStart + 1;
        if (_position >= _content.Length || _content[_position] != (byte)'"')
        {
            int length = _content.AsSpan(_position).IndexOfAny((byte)',', (byte)'\n', (byte)'\r');
            length = length < 0 ? _content.Length - _position : length;
            _fields.Add(new Field(_position, length, line, column, false));
            _position += length;
            return;
        }
        int start = ++_position;
        bool doubled = false;
        while (true)
        {
            if (_position >= _content.Length)
                throw new ImportException(File, line, column, "a quoted field has no end");
            if (_content[_position] == (byte)'\n' || _content[_position] == (byte)'\r')
            {
                TakeLineBreak();
                continue;
            }
            if (_content[_position++] != (byte)'"')
                continue;
            if (_position >= _content.Length || _content[_position] != (byte)'"')
                break;
            doubled = true;
            _position++;
        }
        _fields.Add(new Field(start, _position - 1 - start, line, column, doubled));
        if (_position < _content.Length && _content[_position] is not ((byte)',' or (byte)'\n' or (byte)'\r'))
            throw new ImportException(File, _line, _position - _lineStart + 1, "text after the closing quote of a field");
    }

    private void TakeLineBreak()
    {
        bool pair = _content[_position] == (byte)'\r' && _position + 1 < _content.Length && _content[_position + 1] == (byte)'\n';
        _position += pair ? 2 : 1;
        _line++;
        _lineStart = _position;
    }
}
