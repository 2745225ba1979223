// The part of the JSON writer that is the same for every schema.

namespace MarginEngine.SbeGenerator.Emit;

internal static class JsonSupport
{
    public static void Emit(CodeWriter writer)
    {
        foreach (string line in Source.Replace("\r", "").Split('\n'))
            writer.Line(line.Replace("#WRITER#", "global::System.Text.Json.Utf8JsonWriter").Replace("#SPAN#", "global::System.ReadOnlySpan"));
    }

    private const string Source = """
        // Values of JSON, allocation free. An empty name stands for an element of an array.
        internal static class SbeJson
        {
            internal static void Number(#WRITER# writer, #SPAN#<byte> name, long? value)
            {
                Name(writer, name);
                if (value is { } number)
                    writer.WriteNumberValue(number);
                else
                    writer.WriteNullValue();
            }

            internal static void Number(#WRITER# writer, #SPAN#<byte> name, ulong? value)
            {
                Name(writer, name);
                if (value is { } number)
                    writer.WriteNumberValue(number);
                else
                    writer.WriteNullValue();
            }

            // JSON has no NaN and no infinity: they are written as strings.
            internal static void Real(#WRITER# writer, #SPAN#<byte> name, double? value)
            {
                Name(writer, name);
                if (value is not { } number)
                    writer.WriteNullValue();
                else if (double.IsFinite(number))
                    writer.WriteNumberValue(number);
                else
                    writer.WriteStringValue(double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
            }

            internal static void Real(#WRITER# writer, #SPAN#<byte> name, float? value)
            {
                if (value is { } number && float.IsFinite(number))
                {
                    Name(writer, name);
                    writer.WriteNumberValue(number);
                }
                else
                {
                    Real(writer, name, (double?)value);
                }
            }

            internal static void Character(#WRITER# writer, #SPAN#<byte> name, byte? value)
            {
                Name(writer, name);
                if (value is not { } octet || octet == 0)
                    writer.WriteNullValue();
                else
                    writer.WriteStringValue([(char)octet]);
            }

            // What is no UTF-8 is taken as Latin-1, so that every octet can be seen.
            internal static void Text(#WRITER# writer, #SPAN#<byte> name, #SPAN#<byte> value)
            {
                if (global::System.Text.Unicode.Utf8.IsValid(value))
                    writer.WriteString(name, value);
                else
                    writer.WriteString(name, global::System.Text.Encoding.Latin1.GetString(value));
            }

            internal static void Hex(#WRITER# writer, #SPAN#<byte> name, #SPAN#<byte> value)
            {
                if (value.Length > 256)
                {
                    writer.WriteString(name, global::System.Convert.ToHexStringLower(value));
                    return;
                }

                global::System.Span<char> digits = stackalloc char[512];
                global::System.Convert.TryToHexStringLower(value, digits, out int written);
                writer.WriteString(name, digits.Slice(0, written));
            }

            internal static void Decimal(#WRITER# writer, long? mantissa, long exponent) => Decimal(writer, (global::System.Int128?)mantissa, exponent);

            internal static void Decimal(#WRITER# writer, ulong? mantissa, long exponent) => Decimal(writer, (global::System.Int128?)mantissa, exponent);

            // A string without exponent and without trailing zeros; mantissa and exponent as they are where that would be absurdly long.
            private static void Decimal(#WRITER# writer, global::System.Int128? mantissa, long exponent)
            {
                if (mantissa is not { } value)
                {
                    writer.WriteNullValue();
                    return;
                }

                global::System.Span<char> text = stackalloc char[96];
                int length = 0;
                if (value < 0)
                    text[length++] = '-';
                global::System.Span<char> digits = stackalloc char[40];
                global::System.Int128.Abs(value).TryFormat(digits, out int count, default, global::System.Globalization.CultureInfo.InvariantCulture);
                while (exponent < 0 && count > 1 && digits[count - 1] == '0')
                {
                    count--;
                    exponent++;
                }

                if (value == 0)
                    exponent = 0;
                if (exponent < -40 || exponent > 40)
                {
                    digits.Slice(0, count).CopyTo(text.Slice(length));
                    length += count;
                    text[length++] = 'e';
                    exponent.TryFormat(text.Slice(length), out int tail, default, global::System.Globalization.CultureInfo.InvariantCulture);
                    writer.WriteStringValue(text.Slice(0, length + tail));
                    return;
                }

                int whole = count + (int)exponent;
                if (whole <= 0)
                    text[length++] = '0';
                for (int i = 0; i < whole; i++)
                    text[length++] = i < count ? digits[i] : '0';
                if (exponent < 0)
                {
                    text[length++] = '.';
                    for (int i = whole; i < count; i++)
                        text[length++] = i < 0 ? '0' : digits[i];
                }

                writer.WriteStringValue(text.Slice(0, length));
            }

            private static void Name(#WRITER# writer, #SPAN#<byte> name)
            {
                if (!name.IsEmpty)
                    writer.WritePropertyName(name);
            }
        }
        """;
}
