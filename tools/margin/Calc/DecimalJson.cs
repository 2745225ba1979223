// Decimals in documents are JSON strings, so that no reader on the way turns them into binary floating point. Used by calc and run.
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MarginEngine.Tool.Calc;

/// <summary>Reads and writes a decimal as a string of digits: sign, digits, point, digits; no exponent, no separators.</summary>
internal sealed class DecimalJson : JsonConverter<decimal>
{
    private const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;

    public override decimal Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number) throw new JsonException("A decimal is written as a string, for example \"0.35\".");
        if (reader.TokenType != JsonTokenType.String || !TryParse(reader.GetString(), out decimal value))
            throw new JsonException("Not a decimal: sign, digits and a point are allowed, for example \"-0.35\".");
        return value;
    }

    public override void Write(Utf8JsonWriter writer, decimal value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));

    public static bool TryParse(string? text, out decimal value) =>
        decimal.TryParse(text, Style, CultureInfo.InvariantCulture, out value);
}
