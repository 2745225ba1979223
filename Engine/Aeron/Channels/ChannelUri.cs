// A channel URI taken apart: `aeron:udp?name=value|name=value`. Channel.cs asks it for typed values; a mistake names its parameter.

using System.Globalization;

namespace MarginEngine.Aeron;

internal sealed class ChannelUri
{
    private const string Prefix = "aeron:";

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    private ChannelUri(string text, string media)
    {
        Text = text;
        Media = media;
    }

    public string Text { get; }

    public string Media { get; }

    public IEnumerable<string> Names => _values.Keys;

    /// <exception cref="ChannelException">the text is no channel URI</exception>
    public static ChannelUri Parse(string text)
    {
        if (text.Length > Limits.MaxChannelLength)
            throw new ChannelException(text[..64] + "...", "length", $"longer than {Limits.MaxChannelLength} characters");
        if (!text.StartsWith(Prefix, StringComparison.Ordinal))
            throw new ChannelException(text, "prefix", $"a channel begins with '{Prefix}'");

        int question = text.IndexOf('?', StringComparison.Ordinal);
        var uri = new ChannelUri(text, question < 0 ? text[Prefix.Length..] : text[Prefix.Length..question]);
        if (question < 0)
            return uri;

        foreach (string pair in text[(question + 1)..].Split('|'))
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw new ChannelException(text, pair.Length == 0 ? "parameters" : pair, "expected name=value");
            if (!uri._values.TryAdd(pair[..equals], pair[(equals + 1)..]))
                throw new ChannelException(text, pair[..equals], "given twice");
        }
        return uri;
    }

    /// <summary>Takes what is missing here from a channel that this one refers to.</summary>
    public void Inherit(ChannelUri other, ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (other._values.TryGetValue(name, out string? value))
                _values.TryAdd(name, value);
        }
    }

    public string? Find(string name) => _values.GetValueOrDefault(name);

    public ChannelException Error(string name, string reason) => new(Text, name, reason);

    public int Integer(string name, int otherwise, int low, int high)
    {
        if (Find(name) is not { } value)
            return otherwise;
        if (!int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number))
            throw Error(name, $"'{value}' is not a 32-bit integer");
        return number >= low && number <= high ? number : throw Error(name, $"{number} is outside {low} to {high}");
    }

    public long Long(string name) => ParseLong(name, Find(name) ?? "");

    public long ParseLong(string name, string value) =>
        long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw Error(name, $"'{value}' is not a 64-bit integer");

    public bool Flag(string name, bool otherwise) => Find(name) switch
    {
        null => otherwise,
        "true" => true,
        "false" => false,
        var value => throw Error(name, $"'{value}' is neither true nor false"),
    };

    /// <summary>Bytes, with an optional suffix k, m or g (powers of 1,024).</summary>
    public int Size(string name, int otherwise, int low, int high)
    {
        if (Find(name) is not { } value)
            return otherwise;
        long unit = value.Length == 0 ? 1 : char.ToLowerInvariant(value[^1]) switch
        {
            'k' => 1L << 10,
            'm' => 1L << 20,
            'g' => 1L << 30,
            _ => 1,
        };
        ReadOnlySpan<char> digits = unit == 1 ? value : value.AsSpan(0, value.Length - 1);
        if (!uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out uint count))
            throw Error(name, $"'{value}' is not a size (digits and an optional k, m or g)");
        long bytes = count * unit;
        return bytes >= low && bytes <= high ? (int)bytes : throw Error(name, $"{bytes} bytes is outside {low} to {high}");
    }

    /// <summary>Nanoseconds, with an optional suffix ns, us, ms or s.</summary>
    public long Duration(string name, long otherwise)
    {
        return Find(name) is { } value ? ParseDuration(name, value) : otherwise;
    }

    /// <summary>The same for a duration inside a parameter.</summary>
    public long ParseDuration(string name, string value)
    {
        (int suffix, long unit) = value switch
        {
            _ when value.EndsWith("ns", StringComparison.Ordinal) => (2, 1L),
            _ when value.EndsWith("us", StringComparison.Ordinal) => (2, 1_000L),
            _ when value.EndsWith("ms", StringComparison.Ordinal) => (2, 1_000_000L),
            _ when value.EndsWith('s') => (1, 1_000_000_000L),
            _ => (0, 1L),
        };
        if (!ulong.TryParse(value.AsSpan(0, value.Length - suffix), NumberStyles.None, CultureInfo.InvariantCulture, out ulong count)
            || count > (ulong)(long.MaxValue / 4 / unit))
            throw Error(name, $"'{value}' is not a duration (digits and ns, us, ms or s)");
        return (long)count * unit;
    }
}
