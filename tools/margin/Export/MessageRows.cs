// A message's JSON, as the codecs write it, as rows of its tables.
using System.Globalization;
using System.Text.Json;

namespace MarginEngine.Tool.Export;

internal static class MessageRows
{
    /// <summary>Inserts the message and its groups' entries.</summary>
    /// <param name="key">Sequence of an input, ordinal of a decision.</param>
    public static void Insert(ITableSink sink, MessageTable table, long key, JsonElement message)
    {
        object?[] row = new object?[table.Table.Columns.Count];
        row[0] = key;
        Fill(row, table.Fields, message);
        sink.Insert(table.Table, row);
        foreach (MessageTable group in table.Groups)
        {
            if (!message.TryGetProperty(group.JsonName, out JsonElement entries)) continue;
            long number = 0;
            foreach (JsonElement entry in entries.EnumerateArray())
            {
                object?[] one = new object?[group.Table.Columns.Count];
                one[0] = key;
                one[1] = number++;
                Fill(one, group.Fields, entry);
                sink.Insert(group.Table, one);
            }
        }
    }

    private static void Fill(object?[] row, IReadOnlyList<FieldPlace> fields, JsonElement owner)
    {
        foreach (FieldPlace field in fields)
        {
            if (Find(owner, field.Path) is not JsonElement value || value.ValueKind == JsonValueKind.Null) continue;
            switch (field.Kind)
            {
                case FieldKind.Scaled:
                    row[field.First] = Scaled(value.GetString()!, field.Decimals);
                    break;
                case FieldKind.Amount:
                    (row[field.First], row[field.First + 1]) = Amount(value.GetString()!);
                    break;
                default:
                    row[field.First] = Plain(value);
                    break;
            }
        }
    }

    private static JsonElement? Find(JsonElement owner, string[] path)
    {
        foreach (string name in path)
        {
            if (owner.ValueKind != JsonValueKind.Object || !owner.TryGetProperty(name, out JsonElement member)) return null;
            owner = member;
        }

        return owner;
    }

    // A set is its choices with commas between; what does not fit 64 signed bits is text.
    private static object? Plain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.TryGetInt64(out long number) ? number : value.GetRawText(),
        JsonValueKind.Array => string.Join(',', value.EnumerateArray().Select(choice => choice.ValueKind == JsonValueKind.String ? choice.GetString() : choice.GetRawText())),
        _ => value.GetString(),
    };

    /// <summary>"-1.25" with 6 decimals is -1250000.</summary>
    /// <exception cref="FormatException">It has more decimals.</exception>
    public static long Scaled(string text, int decimals)
    {
        int point = text.IndexOf('.', StringComparison.Ordinal);
        string digits = point < 0 ? text : text.Remove(point, 1);
        int has = point < 0 ? 0 : text.Length - point - 1;
        if (has > decimals) throw new FormatException($"{text} has more than {decimals} decimals");
        return long.Parse(digits + new string('0', decimals - has), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
    }

    private static (object? Mantissa, object? Exponent) Amount(string text)
    {
        int point = text.IndexOf('.', StringComparison.Ordinal);
        int decimals = point < 0 ? 0 : text.Length - point - 1;
        return (Scaled(text, decimals), (long)-decimals);
    }
}
