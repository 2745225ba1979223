// Reads a JSON file into a typed document. Unknown keys, duplicate keys and wrong types are usage errors that name file, key and line.
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace MarginEngine.Tool.Shell;

internal static class JsonDocumentFile
{
    /// <exception cref="CommandFailure">The file cannot be read, or is not such a document.</exception>
    public static T Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw CommandFailure.Unreachable($"cannot read {path}: {failure.Message}");
        }

        try
        {
            return JsonSerializer.Deserialize(bytes, type) ?? throw CommandFailure.Usage($"{path}: the document is null");
        }
        catch (JsonException failure)
        {
            throw CommandFailure.Usage($"{path}{Place(failure)}: {FirstSentence(failure.Message)}");
        }
    }

    private static string Place(JsonException failure)
    {
        string line = failure.LineNumber is long number ? $":{number + 1}" : "";
        string key = failure.Path is { Length: > 1 } jsonPath ? $" at {jsonPath}" : "";
        return line + key;
    }

    // The library appends " Path: .. | LineNumber: .. " to its messages; Place says it better. Our type names mean nothing to a user.
    private static string FirstSentence(string message)
    {
        int path = message.IndexOf(" Path: ", StringComparison.Ordinal);
        string text = path >= 0 ? message[..path] : message;
        int type = text.IndexOf(" could not be mapped to any .NET member", StringComparison.Ordinal);
        return type >= 0 ? text[..type].Replace("The JSON property", "unknown key", StringComparison.Ordinal) : text;
    }
}
