using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace MarginEngine.Tests.CommandTests;

/// <summary>As much of JSON Schema as the published schemas use.</summary>
internal static class JsonSchema
{
    /// <summary>What of a document its schema does not allow, a sentence each.</summary>
    public static IReadOnlyList<string> Faults(JsonNode? value, JsonNode schema) => [.. Faults(value, schema, schema, "$")];

    public static JsonNode Resolve(JsonNode schema, JsonNode root)
    {
        if (schema["$ref"]?.GetValue<string>() is not string reference) return schema;
        JsonNode at = root;
        foreach (string key in reference.Split('/')[1..]) at = at is JsonArray array ? array[int.Parse(key)]! : at[key]!;
        return at;
    }

    private static IEnumerable<string> Faults(JsonNode? value, JsonNode schema, JsonNode root, string path)
    {
        schema = Resolve(schema, root);
        if (schema["type"]?.GetValue<string>() is string type && !HasType(value, type)) return [$"{path} is no {type}"];
        if (schema["enum"] is JsonArray allowed && !allowed.Any(choice => JsonNode.DeepEquals(choice, value))) return [$"{path} is none of the choices"];
        if (schema["const"] is JsonNode constant && !JsonNode.DeepEquals(constant, value)) return [$"{path} is not {constant}"];
        List<string> faults = [];
        if (schema["oneOf"] is JsonArray choices && choices.Count(choice => !Faults(value, choice!, root, path).Any()) != 1) faults.Add($"{path}: not exactly one of oneOf");
        if (value?.GetValueKind() == JsonValueKind.Number && !IsWithin(schema, value.AsValue())) faults.Add($"{path} is out of bounds");
        if (value is JsonValue text && text.GetValueKind() == JsonValueKind.String && !Matches(schema, text.GetValue<string>())) faults.Add($"{path} does not match");
        if (value is JsonArray array && schema["items"] is JsonNode items) faults.AddRange(array.SelectMany((item, index) => Faults(item, items, root, $"{path}[{index}]")));
        if (value is JsonArray list && schema["maxItems"]?.GetValue<int>() < list.Count) faults.Add($"{path} is too long");
        if (value is JsonObject map) faults.AddRange(MapFaults(map, schema, root, path));
        return faults;
    }

    private static IEnumerable<string> MapFaults(JsonObject map, JsonNode schema, JsonNode root, string path)
    {
        foreach (JsonNode? name in schema["required"] as JsonArray ?? [])
            if (!map.ContainsKey(name!.GetValue<string>()))
                yield return $"{path}.{name} is missing";
        if (schema["minProperties"]?.GetValue<int>() > map.Count) yield return $"{path} has too few keys";
        foreach ((string name, JsonNode? member) in map)
        {
            string place = $"{path}.{name}";
            if (schema["propertyNames"] is JsonNode names && !Matches(Resolve(names, root), name)) yield return $"{place} is no allowed key";
            JsonNode? known = schema["properties"]?[name];
            if (known is null && schema["additionalProperties"] is JsonValue closed && !closed.GetValue<bool>()) yield return $"{place} is unknown";
            known ??= schema["additionalProperties"] as JsonObject;
            if (known is null) continue;
            foreach (string fault in Faults(member, known, root, place)) yield return fault;
        }
    }

    private static bool IsWithin(JsonNode schema, JsonValue value)
    {
        decimal number = decimal.Parse(value.ToString(), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture);
        return !(Bound(schema, "minimum") > number) && !(Bound(schema, "maximum") < number) && !(Bound(schema, "exclusiveMinimum") >= number);
    }

    private static decimal? Bound(JsonNode schema, string name) => schema[name] is JsonNode bound
        ? decimal.Parse(bound.ToString(), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture)
        : null;

    private static bool Matches(JsonNode schema, string text) =>
        (schema["pattern"]?.GetValue<string>() is not string pattern || Regex.IsMatch(text, pattern))
        && (schema["maxLength"]?.GetValue<int>() is not int longest || text.Length <= longest);

    private static bool HasType(JsonNode? value, string type) => (value?.GetValueKind(), type) switch
    {
        (JsonValueKind.Object, "object") or (JsonValueKind.Array, "array") or (JsonValueKind.String, "string") or (JsonValueKind.Number, "number") => true,
        (JsonValueKind.True or JsonValueKind.False, "boolean") => true,
        (JsonValueKind.Number, "integer") => value!.AsValue().TryGetValue(out decimal number) && number == Math.Truncate(number),
        _ => false,
    };
}
