// JSON of the venue: the answer of public/get_book_summary_by_currency (whole, or its result array alone) and recorded option summaries
// ({"params": {"at": .., "options": [..]}}). Numbers are read from their digits. Called by DataFile.

using System.Text.Json;

namespace MarginEngine.Tool.Import;

internal static class DeribitJson
{
    private static ReadOnlySpan<byte> Mark => "\uFEFF"u8;

    public static ImportedFile Read(string file, byte[] content)
    {
        int start = content.AsSpan().StartsWith(Mark) ? Mark.Length : 0;
        var rows = new JsonQuotes(file, content.AsMemory(start));
        var reader = new Utf8JsonReader(content.AsSpan(start), new JsonReaderOptions { MaxDepth = 64 });
        try
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartArray)
                rows.ReadArray(ref reader, DataFormat.DeribitBookSummary);
            else
                ReadDocument(ref reader, rows);
            reader.Read();
        }
        catch (JsonException error)
        {
            string reason = "not valid JSON: " + FirstSentence(error.Message);
            throw new ImportException(file, Bounded(error.LineNumber), Bounded(error.BytePositionInLine), reason, error);
        }
        catch (InvalidOperationException error)
        {
            // The reader's way to say that a string is not UTF-8 or an escape is half of a pair.
            throw rows.Error(reader.TokenStartIndex, "a string is not valid text", error);
        }
        return rows.Finish();
    }

    private static void ReadDocument(ref Utf8JsonReader reader, JsonQuotes rows)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool result = reader.ValueTextEquals("result"u8);
            bool parameters = reader.ValueTextEquals("params"u8);
            bool refusal = reader.ValueTextEquals("error"u8);
            long at = reader.TokenStartIndex;
            reader.Read();
            if (result && reader.TokenType == JsonTokenType.StartArray)
                rows.ReadArray(ref reader, DataFormat.DeribitBookSummary);
            else if (parameters && reader.TokenType == JsonTokenType.StartObject)
                ReadParameters(ref reader, rows);
            else if (refusal && reader.TokenType == JsonTokenType.StartObject)
                throw rows.Error(at, "the venue answered with an error");
            else
                reader.Skip();
        }
    }

    private static void ReadParameters(ref Utf8JsonReader reader, JsonQuotes rows)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool options = reader.ValueTextEquals("options"u8);
            reader.Read();
            if (options && reader.TokenType == JsonTokenType.StartArray)
                rows.ReadArray(ref reader, DataFormat.OptionSummary);
            else
                reader.Skip();
        }
    }

    private static int Bounded(long? zeroBased) => (int)Math.Min(zeroBased ?? 0, int.MaxValue - 1) + 1;

    private static string FirstSentence(string message)
    {
        int end = message.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
