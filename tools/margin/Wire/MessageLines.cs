// Messages of the schema as lines: JSON as the codecs write it, or words for people. Used by watch, inspect and replay.
using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using MarginEngine.Codecs;
using MarginEngine.Tool.Shell;

namespace MarginEngine.Tool.Wire;

/// <summary>Writes one line a message to standard output, which the caller flushes.</summary>
internal sealed class MessageLines(Terminal terminal, bool json) : IDisposable
{
    private readonly ArrayBufferWriter<byte> _bytes = new(4096);
    private readonly Utf8JsonWriter _writer = new(Stream.Null, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>Writes the message; what cannot be decoded is told as such, with its first bytes.</summary>
    /// <param name="message">A whole message.</param>
    /// <param name="before">Members (JSON) or words in front of it, for example the place in a journal.</param>
    public void Write(ReadOnlySpan<byte> message, Action<Utf8JsonWriter>? before = null)
    {
        _bytes.ResetWrittenCount();
        _writer.Reset(_bytes);
        _writer.WriteStartObject();
        before?.Invoke(_writer);
        _writer.WritePropertyName("message"u8);
        SbeError error = Schema.WriteJson(message, _writer);
        if (error != SbeError.None) WriteUndecoded(message, error);
        _writer.WriteEndObject();
        _writer.Flush();
        if (json) terminal.Out.WriteLine(System.Text.Encoding.UTF8.GetString(_bytes.WrittenSpan));
        else Words();
    }

    public void Dispose() => _writer.Dispose();

    private void WriteUndecoded(ReadOnlySpan<byte> message, SbeError error)
    {
        const int bytesShown = 32;
        _writer.WriteStartObject();
        _writer.WriteString("template"u8, "undecodable"u8);
        _writer.WriteString("error"u8, error.ToString());
        _writer.WriteNumber("length"u8, message.Length);
        _writer.WriteString("bytes"u8, Convert.ToHexStringLower(message[..Math.Min(bytesShown, message.Length)]));
        _writer.WriteEndObject();
    }

    // {"a":1,"message":{"template":"Fill","b":{..}}} becomes: a=1 Fill b={..}
    private void Words()
    {
        using JsonDocument document = JsonDocument.Parse(_bytes.WrittenMemory);
        List<string> words = [];
        foreach (JsonProperty property in document.RootElement.EnumerateObject())
        {
            if (property.Name != "message") words.Add($"{property.Name}={Word(property.Value)}");
            else AddMessage(property.Value, words);
        }

        terminal.Out.WriteLine(string.Join(' ', words));
    }

    private static void AddMessage(JsonElement message, List<string> words)
    {
        words.Add(message.GetProperty("template").GetString()!);
        foreach (JsonProperty property in message.EnumerateObject())
            if (property.Name != "template" && property.Value.ValueKind != JsonValueKind.Null)
                words.Add($"{property.Name}={Word(property.Value)}");
    }

    private static string Word(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Array => $"[{string.Join(' ', value.EnumerateArray().Select(Word))}]",
        JsonValueKind.Object => $"{{{string.Join(' ', value.EnumerateObject().Select(property => $"{property.Name}={Word(property.Value)}"))}}}",
        _ => value.GetRawText(),
    };
}
