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
            throw CommandFailure.Usage($"{path}{Place(failure)}: {Words(failure.Message)}");
        }
    }

    private static string Place(JsonException failure)
    {
        string line = failure.LineNumber is long number ? $":{number + 1}" : "";
        string key = failure.Path is { Length: > 1 } jsonPath ? $" at {jsonPath}" : "";
        return line + key;
    }

    /// <summary>
    /// A message of the JSON library for a user: without its " Path: .. | LineNumber: .. " (a place says it better) and without our type names.
    /// </summary>
    public static string Words(string message)
    {
        int path = message.IndexOf(" Path: ", StringComparison.Ordinal);
        string text = path >= 0 ? message[..path] : message;
        if (Between(text, "The JSON property '", "' could not be mapped") is string unknown) return $"unknown key '{unknown}'";
        if (Between(text, "missing required properties including: ", ".") is string missing) return $"missing: {missing}";
        return text.Contains("could not be converted to", StringComparison.Ordinal) ? "the value has the wrong type or is none of the choices" : text;
    }

    private static string? Between(string text, string before, string after)
    {
        int start = text.IndexOf(before, StringComparison.Ordinal);
        if (start < 0) return null;
        start += before.Length;
        int end = text.IndexOf(after, start, StringComparison.Ordinal);
        return end < 0 ? null : text[start..end];
    }
}
